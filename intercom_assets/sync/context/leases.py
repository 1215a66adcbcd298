"""A run's sign of life, and the rows of the queue that it holds.

`Heartbeat` is one thread per run: it says that the run is alive and renews its leases. A `Lease` is
one chunk of rows with a token of its own, so that a chunk that was lost cannot come back to life
with the next. No call to Intercom may be under way after a lease's `deadline`.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Self
from uuid import uuid4

from intercom_assets.database.records import Lane, Leased
from intercom_assets.database.store.connection import StoreUnavailable
from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.mapping.settings import SyncSettings

LONG = 3
"""Times as long is the lease of rows that wait for something: renewed at each beat, those of a
large batch would be thousands of rows written every few seconds."""

_log = logging.getLogger(__name__)


class Lease:
    """Some rows of the queue, ours until `deadline`. Made by `Heartbeat.lease`; use it in a `with`.

    Leaving gives back what was not recorded. Once lost it stays lost: its rows may be somebody
    else's by now, and no call may be made for any of them.
    """

    def __init__(
        self,
        store: Store,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        on_close: Callable[["Lease"], None] | None = None,
        renewed_below: float = float("inf"),
    ) -> None:
        self.token = uuid4()
        self.rows: Sequence[Leased] = ()
        self._store, self._seconds, self._clock, self._on_close = store, seconds, clock, on_close
        self._until = clock() + seconds
        self._renewed_below = renewed_below
        self._lost = False

    @property
    def deadline(self) -> float:
        """Monotonic seconds after which no call may be under way; never later than the database's
        own idea, since it is counted from before the database was asked."""
        return float("-inf") if self.lost else self._until

    @property
    def lost(self) -> bool:
        if self._clock() >= self._until:
            self._lost = True
        return self._lost

    def take(
        self,
        kind: QueueKind,
        run_id: str,
        limit: int,
        keys: Sequence[str] | None,
        lanes: Collection[Lane] | None,
    ) -> None:
        """`Store.lease` under this token."""
        self._until = self._clock() + self._seconds
        self.rows = self._store.queue.lease(
            kind,
            run_id,
            token=self.token,
            limit=limit,
            seconds=self._seconds,
            keys=keys,
            lanes=lanes,
        )

    def renew(self) -> None:
        """Extends the deadline, unless it passed or the database says that nothing is ours; of a
        long lease only once a third of it is over."""
        asked_at = self._clock()
        if self.lost or self._until - asked_at > self._renewed_below:
            return
        if self._store.queue.renew(self.token, self._seconds):
            self._until = asked_at + self._seconds
        else:
            self._lost = True

    def close(self) -> None:
        """Gives back what was not recorded. If the database is away, the lease runs out."""
        if self._on_close:
            self._on_close(self)
        with suppress(StoreUnavailable):
            if self.rows:
                self._store.queue.release(self.token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Heartbeat:
    """A run's sign of life: one thread that renews its heartbeat and its leases. Use in a `with`.

    If the database does not answer, leases run out by themselves, and so does the heartbeat.
    """

    def __init__(
        self,
        store: Store,
        run_id: str,
        kind: str,
        settings: SyncSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        on_heartbeat: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._run_id, self._kind, self._clock = store, run_id, kind, clock
        self._at_each_beat = on_heartbeat
        self._every = settings.heartbeat.total_seconds()
        self._dead_after = settings.heartbeat_dead_after.total_seconds()
        self._lease_seconds = settings.lease.total_seconds()
        self._leases: set[Lease] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"pulse {run_id}", daemon=True)

    def __enter__(self) -> Self:
        self._store.runs.heartbeat(self._run_id, self._kind, self._dead_after)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        with suppress(StoreUnavailable):
            self._store.runs.end_heartbeat(self._run_id)

    def lease(
        self,
        kind: QueueKind,
        limit: int,
        *,
        keys: Sequence[str] | None = None,
        lanes: Collection[Lane] | None = None,
        waits: bool = False,
    ) -> Lease:
        """Up to `limit` rows (see `Store.lease`), renewed until the lease is closed. `waits`: they
        are held for something that takes Intercom time."""
        seconds = self._lease_seconds
        if waits:
            seconds, below = LONG * seconds, (LONG - 1) * seconds
        else:
            below = float("inf")
        lease = Lease(self._store, seconds, self._clock, self._forget, below)
        lease.take(kind, self._run_id, limit, keys, lanes)
        with self._lock:
            self._leases.add(lease)
        return lease

    def _forget(self, lease: Lease) -> None:
        with self._lock:
            self._leases.discard(lease)

    def _beat(self) -> None:
        while not self._stop.wait(self._every):
            with self._lock:
                leases = list(self._leases)
            try:
                for lease in leases:
                    lease.renew()
                self._store.runs.heartbeat(self._run_id, self._kind, self._dead_after)
                self._at_each_beat()
            except Exception as error:
                # Whatever it is, the thread goes on trying: without it the run makes no more calls.
                _log.warning("run %s: the lease was not renewed: %s", self._run_id, error)
