"""The calls of many items, and the jobs that they begin: sent, and watched until they are done.

Each call begins a job of its own: adding to one that may be closed by then costs a refused call
more often than it saves a look. A refusal that is about the endpoint ends it for this run, with one
sentence; whoever was meant goes the single way.
"""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from intercom_assets.domain.bulk import ITEMS, BulkJob, JobState
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, Invalid, Unavailable
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

_MOST = re.compile(r"maximum number of \w+ per request is (\d+)", re.IGNORECASE)

log = logging.getLogger(__name__)


@dataclass
class BulkJobs(Generic[Item]):
    """`key`: of an item, to be told by. `size`: items a call. `refusal`: why nothing is sent any
    more. `last`: the items of the call that was answered last.
    `done`: keys of items whose jobs ended without errors."""

    run: Run
    look: Look
    key: Callable[[Item], str]
    size: int = ITEMS
    refusal: str | None = None
    last: Sequence[Item] = ()
    sent: int = 0
    done: set[str] = field(default_factory=set)
    _open: list[_Job] = field(default_factory=list)
    _done: list[_Job] = field(default_factory=list)

    def send(self, items: Sequence[Item], call: Send[Item]) -> None:
        """Sends them in calls of `size`, many calls at once."""
        parts = [items[start : start + self.size] for start in range(0, len(items), self.size)]
        for outcome in self.run.pool.run(lambda part: self._send(part, call), parts):
            self.run.raise_failure(outcome)

    def finish(self, client: IntercomClient, stopped: Callable[[], bool]) -> None:
        """Returns once all jobs are done; those that are not in time are noted as at work."""
        waited, wait = 0.0, FIRST_WAIT
        while self._open:
            first, rest = self._open[:JOBS_LOOKED_AT], self._open[JOBS_LOOKED_AT:]
            outcomes = self.run.pool.run(lambda job: self._is_done(client, job), first)
            for outcome in outcomes:
                self.run.raise_failure(outcome)
            ended = {job_id for job_id, _ in self._done}
            self._open = [job for job in first if job[0] not in ended] + rest
            self._done.clear()
            if len(self._open) == len(rest):
                continue
            if waited >= PATIENCE or stopped() or not client.pause(wait):
                break
            waited, wait = waited + wait, min(wait * 1.6, LONGEST_WAIT)
        for _, keys in self._open:
            self.run.jobs_at_work.update(keys)
        self._open = []

    def _send(self, items: Sequence[Item], call: Send[Item]) -> None:
        if self.refusal is not None:
            return
        try:
            job = call(items)
        except Invalid as refusal:
            found = _MOST.search(refusal.message)
            if found and 0 < int(found[1]) < len(items):
                self.size = int(found[1])
                for start in range(0, len(items), self.size):
                    self._send(items[start : start + self.size], call)
            else:
                self._refuse(refusal)
        except IntercomError as error:
            if isinstance(error, Unavailable) and error.may_have_landed:
                self.run.jobs_at_work.update(self.key(item) for item in items)
            self._refuse(error)
        else:
            self.last = items
            self.sent += len(items)
            self._open.append((job.id, [self.key(item) for item in items]))

    def _is_done(self, client: IntercomClient, job: _Job) -> None:
        try:
            found = self.look(client, job[0])
        except IntercomError as error:
            log.warning("job %s could not be looked at: %s", job[0], error)
            return
        if found.state.is_at_work:
            return
        self._done.append(job)
        if found.state is JobState.COMPLETED:
            self.done.update(job[1])

    def _refuse(self, error: IntercomError) -> None:
        if self.refusal is None:
            self.refusal = str(error)
            log.warning("bulk is left out in this run, and each goes by itself: %s", error)
