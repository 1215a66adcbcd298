"""`status`: what waits, what is parked and what is used, for people and for a monitor."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from intercom_assets.database.capture.installation import remove_capture
from intercom_assets.database.reports import Counted
from intercom_assets.database.store.store import Store
from intercom_assets.domain.guards import GuardStopped
from intercom_assets.domain.vocabulary import InboundCount, QueueKind, StateKey
from intercom_assets.sync.engine.last_stop import noted
from intercom_assets.sync.status.overview import FIGURES, lag_of, use_of
from intercom_assets_tests.cli.conftest import Shell

NOW = datetime.now(UTC)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with Store(database) as store:
        yield store


def _status(shell: Shell, *options: str) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(shell.run("status", "--json", *options).stdout)
    return status


def test_keys_of_a_monitor_are_these(shell: Shell) -> None:
    """They may be added to; whoever renames one breaks somebody's alarms."""
    status = _status(shell)

    empty = {"due": 0, "in_work": 0, "later": 0, "parked": 0, "oldest_seconds": 0}
    assert status.pop("capture") == {
        "mode": "triggers",
        "healthy": True,
        "found": "All triggers are in place.",
        "waiting": told_waiting(shell),
        "oldest_seconds": pytest.approx(0, abs=600),
    }
    assert status.pop("oldest_seconds") == pytest.approx(0, abs=600)
    assert status == {
        "switched_off": None,
        "stopped": [],
        "queue": {"users": empty, "teams": empty},
        "runs_at_work": 0,
        "held_as_gone": {"users": 0, "teams": 0, "since": None},
        "overruled_last_day": 0,
        "webhooks": {
            "last_at": None,
            "taken": 0,
            "told_nothing_new": 0,
            "twice": 0,
            "late": 0,
            "of_other_topics": 0,
            "refused": 0,
            "of_another_workspace": 0,
            "not_stored": 0,
            "missed": 0,
        },
        "lag": {
            "changes_last_hour": 0,
            "half_within_seconds": None,
            "most_within_seconds": None,
            "all_within_seconds": None,
        },
        "calls": {
            "last_hour": 0,
            "share_last_hour": None,
            "busiest_minute": 0,
            "share_busiest_minute": None,
            "limit_a_minute": None,
            "rate_limited_last_hour": 0,
        },
        "last_sweep": None,
        "last_audit": None,
        "parked": [],
        "left_out": [],
        "unwritable_attributes": [],
        "failing": [],
        "alarms": [],
    }


def told_waiting(shell: Shell) -> int:
    with psycopg.connect(shell.variables["APP_DATABASE_URL"]) as connection:
        [found] = connection.execute("select count(*) from intercom_capture.change_log").fetchall()
    return int(found[0])


def test_what_is_due_in_work_and_later_is_counted(shell: Shell, store: Store) -> None:
    store.queue.enqueue(QueueKind.USER, ["7", "8", "14"])
    store.queue.enqueue(QueueKind.USER, ["2"], delay=3_600)
    store.queue.enqueue(QueueKind.TEAM, ["1"])
    store.queue.lease(QueueKind.USER, "run", token=uuid4(), limit=1, seconds=60)

    queue = _status(shell)["queue"]

    users = queue["users"]
    assert (users["due"], users["in_work"], users["later"]) == (2, 1, 1)
    assert queue["teams"]["due"] == 1
    table = shell.run("status").stdout
    assert "users" in table
    assert "teams" in table


def test_a_sync_is_counted_in_calls_and_share_of_the_limit(shell: Shell) -> None:
    shell.run("sync", "--user", "7", "8")

    calls = _status(shell)["calls"]

    assert calls["last_hour"] == shell.intercom.stats()["calls"] > 0
    assert calls["limit_a_minute"] == 10_000 // 6 * 6
    assert calls["share_last_hour"] == round(calls["last_hour"] / 60 / calls["limit_a_minute"], 5)
    assert "% of Intercom's limit" in shell.run("status").stdout.replace("\n", " ")


