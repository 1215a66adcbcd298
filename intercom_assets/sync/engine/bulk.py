"""Large batches by Intercom's bulk endpoints (`bulk: preview`): many users or teams a call.

Round by round: chunks are leased and decided, what a job may do is noted and sent, its end and the
index are waited for, and then the same chunks are passed as ever, where reading proves what got
there (docs/dev/protocol.md#by-bulk). The leases are held all the while, so nobody else starts on
these rows, and a run that dies leaves notes that the next one clears up.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from intercom_assets.domain.bulk import calls_by_bulk
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.probed import read_probed
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.work import Run
from intercom_assets.sync.engine.bulk_teams import TeamsByBulk
from intercom_assets.sync.engine.bulk_users import Progress, UsersByBulk
from intercom_assets.sync.engine.chunk_source import Chunk, ChunkSource

LEAST_USERS = 1_000
"""By calls it is worth it from about twenty users on. But jobs and the index are waited for, twelve
seconds at the least, in which the limit lets 2,000 single calls through: those of 1,000 new users
with a membership each."""
LEAST_TEAMS = 200
"""A job's two calls a hundred are few; the scroll that proves them is one for each hundred
companies that the workspace has."""
ROUND_ROWS = 20_000
"""Rows whose leases are held at a time, so that memory does not grow with the batch."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What bulk would save of a batch: for `users`, all in all `calls`. `hindrance`: why it is left
    out all the same; `is_on`: in sync.yaml."""

    users: int
    calls: int
    is_on: bool
    hindrance: str | None = None


def outlook(
    services: Services, *, users: int, companies: int, saved: int, calls: int
) -> Outlook | None:
    """None where too few may go by bulk for it to be used.

    `users`: who may; `saved`: the single calls of these and of `companies`; `calls`: of the whole
    batch, each by itself.
    """
    if users < LEAST_USERS:
        return None
    on = services.settings.bulk != "off"
    left = calls - saved + calls_by_bulk(users, companies)
    return Outlook(users, min(calls, left), on, hindrance_to_bulk(services))


class ByBulk(Protocol):
    """What one kind does with the chunks of a round. `refusal`: why nothing is sent any more."""

    @property
    def refusal(self) -> str | None: ...
    def offer(self, chunk: Chunk) -> None: ...
    def end(self) -> None: ...
    def give_back(self) -> None: ...


def is_on(services: Services, kind: QueueKind, size: Callable[[], int]) -> bool:
    """Whether this batch is large enough. `size`: counted only if it matters."""
    if services.settings.bulk == "off":
        return False
    if size() < (LEAST_USERS if kind is QueueKind.USER else LEAST_TEAMS):
        return False
    if hindrance := hindrance_to_bulk(services):
        log.warning("bulk is left out, and each goes by itself: %s", hindrance)
    return hindrance is None


def users_first(services: Services, users: int) -> bool:
    """Whether teams should come after so many users: new ones are found in Intercom's lists only
    once they have some."""
    is_large = services.settings.bulk != "off" and users >= LEAST_USERS
    return is_large and hindrance_to_bulk(services) is None


def hindrance_to_bulk(services: Services) -> str | None:
    """What `check --probe --save` found in this workspace that makes bulk useless, or None."""
    probed = read_probed(services.store)
    if probed.bulk_offered is False:
        return "the bulk endpoints were not offered when this workspace was probed"
    if probed.items_count_as_calls:
        return "each item counts as a call here, as the probe measured, so that nothing is saved"
    return None


def rounds(
    run: Run, source: ChunkSource, stopped: Callable[[], bool], progress: Progress | None
) -> Iterator[list[Chunk]]:
    """Chunks whose items were sent, as far as they may; they are leased, and are to be passed.

    Ends where nobody is left, or nothing may be sent by bulk any more. Raises `AppUnavailable`, a
    fatal `IntercomError`; the leases are given back.
    """
    kind = UsersByBulk if source.kind is QueueKind.USER else TeamsByBulk
    step: ByBulk = kind(run, stopped, progress)
    while not step.refusal:
        held = _Round(source)
        try:
            while held.rows < ROUND_ROWS and (chunk := source.next_unwaited()) is not None:
                held.add(chunk)
                step.offer(chunk)
            step.end()
        except BaseException:
            held.give_back()
            step.give_back()
            raise
        if not held.chunks:
            return
        yield held.chunks


@dataclass
class _Round:
    source: ChunkSource
    chunks: list[Chunk] = field(default_factory=list)
    rows: int = 0

    def add(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)
        self.rows += len(chunk.lease.rows)

    def give_back(self) -> None:
        for chunk in self.chunks:
            chunk.lease.close()
            self.source.ended(())
