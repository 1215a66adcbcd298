"""Who is put into the queue, by the log, by polling and by the sweep; and who is left alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from uuid import uuid4

import pytest

from intercom_assets.database.failures import AppUnavailable
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.mapping import load
from intercom_assets.mapping.problems import MappingError
from intercom_assets.sync.feeders import app_changes as feeders
from intercom_assets.sync.feeders.app_changes import feed_from_app
from intercom_assets.sync.feeders.sweep import sweep_teams, sweep_users
from intercom_assets_tests.database.mappings import run
from intercom_assets_tests.sync.world import World, a_world

NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=400)


def test_a_change_in_the_app_is_drained_and_synced(world: World) -> None:
    ada = world.given_user(created_at=OLD)

    fed = feed_from_app(world.services)
    synced = world.sync_due()

    assert fed.users == 1
    assert list(synced.outcomes) == [str(ada)]
    assert feed_from_app(world.services).users == 0


def test_a_page_view_alone_waits_and_does_not_become_a_sync(world: World) -> None:
    ada = world.given_user(created_at=OLD, last_request_at=NOW - timedelta(hours=3))
    feed_from_app(world.services)
    world.sync_due()
    world.update_user(ada, last_request_at=NOW)

    fed = feed_from_app(world.services)

    assert "only seen" in fed.summary
    assert world.sync_due().calls == []


def test_a_page_view_rides_with_the_next_change(world: World) -> None:
    ada = world.given_user(created_at=OLD, last_request_at=NOW - timedelta(hours=3))
    feed_from_app(world.services)
    world.sync_due()
    world.update_user(ada, last_request_at=NOW, name="Ada Lovelace")

    feed_from_app(world.services)
    synced = world.sync_due()

    assert [call.split()[0] for call in synced.calls] == ["PUT", "PUT"]  # on the first one's answer
    assert world.contact(ada)["last_seen_at"] == int(NOW.timestamp())


def test_a_burst_is_queued_in_one_look_though_in_many_pieces(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeders, "DRAINED_AT_ONCE", 10)
    monkeypatch.setattr(feeders, "LOOKED_AT_ONCE", 3)
    users = [world.given_user(email=f"u{n}@example.com", created_at=OLD) for n in range(35)]
    world.sync(*users)
    feed_from_app(world.services)
    seen = NOW + timedelta(hours=1)
    run(world.url, "update users set last_request_at = %s", seen)
    world.update_user(users[7], name="Ada")

    fed = feed_from_app(world.services)

    assert "34 of them were only seen" in fed.summary
    assert list(world.services.store.queue.due_keys(QueueKind.USER, 99)) == [str(users[7])]


def test_a_look_that_takes_long_leaves_the_rest_to_the_next_tick(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeders, "DRAINED_AT_ONCE", 2)
    monkeypatch.setattr(feeders, "FEED_SECONDS", 0.0)
    for n in range(5):
        world.given_user(email=f"u{n}@example.com", created_at=OLD)

    assert [feed_from_app(world.services).users for _ in range(4)] == [2, 2, 1, 0]


def test_the_log_is_drained_though_the_app_cannot_be_read(world: World) -> None:
    ada = world.given_user(created_at=OLD)
    world.sync(ada)
    world.update_user(ada, name="Ada")
    run(world.url, "alter table users rename column email to mail")

    with pytest.raises((AppUnavailable, MappingError)):
        feed_from_app(world.services)

    assert world.services.app.read_log(10) == []
    assert world.services.store.queue.due(QueueKind.USER).sole_key == str(ada)


def test_a_user_whom_a_run_has_in_hand_does_not_wait(world: World) -> None:
    """The run may have read a value that the app has taken back meanwhile."""
    ada = world.given_user(created_at=OLD)
    feed_from_app(world.services)
    world.sync_due()
    store, before = world.services.store, world.app_user(ada)["name"]
    world.update_user(ada, name="Ada")
    feed_from_app(world.services)
    token = uuid4()
    [held] = store.queue.lease(QueueKind.USER, "run", token=token, limit=1, seconds=60)
    assert held.key == str(ada)
    world.update_user(ada, name=before)

    fed = feed_from_app(world.services)
    store.queue.release(token)

    assert "only seen" not in fed.summary


def test_our_own_write_back_does_not_come_back_as_a_change(world: World) -> None:
    world.given_user(created_at=OLD)
    feed_from_app(world.services)
    world.sync_due()

    assert feed_from_app(world.services).users == 0


def test_a_sweep_of_settled_users_queues_nobody(world: World) -> None:
    users = [world.given_user(email=f"u{n}@example.com", created_at=OLD) for n in range(3)]
    teams = [world.given_team(domain=f"t{n}.example") for n in range(2)]
    world.joins(users[0], teams[0])
    world.sync_teams(*teams)
    world.sync(*users)

    assert (sweep_users(world.services).queued, sweep_teams(world.services).queued) == (0, 0)


def test_a_sweep_finds_who_changed_unseen_and_who_is_gone(world: World) -> None:
    users = [world.given_user(email=f"u{n}@example.com", created_at=OLD) for n in range(4)]
    world.sync(*users)
    world.update_user(users[0], name="Changed Unseen")
    world.delete_user(users[1])
    world.services.app.delete_log([row.id for row in world.services.app.read_log(100)])

    swept = sweep_users(world.services)
    world.sync_due()

    assert (swept.looked, swept.queued, swept.missing) == (3, 1, 1)
    assert world.contact(users[0])["name"] == "Changed Unseen"
    assert world.contact(users[1])["custom_attributes"]["deleted"] is True


@pytest.fixture
def polled(database: str, tmp_path: Path) -> Iterator[World]:
    """The sample app's mapping, but polling; two minutes after the first look."""
    shipped = load.load_mapping(None).folder
    folder = Path(copytree(shipped, tmp_path / "mapping"))
    text = (folder / "sync.yaml").read_text().replace("capture: triggers", "capture: polling")
    (folder / "sync.yaml").write_text(text)
    with a_world(database, folder) as world:
        feed_from_app(world.services)
        yield world


