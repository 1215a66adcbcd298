"""Databases of ours on a server: made, copied, dropped, and never one of somebody else's."""

import socket

import psycopg
import pytest

from intercom_assets.demo.databases import Databases, database_url
from intercom_assets.supervision.binaries import PostgresUnavailable
from intercom_assets_tests.builders import insert_user


def do(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())


def ask(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def test_only_databases_of_the_prefix_are_made_or_dropped(postgres: str) -> None:
    with Databases(postgres) as databases:
        for name in ("postgres", "intercom_assets", "intercom_assets_demo_x; drop", "INTERCOM"):
            for act in (databases.create, databases.drop, databases.freeze, databases.url):
                with pytest.raises(ValueError, match="is not a database of ours"):
                    act(name)


def test_a_database_is_made_copied_listed_and_dropped(databases: Databases) -> None:
    first, second = f"{databases.prefix}one", f"{databases.prefix}two"
    do(databases.create(first), "create table kept as select 1")
    assert ask(databases.copy(first, second), "select count(*) from kept") == 1
    assert {first, second} <= set(databases.names())

    databases.drop(first)
    databases.drop(second)
    databases.drop(second)

    assert not {first, second} & set(databases.names())


def test_another_database_of_a_server_keeps_the_address_parameters() -> None:
    url = "postgresql://me:p%40ss@db.example:6432/postgres?sslmode=require"
    expected = "postgresql://me:p%40ss@db.example:6432/intercom_assets_demo_app?sslmode=require"
    assert database_url(url, "intercom_assets_demo_app") == expected


def test_a_server_that_is_down_is_named_without_its_password() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"postgresql://me:hush@127.0.0.1:{nobody.getsockname()[1]}/postgres"
        with pytest.raises(PostgresUnavailable, match="does not answer at 127") as caught:
            Databases(url)
    assert "hush" not in str(caught.value)


def test_an_address_that_is_none_is_refused_with_an_example() -> None:
    with pytest.raises(PostgresUnavailable, match="must look like postgresql://"):
        Databases("host=localhost dbname=postgres")


@pytest.mark.parametrize("fixture", ["database", "empty_database"])
def test_a_test_gets_a_database_of_its_own(request: pytest.FixtureRequest, fixture: str) -> None:
    url = request.getfixturevalue(fixture)
    tables = "select count(*) from pg_tables where schemaname = 'public'"
    assert ask(url, tables) == (3 if fixture == "database" else 0)


def test_the_template_holds_our_schema_and_the_triggers_too(database: str) -> None:
    tables = "select count(*) > 5 from pg_tables where schemaname = 'intercom_sync'"
    assert ask(database, tables)

    user = insert_user(database, name="Ada")
    assert ask(database, "select keys from intercom_capture.change_log") == [str(user)]
