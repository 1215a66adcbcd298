"""`last_seen_at` moves forward only: the Messenger may have moved it a moment ago."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from intercom_assets.sync.passes.users import user_pass
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld

NOW = datetime.now(UTC).replace(microsecond=0)
AGO = [timedelta(seconds=5), timedelta(minutes=2), timedelta(minutes=14), timedelta(days=1)]


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _seen_by_messenger(world: SyncWorld, user: int, at: datetime) -> None:
    world.intercom.by_hand.edit_contact(str(user), last_seen_at=_seconds(at))


@pytest.fixture(params=[{}, {"name": "Ada Byron"}, {"email": "new@x.example", "name": None}])
def rides(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What else changed in the app."""
    found: dict[str, Any] = request.param
    return found


@pytest.mark.parametrize("ago", AGO, ids=str)
def test_what_the_messenger_moved_since_a_read_of_a_second_ago_is_not_lowered(
    played: SyncWorld, ago: timedelta, rides: dict[str, Any]
) -> None:
    ada = played.given_user(last_request_at=NOW - timedelta(days=9), name="Ada")
    played.sync(ada)
    played.look(ada)
    _seen_by_messenger(played, ada, NOW)
    played.update_user(ada, last_request_at=NOW - ago, **rides)

    played.sync(ada)

    assert played.contact(ada)["last_seen_at"] == _seconds(NOW)
    assert played.app_user(ada)["last_request_at"] == NOW
    assert played.settles(ada)


def test_the_apps_later_one_is_sent_also_beside_another_change(
    played: SyncWorld, rides: dict[str, Any]
) -> None:
    ada = played.given_user(last_request_at=NOW - timedelta(days=9), name="Ada")
    played.sync(ada)
    _seen_by_messenger(played, ada, NOW - timedelta(minutes=1))
    played.update_user(ada, last_request_at=NOW, **rides)

    synced = played.sync(ada)

    assert played.contact(ada)["last_seen_at"] == _seconds(NOW)
    assert len(synced.calls) == 2
    assert played.settles(ada)


def test_a_write_whose_answer_was_lost_is_not_repeated_over_what_came_since(
    played: SyncWorld,
) -> None:
    ada = played.given_user(last_request_at=NOW - timedelta(days=9))
    played.sync(ada)
    played.update_user(ada, last_request_at=NOW - timedelta(minutes=1))
    played.intercom.set(faults=[{"kind": "lost_reply", "endpoint": "PUT /contacts/{id}"}])
    played.just_after("PUT /contacts/*", lambda: _seen_by_messenger(played, ada, NOW))

    played.sync(ada)
    played.run_all_due()

    assert played.contact(ada)["last_seen_at"] == _seconds(NOW)
    assert played.settles(ada)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look is old as soon as it is made, as in a chunk that waits for Intercom's rate."""
    monkeypatch.setattr(user_pass, "READ_LASTS", -1.0)


@pytest.mark.usefixtures("hurried")
def test_a_look_that_is_old_by_the_time_of_the_write_is_made_again(played: SyncWorld) -> None:
    ada = played.given_user(last_request_at=NOW - timedelta(days=9))
    played.sync(ada)
    played.update_user(ada, last_request_at=NOW - timedelta(minutes=1))
    played.just_after("GET /contacts/*", lambda: _seen_by_messenger(played, ada, NOW))

    synced = played.sync(ada)
    played.run_all_due()

    assert "PUT" not in {call.split()[0] for call in synced.calls}
    assert played.contact(ada)["last_seen_at"] == _seconds(NOW)
    assert played.settles(ada)


def test_any_time_that_the_later_one_wins_is_not_lowered(worlds: Worlds) -> None:
    """`later_value` is a policy for every field, not only for this one."""
    played = worlds(fields={"created_at": "later_value"})
    ada = played.given_user(created_at=NOW - timedelta(days=9), name="Ada")
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), signed_up_at=_seconds(NOW))
    played.update_user(ada, created_at=NOW - timedelta(minutes=1), name="Ada B")

    played.sync(ada)

    assert played.contact(ada)["signed_up_at"] == _seconds(NOW)
