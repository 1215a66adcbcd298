"""The triggers that a mapping wants, and those that the app's database has.

Names carry a digest of what they stand for (the watch and the text of its function), so a trigger
of an older version or of a changed watch is seen by its name alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import psycopg

from intercom_assets.database.connections import AppConnection, encoded
from intercom_assets.database.failures import message_of
from intercom_assets.database.queries import parse
from intercom_assets.database.tables import Table, find_table
from intercom_assets.domain.values import digest
from intercom_assets.mapping.load import SYNC_YAML, AppMapping
from intercom_assets.mapping.problems import MappingError
from intercom_assets.mapping.settings import KEYS, Watch

EVENTS = ("insert", "update", "delete", "truncate")
_LONGEST_TABLE = 30
"""Bytes: PostgreSQL cuts a name after 63, and the digest stands at its end."""

_PARTITIONS = """
with recursive tree as (
    select %s::oid as oid
  union
    select i.inhrelid from pg_catalog.pg_inherits i join tree on i.inhparent = tree.oid
)
select n.nspname::text, c.relname::text, c.relkind::text
from tree
join pg_catalog.pg_class c on c.oid = tree.oid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
order by 1, 2
"""
_PRIMARY_KEY = """
select a.attname::text
from pg_catalog.pg_index i
join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
where i.indrelid = %s::oid and i.indisprimary
"""
_TRIGGERS = """
select n.nspname::text, c.relname::text, t.tgname::text, p.proname::text, t.tgenabled::text
from pg_catalog.pg_trigger t
join pg_catalog.pg_proc p on p.oid = t.tgfoid
join pg_catalog.pg_namespace pn on pn.oid = p.pronamespace
join pg_catalog.pg_class c on c.oid = t.tgrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where pn.nspname = 'intercom_capture' and not t.tgisinternal
"""
_FUNCTIONS = """
select p.proname::text
from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname = 'intercom_capture'
"""
_VIRTUAL = """
select attgenerated = 'v' from pg_catalog.pg_attribute where attrelid = %s::oid and attname = %s
"""
_MOVED_UNSEEN = """
select c.oid::regclass::text from pg_catalog.pg_class c
where c.oid = any(%s::oid[]) and c.relkind = 'p'
  and current_setting('server_version_num')::int between 150000 and 189999
order by 1
"""
_WATCHABLE = ("r", "p")
_NO_TRIGGERS = {
    "m": "a materialized view, which has no triggers; let the queries read the tables that it is "
    "made of, and list those",
    "f": "a foreign table, whose changes fire no trigger here; leave it out: the nightly sweep "
    "finds them",
}
_NO_TABLE = "which is no table; list the tables that it is made of"


@cache
def statements() -> dict[str, str]:
    """The named statements of `capture.sql`."""
    text = (files("intercom_assets.database.capture") / "capture.sql").read_text("utf-8")
    return {name: body.decode() for name, body in parse(text).items()}


def watch_name(watch: Watch) -> str:
    """What the watch's function is called, and what its log rows say in `via`."""
    words = re.sub(r"\W+", "_", watch.table.lower())
    table = words.encode()[:_LONGEST_TABLE].decode(errors="ignore")
    defined = (
        statements()["function"],
        statements()["spelling"],
        watch.table,
        watch.wakes,
        watch.key,
        watch.column,
    )
    return f"{watch.wakes}_{table}_{digest(*defined)[:8]}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A watch as its tables have it. `blind`: partitions that cannot have triggers."""

    watch: Watch
    function: str
    column: str
    tables: tuple[tuple[str, str], ...]
    blind: tuple[str, ...]

    def triggers(self) -> dict["TriggerKey", str]:
        """Every trigger with the event that fires it."""
        return {
            TriggerKey(schema, table, f"intercom_capture_{event}_{self.function[-8:]}"): event
            for schema, table in self.tables
            for event in EVENTS
        }


@dataclass(frozen=True, slots=True, order=True)
class TriggerKey:
    schema: str
    table: str
    name: str


@dataclass(frozen=True, slots=True)
class Present:
    """`enabled`: fires always, as we install it."""

    function: str
    enabled: bool


