"""The calls of many items, and the jobs that they begin: sent, and watched until they are done.

Each call begins a job of its own: adding to one that may be closed by then costs a refused call
more often than it saves a look. A refusal that is about the endpoint ends it for this run, with one
sentence; whoever was meant goes the single way.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from intercom_assets.domain.bulk import ITEMS, BulkJob, JobState
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, Invalid, LeaseRanOut, Unavailable
from intercom_assets.sync.context.work import Run

Item = TypeVar("Item")
Send: TypeAlias = Callable[[Sequence[Item]], BulkJob]
_Job: TypeAlias = tuple[str, list[str]]
"""Its id, and the keys of its items."""
Look: TypeAlias = Callable[[IntercomClient, str], BulkJob]

JOBS_LOOKED_AT = 32
"""At once: they are done in order, as far as is known, so that the rest can wait."""
FIRST_WAIT, LONGEST_WAIT, PATIENCE = 0.5, 5.0, 300.0
"""Seconds between two looks at jobs that are at work, and after which they are left to it."""
LONGEST_PAUSE = 1.0
"""Seconds for which a stop is not noticed."""

_MOST = re.compile(r"maximum number of \w+ per request is (\d+)", re.IGNORECASE)

log = logging.getLogger(__name__)


def wait_for(client: IntercomClient, seconds: float, stopped: Callable[[], bool]) -> bool:
    """False if the run was stopped meanwhile."""
    while seconds > 0 and not stopped():
        if not client.pause(min(seconds, LONGEST_PAUSE)):
            return False
        seconds -= LONGEST_PAUSE
    return not stopped()


@dataclass
class BulkEndpoint(Generic[Item]):
    """A bulk endpoint as one run knows it.

    `key`: of an item, to be told by. `size`: items a call. `refusal`: why nothing is sent any more.
    `sent`: how many items. `done`: keys of those whose jobs ended without errors.
    """

    run: Run
    kind: QueueKind
    look: Look
    key: Callable[[Item], str]
    size: int = ITEMS
    refusal: str | None = None
    sent: int = 0
    done: set[str] = field(default_factory=set)

    def parts(self, items: Sequence[Item]) -> Iterator[Sequence[Item]]:
        """Whether it takes any is asked with as few as can be; ends with the first refusal."""
        first = 0 if self.sent else self.size
        for part in (items[:first], items[first:]):
            if part and self.refusal is None:
                yield part

    def refuse(self, error: IntercomError) -> None:
        if self.refusal is None:
            self.refusal = str(error)
            log.warning("bulk is left out in this run, and each goes by itself: %s", error)


@dataclass
class Jobs(Generic[Item]):
    """Some that were sent together. `last`: the items of the call that was answered last; `keys`:
    of all that were sent."""

    endpoint: BulkEndpoint[Item]
    last: Sequence[Item] = ()
    keys: list[str] = field(default_factory=list)
    _open: list[_Job] = field(default_factory=list)
    _done: list[_Job] = field(default_factory=list)

    def send(self, items: Sequence[Item], call: Send[Item]) -> None:
        size, run = self.endpoint.size, self.endpoint.run
        parts = [items[start : start + size] for start in range(0, len(items), size)]
        for outcome in run.pool.run(lambda part: self._send(part, call), parts):
            run.raise_failure(outcome)

    def finish(self, client: IntercomClient, stopped: Callable[[], bool]) -> None:
        """Returns once all jobs are done; those that are not in time are noted as at work."""
        run, waited, wait = self.endpoint.run, 0.0, FIRST_WAIT
        while self._open:
            first, rest = self._open[:JOBS_LOOKED_AT], self._open[JOBS_LOOKED_AT:]
            outcomes = run.pool.run(lambda job: self._is_done(client, job), first)
            for outcome in outcomes:
                run.raise_failure(outcome)
            ended = {job_id for job_id, _ in self._done}
            self._open = [job for job in first if job[0] not in ended] + rest
            self._done.clear()
            if len(self._open) == len(rest):
                continue
            if waited >= PATIENCE or not wait_for(client, wait, stopped):
                break
            waited, wait = waited + wait, min(wait * 1.6, LONGEST_WAIT)
        for job in self._open:
            self._leave(job)
        self._open = []

    def _send(self, items: Sequence[Item], call: Send[Item]) -> None:
        endpoint = self.endpoint
        if endpoint.refusal is not None:
            return
        try:
            job = call(items)
        except Invalid as refusal:
            found = _MOST.search(refusal.message)
            if found and 0 < int(found[1]) < len(items):
                endpoint.size = int(found[1])
                for start in range(0, len(items), endpoint.size):
                    self._send(items[start : start + endpoint.size], call)
            else:
                endpoint.refuse(refusal)
        except LeaseRanOut as error:
            log.warning("%d items go by themselves: %s", len(items), error)
        except IntercomError as error:
            if isinstance(error, Unavailable) and error.may_have_landed:
                self._leave(("", [endpoint.key(item) for item in items]))
            endpoint.refuse(error)
        else:
            keys = [endpoint.key(item) for item in items]
            self.last = items
            self.keys += keys
            endpoint.sent += len(items)
            self._open.append((job.id, keys))

    def _leave(self, job: _Job) -> None:
        """To itself: nobody knows its end."""
        endpoint = self.endpoint
        endpoint.run.jobs_at_work.update((endpoint.kind, key) for key in job[1])

    def _is_done(self, client: IntercomClient, job: _Job) -> None:
        try:
            found = self.endpoint.look(client, job[0])
        except IntercomError as error:
            log.warning("job %s could not be looked at: %s", job[0], error)
            if not isinstance(error, Unavailable):  # it will not be told the next time either
                self._done.append(job)
                self._leave(job)
            return
        if found.state.is_at_work:
            return
        self._done.append(job)
        if found.state is JobState.COMPLETED:
            self.endpoint.done.update(job[1])
