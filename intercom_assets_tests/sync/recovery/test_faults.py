"""What the network and Intercom's bad days do: no duplicate, nothing lost, and it settles.

Each fault meets each kind of write; afterwards both sides are read.
"""

from typing import Any

import pytest

from intercom_assets.sync.context.outcomes import Status
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld

FAULTS: dict[str, dict[str, Any]] = {
    "500 before the write": {"kind": "error", "status": 500},
    "503 before the write": {"kind": "error", "status": 503},
    "500 after the write": {"kind": "error", "status": 500, "when": "after"},
    "a lost reply": {"kind": "lost_reply"},
    "a dropped connection": {"kind": "dropped_connection"},
    "half an answer": {"kind": "truncated_json"},
    "a gateway's page": {"kind": "wrong_content_type", "when": "after"},
    "a 408": {"kind": "error", "status": 408, "when": "after"},
    "a 429": {"kind": "rate_limit"},
}
ENDPOINTS = (
    "POST /contacts",
    "PUT /contacts/{id}",
    "POST /contacts/{id}/companies",
    "DELETE /contacts/*/companies/*",
    "POST /companies",
)
ATTACH = "POST /contacts/{id}/companies"


def _a_life(world: SyncWorld, fault: dict[str, Any], *endpoints: str) -> tuple[int, int]:
    """A user is born, joins a team, changes, changes teams: once under the fault at each endpoint.

    Returns the ids of user and team.
    """
    world.intercom.set(faults=[{**fault, "endpoint": endpoint} for endpoint in endpoints])
    ada, old, new = world.given_user(name="Ada"), world.given_team(), world.given_team()
    world.joins(ada, old)
    world.run_all_due()
    world.update_user(ada, name="Ada Lovelace", phone_number="+44 1")
    world.sync(ada)
    world.leaves(ada, old)
    world.joins(ada, new)
    world.run_all_due()
    return ada, new


def _is_whole(world: SyncWorld, ada: int, team: int) -> bool:
    """Both sides hold the life's end, once."""
    contact = world.contact(ada)
    assert len(world.intercom.contacts(state=None)) == 1
    assert (contact["name"], contact["phone"]) == ("Ada Lovelace", "+441")
    assert world.teams_of(ada) == {str(team)}
    assert world.app_user(ada)["metadata"]["intercom_user_id"] == contact["id"]
    assert world.services.store.queue.parked() == []
    return world.settles(ada)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_every_kind_of_write_makes_no_duplicate_and_loses_nothing(
    played: SyncWorld, fault: str
) -> None:
    ada, team = _a_life(played, FAULTS[fault], *ENDPOINTS)

    assert played.intercom.stats()["faults_met"] == len(ENDPOINTS)
    assert _is_whole(played, ada, team)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("fault", ["500 after the write", "a lost reply"])
def test_a_write_that_landed_unanswered_is_not_done_twice(
    played: SyncWorld, fault: str, endpoint: str
) -> None:
    ada, team = _a_life(played, FAULTS[fault], endpoint)

    assert played.intercom.stats()["faults_met"] == 1
    assert _is_whole(played, ada, team)


@pytest.mark.parametrize("fault", ["500 before the write", "a lost reply"])
def test_faults_that_outlast_every_retry_park_nobody(played: SyncWorld, fault: str) -> None:
    """What is unavailable is tried for ever, and counts as nobody's attempt."""
    played.intercom.set(faults=[{**FAULTS[fault], "endpoint": "* /contacts*", "count": None}])
    ada = played.given_user(name="Ada")

    outcomes = [played.sync(ada)[ada] for _ in range(9)]

    assert {outcome.status for outcome in outcomes} == {Status.RETRY}
    assert "unavailable" in (outcomes[-1].problem or "")
    played.intercom.reset("faults")
    played.run_all_due()
    assert len(played.intercom.contacts(state=None)) == 1
    assert played.contact(ada)["name"] == "Ada"
    assert played.settles(ada)


def test_an_attach_that_landed_unanswered_is_undone_if_the_user_left_meanwhile(
    played: SyncWorld,
) -> None:
    """The edge was noted before the call: without that, nobody would ever detach it."""
    ada, team = played.given_user(), played.given_team()
    played.sync(ada)
    played.sync_teams(team)
    played.joins(ada, team)
    played.intercom.set(faults=[{"kind": "lost_reply", "endpoint": ATTACH, "count": None}])
    assert played.sync(ada)[ada].status is Status.RETRY
    assert played.teams_of(ada) == {str(team)}
    played.intercom.reset("faults")
    played.leaves(ada, team)

    played.run_all_due()

    assert played.teams_of(ada) == set()
    assert played.link(ada).edges == {}
    assert played.settles(ada)


def test_a_create_that_landed_is_looked_up_before_it_is_made_again(played: SyncWorld) -> None:
    played.intercom.set(faults=[{"kind": "lost_reply", "endpoint": "POST /contacts"}])
    ada = played.given_user()
    assert played.sync(ada)[ada].status is Status.RETRY

    again = played.sync(ada)

    assert "POST /contacts" not in again.calls
    assert any("find_by_external_id" in call for call in again.calls)
    assert again[ada].status is Status.CHANGED


def test_a_user_edited_in_the_app_while_its_create_was_in_doubt_gets_the_edit(
    played: SyncWorld,
) -> None:
    played.intercom.set(faults=[{"kind": "lost_reply", "endpoint": "POST /contacts"}])
    ada = played.given_user(name="Ada", phone_number="+44 1")
    played.sync(ada)
    played.update_user(ada, name=None, phone_number="+44 2")

    played.run_all_due()

    contact = played.contact(ada)
    assert (contact["name"], contact["phone"]) == (None, "+442")
    assert played.app_user(ada)["name"] is None
    assert played.settles(ada)


def test_the_apps_database_away_stops_the_run_and_loses_nothing(
    worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Could not read is never empty: nobody is marked as deleted."""
    world = worlds()
    users = [world.given_user(email=f"u{n}@example.com") for n in range(3)]
    world.sync(*users)
    world.run("alter table users rename to people")

    with pytest.raises(Exception, match=r"users\.sql"):
        world.look(*users)

    assert not any(world.contact(u)["custom_attributes"]["deleted"] for u in users)
    world.run("alter table people rename to users")
    world.run_all_due()
    assert world.settles(*users)
