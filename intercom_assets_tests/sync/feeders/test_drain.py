"""Draining the app's log into the queue: with our tables in the app's database, and elsewhere."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg
import pytest

from intercom_assets.database import log_to_queue
from intercom_assets.database.capture.installation import remove_capture
from intercom_assets.database.store import queue
from intercom_assets.database.store.enqueuing import enqueue
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets.sync.feeders.drain import Drained, drain
from intercom_assets_tests.builders import insert_membership, insert_team, insert_user, update_row
from intercom_assets_tests.database.mappings import run
from intercom_assets_tests.sync.feeders.sides import Sides, the_sides

USER, TEAM = QueueKind.USER, QueueKind.TEAM


@pytest.fixture(params=["one database", "two databases"])
def sides(request: pytest.FixtureRequest, database: str) -> Iterator[Sides]:
    one = request.param == "one database"
    url = database if one else request.getfixturevalue("empty_database")
    with the_sides(database, url) as sides:
        yield sides


def test_what_the_app_commits_is_queued_once_and_leaves_the_log(sides: Sides) -> None:
    ada = insert_user(sides.app.url)
    team = insert_team(sides.app.url)
    insert_membership(sides.app.url, ada, team)
    update_row(sides.app.url, "users", ada, name="Ada")

    drained = sides.drain()

    assert (drained.users, drained.teams) == ((str(ada),), (str(team),))
    assert drained.rows >= 4
    assert not drained.sweep_wanted
    assert list(sides.store.queue.due_keys(USER, 9)) == [str(ada)]
    assert list(sides.store.queue.due_keys(TEAM, 9)) == [str(team)]
    assert sides.logged() == 0
    assert sides.drain() == Drained()


def test_what_the_app_rolls_back_was_never_there(sides: Sides) -> None:
    with psycopg.connect(sides.app.url) as connection:
        connection.execute("insert into users (email) values ('a@b.example')")
        connection.rollback()

    assert sides.drain() == Drained()


def test_a_transaction_that_commits_late_is_found_though_later_ones_were_drained(
    sides: Sides,
) -> None:
    slow, quick = insert_user(sides.app.url), insert_user(sides.app.url, email="q@b.example")
    sides.drain()
    with psycopg.connect(sides.app.url) as late:
        late.execute("update users set name = 'late' where id = %s", (slow,))
        update_row(sides.app.url, "users", quick, name="quick")
        assert sides.drain().users == (str(quick),)

    assert sides.drain().users == (str(slow),)


def test_a_drain_that_dies_before_its_commit_leaves_the_change_in_the_log(sides: Sides) -> None:
    ada = insert_user(sides.app.url)

    with pytest.raises(ConnectionError):
        sides.drain(delay=dying)

    assert sides.logged() == 1
    assert sides.drain().users == (str(ada),)


def test_a_drain_of_two_databases_that_dies_before_it_deletes_queues_the_change_again(
    database: str, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = insert_user(database)
    with the_sides(database, empty_database) as sides:
        monkeypatch.setattr(sides.app, "delete_log", lambda _: dying(USER, []))
        with pytest.raises(ConnectionError):
            sides.drain()
        assert sides.store.queue.due(USER).sole_key == str(ada)
        monkeypatch.undo()

        assert sides.drain().users == (str(ada),)

        assert sides.store.queue.due(USER).count == 1
        assert sides.logged() == 0


def test_a_user_can_be_made_to_wait(sides: Sides) -> None:
    ada, bob = insert_user(sides.app.url), insert_user(sides.app.url, email="b@b.example")

    sides.drain(delay=lambda kind, keys: {str(ada): 3600.0} if kind is USER else {})

    assert list(sides.store.queue.due_keys(USER, 9)) == [str(bob)]
    update_row(sides.app.url, "users", ada, name="Ada")
    sides.drain()
    assert sides.store.queue.due(USER).count == 2


def test_the_queue_knows_since_when_the_app_has_the_change(sides: Sides) -> None:
    insert_user(sides.app.url)
    with psycopg.connect(sides.app.url) as connection:
        connection.execute("update intercom_capture.change_log set at = at - interval '60 s'")

    sides.drain()

    assert sides.store.queue.due(USER).oldest_seconds == pytest.approx(60, abs=10)


def test_more_than_the_limit_is_left_for_the_next_drain(sides: Sides) -> None:
    for n in range(3):
        insert_user(sides.app.url, email=f"u{n}@b.example")

    assert [drain(sides.app, sides.store, 2).rows for _ in range(3)] == [2, 1, 0]
    assert sides.store.queue.due(USER).count == 3


def test_a_truncate_asks_for_a_sweep_until_one_was_begun(sides: Sides) -> None:
    with psycopg.connect(sides.app.url) as connection:
        connection.execute("truncate memberships")

    assert sides.drain().sweep_wanted
    again = sides.drain()
    assert again.sweep_wanted_at is not None
    assert again.sweep_wanted_at == sides.store.state.sweep_wanted()
    assert sides.store.queue.depth()[USER].due == 0

    sides.store.state.sweep_started(again.sweep_wanted_at)

    assert sides.drain() == Drained()


def test_without_capture_there_is_nothing_to_drain(sides: Sides) -> None:
    remove_capture(sides.app.url)
    insert_user(sides.app.url)

    assert sides.drain() == Drained()


def dying(kind: QueueKind, keys: Sequence[str]) -> Mapping[str, float]:
    raise ConnectionError


DRAINING = """
import sys
from intercom_assets.sync.feeders.drain import drain
from intercom_assets_tests.sync.feeders.sides import the_sides
with the_sides(*sys.argv[1:]) as sides:
    while drain(sides.app, sides.store, 200).more:
        pass
