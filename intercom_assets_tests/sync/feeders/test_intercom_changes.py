"""The search for Intercom's changes: whom it wakes, and what it costs."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.simulator.wire import Answer
from intercom_assets.sync.feeders import intercom_changes
from intercom_assets.sync.feeders.intercom_changes import feed_from_intercom
from intercom_assets_tests.sync.world import World, a_world

TODAY = datetime.now(UTC)
OLD = TODAY - timedelta(days=400)


def test_an_edit_by_hand_is_found_and_pulled_and_costs_one_read(world: World) -> None:
    ada = world.given_user(name=None, created_at=OLD)
    feed_from_intercom(world.services)
    world.sync(ada)
    world.intercom.by_hand.edit_contact(str(ada), name="Ada L.")

    fed = feed_from_intercom(world.services)
    synced = world.sync_due()

    assert fed.users == 1
    assert fed.calls == 1
    assert len(synced.calls) == 1
    assert world.app_user(ada)["name"] == "Ada L."


def test_our_own_writes_coming_back_wake_nobody(world: World) -> None:
    users = [world.given_user(email=f"u{n}@example.com", created_at=OLD) for n in range(5)]
    feed_from_intercom(world.services)
    world.sync(*users)

    fed = feed_from_intercom(world.services)

    assert fed.users == 0
    assert world.sync_due().calls == []


@pytest.mark.parametrize("what", ["a field", "a membership", "a membership less"])
def test_our_own_writes_wake_nobody_while_their_run_is_at_work(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The search comes between a write that landed and its record."""
    world.intercom.set(attach_moves_updated_at=True)
    ada, team = world.given_user(name="Ada", created_at=OLD), world.given_team()
    if what == "a membership less":
        world.joins(ada, team)
    feed_from_intercom(world.services)
    world.sync(ada)
    if what == "a field":
        world.update_user(ada, email="ada@new.example")
    elif what == "a membership":
        world.joins(ada, team)
    else:
        world.leaves(ada, team)
    handle, fed = world.intercom.handle, list[int]()

    def and_a_look(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        answer = handle(method, path, headers, body)
        if "/contacts/" in path and method != "GET" and "search" not in path:
            fed.append(feed_from_intercom(world.services).users)
        return answer

    monkeypatch.setattr(world.intercom, "handle", and_a_look)

    world.sync(ada)

    assert fed == [0]
    assert world.sync_due().calls == []


def test_an_edit_by_hand_while_a_run_is_at_work_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = world.given_user(name=None, created_at=OLD)
    feed_from_intercom(world.services)
    world.sync(ada)
    world.update_user(ada, email="ada@new.example")
    handle, fed = world.intercom.handle, list[int]()

    def and_an_edit(
        method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        answer = handle(method, path, headers, body)
        if method == "PUT" and not fed:
            world.intercom.by_hand.edit_contact(str(ada), name="Ada L.")
            fed.append(feed_from_intercom(world.services).users)
        return answer

    monkeypatch.setattr(world.intercom, "handle", and_an_edit)
    world.sync(ada)

    world.sync_due()

    assert fed == [1]
    assert world.app_user(ada)["name"] == "Ada L."


def test_a_document_of_an_index_that_lags_is_asked_about_once(world: World) -> None:
    ada = world.given_user(name="Ada", created_at=OLD)
    feed_from_intercom(world.services)
    world.sync(ada)
    world.intercom.set(index_delay_s=60)
    world.update_user(ada, name="Ada Lovelace")
    world.sync(ada)

    first = feed_from_intercom(world.services)
    world.sync_due()
    second = feed_from_intercom(world.services)

    assert first.users <= 1
    assert second.users == 0
    assert world.contact(ada)["name"] == "Ada Lovelace"


def test_a_lead_that_turns_up_later_in_the_window_is_merged(world: World) -> None:
    ada = world.given_user(email="ada@example.com", created_at=TODAY)
    feed_from_intercom(world.services)
    world.sync(ada)
    world.intercom.by_hand.create_contact(role="lead", email="Ada@example.com")

    fed = feed_from_intercom(world.services)
    world.sync_due()

    assert fed.users == 1
    assert [c["role"] for c in world.intercom.contacts()] == ["user"]
    feed_from_intercom(world.services)
    assert world.sync_due().calls == []


def test_contacts_that_are_nobodys_here_wake_nobody(world: World) -> None:
    feed_from_intercom(world.services)
    world.intercom.by_hand.create_contact(role="user", email="stranger@example.com")

    assert feed_from_intercom(world.services).users == 0


def test_many_changes_are_looked_at_over_several_ticks(world: World) -> None:
    feed_from_intercom(world.services)
    users = [world.given_user(email=f"u{n}@example.com", created_at=OLD) for n in range(3)]
    world.sync(*users)
    world.intercom.seed([{"role": "user", "email": f"s{n}@example.com"} for n in range(900)])
    for contact in world.intercom.contacts()[:900]:
        world.intercom.by_hand.edit_contact(contact["id"], phone="+1555")

    feeds = [feed_from_intercom(world.services) for _ in range(3)]

    assert feeds[0].calls == 5
    assert sum(fed.calls for fed in feeds) >= 7
    assert sum(fed.users for fed in feeds) == 3


def test_a_bulk_import_within_one_second_is_looked_at_to_its_end(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No page begins where another time does, and one of the last is edited while it goes on."""
    monkeypatch.setattr(intercom_changes, "MOST_PAGES", 1)
    clock = [TODAY.timestamp()]
    with a_world(database, clock=lambda: clock[0]) as world:
        feed_from_intercom(world.services)
        users = [world.given_user(email=f"u{n}@b.example", created_at=OLD) for n in range(400)]
        world.sync(*users)
        clock[0] += 5
        for user in users:
            world.intercom.by_hand.edit_contact(str(user), phone="+14155550100")
        feed_from_intercom(world.services)
        for user in (users[0], users[-1]):
            world.intercom.by_hand.edit_contact(str(user), phone="+14155550199")

        calls = [feed_from_intercom(world.services).calls for _ in range(6)]

        assert set(calls) == {1}
        assert len(world.services.store.queue.due_keys(QueueKind.USER, 999)) == len(users)
