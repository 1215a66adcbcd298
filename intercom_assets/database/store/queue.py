"""The queue: who may differ now, who works on it, and when it is due again.

The truth about what is left to do. A change raises its row's number; a lease remembers the number;
a row is deleted only at the number that was leased (`store_record`). Clocks are the database's.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.records import (
    Depth,
    DueSummary,
    FailingRow,
    Failure,
    HeartbeatRow,
    Lane,
    Leased,
    LeftOutCount,
    ParkedRow,
    QueueKind,
    Waiting,
)
from intercom_assets.database.store.connection import Connected, dicts, rows, run
from intercom_assets.database.store.encoding import record
from intercom_assets.domain.models import Reason

MOST_KEYS_AT_ONCE = 10_000
"""Keys that one transaction queues: it holds their locks for some 100 ms."""


class QueueStore(Connected):
    """Changes in, leases out."""

    def enqueue(
        self,
        kind: QueueKind,
        keys: Sequence[str],
        *,
        lane: Lane = Lane.LIVE,
        cause: str = "",
        delay: float = 0.0,
        needs_read: bool = False,
    ) -> int:
        """Notes that these may differ now; due in `delay` seconds, or sooner if they were already.

        `needs_read`: the reason is on Intercom's side, so a pass has to read it. Returns how many
        keys, each counted once.
        """
        for some in _pieces(keys):
            changes = dict.fromkeys(some, delay)
            self.transact(
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

    def enqueue_missing(
        self, kind: QueueKind, keys: Sequence[str], lane: Lane = Lane.LIVE, cause: str = ""
    ) -> None:
        """For a run that was told its keys: rows that wait stay as they are, and rows that another
        run works on are told to look again."""
        for some in _pieces(keys):
            self.run("enqueue_missing", kind=kind, keys=some, lane=int(lane), cause=cause)

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

        return self.transact(work)

    def renew(self, token: UUID, seconds: float) -> int:
        """Extends a lease that has not run out; how many rows it holds. Never revives one."""
        return self.run("renew", token=token, seconds=seconds)

    def release(self, token: UUID) -> int:
        """Gives unfinished rows back; they are due when they were before the lease."""
        return self.run("release", token=token)

    def due(
        self,
        kind: QueueKind,
        *,
        lanes: Collection[Lane] | None = None,
        at_most: int = 10_000,
    ) -> DueSummary:
        """What a sensor asks. Counts no further than `at_most`."""
        [(count, key, oldest)] = self.rows("due", kind=kind, at_most=at_most, **_lanes(lanes))
        return DueSummary(count, key if count == 1 else None, float(oldest))

    def due_keys(
        self, kind: QueueKind, limit: int, *, lanes: Collection[Lane] | None = None
    ) -> dict[str, int]:
        """Up to `limit` due keys with their numbers, in the order of leasing. Leases nothing."""
        return dict(self.rows("due_keys", kind=kind, limit=limit, **_lanes(lanes)))

    def in_work_among(self, kind: QueueKind, keys: Sequence[str]) -> set[str]:
        """Those that a run has leased at this moment, whichever run."""
        return {key for (key,) in self.rows("in_work_among", kind=kind, keys=list(keys))}

    def postpone(
        self, kind: QueueKind, seqs: Mapping[str, int], delays: Mapping[str, float]
    ) -> int:
        """Makes rows due in so many seconds, unless they changed since `seqs` were read."""
        keys = sorted(delays.keys() & seqs.keys())
        return self.run(
            "postpone",
            kind=kind,
            keys=keys,
            seqs=[seqs[key] for key in keys],
            delays=[float(delays[key]) for key in keys],
        )

    def depth(self) -> dict[QueueKind, Depth]:
        """Counts the whole queue: for `status`, not for every tick."""
        found = {QueueKind(row.pop("kind")): row for row in self.dicts("depth")}
        return {kind: _depth(found.get(kind)) for kind in QueueKind}

    def retry(self, kind: QueueKind, keys: Sequence[str] | None = None) -> list[str]:
        """Parked rows (all of them without `keys`) back to the queue, attempts counted anew.

        Likewise those of whom a field is left out for what became of it in Intercom.
        """
        named = None if keys is None else list(keys)

        def work(cursor: Cursor[TupleRow]) -> list[str]:
            parked = [row[0] for row in rows(cursor, "retry_parked", kind=kind, keys=named)]
            freed = [row[0] for row in rows(cursor, f"forget_left_out_of_{kind}s", keys=named)]
            enqueue(cursor, kind, dict.fromkeys(freed, 0.0), cause="retry")
            return sorted({*parked, *freed})

        return self.transact(work)

    def wake_refused(self, endpoint: str) -> int:
        """Makes due who waits since this call failed for everybody."""
        return self.run("wake_refused", endpoint=endpoint)

    def failing(self, *, least: int = 3, limit: int = 20) -> list[FailingRow]:
        """Longest first: who failed at least so often in a row, and is not parked."""
        return [
            FailingRow(QueueKind(kind), key, since, tries, record(Failure, error))
            for kind, key, since, tries, error in self.rows("failing", least=least, limit=limit)
        ]

    def left_out_for(self, kind: QueueKind, fields: Sequence[str]) -> list[str]:
        """Of whom one of these fields is left out, since nobody could write it."""
        return [key for (key,) in self.rows(f"{kind}s_left_out_for", fields=list(fields))]

    def left_out(self) -> list[LeftOutCount]:
        """Fields that are not sent of somebody."""
        return [
            LeftOutCount(QueueKind(kind), field, Reason(reason), count, key, why)
            for kind, field, reason, count, key, why in self.rows("left_out")
        ]

    def waiting(self, kind: QueueKind, key: str) -> Waiting | None:
        """What the queue holds about one user or team; None if nothing."""
        found = self.dicts("queue_row", kind=kind, key=key)
        if not found:
            return None
        row = found[0]
        return Waiting(**{**row, "error": record(Failure, row["error"])})

    def parked(self, kind: QueueKind | None = None, *, limit: int = 100) -> list[ParkedRow]:
        """Newest first."""
        return [
            ParkedRow(QueueKind(of), key, at, attempts, record(Failure, error), until)
            for of, key, at, attempts, error, until in self.rows("parked", kind=kind, limit=limit)
        ]

    # --- runs -------------------------------------------------------------------------------------

    def run_members(self, run_id: str) -> dict[QueueKind, list[str]]:
        """Whom a run leased, in order of key: what a re-executed run handles again."""
        members: dict[QueueKind, list[str]] = {}
        for kind, key in self.rows("run_members", run_id=run_id):
            members.setdefault(QueueKind(kind), []).append(key)
        return members

    def heartbeat(self, run_id: str, kind: str, seconds: float) -> None:
        """Says that the run lives, until `seconds` from now."""
        self.run("heartbeat", run_id=run_id, kind=kind, seconds=seconds)

    def end_heartbeat(self, run_id: str) -> None:
        self.run("end_heartbeat", run_id=run_id)

    def heartbeats(self) -> list[HeartbeatRow]:
        return [HeartbeatRow(*row) for row in self.rows("heartbeats")]

    def dead_runs(self) -> list[str]:
        """Runs that neither ended nor were heard of in time. Their leases run out by themselves."""
        return [beat.run_id for beat in self.heartbeats() if not beat.alive]


def enqueue(
    cursor: Cursor[TupleRow],
    kind: QueueKind,
    delays: Mapping[str, float],
    *,
    lane: Lane = Lane.LIVE,
    cause: str = "",
    needs_read: bool = False,
    since: Mapping[str, float] | None = None,
) -> None:
    """`Store.enqueue` inside the caller's transaction, with a delay for each key.

    `since`: when a key changed (Unix s), if that was before now.
    """
    if not delays:
        return
    keys = sorted(delays)
    run(
        cursor,
        "enqueue",
        kind=kind,
        keys=keys,
        delays=[float(delays[key]) for key in keys],
        since=[since.get(key) if since else None for key in keys],
        lane=int(lane),
        cause=cause,
        needs_read=needs_read,
    )


def _pieces(keys: Sequence[str]) -> Iterator[list[str]]:
    ordered = sorted(set(keys))
    for at in range(0, len(ordered), MOST_KEYS_AT_ONCE):
        yield ordered[at : at + MOST_KEYS_AT_ONCE]


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