def test_use_and_lag_of_counted_minutes() -> None:
    one, other = NOW.replace(minute=1), NOW.replace(minute=2)
    counted = [
        Counted(one, "calls", 300), Counted(other, "calls", 60), Counted(one, "rate limited", 2),
        Counted(one, "lag 5", 10), Counted(other, "lag 30", 9), Counted(other, "lag beyond", 1),
    ]  # fmt: skip

    use, lag = use_of(counted, 100), lag_of(counted)

    assert (use.calls, use.busiest_minute, use.rate_limited) == (360, 300, 2)
    assert (use.share, use.busiest_share) == (0.01, 0.5)
    assert (lag.changes, lag.half, lag.most, lag.all_of_them) == (20, 5, 30, float("inf"))


def _park(store: Store, *keys: str) -> None:
    store.queue.enqueue(QueueKind.USER, keys)
    store.pool.transact(
        lambda cursor: cursor.execute(
            "update intercom_sync.queue set parked_at = now(), due_at = 'infinity', attempts = 8, "
            'last_error = \'{"message": "Intercom refused: \\u001b[31m[/red]bad"}\''
        )
    )


def test_who_is_parked_is_listed_and_what_they_said_cannot_touch_the_terminal(
    shell: Shell, store: Store
) -> None:
    _park(store, "7", "\x1b[2J8")

    shown = shell.run("status").stdout

    assert "\x1b" not in shown
    assert "\\x1b[31m[/red]bad" in shown
    assert "retry --all" in shown
    assert "parked: 2 parked users and teams" in shown


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("parked", 1), ("parked>1", 1), ("parked>2", 0), ("any", 1), ("lag,held,waiting", 0),
        ("parked>2,waiting>100000", 0), ("any,parked>2,waiting>100000", 0),
    ],
)  # fmt: skip
def test_the_exit_code_alerts_as_asked(
    shell: Shell, store: Store, condition: str, code: int
) -> None:
    _park(store, "7", "8")

    done = shell.run("status", "--json", "--fail-if", condition)

    assert done.exit_code == code
    assert json.loads(done.stdout)["queue"]["users"]["parked"] == 2
    assert ("parked" in done.stderr) == bool(code)


@pytest.mark.parametrize("condition", ["parkd", "any>3", "parked>", "parked<3"])
def test_a_condition_that_is_none_is_wrong_use(shell: Shell, condition: str) -> None:
    done = shell.run("status", "--fail-if", condition)

    assert done.exit_code == 2
    assert all(name in done.stderr for name in FIGURES)


def test_a_run_that_was_stopped_is_told_with_its_reason(shell: Shell, store: Store) -> None:
    why = "creates 2,000 contacts (the guard is 10)"
    with pytest.raises(GuardStopped), noted(store, QueueKind.USER):
        raise GuardStopped(why)

    done = shell.run("status", "--fail-if", "stopped", COLUMNS="200")

    assert done.exit_code == 1
    assert why.capitalize() in done.stdout
    assert done.stderr.endswith("stopped: the last run was stopped.\n")
    [status] = _status(shell)["stopped"]
    assert (status["kind"], status["why"]) == ("user", f"{why.capitalize()}.")


def test_held_users_are_told_with_the_way_to_release_them(shell: Shell, store: Store) -> None:
    store.gone.admit(QueueKind.USER, ["7", "8"], most=1)

    assert _status(shell)["held_as_gone"]["users"] == 2
    shown = shell.run("status", COLUMNS="200").stdout
    assert "2 users" in shown
    assert "retry --gone" in shown
    assert shell.run("retry", "--gone").stdout == "Back in the queue: 2 users.\n"
    assert _status(shell)["held_as_gone"]["users"] == 0


