"""The app's log -> the queue, without losing a change.

First the log is read and left in place, then it is asked who may wait, which reads the app; only
then one short transaction queues what was read. A log row is deleted by whoever queued it, by id
and never up to an id, so a crash repeats work and loses none; what is logged after the reading has
a row of its own. Who is worked on, and until when, is in `leases`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.capture.log import LogRow
from intercom_assets.database.log_to_queue import (
    Delays,
    changed_keys,
    copy_to_queue,
    move_to_queue,
    queue_ahead,
)
from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.spellings import in_own_spelling

DelayOf: TypeAlias = Callable[[QueueKind, Sequence[str]], Mapping[str, float]]
"""Keys -> seconds to wait, of those that are not due at once."""


@dataclass(frozen=True, slots=True)
class Drained:
    """`rows`: log rows taken, whole or in part; `more`: there may be others.

    `sweep_wanted_at`: since when a sweep is asked for, by this drain or one before. It stays until
    `store.state.sweep_started`, so a sensor that dies before it launches the sweep forgets nothing.
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
        return Drained(sweep_wanted_at=store.state.sweep_wanted())
    rows = in_own_spelling(app, store, rows)
    changed = changed_keys(rows)
    delays = {kind: _delays(delay, kind, keys) for kind, keys in changed.items()}
    queue_ahead(store, rows, delays)
    if app.url == store.url:
        rows = move_to_queue(store, rows, delays)
    else:
        _queue_across(app, store, rows, delays)
    changed = changed_keys(rows)
    return Drained(
        tuple(changed[QueueKind.USER]),
        tuple(changed[QueueKind.TEAM]),
        len(rows),
        more=bool(rows),
        sweep_wanted_at=store.state.sweep_wanted(),
    )


def _delays(
    delay: DelayOf | None, kind: QueueKind, keys: Mapping[str, float]
) -> Mapping[str, float]:
    return delay(kind, sorted(keys)) if delay and keys else {}


def _queue_across(app: AppDatabase, store: Store, rows: Sequence[LogRow], delays: Delays) -> None:
    copy_to_queue(store, rows, delays)
    app.delete_log([row.id for row in rows if row.is_whole])
    if parts := [row for row in rows if not row.is_whole]:
        app.shorten_log(parts)
