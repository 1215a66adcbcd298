"""Databases that hold what ours cannot, and queries that return more than memory should hold."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from intercom_assets.database.capture.installation import install_capture
from intercom_assets.database.store.connection import StoreNotReady
from intercom_assets.database.store.schema import apply_schema
from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.mapping.load import load_mapping
from intercom_assets.mapping.problems import MappingError
from intercom_assets.sync.environment import opened, read_environment
from intercom_assets.sync.feeders.app_changes import feed_from_app
from intercom_assets_tests.apps.stage import a_stage
from intercom_assets_tests.database.mappings import an_app
from intercom_assets_tests.hostile.people import a_mapping, create_people

NO_UTF8 = rb"Ren\351"
"""As the escape of SQL's E'' strings; one byte of LATIN1."""


@pytest.fixture
def in_encoding(empty_database: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database in the encoding that the test names."""
    name = f"{conninfo_to_dict(empty_database)['dbname']}_odd"
    quoted = sql.Identifier(name)
    with psycopg.connect(empty_database, autocommit=True) as admin:
        options = "template template0 locale 'C'"
        if admin.info.server_version >= 150_000:
            options += " locale_provider libc"
        made = sql.SQL("create database {} encoding {} " + options)
        admin.execute(made.format(quoted, sql.Literal(request.param)))
        yield make_conninfo(empty_database, dbname=name)
        admin.execute(sql.SQL("drop database {} with (force)").format(quoted))


@pytest.mark.parametrize("in_encoding", ["SQL_ASCII"], indirect=True)
def test_bytes_that_are_no_utf8_harm_nobody_else(in_encoding: str, tmp_path: Path) -> None:
    """Such a database also holds our own tables, and the log names such a row by its bytes."""
    folder = a_mapping(tmp_path / "mapping")
    create_people(in_encoding, ())
    apply_schema(in_encoding)
    install_capture(in_encoding, load_mapping(folder))
    with psycopg.connect(in_encoding) as app:
        app.execute(
            b"insert into people (id, email, name) values ('odd', 'o@x.example', E'%b'),"
            b"(E'%b', 'r@x.example', 'Renee'), ('even', 'e@x.example', E'Ren\\303\\251')".replace(
                b"%b", NO_UTF8
            )
        )
    with a_stage(in_encoding, folder) as stage:
        with opened(read_environment(stage.shell.variables)) as services:
            assert feed_from_app(services).users == 2
            assert set(services.store.queue.due_keys(QueueKind.USER, 10)) == {"odd", "even"}
        stage.shell.run("sync", "--all")
        assert stage.contacts().keys() == {"even", "odd"}
        assert stage.contacts()["even"]["name"] == "René"
        assert stage.contacts()["odd"]["name"] is None
        status = stage.answer_of("status")
        assert status["parked"] == []
        [left_out] = status["left_out"]
        assert (left_out["field"], left_out["id"]) == ("name", "odd")
        assert left_out["why"] == "name holds bytes that are no UTF-8"


@pytest.mark.parametrize("in_encoding", ["LATIN1"], indirect=True)
def test_our_own_tables_are_refused_where_not_every_letter_can_be_kept(in_encoding: str) -> None:
    with pytest.raises(StoreNotReady, match="UTF8, and this one is in LATIN1: set SYNC_DATABASE_"):
        apply_schema(in_encoding)


def test_our_own_tables_are_read_whatever_the_database_is_set_to(database: str) -> None:
    name = sql.Identifier(str(conninfo_to_dict(database)["dbname"]))
    with psycopg.connect(database) as admin:
        admin.execute(sql.SQL("alter database {} set datestyle = 'German'").format(name))
    with Store(database) as store:
        store.queue.enqueue(QueueKind.USER, ["7"])

        waiting = store.queue.waiting(QueueKind.USER, "7")

    assert waiting is not None
    assert waiting.first_at.tzinfo is not None


def test_a_query_of_any_number_of_rows_is_read_in_the_same_memory(empty_database: str) -> None:
    def peak(rows: int) -> int:
        users = f"select n as id, n || '@x.example' as email from generate_series(1, {rows}) as n"
        with an_app(empty_database, users=users) as app:
            assert app.shapes
            tracemalloc.start()
            read = sum(len(chunk) for chunk in app.stream_users(chunk=1_000))
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert read == rows
        return most

    few, many = peak(2_000), peak(20_000)

    assert many < few * 1.2


def test_an_array_is_no_value_and_the_mapping_says_so_at_once(empty_database: str) -> None:
    users = "select 1 as id, 'a@x.example' as email, array['a'] as labels"
    with (
        an_app(empty_database, users=users) as app,
        pytest.raises(MappingError, match=r"users\.sql: labels is text\[\], and Intercom"),
    ):
        app.read_users(["1"])
