"""Whose trouble a failed call is: one user's, everybody's, or nobody's."""

from datetime import UTC, datetime
from typing import Any

import pytest

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.outcomes import Status
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld

REFUSALS = [400, 403, 404, 409, 422]
AWAY = [500, 503]


def _fails(world: SyncWorld, endpoint: str, **fault: Any) -> None:
    world.intercom.set(
        faults=[{"kind": "error", "endpoint": endpoint, "code": "odd", "count": None, **fault}]
    )


def _newcomers(world: SyncWorld, count: int) -> list[int]:
    """Users whose leads are searched."""
    now = datetime.now(UTC)
    return [world.given_user(email=f"u{n}@example.com", created_at=now) for n in range(count)]


def _attempts(world: SyncWorld) -> set[int]:
    return {row[0] for row in world.rows("select attempts from intercom_sync.queue")}


# --- calls that are about no user -----------------------------------------------------------------


@pytest.mark.parametrize("status", [*REFUSALS, *AWAY])
@pytest.mark.parametrize("endpoint", ["GET /data_attributes", "POST /data_attributes", "GET /me"])
def test_a_call_about_no_user_blames_none_and_holds_nobody_up(
    played: SyncWorld, endpoint: str, status: int
) -> None:
    users = [played.given_user(email=f"u{n}@example.com", plan="team") for n in range(3)]
    team = played.given_team(domain="t.example")
    _fails(played, endpoint, status=status)

    for _ in range(9):
        played.sync_teams(team)
        played.sync(*users)

    assert {played.contact(user)["email"] for user in users} == {
        f"u{n}@example.com" for n in range(3)
    }
    assert played.company(team)["name"] == "t.example"
    assert played.services.store.queue.parked() == []
    assert _attempts(played) <= {0}
    played.intercom.reset("faults")
    played.run_all_due()
    for user in users:
        assert played.contact(user)["custom_attributes"]["subscription_plan"] == "team"
        assert played.contact(user)["custom_attributes"]["deleted"] is False
    assert played.company(team)["custom_attributes"]["company_deleted"] is False
    assert played.services.store.linked.left_out() == []
    assert played.sync(*users).calls == []


@pytest.mark.parametrize("bad", [1, 2])
def test_an_address_that_is_refused_keeps_no_other_from_its_leads(
    played: SyncWorld, bad: int
) -> None:
    users = _newcomers(played, 15)
    odd = {f"u{n}@example.com" for n in range(bad)}
    lead = played.intercom.by_hand.create_contact(role="lead", email="u9@example.com")
    played.wire.refuses = lambda request, body: (
        "search" in request and any(each.encode() in body for each in odd)
    )

    synced = played.sync(*users)

    assert {synced[user].status for user in users} == {Status.CHANGED}
    assert lead not in {each["id"] for each in played.intercom.contacts()}
    searches = [call for call in synced.calls if "search" in call]
    assert len(searches) <= 1 + 8 * bad
    assert played.sync(*users).calls == []


def test_a_search_that_is_refused_altogether_blames_nobody(played: SyncWorld) -> None:
    users = _newcomers(played, 40)
    _fails(played, "POST /contacts/search", status=422)

    synced = played.sync(*users)
    for _ in range(9):
        played.sync(*users)

    assert len([call for call in synced.calls if "search" in call]) < 20
    assert len(played.intercom.contacts()) == 40
    assert _attempts(played) == {0}
    assert played.services.store.queue.parked(QueueKind.USER) == []
    played.intercom.reset("faults")
    played.run_all_due()
    assert {row[0] for row in played.rows("select count(*) from intercom_sync.queue")} == {0}


# --- the same call for everybody, or for one ------------------------------------------------------


def _ago(world: SyncWorld) -> None:
    """Whoever waits is due, and the clock has moved on."""
    world.times.later += 10
    world.run("update intercom_sync.queue set due_at = now() where parked_at is null")


