"""Where a batch's chunks come from: the queue's due rows, or the keys that were named.

Named keys are put into the queue first, so that everything after is the same for both. Who is in
another run's hands is waited for, once all others are done: a backfill that left them out would end
as failed on any app that is busy, although nothing is wrong with them.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from threading import Condition
from time import monotonic

from intercom_assets.database.identity import storable
from intercom_assets.database.records import Lane
from intercom_assets.domain.vocabulary import Cause, QueueKind
from intercom_assets.sync.context.leases import Heartbeat, Lease
from intercom_assets.sync.context.services import Services

PATIENCE_IN_LEASES = 4
"""How long nobody of those that other runs have may come free before they are left to them: a dead
run's lease runs out in one; a run that lives is done with a chunk in far less."""
POLL_INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True)
class Batch:
    """Whom a run handles: `keys`, or up to `from_queue` due rows of the queue.

    `by_hand`: an operator named the keys, so parked ones are tried again as they are. `accepted`:
    the id of a plan that may go past the guards. `prepared`: `prepare` has looked at it.
    """

    kind: QueueKind
    keys: tuple[str, ...] | None = None
    from_queue: int | None = None
    lanes: tuple[Lane, ...] | None = None
    lane: Lane = Lane.LIVE
    cause: Cause = Cause.BY_HAND
    by_hand: bool = False
    accepted: str | None = None
    prepared: bool = False


@dataclass(slots=True, eq=False)
class Chunk:
    """`held`: named keys that another run kept; it was told to look again. `absent`: named ones
    that no row of the app can have as its id. `portions`: in how many its rows are yet to be
    passed."""

    lease: Lease
    held: Sequence[str] = ()
    absent: Sequence[str] = ()
    portions: int = 1


class ChunkSource:
    """Leases the next chunk of a batch; shared by the threads that work on it.

    Each portion of a chunk that `next` gave is `ended` once. Once `stopped`, and after `close`,
    nobody waits.
    """

    def __init__(
        self, services: Services, batch: Batch, pulse: Heartbeat, stopped: Callable[[], bool]
    ) -> None:
        self.kind = batch.kind
        self._services, self._batch, self._pulse, self._stopped = services, batch, pulse, stopped
        self._patience = services.settings.lease.total_seconds() * PATIENCE_IN_LEASES
        self._changed = Condition()
        self._keys = list(dict.fromkeys(batch.keys or ()))
        self._left = len(self._keys) if batch.keys is not None else batch.from_queue or 0
        self._held: list[str] = []
        self._in_work = 0
        self._closed = False

    def next(self) -> Chunk | None:
        """None once nobody is left. May wait for other runs."""
        with self._changed:
            chunk = None if self._over() else self._next(waits=False)
            self._in_work += chunk is not None
            return chunk

    def next_of_many(self) -> Chunk | None:
        """As `next`, for a lease that waits; None where only those are left whom others have."""
        with self._changed:
            chunk = None if self._over() or not self._left else self._next(waits=True)
            self._in_work += chunk is not None
            return chunk

    def ended(self, chunk: Chunk, held: Collection[str] = ()) -> bool:
        """A portion of it is recorded; `held`: who turned out to be another run's by then. Closes
        the lease with the last one, and answers whether this was it."""
        with self._changed:
            chunk.portions -= 1
            if self._batch.keys is not None:
                self._held.extend(held)
            is_last = chunk.portions == 0
        if is_last:
            self.give_back(chunk)
        return is_last

    def give_back(self, chunk: Chunk) -> None:
        """What was not recorded of it is anybody's again."""
        try:
            chunk.lease.close()
        finally:
            with self._changed:
                self._in_work -= 1
                self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def is_over(self) -> bool:
        """Stopped or closed: no further chunk is begun."""
        return self._over()

    def will_try_again(self) -> bool:
        """Whether those that `ended` was told of come in a later chunk."""
        return self._batch.keys is not None and not self._over()

    def _over(self) -> bool:
        return self._closed or self._stopped()

    def _next(self, *, waits: bool) -> Chunk | None:
        size = min(self._services.settings.chunk_size, self._left)
        if self._batch.keys is None:
            return self._due(size, waits=waits) if size else None
        if size == 0:
            return self._once_free()
        start = len(self._keys) - self._left
        self._left -= size
        return self._named(self._keys[start : start + size], waits=waits)

    def _due(self, size: int, *, waits: bool) -> Chunk | None:
        lease = self._pulse.lease(self.kind, size, lanes=self._batch.lanes, waits=waits)
        if lease.rows:
            self._left -= len(lease.rows)
            return Chunk(lease)
        lease.close()
        self._left = 0
        return None

    def _named(self, named: Sequence[str], *, waits: bool = False) -> Chunk:
        keys = [key for key in named if storable(key)]
        self._services.store.queue.enqueue_missing(
            self.kind, keys, lane=self._batch.lane, cause=self._batch.cause
        )
        lease = self._pulse.lease(self.kind, len(keys), keys=keys, waits=waits)
        taken = {row.key for row in lease.rows}
        self._held.extend(key for key in keys if key not in taken)
        return Chunk(lease, absent=[key for key in named if not storable(key)])

    def _once_free(self) -> Chunk | None:
        """Those that others had and have no longer; all of them, as held, once patience is out."""
        until = monotonic() + self._patience
        while (self._held or self._in_work) and not self._over():
            if free := self._free():
                return self._again(free)
            if self._held and monotonic() > until:
                held, self._held = self._held, []
                return Chunk(self._pulse.lease(self.kind, 0, keys=()), held=held)
            self._changed.wait(POLL_INTERVAL_S)
        return None

    def _free(self) -> Sequence[str]:
        held = self._services.store.queue.in_work_among(self.kind, self._held) if self._held else ()
        return [key for key in self._held if key not in held]

    def _again(self, free: Sequence[str]) -> Chunk:
        now = set(free[: self._services.settings.chunk_size])
        self._held = [key for key in self._held if key not in now]
        return self._named(list(now))
