"""Databases that one test after the other uses are as the template each time."""

from typing import LiteralString

import psycopg
import pytest

from intercom_assets.demo.databases import Databases
from intercom_assets_tests import clean_databases as module
from intercom_assets_tests.clean_databases import CleanDatabases


@pytest.fixture
def lender(databases: Databases, template: str) -> CleanDatabases:
    return CleanDatabases(databases, template)


def content(url: str) -> list[tuple[object, ...]]:
    """Of every table how many rows there are, and the newest of each sequence."""
    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute(module._TABLES).fetchall()
        counts: list[tuple[object, ...]] = []
        for schema, table in tables:
            statement = psycopg.sql.SQL("select count(*) from {}").format(
                psycopg.sql.Identifier(schema, table)
            )
            counts += [(schema, table, *row) for row in connection.execute(statement).fetchall()]
        return counts + connection.execute(module._SEQUENCES).fetchall()


def do(url: str, statement: LiteralString) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


CHANGES: list[LiteralString] = [
    "insert into users (email, name) values ('a@example.com', 'A')",
    "delete from intercom_sync.schema_step",
    "select nextval('users_id_seq'); select nextval('users_id_seq')",
    "alter table users add column more text",
    "drop trigger if exists intercom_sync_changed on users; create table another (id int)",
    "create or replace function one() returns int language sql as 'select 1'",
    "alter table users alter column name set default 'x'",
    "grant select on users to public",
]


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_a_test_did_is_gone(lender: CleanDatabases, change: LiteralString) -> None:
    with lender.lent() as url:
        before = content(url)
        do(url, change)

    with lender.lent() as url, psycopg.connect(url) as connection:
        assert content(url) == before
        schema = module._schema_of(connection)
    with lender.lent() as url, psycopg.connect(url) as connection:
        assert module._schema_of(connection) == schema


def test_a_database_that_was_only_filled_is_used_again(lender: CleanDatabases) -> None:
    with lender.lent() as first:
        do(first, CHANGES[0])
    with lender.lent() as second:
        assert second == first


def test_a_database_whose_tables_were_changed_is_not(lender: CleanDatabases) -> None:
    with lender.lent() as first:
        do(first, "alter table users add column more text")
    with lender.lent() as second:
        assert second != first


def test_a_connection_that_was_left_open_is_ended(lender: CleanDatabases) -> None:
    with lender.lent() as url:
        left = psycopg.connect(url)
        left.execute("select * from users for update")
    with lender.lent():
        pass
    with pytest.raises(psycopg.OperationalError):
        left.execute("select 1")


def test_one_that_was_used_often_is_made_anew(
    lender: CleanDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "USED_UP", 2)
    used = []
    for _ in range(3):
        with lender.lent() as url:
            used.append(url)
    assert used[0] == used[1] != used[2]