def test_triggers_that_are_gone_are_an_alarm(shell: Shell, database: str) -> None:
    remove_capture(database)

    done = shell.run("status", "--json", "--fail-if", "capture")

    assert done.exit_code == 1
    assert json.loads(done.stdout)["capture"]["healthy"] is False
    assert "install-capture" in json.loads(done.stdout)["capture"]["found"]


def test_an_app_that_is_away_hides_nothing_else(shell: Shell, database: str) -> None:
    nowhere = "postgresql://me:hush@127.0.0.1:9/app"

    done = shell.run("status", "--json", APP_DATABASE_URL=nowhere, SYNC_DATABASE_URL=database)

    assert done.exit_code == 0
    capture = json.loads(done.stdout)["capture"]
    assert capture["healthy"] is None
    assert "cannot be reached" in capture["found"]
    assert "hush" not in done.output


def test_it_works_while_the_sync_is_switched_off_and_says_so(shell: Shell) -> None:
    done = shell.run("status", INTERCOM_SYNC_ENABLED="")

    assert done.exit_code == 0
    assert "switched off" in done.stdout


def test_without_our_tables_it_says_what_to_run(shell: Shell, empty_database: str) -> None:
    done = shell.run("status", APP_DATABASE_URL=empty_database)

    assert done.exit_code == 1
    assert "intercom-assets init-db" in done.stderr


@pytest.mark.parametrize(
    ("state", "statement"),
    [
        ("disabled", "alter table users disable trigger user"),
        ("missing", "drop trigger intercom_capture_delete on users"),
    ],
)
def test_a_trigger_that_does_not_fire_is_named_by_status_and_check(
    shell: Shell, database: str, state: str, statement: str
) -> None:
    with psycopg.connect(database) as connection:
        names = connection.execute(
            "select tgname from pg_trigger where tgrelid = 'users'::regclass and not tgisinternal"
            " and tgname like '%delete%' limit 1"
        ).fetchall()
        connection.execute(statement.replace("intercom_capture_delete", names[0][0]).encode())

    found = _status(shell)["capture"]
    checked = shell.run("check").output

    assert found["healthy"] is False
    assert state in found["found"]
    assert "public.users" in found["found"]
    assert "RED   triggers" in checked
    assert state in checked


def test_an_attribute_whose_type_is_another_by_now_is_told(shell: Shell) -> None:
    """As soon as a run met it, and with what to do; nothing is asked of Intercom."""
    shell.intercom.by_hand.create_attribute("subscription_plan", data_type="boolean")

    shell.run("sync", "--user", "8")

    [status] = _status(shell)["unwritable_attributes"]
    assert (status["model"], status["field"]) == ("contact", "subscription_plan")
    assert "is of type boolean in Intercom and the column's is string" in status["why"]
    listed = shell.run("status", COLUMNS="300").stdout
    assert "Attributes that cannot be written" in listed
    assert status["why"] in listed


def test_webhooks_are_shown_once_there_are_any(shell: Shell, store: Store) -> None:
    assert "webhooks" not in shell.run("status").stdout
    counts: dict[str, int] = {
        InboundCount.RECEIVED: 1204,
        InboundCount.LATE: 2,
        InboundCount.REFUSED: 3,
    }
    store.state.count(counts)
    store.state.put(StateKey.WEBHOOK_SEEN, True)

    shown = " ".join(shell.run("status", COLUMNS="200").stdout.split())

    assert "1,204 taken, the last at 20" in shown
    assert "2 came late; 3 refused for their signature" in shown
    assert _status(shell)["webhooks"]["late"] == 2


def test_edits_of_which_no_webhook_told_deserve_attention(shell: Shell, store: Store) -> None:
    store.state.count({InboundCount.MISSED: 4})

    status = shell.run("status", "--fail-if", "webhooks", COLUMNS="200")

    assert status.exit_code == 1
    assert "4 edits in Intercom of which no webhook told" in status.output
