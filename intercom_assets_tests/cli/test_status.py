"""`status`: what waits and what is parked, for people and for programs."""

import json
from uuid import uuid4

import pytest

from intercom_assets.database.records import QueueKind
from intercom_assets.database.store import Store
from intercom_assets_tests.cli.conftest import Shell


@pytest.fixture
def store(database: str) -> Store:
    return Store(database)


def test_an_empty_queue_is_shown_as_such(shell: Shell) -> None:
    told = json.loads(shell.run("status", "--json").stdout)

    empty = {"due": 0, "in_work": 0, "later": 0, "parked": 0, "oldest_seconds": 0}
    assert told == {"switched_off": None, "queue": {"users": empty, "teams": empty}, "parked": []}


def test_what_is_due_in_work_and_later_is_counted(shell: Shell, store: Store) -> None:
    with store:
        store.enqueue(QueueKind.USER, ["7", "8", "14"])
        store.enqueue(QueueKind.USER, ["2"], delay=3_600)
        store.enqueue(QueueKind.TEAM, ["1"])
        store.lease(QueueKind.USER, "run", token=uuid4(), limit=1, seconds=60)

    queue = json.loads(shell.run("status", "--json").stdout)["queue"]

    users = queue["users"]
    assert (users["due"], users["in_work"], users["later"]) == (2, 1, 1)
    assert queue["teams"]["due"] == 1
    table = shell.run("status").stdout
    assert "users" in table
    assert "teams" in table


def test_it_works_while_the_sync_is_switched_off_and_says_so(shell: Shell) -> None:
    done = shell.run("status", INTERCOM_SYNC_ENABLED="")

    assert done.exit_code == 0
    assert "switched off" in done.stdout


def test_without_our_tables_it_says_what_to_run(shell: Shell, empty_database: str) -> None:
    done = shell.run("status", APP_DATABASE_URL=empty_database)

    assert done.exit_code == 1
    assert "intercom-assets init-db" in done.stderr
