"""The change log in the app's database, as the drain and the write-backs handle it.

Every function runs in its caller's transaction. Rows are deleted by id, never up to an id: a later
id may commit first. The log and its triggers are made by `capture`.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import psycopg

from intercom_assets.database.app_connections import AppConnection
from intercom_assets.database.failures import told
from intercom_assets.database.identity import storable
from intercom_assets.database.loaders import Unreadable
from intercom_assets.database.watches import key_type, resolving, watch_name
from intercom_assets.mapping.problems import MappingError
from intercom_assets.mapping.settings import Watch

EVERYBODY: tuple[str, ...] = ("*",)
"""The keys of a log row that says "sweep now": a TRUNCATE, or more rows than could be listed."""

_log = logging.getLogger(__name__)
_EXISTS = "select to_regclass('intercom_capture.change_log') is not null"
_POSITION = "select coalesce(max(id), 0) from intercom_capture.change_log"
_COLUMNS = "id, kind, keys, via, at"
_READ = f"select {_COLUMNS} from intercom_capture.change_log order by id limit %s"
# Locked and deleted by two statements in one, since a subquery of the DELETE may run twice.
_TAKE = """
with taken as materialized (
    select id from intercom_capture.change_log order by id limit %s for update skip locked
)
delete from intercom_capture.change_log as log using taken where log.id = taken.id
returning log.id, log.kind, log.keys, log.via, log.at
"""
_DELETE_IDS = "delete from intercom_capture.change_log where id = any(%s::bigint[])"
_OURS = """
where id > %(position)s and txid = pg_current_xact_id() and kind = %(kind)s and via is null
"""
_DELETE = f"delete from intercom_capture.change_log {_OURS} and keys <@ %(keys)s::text[]"
_LEAVE = f"""
update intercom_capture.change_log
set keys = array(select key from unnest(keys) as key where key <> all(%(keys)s::text[]))
{_OURS} and keys && %(keys)s::text[]
"""


@dataclass(frozen=True, slots=True)
class LogRow:
    """One statement of the app. `kind`: user or team; `keys`: their ids, or EVERYBODY.

    `via`: the watch whose SELECT has yet to turn `keys` into ids; None once they are ids.
    """

    id: int
    kind: str
    keys: tuple[str, ...]
    via: str | None
    at: datetime


def take_log(connection: AppConnection, limit: int, watches: Sequence[Watch] = ()) -> list[LogRow]:
    """Deletes up to `limit` rows and gives them, oldest first; for one database, one transaction.

    Rows that another drain is taking are passed over. `watches` resolve keys that are no ids.
    Without a log there are none.
    """
    if not has_log(connection):
        return []
    rows = _rows(connection.execute(_TAKE, (limit,)).fetchall())
    return resolve(connection, rows, watches)


def read_log(connection: AppConnection, limit: int, watches: Sequence[Watch] = ()) -> list[LogRow]:
    """Up to `limit` rows, oldest first, left in place: queue them, commit, then `delete_log`."""
    if not has_log(connection):
        return []
    rows = _rows(connection.execute(_READ, (limit,)).fetchall())
    return resolve(connection, rows, watches)


def delete_log(connection: AppConnection, ids: Sequence[int]) -> None:
    """Deletes exactly these rows."""
    if ids:
        connection.execute(_DELETE_IDS, (list(ids),))


def has_log(connection: AppConnection) -> bool:
    return connection.execute(_EXISTS).fetchone() == (True,)


def resolve(
    connection: AppConnection, rows: Sequence[LogRow], watches: Sequence[Watch]
) -> list[LogRow]:
    """Runs the SELECTs of watches whose keys are no ids, once per watch.

    A row whose SELECT is no longer in the mapping, or fails, becomes EVERYBODY: dearer, not lost.
    """
    by_name = {watch_name(watch): watch for watch in watches if watch.select}
    pending: dict[str, list[LogRow]] = {}
    for row in rows:
        if row.via is not None:
            pending.setdefault(row.via, []).append(row)
    found = {
        row.id: replace(row, keys=keys, via=None)
        for via, same in pending.items()
        for row, keys in zip(same, _ids(connection, by_name.get(via), same), strict=True)
    }
    return [found.get(row.id, row) for row in rows]


def log_position(connection: AppConnection) -> int | None:
    """An id below those of all rows that this transaction will log; None without a log."""
    if not has_log(connection):
        return None
    found = connection.execute(_POSITION).fetchone()
    return int(found[0]) if found else 0


def take_back(
    connection: AppConnection, position: int | None, kind: str, keys: Sequence[str]
) -> None:
    """Removes what this transaction itself logged for `keys`, whose rows were just read again.

    Other keys of the same log rows stay, as do rows for tables that a SELECT resolves.
    """
    if position is None or not keys:
        return
    values = {"position": position, "kind": kind, "keys": list(keys)}
    connection.execute(_DELETE, values)
    connection.execute(_LEAVE, values)


def _rows(
    found: Sequence[tuple[int, str, list[str | Unreadable], str | None, datetime]],
) -> list[LogRow]:
    return sorted(
        (LogRow(id, kind, _keys(keys), via, at) for id, kind, keys, via, at in found),
        key=lambda row: row.id,
    )


def _keys(found: Iterable[str | Unreadable]) -> tuple[str, ...]:
    """Those that can be keys; a row of the app without one is left out of every read too."""
    return tuple(key for key in found if isinstance(key, str) and storable(key))


def _ids(
    connection: AppConnection, watch: Watch | None, rows: Sequence[LogRow]
) -> list[tuple[str, ...]]:
    """The ids for all rows together, given to the first; the others then have none."""
    keys = {key for row in rows for key in row.keys}
    if watch is None or keys.intersection(EVERYBODY):
        first = EVERYBODY
    else:
        first = _selected(connection, watch, sorted(keys))
    return [first, *([()] * (len(rows) - 1))]


def _selected(connection: AppConnection, watch: Watch, keys: list[str]) -> tuple[str, ...]:
    try:
        with connection.transaction():
            text = resolving(watch, key_type(connection, watch))
            rows = connection.execute(text, {"keys": keys}).fetchall()
    except (psycopg.Error, MappingError) as error:
        if connection.broken:
            raise
        _log.warning("watch of %s: its SELECT failed (%s); a sweep", watch.table, told(error))
        return EVERYBODY
    found = (
        raw if isinstance(raw, Unreadable) else str(raw) for raw, *_ in rows if raw is not None
    )
    return tuple(sorted(set(_keys(found))))
