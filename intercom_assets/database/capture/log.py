"""The change log in the app's database, as the drain and the write-backs handle it.

Every function runs in its caller's transaction. Rows are deleted by id, never up to an id: a later
id may commit first. The log and its triggers are made by `capture`.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import psycopg

from intercom_assets.database.capture.watches import key_type, resolving, watch_name
from intercom_assets.database.connections import AppConnection, encoded
from intercom_assets.database.failures import told
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
_POSITION = "select coalesce(max(id), 0) from intercom_capture.change_log"
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
# Whoever else takes a row at this moment has it; nobody waits.
_MINE = """
with mine as materialized (
    select id from intercom_capture.change_log
    where id = any(%(ids)s::bigint[]) order by id for update skip locked
)
"""
_DELETE_IDS = f"""
{_MINE}
delete from intercom_capture.change_log as log using mine where log.id = mine.id
returning log.id
"""
# Keys leave at the front only, so their number says whether somebody else took some meanwhile.
_SHORTEN = f"""
{_MINE}
update intercom_capture.change_log as log set keys = log.keys[part.taken + 1:]
from mine
join unnest(%(ids)s::bigint[], %(taken)s::int[], %(counted)s::int[])
    as part (id, taken, counted) using (id)
where log.id = mine.id and cardinality(log.keys) = part.counted
returning log.id
"""
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


def take_out(connection: AppConnection, rows: Sequence[LogRow]) -> set[int]:
    """Takes these keys out of the log; the ids of the rows whose keys were still there.

    What another drain has taken, or is taking, is left to it.
    """
    taken = delete_log(connection, [row.id for row in rows if row.is_whole])
    return taken | shorten_log(connection, [row for row in rows if not row.is_whole])


def delete_log(connection: AppConnection, ids: Sequence[int]) -> set[int]:
    """Deletes exactly these rows; those that were there."""
    if not ids:
        return set()
    return {id for (id,) in connection.execute(_DELETE_IDS, {"ids": list(ids)}).fetchall()}


def shorten_log(connection: AppConnection, rows: Sequence[LogRow]) -> set[int]:
    """Takes the keys that were read off the front of rows of which more were not read."""
    if not rows:
        return set()
    parts = {
        "ids": [row.id for row in rows],
        "taken": [row.taken for row in rows],
        "counted": [row.counted for row in rows],
    }
    return {id for (id,) in connection.execute(_SHORTEN, parts).fetchall()}


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
        _log.warning("watch of %s: its SELECT failed (%s); a sweep", watch.table, told(error))
        return EVERYBODY
    if len(rows) > MOST_IDS:
        return EVERYBODY
    found = (
        raw if isinstance(raw, Unreadable) else str(raw) for raw, *_ in rows if raw is not None
    )
    return tuple(sorted(set(_keys(found))))
