"""The queue: who may differ now, who works on it, and when it is due again.

The truth about what is left to do. A change raises its row's number; a lease remembers the number;
a row is deleted only at the number that was leased (`record`). Clocks are the database's.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.records import DueSummary, Failure, Lane, Leased
from intercom_assets.database.reports import Depth, FailingRow, ParkedRow, Waiting
from intercom_assets.database.store.connection import StorePart, dicts, rows, run
from intercom_assets.database.store.encoding import record
from intercom_assets.database.store.enqueuing import enqueue, pieces
from intercom_assets.domain.vocabulary import Cause, QueueKind


class QueueStore(StorePart):
    """Changes in, leases out."""

    def enqueue(
        self,
        kind: QueueKind,
        keys: Sequence[str],
        *,
        lane: Lane = Lane.LIVE,
        cause: Cause = Cause.NONE,
        delay: float = 0.0,
        needs_read: bool = False,
    ) -> int:
        """Notes that these may differ now; due in `delay` seconds, or sooner if they were already.

        `needs_read`: the reason is on Intercom's side, so a pass has to read it. Returns how many
        keys, each counted once.
        """
        for part in pieces(keys):
            changes = dict.fromkeys(part, delay)
            self._pool.transact(
                partial(
                    enqueue,
                    kind=kind,
                    delays=changes,
                    lane=lane,
                    cause=cause,
                    needs_read=needs_read,
                )
            )
        return len(set(keys))

    def enqueue_each(
        self,
        kind: QueueKind,
        delays: Mapping[str, float],
        *,
        cause: Cause,
        since: Mapping[str, float] | None = None,
    ) -> None:
        """`enqueue` in one transaction, each key due in its own number of seconds.

        `since`: when a key changed (Unix s), if that was before now.
        """
        self._pool.transact(lambda cursor: enqueue(cursor, kind, delays, cause=cause, since=since))

    def enqueue_missing(
        self,
        kind: QueueKind,
        keys: Sequence[str],
        lane: Lane = Lane.LIVE,
        cause: Cause = Cause.NONE,
    ) -> None:
        """For a run that was told its keys: rows that wait stay as they are, and rows that another
        run works on are told to look again."""
        for part in pieces(keys):
            self._pool.run("enqueue_missing", kind=kind, keys=part, lane=int(lane), cause=cause)

    def lease(
        self,
        kind: QueueKind,
        run_id: str,
        *,
        token: UUID,
        limit: int,
        seconds: float,
        keys: Sequence[str] | None = None,
        lanes: Collection[Lane] | None = None,
    ) -> list[Leased]:
        """Takes up to `limit` rows for `seconds`, and writes down that this run had them.

        Without `keys`, rows that are due: parked ones only if something changed since. With `keys`,
        those of them that nobody works on, due or not. Ordered: live lane first, then longest due.
        Read the app only after this returned.
        """
        params = {
            "kind": kind,
            "run_id": run_id,
            "token": token,
            "limit": limit,
            "seconds": seconds,
            **_lanes(lanes),
        }

        def work(cursor: Cursor[TupleRow]) -> list[Leased]:
            if keys is None:
                found = dicts(cursor, "lease_due", **params)
            else:
                found = dicts(cursor, "lease_keys", keys=list(keys), **params)
            leased = sorted(map(_leased, found), key=lambda row: (row.lane, row.first_at, row.key))
            if leased:
                run(
                    cursor,
                    "add_run_member",
                    run_id=run_id,
                    kind=kind,
                    keys=[row.key for row in leased],
                )
            return leased

        return self._pool.transact(work)

    def renew(self, token: UUID, seconds: float) -> int:
        """Extends a lease that has not run out; how many rows it holds. Never revives one."""
        return self._pool.run("renew", token=token, seconds=seconds)

    def release(self, token: UUID) -> int:
        """Gives unfinished rows back; they are due when they were before the lease."""
        return self._pool.run("release", token=token)

    def due(
        self,
        kind: QueueKind,
        *,
        lanes: Collection[Lane] | None = None,
        at_most: int = 10_000,
    ) -> DueSummary:
        """What a sensor asks. Counts no further than `at_most`."""
        [(count, key, oldest)] = self._pool.rows("due", kind=kind, at_most=at_most, **_lanes(lanes))
        return DueSummary(count, key if count == 1 else None, float(oldest))

    def due_keys(
        self, kind: QueueKind, limit: int, *, lanes: Collection[Lane] | None = None
    ) -> dict[str, int]:
        """Up to `limit` due keys with their numbers, in the order of leasing. Leases nothing."""
        return dict(self._pool.rows("due_keys", kind=kind, limit=limit, **_lanes(lanes)))

    def in_work_among(self, kind: QueueKind, keys: Sequence[str]) -> set[str]:
        """Those that a run has leased at this moment, whichever run."""
        return {key for (key,) in self._pool.rows("in_work_among", kind=kind, keys=list(keys))}

    def depth(self) -> dict[QueueKind, Depth]:
        """Counts the whole queue: for `status`, not for every tick."""
        found = {QueueKind(row.pop("kind")): row for row in self._pool.dicts("depth")}
        return {kind: _depth(found.get(kind)) for kind in QueueKind}

    def retry(self, kind: QueueKind, keys: Sequence[str] | None = None) -> list[str]:
        """Parked rows (all of them without `keys`) back to the queue, attempts counted anew.

        Likewise those of whom a field is left out for what became of it in Intercom.
        """
        named = None if keys is None else list(keys)

        def work(cursor: Cursor[TupleRow]) -> list[str]:
            parked = [row[0] for row in rows(cursor, "retry_parked", kind=kind, keys=named)]
            freed = [row[0] for row in rows(cursor, f"forget_left_out_of_{kind}s", keys=named)]
            enqueue(cursor, kind, dict.fromkeys(freed, 0.0), cause=Cause.RETRY)
            return sorted({*parked, *freed})

        return self._pool.transact(work)

    def wake_refused(self, endpoint: str) -> int:
        """Makes due who waits since this call failed for everybody."""
        return self._pool.run("wake_refused", endpoint=endpoint)

    def failing(self, *, least: int = 3, limit: int = 20) -> list[FailingRow]:
        """Longest first: who failed at least so often in a row, and is not parked."""
        return [
            FailingRow(QueueKind(kind), key, since, tries, record(Failure, error))
            for kind, key, since, tries, error in self._pool.rows(
                "failing", least=least, limit=limit
            )
        ]

    def waiting(self, kind: QueueKind, key: str) -> Waiting | None:
        """What the queue holds about one user or team; None if nothing."""
        found = self._pool.dicts("queue_row", kind=kind, key=key)
        if not found:
            return None
        row = found[0]
        return Waiting(**{**row, "error": record(Failure, row["error"])})

    def parked(self, kind: QueueKind | None = None, *, limit: int = 100) -> list[ParkedRow]:
        """Newest first."""
        return [
            ParkedRow(QueueKind(of), key, at, attempts, record(Failure, error), until)
            for of, key, at, attempts, error, until in self._pool.rows(
                "parked", kind=kind, limit=limit
            )
        ]


def _lanes(lanes: Collection[Lane] | None) -> dict[str, int]:
    chosen = list(Lane) if lanes is None else lanes
    return {"first_lane": int(min(chosen)), "last_lane": int(max(chosen))}


def _leased(row: dict[str, Any]) -> Leased:
    row["lane"] = Lane(row["lane"])
    row["error"] = record(Failure, row["error"])
    return Leased(**row)


def _depth(row: dict[str, Any] | None) -> Depth:
    if row is None:
        return Depth()
    row["oldest_seconds"] = float(row["oldest_seconds"])
    return Depth(**row)
