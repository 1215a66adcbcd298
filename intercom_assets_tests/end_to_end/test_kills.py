"""Real processes are killed while changes are under way: none is lost, and none happens twice.

Two database servers, as where the app's must not be written to more than it takes; what the demo's
story expects holds here as well.
"""

from collections import Counter
from collections.abc import Iterator

import pytest

from intercom_assets.demo.databases import Databases
from intercom_assets_tests.end_to_end.aftermath import (
    MANY,
    Dead,
    First,
    Reloaded,
    death_of_everything,
    first_sync,
    reload_during_a_run,
)
from intercom_assets_tests.end_to_end.two_servers import World, two_servers


@pytest.fixture(scope="module")
def mortal(databases: Databases) -> Iterator[World]:
    with two_servers(databases) as mortal:
        yield mortal


@pytest.fixture(scope="module")
def first(mortal: World) -> First:
    return first_sync(mortal)


@pytest.fixture(scope="module")
def reloaded(mortal: World, first: First) -> Reloaded:
    return reload_during_a_run(mortal)


@pytest.fixture(scope="module")
def dead(mortal: World, reloaded: Reloaded) -> Dead:
    return death_of_everything(mortal)


def test_a_run_that_is_killed_alone_is_failed_at_once(first: First) -> None:
    assert first.alone.status == "FAILURE"
    assert first.noticed < 20


def test_a_run_goes_on_while_the_daemon_is_dead(first: First) -> None:
    assert first.orphan.status == "SUCCESS"


def test_everybody_is_in_step_after_a_first_sync_whose_run_was_killed(first: First) -> None:
    assert first.played.seen == first.played.expected


def test_nobody_was_created_twice(mortal: World, first: First) -> None:
    contacts = Counter(each["external_id"] for each in mortal.sides.intercom.contacts("any"))

    assert set(contacts.values()) == {1}
    assert first.created == len(contacts)


def test_a_code_server_that_reloads_leaves_its_run_alone(reloaded: Reloaded) -> None:
    assert reloaded.at_reload.status == "STARTED"
    assert reloaded.run.status == "SUCCESS"
    assert reloaded.members == {str(user) for user in MANY}


def test_a_run_that_died_with_its_code_server_is_failed_by_its_heartbeat(dead: Dead) -> None:
    assert dead.started.status == "FAILURE"
    assert "its heartbeat ran out" in dead.why_started


def test_a_run_whose_process_had_not_begun_is_failed_or_queued_again(dead: Dead) -> None:
    """A fork begins at once, so the kill may meet the daemon before its launch was taken: then
    Dagster queues the run again. If it was taken, nobody but us fails it."""
    if dead.starting.status != "SUCCESS":
        assert dead.starting.status == "FAILURE"
        assert "did not start within" in dead.why_starting


def test_a_pool_that_is_made_smaller_or_larger_is_obeyed_at_once(dead: Dead) -> None:
    assert (dead.waited.status, dead.went.status) == ("QUEUED", "SUCCESS")


def test_the_story_holds_on_two_servers_after_everything_was_killed(dead: Dead) -> None:
    assert [step.letter for step in dead.steps if not step.held] == []


def test_no_change_is_lost(mortal: World, dead: Dead) -> None:
    held = {
        contact["external_id"]: contact["custom_attributes"].get("monthly_usage")
        for contact in mortal.sides.intercom.contacts("live")
    }
    wanted = users_by_id(mortal)

    assert {user: held.get(user) for user in wanted} == wanted
    [team] = [each for each in mortal.sides.intercom.companies() if each["company_id"] == "30"]
    assert team["monthly_spend"] == 4711


def test_no_change_is_made_twice(mortal: World, dead: Dead) -> None:
    """Each of these users changed twice: in the run during which the code server reloaded, and in
    the one that was killed with it."""
    puts = mortal.intercom.puts()
    contacts = {each["external_id"]: each["id"] for each in mortal.sides.intercom.contacts("live")}

    assert {puts[contacts[str(user)]] for user in MANY} == {2}


def users_by_id(mortal: World) -> dict[str, int]:
    """Who is in the app and not deleted, and how much each used it."""
    rows = mortal.sides.app.rows(
        "select id::text, sessions_this_month as used from users where deleted_at is null"
    )
    return {row["id"]: row["used"] for row in rows}
