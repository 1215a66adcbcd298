"""Whose trouble a failed call is: one user's, everybody's, or nobody's."""

from datetime import UTC, datetime
from typing import Any

import pytest

from intercom_assets.database.records import QueueKind
from intercom_assets.sync.outcomes import Status
from intercom_assets_tests.sync.playing import Played

REFUSALS = [400, 403, 404, 409, 422]
AWAY = [500, 503]


def _fails(world: Played, endpoint: str, **fault: Any) -> None:
    world.intercom.set(
        faults=[{"kind": "error", "endpoint": endpoint, "code": "odd", "count": None, **fault}]
    )


def _newcomers(world: Played, count: int) -> list[int]:
    """Users whose leads are searched."""
    now = datetime.now(UTC)
    return [world.given_user(email=f"u{n}@example.com", created_at=now) for n in range(count)]


def _attempts(world: Played) -> set[int]:
    return {row[0] for row in world.rows("select attempts from intercom_sync.queue")}


# --- calls that are about no user -----------------------------------------------------------------


@pytest.mark.parametrize("status", [*REFUSALS, *AWAY])
@pytest.mark.parametrize("endpoint", ["GET /data_attributes", "POST /data_attributes", "GET /me"])
def test_a_call_about_no_user_blames_none_and_holds_nobody_up(
    played: Played, endpoint: str, status: int
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
    assert played.services.store.parked() == []
    assert _attempts(played) <= {0}
    played.intercom.reset("faults")
    played.run_all_due()
    for user in users:
        assert played.contact(user)["custom_attributes"]["subscription_plan"] == "team"
        assert played.contact(user)["custom_attributes"]["deleted"] is False
    assert played.company(team)["custom_attributes"]["company_deleted"] is False
    assert played.services.store.left_out() == []
    assert played.sync(*users).calls == []


@pytest.mark.parametrize("bad", [1, 2])
def test_an_address_that_is_refused_keeps_no_other_from_its_leads(played: Played, bad: int) -> None:
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


def test_a_search_that_is_refused_altogether_blames_nobody(played: Played) -> None:
    users = _newcomers(played, 40)
    _fails(played, "POST /contacts/search", status=422)

    synced = played.sync(*users)
    for _ in range(9):
        played.sync(*users)

    assert len([call for call in synced.calls if "search" in call]) < 20
    assert len(played.intercom.contacts()) == 40
    assert _attempts(played) == {0}
    assert played.services.store.parked(QueueKind.USER) == []
    played.intercom.reset("faults")
    played.run_all_due()
    assert {row[0] for row in played.rows("select count(*) from intercom_sync.queue")} == {0}