def test_polling_finds_what_moved_updated_at_and_asks_once(polled: World) -> None:
    ada = polled.given_user(created_at=OLD)

    first = feed_from_app(polled.services)
    polled.sync_due()
    second = feed_from_app(polled.services)

    assert (first.users, second.users) == (1, 0)
    assert polled.contact(ada)["email"] == "someone@example.com"


def test_polling_does_not_see_a_deletion_and_the_sweep_does(polled: World) -> None:
    ada = polled.given_user(created_at=OLD)
    feed_from_app(polled.services)
    polled.sync_due()
    polled.delete_user(ada)

    assert feed_from_app(polled.services).users == 0
    assert sweep_users(polled.services).missing == 1


def test_polling_is_not_blinded_by_a_row_from_the_future(polled: World) -> None:
    polled.given_user(created_at=OLD, updated_at=datetime(2099, 1, 1, tzinfo=UTC))
    feed_from_app(polled.services)
    polled.sync_due()
    ada = polled.given_user(name="Ada", created_at=OLD)

    found = feed_from_app(polled.services)
    polled.sync_due()

    assert found.users == 1
    assert polled.contact(ada)["name"] == "Ada"


def test_polling_sees_a_deletion_that_is_a_date(polled: World) -> None:
    ada = polled.given_user(created_at=OLD)
    feed_from_app(polled.services)
    polled.sync_due()
    now = datetime.now(UTC)
    polled.update_user(ada, deleted_at=now, updated_at=now)

    found = feed_from_app(polled.services)
    polled.sync_due()

    assert found.users == 1
    assert polled.contact(ada)["custom_attributes"]["deleted"] is True
