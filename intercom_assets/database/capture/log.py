"""The change log in the app's database, read: whose keys changed, and what a watch makes of them.

Every function runs in its caller's transaction, and leaves the rows in place: they go once their
keys are queued (`log_removal`). The log and its triggers are made by `installation`.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import psycopg

from intercom_assets.database.capture.watches import key_type, resolving, watch_name
from intercom_assets.database.connections import AppConnection, encoded
from intercom_assets.database.failures import message_of
from intercom_assets.database.identity import storable
from intercom_assets.database.loaders import Unreadable
from intercom_assets.mapping.problems import MappingError
from intercom_assets.mapping.settings import Watch

EVERYBODY: tuple[str, ...] = ("*",)
"""The keys of a log row that says "sweep now": a TRUNCATE, or more rows than could be listed."""

MOST_IDS = 100_000
"""Ids that a watch's SELECT may find for the keys of one read; for more, a sweep is cheaper."""
_SHORT = 1_500
"""Bytes of keys that stand in their row: some hundreds of keys, where they could be compressed."""
_CANDIDATES = 1_000
"""Rows at either end of the log among which a read chooses."""

_log = logging.getLogger(__name__)
_EXISTS = "select to_regclass('intercom_capture.change_log') is not null"
# A large value stands outside of its row, and its size is known without reading it.
_SIZES = """
(select id, pg_column_size(keys) from intercom_capture.change_log order by id limit %(most)s)
union
(select id, pg_column_size(keys) from intercom_capture.change_log order by id desc limit %(most)s)
order by 1
"""
_READ_SHORT = """
select id, kind, keys[1:%(room)s - before], via, at, counted from (
    select log.*, cardinality(keys) as counted, chosen.place,
           sum(cardinality(keys)) over (order by chosen.place) - cardinality(keys) as before
    from unnest(%(ids)s::bigint[]) with ordinality as chosen (id, place)
    join intercom_capture.change_log as log using (id)
) as short
where before < %(room)s
order by place
"""
_READ_LONG = """
select id, kind, keys[1:%(room)s], via, at, cardinality(keys)
from intercom_capture.change_log where id = %(id)s
"""


@dataclass(frozen=True, slots=True)
class LogRow:
    """One statement of the app. `kind`: user or team; `keys`: their ids, or EVERYBODY.

    `via`: the watch whose SELECT has yet to turn `keys` into ids; None once they are ids.
    `taken`: how many of the row's own keys these are, `counted`: how many it has.
    """

    id: int
    kind: str
    keys: tuple[str, ...]
    via: str | None
    at: datetime
    taken: int
    counted: int

    @property
    def is_whole(self) -> bool:
        return self.taken >= self.counted


def read_log(connection: AppConnection, limit: int, watches: Sequence[Watch] = ()) -> list[LogRow]:
    """Rows of some `limit` keys together, left in place: queue them, commit, then take them out.

    Oldest first, but some of the newest too; short ones before long ones, and of a long one only
    its first keys: a statement of many thousand holds up nothing else.
    `watches` resolve keys that are no ids.
    Without a log there are none.
    """
    if not has_log(connection):
        return []
    sizes: dict[int, int] = dict(
        connection.execute(_SIZES, {"most": min(limit, _CANDIDATES)}).fetchall()
    )
    order = _mostly_oldest(list(sizes))
    long = [id for id in order if sizes[id] > _SHORT]
    short = [id for id in order if sizes[id] <= _SHORT]
    rows = _read_short(connection, short, limit // 2 if long else limit)
    rows += _read_long(connection, long, limit - sum(row.taken for row in rows))
    return resolve(connection, sorted(rows, key=lambda row: row.id), watches)


def has_log(connection: AppConnection) -> bool:
    return connection.execute(_EXISTS).fetchone() == (True,)


def resolve(
    connection: AppConnection, rows: Sequence[LogRow], watches: Sequence[Watch]
) -> list[LogRow]:
    """Runs the SELECTs of watches whose keys are no ids, once per watch: each of its rows has all
    that was found for any of them, whoever takes the others.

    A row whose SELECT is no longer in the mapping, or fails, becomes EVERYBODY: dearer, not lost.
    """
    by_name = {watch_name(watch): watch for watch in watches if watch.select}
    pending: dict[str, list[LogRow]] = {}
    found: dict[int, LogRow] = {}
    for row in rows:
        if row.via is not None:
            pending.setdefault(row.via, []).append(row)
    for via, same in pending.items():
        ids = _ids(connection, by_name.get(via), same)
        found |= {row.id: replace(row, keys=ids, via=None) for row in same}
    return [found.get(row.id, row) for row in rows]


def _mostly_oldest(ids: Sequence[int]) -> list[int]:
    """Three from the old end, one from the new one, and so on."""
    oldest, newest = iter(ids), reversed(ids)
    ends = (next(newest if place % 4 == 3 else oldest) for place in range(len(ids)))
    return list(ends)


def _read_short(connection: AppConnection, ids: Sequence[int], room: int) -> list[LogRow]:
    chosen = {"ids": list(ids[:room]), "room": room}
    return [_row(*found) for found in connection.execute(_READ_SHORT, chosen).fetchall()]


def _read_long(connection: AppConnection, ids: Sequence[int], room: int) -> list[LogRow]:
    """Of each at most half of what there is room for, unless it is the only one."""
    rows: list[LogRow] = []
    for id in ids:
        if room <= 0:
            break
        most = room if len(ids) == 1 else (room + 1) // 2
        found = connection.execute(_READ_LONG, {"id": id, "room": most}).fetchone()
        if found is not None:
            rows.append(_row(*found))
            room -= rows[-1].taken
    return rows


def _row(
    id: int, kind: str, keys: list[str | Unreadable], via: str | None, at: datetime, counted: int
) -> LogRow:
    return LogRow(id, kind, _keys(keys), via, at, len(keys), counted)


def _keys(found: Iterable[str | Unreadable]) -> tuple[str, ...]:
    """Those that can be keys; a row of the app without one is left out of every read too."""
    return tuple(key for key in found if isinstance(key, str) and storable(key))


def _ids(connection: AppConnection, watch: Watch | None, rows: Sequence[LogRow]) -> tuple[str, ...]:
    keys = {key for row in rows for key in row.keys}
    if watch is None or keys.intersection(EVERYBODY):
        return EVERYBODY
    return _selected(connection, watch, sorted(keys))


def _selected(connection: AppConnection, watch: Watch, keys: list[str]) -> tuple[str, ...]:
    try:
        with connection.transaction():
            text = resolving(watch, key_type(connection, watch))
            with connection.cursor(name="intercom_assets_watch") as cursor:
                cursor.execute(encoded(connection, text), {"keys": keys})
                rows = cursor.fetchmany(MOST_IDS + 1)
    except (psycopg.Error, MappingError) as error:
        if connection.broken:
            raise
        _log.warning("watch of %s: its SELECT failed (%s); a sweep", watch.table, message_of(error))
        return EVERYBODY
    if len(rows) > MOST_IDS:
        return EVERYBODY
    found = (
        raw if isinstance(raw, Unreadable) else str(raw) for raw, *_ in rows if raw is not None
    )
    return tuple(sorted(set(_keys(found))))
