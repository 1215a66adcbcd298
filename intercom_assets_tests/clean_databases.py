"""Copies of a template for one test after the other: emptied between them, which costs a tenth.

A copy that a test left with other tables, functions, triggers or rights is dropped, and so is one
that was used often: its dead rows would make the tests slow. Must not: what is in the template.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import LiteralString

import psycopg
from psycopg import sql

from intercom_assets.demo.databases import Databases

USED_UP = 50
"""Tests after which a copy is made anew."""

_CATALOGS: tuple[LiteralString, ...] = (
    "pg_class", "pg_attribute", "pg_attrdef", "pg_proc", "pg_trigger", "pg_constraint", "pg_index",
    "pg_namespace", "pg_type", "pg_enum", "pg_rewrite", "pg_policy", "pg_publication",
    "pg_publication_rel", "pg_extension", "pg_default_acl", "pg_event_trigger", "pg_description",
)  # fmt: skip
"""Where whatever a statement changes of a schema leaves a row of another transaction, or one less.
Rights are in these rows too."""
_SCHEMA: LiteralString = " union all ".join(
    f"select '{name}', count(*), max(xmin::text::bigint) from {name}" for name in _CATALOGS
)
_SETTINGS: LiteralString = (
    "select setdatabase::text, count(*), 0 from pg_db_role_setting"
    " where setdatabase = (select oid from pg_database where datname = current_database())"
    " group by 1"
)
_TABLES: LiteralString = (
    "select schemaname, tablename from pg_tables"
    " where schemaname not in ('pg_catalog', 'information_schema') order by 1 desc, 2"
)
"""The app's first: triggers that always fire write into ours."""
_SEQUENCES: LiteralString = (
    "select schemaname, sequencename, coalesce(last_value, start_value), last_value is not null"
    " from pg_sequences order by 1, 2"
)
_OTHERS: LiteralString = (
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)


@dataclass
class Copy:
    """A copy of the template as it is before a test. `rows`: of the tables that have any."""

    name: str
    url: str
    schema: list[tuple[object, ...]] = field(default_factory=list)
    tables: list[sql.Identifier] = field(default_factory=list)
    rows: list[tuple[sql.Identifier, bytes]] = field(default_factory=list)
    sequences: list[tuple[object, ...]] = field(default_factory=list)
    uses: int = 0

    def look(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            self.schema = _schema_of(connection)
            self.tables = [sql.Identifier(*row) for row in connection.execute(_TABLES).fetchall()]
            self.sequences = connection.execute(_SEQUENCES).fetchall()
            for table in self.tables:
                if rows := _rows_of(connection, table):
                    self.rows.append((table, rows))

    def clean(self) -> bool:
        """False where it cannot be made as it was."""
        self.uses += 1
        if self.uses >= USED_UP:
            return False
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(_OTHERS)
            if _schema_of(connection) != self.schema:
                return False
            with connection.transaction():
                self._restore(connection)
        return True

    def _restore(self, connection: psycopg.Connection) -> None:
        connection.execute("set local session_replication_role = replica")  # in any order
        deletes = [sql.SQL("delete from {}").format(table) for table in self.tables]
        connection.execute(sql.SQL("; ").join(deletes))
        for table, rows in self.rows:
            statement = sql.SQL("copy {} from stdin").format(table)
            with connection.cursor().copy(statement) as copy:
                copy.write(rows)
        for schema, name, value, is_called in self.sequences:
            quoted = sql.Identifier(str(schema), str(name)).as_string(connection)
            connection.execute("select setval(%s, %s, %s)", [quoted, value, is_called])


class CleanDatabases:
    """Copies of one template; those that are left at the end are dropped as all databases are."""

    def __init__(self, databases: Databases, template: str) -> None:
        self._databases, self._template = databases, template
        self._clean: list[Copy] = []

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The address of a database that is as the template is."""
        copy = self._clean.pop() if self._clean else self._new()
        try:
            yield copy.url
        finally:
            if copy.clean():
                self._clean.append(copy)
            else:
                self._databases.drop(copy.name)

    def _new(self) -> Copy:
        name = f"{self._databases.prefix}{secrets.token_hex(6)}"
        copy = Copy(name, self._databases.copy(self._template, name))
        copy.look()
        return copy


def _schema_of(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    statement: LiteralString = f"{_SCHEMA} union all {_SETTINGS}"
    return sorted(connection.execute(statement).fetchall(), key=str)


def _rows_of(connection: psycopg.Connection, table: sql.Identifier) -> bytes:
    statement = sql.SQL("copy {} to stdout").format(table)
    with connection.cursor().copy(statement) as copy:
        return b"".join(bytes(part) for part in copy)