def wanted(connection: AppConnection, watch: Watch, place: int) -> Wanted:
    """`place`: the entry's number, from one. Raises MappingError where it cannot be watched."""
    key = f"watch[{place}]"
    table = find_table(connection, watch.table, f"{key}.table")
    if table.relkind not in _WATCHABLE:
        why = _NO_TRIGGERS.get(table.relkind, _NO_TABLE)
        raise MappingError(f"{SYNC_YAML}: {key}.table is {watch.table}, {why}")
    column = _column(connection, table, watch, key)
    _require_stored(connection, table, column, key)
    _try_select(connection, watch, table.columns[column], key)
    found = connection.execute(_PARTITIONS, (table.oid,)).fetchall()
    tables = tuple((schema, name) for schema, name, kind in found if kind in _WATCHABLE)
    blind = tuple(f"{schema}.{name}" for schema, name, kind in found if kind not in _WATCHABLE)
    return Wanted(watch, watch_name(watch), column, tables, blind)


def wanted_triggers(connection: AppConnection, mapping: AppMapping) -> list[Wanted]:
    watches = mapping.settings.watch
    if not watches:
        raise MappingError(
            f"{SYNC_YAML}: watch is empty; allowed: the tables that the mapping's queries read, "
            "as in: {table: users, wakes: user, key: id}"
        )
    return [wanted(connection, watch, place) for place, watch in enumerate(watches, start=1)]


def resolving(watch: Watch, sql_type: str) -> str:
    """The watch's SELECT, which takes `keys`, values of the column's type, as its parameter."""
    select = (watch.select or "").rstrip("; \n").replace("%", "%%")
    keys = f"%(keys)s::{sql_type.replace('%', '%%')}[]"
    return KEYS.sub(lambda _: keys, select)


def _try_select(connection: AppConnection, watch: Watch, sql_type: str, key: str) -> None:
    """Raises MappingError unless it is a query of one column. Reads no row."""
    if watch.select is None:
        return
    text = f"select * from (\n{resolving(watch, sql_type)}\n) as q limit 0"
    try:
        with connection.transaction():
            found = connection.execute(encoded(connection, text), {"keys": []}).description or ()
    except psycopg.Error as error:
        raise MappingError(
            f"{SYNC_YAML}: the SELECT of {key}.key: {message_of(error)}; allowed: a SELECT of ids "
            "that only reads"
        ) from None
    if len(found) != 1:
        raise MappingError(
            f"{SYNC_YAML}: the SELECT of {key}.key has {len(found)} columns; allowed: one, the id "
            f"of the {watch.wakes}"
        )


def _require_stored(connection: AppConnection, table: Table, column: str, key: str) -> None:
    """PostgreSQL fails a statement whose trigger asks for a column that it computes when read."""
    if connection.execute(_VIRTUAL, (table.oid, column)).fetchone() == (True,):
        raise MappingError(
            f'{SYNC_YAML}: {key} logs "{column}" of {table.name}, a virtual column, which no '
            "trigger can see; allowed: a stored one, such as those that it is computed from"
        )


def key_type(connection: AppConnection, watch: Watch) -> str:
    """The type of the values that a watch's SELECT receives."""
    table = find_table(connection, watch.table, "watch.table")
    return table.columns[_column(connection, table, watch, "watch")]


def moved_unseen(connection: AppConnection, watches: Sequence[Watch]) -> list[str]:
    """Partitioned tables whose rows a MERGE moves without handing them to a trigger."""
    tables = [
        find_table(connection, watch.table, f"watch[{place}].table").oid
        for place, watch in enumerate(watches, 1)
    ]
    return [name for (name,) in connection.execute(_MOVED_UNSEEN, (tables,)).fetchall()]


def present_triggers(connection: AppConnection) -> dict[TriggerKey, Present]:
    return {
        TriggerKey(schema, table, name): Present(function, enabled == "A")
        for schema, table, name, function, enabled in connection.execute(_TRIGGERS).fetchall()
    }


def present_functions(connection: AppConnection) -> frozenset[str]:
    return frozenset(name for (name,) in connection.execute(_FUNCTIONS).fetchall())


def _column(connection: AppConnection, table: Table, watch: Watch, key: str) -> str:
    """The column whose values are logged."""
    if watch.select is None:
        table.type_of(watch.key, f"{key}.key")
        return watch.key
    if watch.column is not None:
        table.type_of(watch.column, f"{key}.column")
        return watch.column
    found = connection.execute(_PRIMARY_KEY, (table.oid,)).fetchall()
    if len(found) != 1:
        raise MappingError(
            f"{SYNC_YAML}: {key}.column is missing, and {table.name} has no primary key of one "
            "column; allowed: the column that the SELECT in key receives as :keys"
        )
    return str(found[0][0])
