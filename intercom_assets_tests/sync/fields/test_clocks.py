"""Our clock is ahead of Intercom's, or behind: what Intercom dated is compared with its own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from intercom_assets.sync.context.services import Services
from intercom_assets.sync.feeders.intercom_changes import feed_from_intercom
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld, a_client

OLD = datetime.now(UTC) - timedelta(days=400)
HOUR, DAY = 3_600, 86_400
APART = [-2 * DAY, -HOUR, -300, 0, 300, HOUR, 2 * DAY]


@pytest.fixture(params=APART, ids=lambda seconds: f"{seconds} s ahead")
def played(request: pytest.FixtureRequest, worlds: Worlds) -> SyncWorld:
    """The app's database keeps Intercom's time; only our process is wrong."""
    played = worlds(ahead=request.param, lease="90d")
    times = played.times
    played.services = replace(played.services, wall=lambda: times.calendar() + request.param)
    return played


def _user(played: SyncWorld) -> int:
    ada = played.given_user(name=None, created_at=OLD)
    played.sync(ada)
    return ada


def _is_found(played: SyncWorld, ada: int, name: str) -> bool:
    played.intercom.by_hand.edit_contact(str(ada), name=name)
    feed_from_intercom(played.services)
    played.sync_due()
    return bool(played.app_user(ada)["name"] == name)


def test_an_edit_just_after_a_look_is_found(played: SyncWorld) -> None:
    ada = _user(played)
    feed_from_intercom(played.services)
    played.times.sleep(1)

    assert _is_found(played, ada, "Ada L.")


def test_also_after_many_looks_and_a_pause(played: SyncWorld) -> None:
    ada = _user(played)
    for _ in range(4):
        feed_from_intercom(played.services)
        played.times.sleep(400)
    assert _is_found(played, ada, "Ada L.")
    played.update_user(ada, name=None)
    played.run_all_due()
    played.times.sleep(HOUR)

    assert _is_found(played, ada, "Lady A.")


def test_an_edit_while_nobody_looked_for_hours_is_found_by_a_process_that_starts(
    played: SyncWorld,
) -> None:
    ada = _user(played)
    feed_from_intercom(played.services)
    played.times.sleep(5)
    played.intercom.by_hand.edit_contact(str(ada), name="Ada L.")
    played.times.sleep(5 * HOUR)
    played.services = _started_anew(played)

    feed_from_intercom(played.services)
    played.sync_due()

    assert played.app_user(ada)["name"] == "Ada L."


def test_a_quiet_workspace_is_not_searched_further_and_further_back(played: SyncWorld) -> None:
    ada = _user(played)
    for _ in range(3):
        feed_from_intercom(played.services)
        played.times.sleep(HOUR)

    assert feed_from_intercom(played.services).calls == 1
    assert _is_found(played, ada, "Ada L.")


def test_a_contact_that_was_listed_and_moved_lately_is_read_whatever_our_clock_says(
    played: SyncWorld,
) -> None:
    ada = played.given_user(name="Ada", created_at=OLD)
    played.sync(ada)
    played.run("update intercom_sync.user_link set memory = memory || '{\"listed\": true}'")
    played.intercom.by_hand.edit_contact(str(ada), phone="+44 1")
    touched = str(int(played.times.theirs()))
    played.run(
        "update intercom_sync.user_link set shadow = jsonb_set(shadow, '{updated_at}', %s::jsonb)",
        touched,
    )

    calls = [call for call in played.sync(ada).calls if "data_attributes" not in call]
    assert calls == [f"GET /contacts/{played.contact(ada)['id']}"]


def _started_anew(played: SyncWorld) -> Services:
    """Another process: its client has had no answer yet."""
    return replace(played.services, intercom=a_client(played.wire, played.times))
