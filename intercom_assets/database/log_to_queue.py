"""Changes of the app's log, put into our queue: the one piece of work that spans both rooms.

Where both are in one database, one transaction queues the keys and takes their rows out of the log;
otherwise the queue commits first, and the log's rows are deleted afterwards. Whose turn it is, and
how long a key waits, is decided by the feeder.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.capture.log import EVERYBODY, LogRow
from intercom_assets.database.capture.log_removal import take_out
from intercom_assets.database.store.enqueuing import MOST_KEYS_AT_ONCE, enqueue
from intercom_assets.database.store.state import put_state
from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import Cause, QueueKind, StateKey

Changed: TypeAlias = Mapping[QueueKind, Mapping[str, float]]
"""Key -> when it changed first (Unix s)."""
Delays: TypeAlias = Mapping[QueueKind, Mapping[str, float]]
"""Key -> seconds to wait, of those that are not due at once."""


def changed_keys(rows: Sequence[LogRow]) -> Changed:
    """Teams before users, the order of locks."""
    changed: dict[QueueKind, dict[str, float]] = {QueueKind.TEAM: {}, QueueKind.USER: {}}
    for row in rows:
        since = changed[QueueKind(row.kind)]
        for key in set(row.keys).difference(EVERYBODY):
            since[key] = min(since.get(key, row.at.timestamp()), row.at.timestamp())
    return changed


def queue_ahead(store: Store, rows: Sequence[LogRow], delays: Delays) -> None:
    """Of more than one transaction should queue (a SELECT found many), all but the last part."""
    for kind, since in changed_keys(rows).items():
        keys = sorted(since)
        while len(keys) > MOST_KEYS_AT_ONCE:
            part, keys = keys[:MOST_KEYS_AT_ONCE], keys[MOST_KEYS_AT_ONCE:]
            due = {key: delays[kind].get(key, 0.0) for key in part}
            store.queue.enqueue_each(kind, due, cause=Cause.APP, since=since)


def move_to_queue(store: Store, rows: Sequence[LogRow], delays: Delays) -> Sequence[LogRow]:
    """Takes the rows out of the log and queues their keys, in one transaction.

    Only for a store in the app's database. Returns the rows that no other drain queued meanwhile.
    """

    def work(cursor: Cursor[TupleRow]) -> Sequence[LogRow]:
        ours = take_out(cursor.connection, rows)
        left = [row for row in rows if row.id in ours]
        _enqueue_rows(cursor, left, delays)
        return left

    return store.pool.transact(work)


def copy_to_queue(store: Store, rows: Sequence[LogRow], delays: Delays) -> None:
    """Queues the keys; the rows stay in a log that is elsewhere until the caller deletes them."""
    store.pool.transact(lambda cursor: _enqueue_rows(cursor, rows, delays))


def _enqueue_rows(cursor: Cursor[TupleRow], rows: Sequence[LogRow], delays: Delays) -> None:
    """What `queue_ahead` has left of them."""
    for kind, since in changed_keys(rows).items():
        last = sorted(since)[-MOST_KEYS_AT_ONCE:]
        due = {key: delays[kind].get(key, 0.0) for key in last}
        enqueue(cursor, kind, due, cause=Cause.APP, since=since)
    if any(set(EVERYBODY) & set(row.keys) for row in rows):
        put_state(cursor, StateKey.SWEEP_WANTED, Cause.APP)