@pytest.mark.parametrize("many", [1, 2, 7])
@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_a_refusal_of_everybody_is_no_attempt_and_ends_by_itself(
    played: SyncWorld, many: int, status: int
) -> None:
    users = [played.given_user(email=f"u{n}@example.com") for n in range(many)]
    team = played.given_team(domain="one.example")
    played.sync(*users)
    played.sync_teams(team)
    for user in users:
        played.update_user(user, name="Changed")
    played.update_team(team, plan="business")
    fault = {"kind": "error", "status": status, "code": "odd", "count": None}
    endpoints = ("PUT /contacts/{id}", "POST /contacts", "POST /companies")
    played.intercom.set(faults=[{**fault, "endpoint": endpoint} for endpoint in endpoints])

    for _ in range(10):
        played.sync(*users)
        played.sync_teams(team)
        _ago(played)

    assert played.services.store.queue.parked() == []
    assert _attempts(played) == {0}
    assert played.services.store.linked.left_out() == []
    played.intercom.reset("faults")
    played.run_all_due()
    assert {played.contact(user)["name"] for user in users} == {"Changed"}
    assert played.company(team)["plan"]["name"] == "business"


def test_when_one_gets_through_all_who_waited_are_due(played: SyncWorld) -> None:
    users = [played.given_user(email=f"u{n}@example.com") for n in range(6)]
    played.sync(*users)
    for user in users:
        played.update_user(user, name="Changed")
    _fails(played, "PUT /contacts/{id}", status=400)
    for _ in range(8):
        played.sync(*users)
        _ago(played)
    played.sync(*users)
    assert played.services.store.queue.due(QueueKind.USER).count == 0
    played.intercom.reset("faults")

    played.sync(users[0])

    assert played.services.store.queue.due(QueueKind.USER).count == 5


@pytest.mark.parametrize("together", [True, False])
def test_a_refusal_of_one_while_others_get_through_is_its_own(
    played: SyncWorld, together: bool
) -> None:
    ada, bob = played.given_user(email="a@example.com"), played.given_user(email="b@example.com")
    played.sync(ada, bob)
    _fails(played, f"PUT /contacts/{played.contact(ada)['id']}", status=400)
    played.update_user(ada, name="Ada L.")

    for number in range(10):
        played.update_user(bob, name=f"Bob {number}")
        if together:
            played.sync(ada, bob)
        else:
            played.sync(ada)
            _ago(played)
            played.sync(bob)

    [parked] = played.services.store.queue.parked()
    assert parked.key == str(ada)


def _wait(world: SyncWorld, user: int) -> float:
    [[seconds]] = world.rows(
        "select extract(epoch from due_at - now()) from intercom_sync.queue where key = %s",
        str(user),
    )
    return float(seconds)


@pytest.mark.parametrize("kind", ["error", "dropped_connection"])
@pytest.mark.parametrize("call", ["PUT", "unarchive"])
def test_a_call_that_stays_away_for_one_is_tried_in_growing_intervals(
    worlds: Worlds, kind: str, call: str
) -> None:
    world = worlds(on_delete="archive")
    ada, bob = world.given_user(email="a@example.com"), world.given_user(email="b@example.com")
    world.sync(ada, bob)
    path = f"PUT /contacts/{world.contact(ada)['id']}"
    if call == "unarchive":
        path = f"POST /contacts/{world.contact(ada)['id']}/unarchive"
        world.update_user(ada, deleted_at=datetime.now(UTC))
        world.sync(ada)
        world.update_user(ada, deleted_at=None)
    world.update_user(ada, name="Ada L.")
    world.intercom.set(faults=[{"kind": kind, "endpoint": path, "count": None}])
    waits = []

    for number in range(14):
        world.update_user(bob, name=f"Bob {number}")
        world.sync(ada, bob)
        waits.append(round(_wait(world, ada)))
        _ago(world)

    assert waits == sorted(waits)
    assert waits[0] <= 15
    assert waits[-1] >= 250
    assert world.services.store.queue.parked() == []
    waiting = world.services.store.queue.waiting(QueueKind.USER, str(ada))
    assert waiting is not None
    assert waiting.error is not None
    assert waiting.error.tries == 14
    [failing] = world.services.store.queue.failing()
    assert (failing.key, failing.tries) == (str(ada), 14)
    world.intercom.reset("faults")
    world.run_all_due()
    assert world.contact(ada)["name"] == "Ada L."


def test_an_outage_keeps_its_short_waits(played: SyncWorld) -> None:
    users = [played.given_user(email=f"u{n}@example.com") for n in range(3)]
    played.sync(*users)
    for user in users:
        played.update_user(user, name="Changed")
    played.intercom.set(faults=[{"kind": "error", "status": 503, "count": None}])

    for _ in range(10):
        played.sync(*users)
        assert max(_wait(played, user) for user in users) <= 15
        _ago(played)
