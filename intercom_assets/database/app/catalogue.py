"""Reads the catalogue of an app's database: tables, columns, keys, and what our role may do.

Statements on `pg_catalog` only: no row of the app is read. What the tables mean is not known here
(`mapping/proposal`).
"""

from collections import defaultdict
from typing import Any

from intercom_assets.database.connections import AppConnection, Connections
from intercom_assets.mapping.proposal.catalogue import (
    Catalogue,
    CatalogueColumn,
    CatalogueTable,
    ForeignKey,
)

_NOBODYS = (
    "pg_catalog", "information_schema", "pg_toast", "intercom_sync", "intercom_capture",
    "extensions", "graphql", "graphql_public", "realtime", "storage", "vault", "pgsodium", "cron",
    "net", "supabase_functions", "supabase_migrations", "pgbouncer", "hdb_catalog", "topology",
    "tiger", "tiger_data", "_timescaledb_catalog", "_timescaledb_internal", "_timescaledb_config",
    "_timescaledb_cache", "drizzle", "partman", "repack", "google_vacuum_mgmt", "_analytics",
)  # fmt: skip
"""Schemas of PostgreSQL, of ourselves and of well-known extensions and services."""

_TABLES = """
select c.oid::int8, n.nspname::text, c.relname::text, pg_catalog.pg_table_is_visible(c.oid),
    c.relkind in ('v', 'm', 'f'),
    c.relkind in ('r', 'p') and pg_catalog.has_table_privilege(c.oid, 'TRIGGER')
        and pg_catalog.has_database_privilege(current_database(), 'CREATE')
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
    and n.nspname <> all(%s::text[]) and n.nspname not like 'pg\\_%%'
    and pg_catalog.has_schema_privilege(n.oid, 'USAGE')
    and not exists (select from pg_catalog.pg_depend d
                    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by 2, 3
"""
_COLUMNS = """
with recursive typed as (
    select a.attrelid, a.attnum, a.attname::text as name, a.atttypid as oid, a.atttypmod as typmod,
        not a.attnotnull as nullable,
        pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT') as readable
    from pg_catalog.pg_attribute a
    where a.attrelid = any(%s::oid[]) and a.attnum > 0 and not a.attisdropped
  union all
    select p.attrelid, p.attnum, p.name, t.typbasetype, t.typtypmod, p.nullable, p.readable
    from typed p join pg_catalog.pg_type t on t.oid = p.oid where t.typtype = 'd'
)
select p.attrelid::int8, p.name, pg_catalog.format_type(p.oid, p.typmod), t.typcategory::text,
    p.nullable, t.typtype = 'e', p.readable
from typed p join pg_catalog.pg_type t on t.oid = p.oid
where t.typtype <> 'd' order by p.attrelid, p.attnum
"""
_KEYS = """
select i.indrelid::int8, i.indisprimary, array_agg(a.attname::text order by k.place)
from pg_catalog.pg_index i
cross join unnest(i.indkey::int2[]) with ordinality as k (number, place)
join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
where i.indrelid = any(%s::oid[]) and i.indisunique and i.indpred is null and i.indexprs is null
    and k.place <= i.indnkeyatts
group by i.indexrelid, i.indrelid, i.indisprimary order by i.indexrelid
"""
_FOREIGN_KEYS = """
select k.conrelid::int8, a.attname::text, n.nspname::text, c.relname::text, b.attname::text
from pg_catalog.pg_constraint k
join pg_catalog.pg_class c on c.oid = k.confrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
join pg_catalog.pg_attribute b on b.attrelid = k.confrelid and b.attnum = k.confkey[1]
where k.contype = 'f' and cardinality(k.conkey) = 1 and k.conrelid = any(%s::oid[])
order by k.oid
"""


def read_catalogue(url: str) -> Catalogue:
    """Raises `AppUnavailable`."""
    with Connections(url) as connections, connections.reading("the catalogue") as connection:
        return _catalogue(connection)


def _catalogue(connection: AppConnection) -> Catalogue:
    found = connection.execute(_TABLES, (list(_NOBODYS),)).fetchall()
    oids = [row[0] for row in found]
    columns = _by_table(connection, _COLUMNS, oids)
    keys = _by_table(connection, _KEYS, oids)
    references = _by_table(connection, _FOREIGN_KEYS, oids)
    return Catalogue(
        tuple(
            CatalogueTable(
                schema=schema,
                name=name,
                columns=tuple(
                    CatalogueColumn(column, kind, category, nullable, is_enum, readable)
                    for column, kind, category, nullable, is_enum, readable in columns[oid]
                ),
                primary_key=next((tuple(key) for primary, key in keys[oid] if primary), ()),
                unique=tuple(tuple(key) for primary, key in keys[oid] if not primary),
                foreign_keys=tuple(
                    ForeignKey(column, (to_schema, to_table), target)
                    for column, to_schema, to_table, target in references[oid]
                ),
                visible=visible,
                is_view=is_view,
                watchable=watchable,
            )
            for oid, schema, name, visible, is_view, watchable in found
        )
    )


def _by_table(
    connection: AppConnection, statement: str, oids: list[int]
) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for oid, *rest in connection.execute(statement, (oids,)).fetchall():
        found[oid].append(tuple(rest))
    return found
