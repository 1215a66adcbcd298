"""What the role that we connect with may do in the app's database, and what it lacks.

Asks PostgreSQL's catalogue; nothing is tried out, so nothing is written. What a lacking right is
mended by is a GRANT that an operator can copy. `deploy/role.sql` is the role with just these.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psycopg.sql import SQL, Composed, Identifier

from intercom_assets.database.app.inspection import tables_read
from intercom_assets.database.app.shapes import Shapes
from intercom_assets.database.connections import AppConnection, Connections
from intercom_assets.database.tables import Table, find_table
from intercom_assets.mapping.load import AppMapping

OLDEST = 130_000
"""PostgreSQL 13: `pg_current_xact_id()`, by which a write-back finds its own log rows."""
_SERVER = """
select current_setting('server_version'), current_setting('server_version_num')::int,
    current_user::text, pg_is_in_recovery(), extract(epoch from clock_timestamp())::float8
"""
_COLUMN = "select has_column_privilege(%s::oid, %s, %s)"
_LOG = """
select has_schema_privilege(n.oid, 'USAGE'), has_table_privilege(c.oid, 'SELECT'),
    has_table_privilege(c.oid, 'DELETE'), has_column_privilege(c.oid, 'keys', 'UPDATE')
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'intercom_capture' and c.relname = 'change_log'
"""
_LOG_GRANTS: tuple[Composed, ...] = tuple(
    SQL(text).format()
    for text in (
        "usage on schema intercom_capture",
        "select on intercom_capture.change_log",
        "delete on intercom_capture.change_log",
        "update (keys) on intercom_capture.change_log",
    )
)
_ROW_SECURITY = """
select format('%%s.%%s', n.nspname, c.relname)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where format('%%s.%%s', n.nspname, c.relname) = any(%s) and row_security_active(c.oid)
order by 1
"""


@dataclass(frozen=True, slots=True)
class Server:
    """`clock`: its own, in Unix seconds. `is_standby`: a replica, which takes no write."""

    version: str
    number: int
    role: str
    is_standby: bool
    clock: float


def read_server(url: str) -> Server:
    """Connects without a mapping. Raises AppUnavailable."""
    with Connections(url) as connections, connections.reading("the app's database") as connection:
        row = connection.execute(_SERVER).fetchone()
    assert row is not None
    return Server(str(row[0]).split(" ")[0], *row[1:])


def missing_grants(connection: AppConnection, mapping: AppMapping) -> list[str]:
    """The GRANT statements that the write-back and the drain of the log still need.

    Raises MappingError. Reading is not asked here: a query that may not read says so itself.
    """
    found = connection.execute("select current_user::text").fetchone()
    role = Identifier(str(found[0]) if found else "")
    grants = [*_write_back(connection, mapping)]
    if mapping.settings.capture == "triggers":
        grants += _log(connection)
    texts = [SQL("grant {} to {}").format(grant, role).as_string(connection) for grant in grants]
    return list(dict.fromkeys(texts))


def row_security(connection: AppConnection, shapes: Shapes) -> list[str]:
    """Tables that are read and whose rows this role may not see all of: hidden ones look gone."""
    names = sorted(tables_read(connection, shapes))
    return [str(name) for (name,) in connection.execute(_ROW_SECURITY, (names,)).fetchall()]


def _write_back(connection: AppConnection, mapping: AppMapping) -> Iterator[Composed]:
    settings = mapping.settings.write_back
    if settings.table:
        table = find_table(connection, settings.table, "write_back.table")
        id_column = _column_of(table, settings.intercom_id)
        yield from _columns(
            connection, table, settings.key, [*settings.columns.values(), *id_column], id_column
        )
    if settings.teams:
        table = find_table(connection, settings.teams.table, "write_back.teams.table")
        id_column = _column_of(table, settings.teams.intercom_id)
        yield from _columns(connection, table, settings.teams.key, id_column, id_column)


def _columns(
    connection: AppConnection, table: Table, key: str, written: Sequence[str], read: Sequence[str]
) -> Iterator[Composed]:
    for right, columns in (("select", [key, *read]), ("update", written)):
        lacking = [
            Identifier(column)
            for column in dict.fromkeys(columns)
            if connection.execute(_COLUMN, (table.oid, column, right)).fetchone() != (True,)
        ]
        if lacking:
            yield SQL("{} ({}) on {}").format(SQL(right), SQL(", ").join(lacking), table.sql)


def _column_of(table: Table, place: str | None) -> list[str]:
    """`metadata.key` is in the column `metadata`, unless a column is called just that."""
    if place is None:
        return []
    return [place if place in table.columns else place.split(".", 1)[0]]


def _log(connection: AppConnection) -> Iterator[Composed]:
    """Nothing where there is no log yet: `capture_state` says so."""
    rights = connection.execute(_LOG).fetchone() or ()
    for has, grant in zip(rights, _LOG_GRANTS, strict=False):
        if not has:
            yield grant
