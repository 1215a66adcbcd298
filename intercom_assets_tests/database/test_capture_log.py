"""Taking rows out of the change log: each once, none lost, and keys turned into ids."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.capture import log as capture_log
from intercom_assets.database.capture.installation import install_capture
from intercom_assets.database.capture.log import EVERYBODY, LogRow, read_log
from intercom_assets.database.capture.log_removal import delete_log, take_out
from intercom_assets.mapping.settings import Watch
from intercom_assets_tests.database.mappings import a_mapping, run

USERS = {"table": "users", "wakes": "user", "key": "id"}
SELECT = "select id from users where plan_id = any(:keys) -- 100%"
PLANS = {"table": "plans", "wakes": "user", "key": SELECT}


def prepared(url: str, *watch: dict[str, str]) -> tuple[Watch, ...]:
    mapping = a_mapping(watch=watch or (USERS,))
    run(
        url,
        """
        create table plans (id bigint primary key, name text);
        create table users (id int primary key, plan_id bigint);
        insert into plans values (1, 'free'), (2, 'team'), (3, 'nobody''s');
        insert into users values (10, 1), (11, 2), (12, 2)
        """,
    )
    install_capture(url, mapping)
    return mapping.settings.watch


def taken(url: str, limit: int = 100, watches: tuple[Watch, ...] = ()) -> list[LogRow]:
    """Read and taken out, as a drain of one database does it."""
    with psycopg.connect(url) as connection:
        rows = read_log(connection, limit, watches)
        ours = take_out(connection, rows)
    return [row for row in rows if row.id in ours]


def test_rows_are_taken_oldest_first_and_once(empty_database: str) -> None:
    prepared(empty_database)
    for plan in (1, 2, 3):
        run(empty_database, "update users set plan_id = %s where id = 10", plan)

    first, second, third = taken(empty_database, 2), taken(empty_database), taken(empty_database)

    assert [len(first), len(second), len(third)] == [2, 1, 0]
    assert [(row.kind, row.keys) for row in first + second] == [("user", ("10",))] * 3
    assert [row.id for row in first + second] == sorted(row.id for row in first + second)


def test_rows_taken_in_a_transaction_that_fails_are_still_there(empty_database: str) -> None:
    prepared(empty_database)
    run(empty_database, "update users set plan_id = 3")
    with psycopg.connect(empty_database) as connection:
        assert take_out(connection, read_log(connection, 10))
        connection.rollback()

    assert len(taken(empty_database)) == 1


def test_what_one_drain_is_taking_another_leaves_without_waiting(empty_database: str) -> None:
    prepared(empty_database)
    for plan in (1, 2, 3):
        run(empty_database, "update users set plan_id = %s where id = 10", plan)
    with psycopg.connect(empty_database) as one, psycopg.connect(empty_database) as other:
        read = read_log(one, 10)
        first, second = take_out(one, read[:2]), take_out(other, read)

    assert (first, second) == ({row.id for row in read[:2]}, {read[2].id})


@pytest.mark.parametrize("limit", [1, 7, 40])
def test_a_long_row_is_taken_bit_by_bit_and_every_key_once(empty_database: str, limit: int) -> None:
    prepared(empty_database)
    run(empty_database, "insert into users select n, 1 from generate_series(1000, 1999) as n")

    found: list[str] = []
    while rows := taken(empty_database, limit):
        assert sum(len(row.keys) for row in rows) <= limit
        found += [key for row in rows for key in row.keys]

    assert sorted(found) == [str(n) for n in range(1000, 2000)]


def test_keys_that_two_drains_read_of_one_long_row_are_taken_by_one(empty_database: str) -> None:
    prepared(empty_database)
    run(empty_database, "insert into users select n, 1 from generate_series(1000, 1999) as n")
    with psycopg.connect(empty_database, autocommit=True) as connection:
        one, other = read_log(connection, 100), read_log(connection, 100)
        assert take_out(connection, one) == {one[0].id}
        assert take_out(connection, other) == set()
        [left] = read_log(connection, 5_000)

    assert len(left.keys) == 900
    assert not set(left.keys) & set(one[0].keys)


def test_a_change_logged_after_long_rows_is_read_at_once(empty_database: str) -> None:
    prepared(empty_database)
    for first in (1000, 3000, 5000):
        run(
            empty_database,
            "insert into users select n, 1 from generate_series(%s::int, %s) as n",
            first,
            first + 1_999,
        )
    run(empty_database, "update users set plan_id = 2 where id = 10")

    assert ("10",) in [row.keys for row in taken(empty_database, 50)]


def test_a_change_logged_after_many_single_ones_is_read_at_once(empty_database: str) -> None:
    prepared(empty_database)
    for _ in range(60):
        run(empty_database, "update users set plan_id = 2 where id = 11")
    run(empty_database, "update users set plan_id = 2 where id = 10")

    rows = taken(empty_database, 10)

    assert len(rows) == 10
    assert ("10",) in [row.keys for row in rows]


def test_nothing_is_lost_while_the_app_goes_on_writing(empty_database: str) -> None:
    """Rows that commit late have lower ids than rows already taken."""
    prepared(empty_database)
    run(empty_database, "insert into users select n, 1 from generate_series(100, 139) as n")
    taken(empty_database)

    def write(first: int) -> None:
        with psycopg.connect(empty_database) as connection:
            for user in range(first, first + 10):
                connection.execute("update users set plan_id = 2 where id = %s", (user,))
                connection.execute("select pg_sleep(0.002)")
                connection.commit()

    found: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, first) for first in (100, 110, 120, 130)]
        while not all(writer.done() for writer in writers):
            found += [key for row in taken(empty_database, 3) for key in row.keys]
    found += [key for row in taken(empty_database, 1_000) for key in row.keys]

    assert sorted(found) == [str(n) for n in range(100, 140)]


def test_with_two_databases_rows_are_read_and_then_deleted_by_id(empty_database: str) -> None:
    watches = prepared(empty_database)
    run(empty_database, "update users set plan_id = 3 where id = 10")
    with AppDatabase(empty_database, a_mapping(watch=watches)) as app:
        read = app.read_log(10)
        run(empty_database, "update users set plan_id = 3 where id = 11")
        app.delete_log([row.id for row in read])
        left = app.read_log(10)

    assert [row.keys for row in read] == [("10",)]
    assert [row.keys for row in left] == [("11",)]


def test_without_a_log_there_is_nothing_to_take(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        assert read_log(connection, 10) == []
        assert take_out(connection, []) == set()
        delete_log(connection, [])


# --- keys that are no ids -------------------------------------------------------------------------


def test_a_select_turns_changed_keys_into_ids(empty_database: str) -> None:
    watches = prepared(empty_database, USERS, PLANS)
    run(empty_database, "update plans set name = 'x' where id = 2")
    run(empty_database, "update plans set name = 'x' where id = 1")

    found = taken(empty_database, watches=watches)

    assert {key for row in found for key in row.keys} == {"10", "11", "12"}
    assert {(row.kind, row.via) for row in found} == {("user", None)}


def test_a_select_that_finds_nobody_wakes_nobody(empty_database: str) -> None:
    watches = prepared(empty_database, PLANS)
    run(empty_database, "update plans set name = 'x' where id = 3")

    assert [row.keys for row in taken(empty_database, watches=watches)] == [()]


def test_a_select_that_finds_very_many_asks_for_a_sweep(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watches = prepared(empty_database, PLANS)
    monkeypatch.setattr(capture_log, "MOST_IDS", 1)
    run(empty_database, "update plans set name = 'x' where id = 1")
    one = taken(empty_database, watches=watches)
    run(empty_database, "update plans set name = 'x' where id = 2")

    assert [row.keys for row in one] == [("10",)]
    assert [row.keys for row in taken(empty_database, watches=watches)] == [EVERYBODY]


def test_what_a_select_found_for_several_rows_is_not_lost_with_one_of_them(
    empty_database: str,
) -> None:
    watches = prepared(empty_database, PLANS)
    run(empty_database, "update plans set name = 'x' where id = 1")
    run(empty_database, "update plans set name = 'x' where id = 2")
    with psycopg.connect(empty_database) as connection:
        rows = read_log(connection, 10, watches)

    assert [set(row.keys) for row in rows] == [{"10", "11", "12"}] * 2


def test_a_truncate_of_such_a_table_says_sweep_now(empty_database: str) -> None:
    watches = prepared(empty_database, PLANS)
    run(empty_database, "truncate plans")

    assert [row.keys for row in taken(empty_database, watches=watches)] == [EVERYBODY]


@pytest.mark.parametrize("reason", ["no longer in the mapping", "broken"])
def test_a_select_that_cannot_be_run_is_a_sweep_and_no_loss(
    empty_database: str, reason: str
) -> None:
    watches = prepared(empty_database, PLANS, USERS)
    run(empty_database, "update plans set name = 'x' where id = 2")
    run(empty_database, "update users set plan_id = 3 where id = 10")
    if reason == "broken":
        run(empty_database, "alter table users rename plan_id to plan")

    found = taken(empty_database, watches=() if reason != "broken" else watches)

    assert [row.keys for row in found] == [EVERYBODY, ("10",)]
    assert taken(empty_database) == []
