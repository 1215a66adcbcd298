"""Tables of the app that `sync.yaml` names: looked up in the catalogue, quoted once.

Every identifier of the app that ends up in a statement of ours comes from here, as PostgreSQL
itself spells it. What does not exist is a `MappingError` with the key of `sync.yaml`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg.sql import Composable, Identifier

from intercom_assets.database.app_connections import AppConnection
from intercom_assets.mapping.load import SYNC_YAML
from intercom_assets.mapping.problems import MappingError, nearest

_FIND = """
select c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.oid = to_regclass(%s)
"""
_COLUMNS = """
with recursive typed as (
    select a.attname::text as name, a.atttypid as oid
    from pg_catalog.pg_attribute a
    where a.attrelid = %s::oid and a.attnum > 0 and not a.attisdropped
  union all
    select typed.name, t.typbasetype
    from typed join pg_catalog.pg_type t on t.oid = typed.oid
    where t.typtype = 'd'
)
select typed.name, format_type(typed.oid, -1)
from typed join pg_catalog.pg_type t on t.oid = typed.oid
where t.typtype <> 'd'
"""
_ALL = """
select c.relname::text from pg_catalog.pg_class c
where c.relkind in ('r', 'p', 'v') and pg_catalog.pg_table_is_visible(c.oid)
  and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
"""


@dataclass(frozen=True, slots=True)
class Table:
    """`columns`: name -> type without length (a domain's base type), fit for a cast.

    Without length, since a cast to `varchar(5)` would shorten in silence what an assignment
    refuses. `relkind` as in pg_class: `r` table, `p` partitioned, `v` view ...
    """

    oid: int
    schema: str
    name: str
    relkind: str
    columns: Mapping[str, str]

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


def find_table(connection: AppConnection, name: str, key: str) -> Table:
    """The table as SQL would find it. `key`: where `sync.yaml` names it. Raises MappingError."""
    try:
        with connection.transaction():
            found = connection.execute(_FIND, (name,)).fetchone()
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
    columns: dict[str, str] = dict(connection.execute(_COLUMNS, (oid,)).fetchall())
    return Table(oid, schema, table, relkind, columns)
