"""Tables of the app that `sync.yaml` names: looked up in the catalogue, quoted once.

Every identifier of the app that ends up in a statement of ours comes from here, as PostgreSQL
itself spells it. What does not exist is a `MappingError` with the key of `sync.yaml`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg.abc import AdaptContext
from psycopg.sql import Composable, Identifier, Literal

from intercom_assets.database.connections import AppConnection
from intercom_assets.mapping.load import SYNC_YAML
from intercom_assets.mapping.problems import MappingError, nearest

_FIND = """
select c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.oid = coalesce(to_regclass(%s), to_regclass(%s))
"""
_COLUMNS = """
with recursive typed as (
    select a.attname::text as name, a.atttypid as oid,
        a.attgenerated <> '' or a.attidentity = 'a' as computed
    from pg_catalog.pg_attribute a
    where a.attrelid = %s::oid and a.attnum > 0 and not a.attisdropped
  union all
    select typed.name, t.typbasetype, typed.computed
    from typed join pg_catalog.pg_type t on t.oid = typed.oid
    where t.typtype = 'd'
)
select typed.name, format_type(typed.oid, -1), typed.computed
from typed join pg_catalog.pg_type t on t.oid = typed.oid
where t.typtype <> 'd'
"""
_ALL = """
select c.relname::text from pg_catalog.pg_class c
where c.relkind in ('r', 'p', 'v') and pg_catalog.pg_table_is_visible(c.oid)
  and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
"""


_UPDATABLE = "select pg_relation_is_updatable(%s::oid, true) & 4 <> 0"
"""4 is UPDATE; rules and triggers of a view are counted in."""


class Name(Identifier):
    """An identifier in a statement that takes parameters, where a percent sign is doubled."""

    def as_bytes(self, context: AdaptContext | None = None) -> bytes:
        return doubled(super().as_bytes(context))


class Text(Literal):
    """A literal in a statement that takes parameters."""

    def as_bytes(self, context: AdaptContext | None = None) -> bytes:
        return doubled(super().as_bytes(context))


def doubled(sql: bytes) -> bytes:
    """As psycopg wants a percent sign that is no placeholder, once there are parameters."""
    return sql.replace(b"%", b"%%")


@dataclass(frozen=True, slots=True)
class Table:
    """`columns`: name -> type without length (a domain's base type), fit for a cast.

    Without length, since a cast to `varchar(5)` would shorten in silence what an assignment
    refuses. `computed`: those that only PostgreSQL itself gives a value. `relkind` as in pg_class:
    `r` table, `p` partitioned, `v` view ...
    """

    oid: int
    schema: str
    name: str
    relkind: str
    columns: Mapping[str, str]
    computed: frozenset[str] = frozenset()

    @property
    def sql(self) -> Composable:
        return Identifier(self.schema, self.name)

    def type_of(self, column: str, key: str) -> str:
        """The column's type; `key` is where `sync.yaml` names the column."""
        if column not in self.columns:
            raise MappingError(
                f'{SYNC_YAML}: {key} is "{column}", which {self.name} does not have'
                f"{nearest(column, self.columns)}"
            )
        return self.columns[column]

    def writable_type_of(self, column: str, key: str) -> str:
        """As `type_of`, of a column that is to be written."""
        found = self.type_of(column, key)
        if column in self.computed:
            raise MappingError(
                f'{SYNC_YAML}: {key} is "{column}", which PostgreSQL computes itself; allowed: a '
                "column that can be written"
            )
        return found


def find_table(connection: AppConnection, name: str, key: str) -> Table:
    """The table as SQL would find it, or else one spelled exactly so (`User`).

    `key`: where `sync.yaml` names it. Raises MappingError.
    """
    try:
        with connection.transaction():
            found = connection.execute(_FIND, (name, _quoted(name))).fetchone()
    except (psycopg.ProgrammingError, psycopg.DataError, psycopg.NotSupportedError) as error:
        raise MappingError(
            f'{SYNC_YAML}: {key} is "{name}": {error.diag.message_primary}'
        ) from None
    if found is None:
        known = [str(row[0]) for row in connection.execute(_ALL).fetchall()]
        raise MappingError(
            f'{SYNC_YAML}: {key} is "{name}", and no such table is visible{nearest(name, known)}'
        )
    oid, schema, table, relkind = found
    columns = connection.execute(_COLUMNS, (oid,)).fetchall()
    computed = frozenset(column for column, _, is_computed in columns if is_computed)
    types = {column: sql_type for column, sql_type, _ in columns}
    return Table(oid, schema, table, relkind, types, computed)


def find_writable_table(connection: AppConnection, name: str, key: str) -> Table:
    """`find_table`, of one whose rows can be updated."""
    table = find_table(connection, name, key)
    answer = connection.execute(_UPDATABLE, (table.oid,)).fetchone()
    if answer is None or not answer[0]:
        raise MappingError(
            f'{SYNC_YAML}: {key} is "{name}", whose rows PostgreSQL cannot update; allowed: a '
            "table, or a view that can be updated"
        )
    return table


def _quoted(name: str) -> str:
    """`billing.Plan` as `"billing"."Plan"`: SQL without quotes would look for lower case."""
    if '"' in name:
        return name
    return ".".join(f'"{part}"' for part in name.split("."))