"""


def test_a_process_that_is_killed_in_the_middle_of_a_long_row_loses_nothing(sides: Sides) -> None:
    run(sides.app.url, "insert into users (email) select 'u' || n from generate_series(1, 40000) n")
    killed = subprocess.Popen(
        [sys.executable, "-c", DRAINING, sides.app.url, sides.store.url],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert wait_until(lambda: sides.store.queue.due(USER).count >= 1_000, 60, every=0.02)
    finally:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    assert sides.logged() == 1

    assert wait_until(lambda: not sides.drain().more and sides.logged() == 0, 60)

    assert sides.store.queue.due(USER, at_most=99_999).count == 40_000


# --- bursts ---------------------------------------------------------------------------------------

IN_TRANSACTION = """
select count(*) from pg_stat_activity
where application_name = 'intercom_assets' and state <> 'idle' and pid <> pg_backend_pid()
"""


def in_transaction(*urls: str) -> int:
    found = 0
    for url in set(urls):
        with psycopg.connect(url, application_name="the test") as connection:
            row = connection.execute(IN_TRANSACTION).fetchone()
            found += int(row[0]) if row else 0
    return found


def test_who_may_wait_is_asked_while_no_transaction_is_open(sides: Sides) -> None:
    insert_user(sides.app.url)
    seen: list[int] = []

    def delay(kind: QueueKind, keys: Sequence[str]) -> Mapping[str, float]:
        seen.append(in_transaction(sides.app.url, sides.store.url))
        return {}

    sides.drain(delay=delay)

    assert seen == [0]


def test_one_statement_of_many_keys_is_queued_piece_by_piece(sides: Sides) -> None:
    with psycopg.connect(sides.app.url) as connection:
        connection.execute(
            "insert into users (email) select n || '@b.example' from generate_series(1, 1000) as n"
        )
    insert_team(sides.app.url)

    first = drain(sides.app, sides.store, 90)
    pieces = [first]
    while (drained := drain(sides.app, sides.store, 90)).more:
        pieces.append(drained)

    assert first.teams
    assert max(len(piece.users) + len(piece.teams) for piece in pieces) <= 90
    assert sides.store.queue.depth()[USER].due == 1000
    assert sides.logged() == 0


def test_a_drain_that_dies_in_the_middle_of_a_statement_loses_no_key(
    database: str, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(
            "insert into users (email) select n || '@b.example' from generate_series(1, 500) as n"
        )
    with the_sides(database, empty_database) as sides:
        drain(sides.app, sides.store, 100)
        monkeypatch.setattr(sides.app, "shorten_log", lambda _: dying(USER, []))
        with pytest.raises(ConnectionError):
            drain(sides.app, sides.store, 100)
        monkeypatch.undo()
        while drain(sides.app, sides.store, 100).more:
            pass

        assert sides.store.queue.depth()[USER].due == 500


def test_a_change_that_comes_while_it_is_asked_who_may_wait_is_due_at_once(sides: Sides) -> None:
    ada = insert_user(sides.app.url)

    def delay(kind: QueueKind, keys: Sequence[str]) -> Mapping[str, float]:
        update_row(sides.app.url, "users", ada, name="Ada")
        return {str(ada): 3600.0}

    sides.drain(delay=delay)
    sides.drain()

    assert sides.store.queue.due(USER).sole_key == str(ada)


def test_what_another_drain_queued_meanwhile_is_not_put_off(sides: Sides) -> None:
    ada = insert_user(sides.app.url)

    def delay(kind: QueueKind, keys: Sequence[str]) -> Mapping[str, float]:
        sides.drain()
        return {str(ada): 3600.0}

    sides.drain(delay=delay)

    assert sides.store.queue.due(USER).sole_key == str(ada)


def test_very_many_ids_of_a_select_are_queued_in_several_transactions(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[int] = []

    def counting(*args: Any, **kwargs: Any) -> None:
        queued.append(len(args[2]))
        enqueue(*args, **kwargs)

    monkeypatch.setattr(log_to_queue, "MOST_KEYS_AT_ONCE", 4)
    for module in (log_to_queue, queue):
        monkeypatch.setattr(module, "enqueue", counting)
    with psycopg.connect(sides.app.url) as connection:
        connection.execute(
            "insert into users (email) select n || '@b.example' from generate_series(1, 11) as n"
        )

    sides.drain()

    assert sum(queued) >= 11
    assert max(queued) <= 4
    assert sides.store.queue.depth()[USER].due == 11
