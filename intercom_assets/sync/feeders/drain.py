"""The app's log -> the queue, without losing a change.

First the log is read and left in place, then it is asked who may wait, which reads the app; only
then one short transaction queues what was read. A log row is deleted by whoever queued it, by id
and never up to an id, so a crash repeats work and loses none; what is logged after the reading has
a row of its own. Who is worked on, and until when, is in `leases`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeAlias

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.capture.log import EVERYBODY, LogRow, take_out
from intercom_assets.database.records import QueueKind
from intercom_assets.database.store.queue import MOST_KEYS_AT_ONCE, enqueue
from intercom_assets.database.store.store import Store
from intercom_assets.database.store.workspace import SWEEP_WANTED, put_state
from intercom_assets.sync.context.spellings import in_own_spelling

DelayOf: TypeAlias = Callable[[QueueKind, Sequence[str]], Mapping[str, float]]
"""Keys -> seconds to wait, of those that are not due at once."""

Changed: TypeAlias = Mapping[QueueKind, Mapping[str, float]]
"""Key -> when it changed first (Unix s)."""
Delays: TypeAlias = Mapping[QueueKind, Mapping[str, float]]

CAUSE = "app"


@dataclass(frozen=True, slots=True)
class Drained:
    """`rows`: log rows taken, whole or in part; `more`: there may be others.

    `sweep_wanted_at`: since when a sweep is asked for, by this drain or one before. It stays until
    `Store.sweep_started`, so that a sensor that dies before it launches the sweep forgets nothing.
    """

    users: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    rows: int = 0
    more: bool = False
    sweep_wanted_at: datetime | None = None

    @property
    def sweep_wanted(self) -> bool:
        return self.sweep_wanted_at is not None


def drain(
    app: AppDatabase, store: Store, limit: int = 5_000, *, delay: DelayOf | None = None
) -> Drained:
    """Moves some `limit` keys of the app's log into the queue, live lane.

    One transaction queues and deletes where both are in one database; otherwise two, and a crash
    between queues the keys again, which costs no call. `delay` is asked while none is open.
    Raises `AppUnavailable` and `StoreUnavailable`.
    """
    rows: Sequence[LogRow] = app.read_log(limit)
    if not rows:
        return Drained(sweep_wanted_at=store.sweep_wanted())
    rows = in_own_spelling(app, store, rows)
    changed = _changed(rows)
    delays = {kind: _delays(delay, kind, keys) for kind, keys in changed.items()}
    _queue_ahead(store, changed, delays)
    if app.url == store.url:
        rows = _queue_here(store, rows, delays)
    else:
        _queue_across(app, store, rows, delays)
    changed = _changed(rows)
    return Drained(
        tuple(changed[QueueKind.USER]),
        tuple(changed[QueueKind.TEAM]),
        len(rows),
        more=bool(rows),
        sweep_wanted_at=store.sweep_wanted(),
    )


def _delays(
    delay: DelayOf | None, kind: QueueKind, keys: Mapping[str, float]
) -> Mapping[str, float]:
    return delay(kind, sorted(keys)) if delay and keys else {}


def _queue_here(store: Store, rows: Sequence[LogRow], delays: Delays) -> Sequence[LogRow]:
    """Only what no other drain has queued meanwhile."""

    def work(cursor: Cursor[TupleRow]) -> Sequence[LogRow]:
        ours = take_out(cursor.connection, rows)
        left = [row for row in rows if row.id in ours]
        _enqueue_rows(cursor, left, delays)
        return left

    return store.transact(work)


def _queue_across(app: AppDatabase, store: Store, rows: Sequence[LogRow], delays: Delays) -> None:
    store.transact(lambda cursor: _enqueue_rows(cursor, rows, delays))
    app.delete_log([row.id for row in rows if row.is_whole])
    if parts := [row for row in rows if not row.is_whole]:
        app.shorten_log(parts)


def _queue_ahead(store: Store, changed: Changed, delays: Delays) -> None:
    """Of more than one transaction should queue (a SELECT found many), all but the last part."""
    for kind, since in changed.items():
        keys = sorted(since)
        while len(keys) > MOST_KEYS_AT_ONCE:
            some, keys = keys[:MOST_KEYS_AT_ONCE], keys[MOST_KEYS_AT_ONCE:]
            store.transact(partial(_enqueue, kind=kind, keys=some, since=since, delays=delays))


def _enqueue_rows(cursor: Cursor[TupleRow], rows: Sequence[LogRow], delays: Delays) -> None:
    """What `_queue_ahead` has left of them."""
    for kind, since in _changed(rows).items():
        last = sorted(since)[-MOST_KEYS_AT_ONCE:]
        _enqueue(cursor, kind, last, since, delays)
    if any(set(EVERYBODY) & set(row.keys) for row in rows):
        put_state(cursor, SWEEP_WANTED, CAUSE)


def _enqueue(
    cursor: Cursor[TupleRow],
    kind: QueueKind,
    keys: Sequence[str],
    since: Mapping[str, float],
    delays: Delays,
) -> None:
    due = {key: delays[kind].get(key, 0.0) for key in keys}
    enqueue(cursor, kind, due, cause=CAUSE, since=since)


def _changed(rows: Sequence[LogRow]) -> dict[QueueKind, dict[str, float]]:
    """Key -> when it changed first (Unix s); teams before users, the order of locks."""
    changed: dict[QueueKind, dict[str, float]] = {QueueKind.TEAM: {}, QueueKind.USER: {}}
    for row in rows:
        since = changed[QueueKind(row.kind)]
        for key in set(row.keys).difference(EVERYBODY):
            since[key] = min(since.get(key, row.at.timestamp()), row.at.timestamp())
    return changed
