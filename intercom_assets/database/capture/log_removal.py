"""What leaves the change log: keys that were queued, and what a write-back of ours logged itself.

Every function runs in its caller's transaction. Rows are deleted by id, never up to an id: a later
id may commit first.
"""

from collections.abc import Sequence

from intercom_assets.database.capture.log import LogRow, has_log
from intercom_assets.database.connections import AppConnection

_POSITION = "select coalesce(max(id), 0) from intercom_capture.change_log"
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
