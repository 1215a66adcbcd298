"""The app's log -> the queue, without losing a change.

A log row is deleted by whoever queued it, by id and never up to an id, so a crash repeats work and
loses none. Who is worked on, and until when, is in `leases`; what a pass does is in `users` and
`companies`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.app import AppDatabase
from intercom_assets.database.capture_log import EVERYBODY, LogRow, take_log
from intercom_assets.database.records import QueueKind
from intercom_assets.database.store import Store
from intercom_assets.database.store_queue import MOST_KEYS_AT_ONCE, enqueue
from intercom_assets.database.store_workspace import SWEEP_WANTED, put_state

DelayOf: TypeAlias = Callable[[QueueKind, Sequence[str]], Mapping[str, float]]
"""Keys -> seconds to wait, of those that are not due at once."""

CAUSE = "app"


@dataclass(frozen=True, slots=True)
class Drained:
    """`rows`: log rows taken; as many as the limit means that there may be more.

    `sweep_wanted_at`: since when a sweep is asked for, by this drain or one before. It stays until
    `Store.sweep_started`, so that a sensor that dies before it launches the sweep forgets nothing.
    """

    users: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    rows: int = 0
    sweep_wanted_at: datetime | None = None

    @property
    def sweep_wanted(self) -> bool:
        return self.sweep_wanted_at is not None


def drain(
    app: AppDatabase, store: Store, limit: int = 5_000, *, delay: DelayOf | None = None
) -> Drained:
    """Moves up to `limit` rows of the app's log into the queue, live lane.

    One transaction where both are in one database. Otherwise three: read, queue, delete exactly
    the rows that were queued; a crash between queues them again, which costs no call.
    Raises `AppUnavailable` and `StoreUnavailable`.
    """
    if app.url == store.url:
        rows = _drain_here(app, store, limit, delay)
    else:
        rows = _drain_across(app, store, limit, delay)
    changed = _changed(rows)
    return Drained(
        tuple(changed[QueueKind.USER]),
        tuple(changed[QueueKind.TEAM]),
        len(rows),
        store.sweep_wanted(),
    )


def _drain_here(
    app: AppDatabase, store: Store, limit: int, delay: DelayOf | None
) -> Sequence[LogRow]:
    def work(cursor: Cursor[TupleRow]) -> Sequence[LogRow]:
        rows = take_log(cursor.connection, limit, app.mapping.settings.watch)
        _queue(cursor, rows, delay)
        return rows

    return store.transact(work)


def _drain_across(
    app: AppDatabase, store: Store, limit: int, delay: DelayOf | None
) -> Sequence[LogRow]:
    rows = app.read_log(limit)
    if rows:
        store.transact(lambda cursor: _queue(cursor, rows, delay))
        app.delete_log([row.id for row in rows])
    return rows


def _queue(cursor: Cursor[TupleRow], rows: Sequence[LogRow], delay: DelayOf | None) -> None:
    for kind, since in _changed(rows).items():
        keys = sorted(since)
        delays = delay(kind, keys) if delay and keys else {}
        for at in range(0, len(keys), MOST_KEYS_AT_ONCE):
            due = {key: delays.get(key, 0.0) for key in keys[at : at + MOST_KEYS_AT_ONCE]}
            enqueue(cursor, kind, due, cause=CAUSE, since=since)
    if any(set(EVERYBODY) & set(row.keys) for row in rows):
        put_state(cursor, SWEEP_WANTED, CAUSE)


def _changed(rows: Sequence[LogRow]) -> dict[QueueKind, dict[str, float]]:
    """Key -> when it changed first (Unix s); teams before users, the order of locks."""
    changed: dict[QueueKind, dict[str, float]] = {QueueKind.TEAM: {}, QueueKind.USER: {}}
    for row in rows:
        since = changed[QueueKind(row.kind)]
        for key in set(row.keys).difference(EVERYBODY):
            since[key] = min(since.get(key, row.at.timestamp()), row.at.timestamp())
    return changed
