"""Items that Preview refuses without a word: each user ends with an error of their own, and no
other is stopped."""

from collections.abc import Iterator
from typing import Any

import pytest

from intercom_assets.domain.vocabulary import Action
from intercom_assets.sync.context.outcomes import Status
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.small_bulk import OLD, SMALL, given_users, kinds, sizes_of_bulk
from intercom_assets_tests.sync.sync_world import Sql, SyncWorld

HUNDREDS = 3
TOO_LONG = "n" * 300
LONG_AGO = int(OLD.timestamp())
BEFORE = "    updated_at,                                 -- read, never sent\n"


@pytest.fixture(autouse=True)
def small_batches_are_large() -> Iterator[None]:
    with sizes_of_bulk(SMALL):
        yield


@pytest.fixture
def world(worlds: Worlds) -> SyncWorld:
    return worlds(bulk="preview", chunk_size=50)


def given_bad_ones(world: SyncWorld, users: list[int]) -> tuple[list[int], list[int], list[int]]:
    """In each hundred: an e-mail that is taken, an archived contact, a name that is too long."""
    taken, archived, refused = users[7::100], users[42::100], users[81::100]
    for user in taken:
        email = world.app_user(user)["email"]
        world.intercom.seed([{"external_id": f"x-{user}", "email": email, "name": "Stranger"}])
    for user in archived:
        there = {"external_id": str(user), "name": "Was Here", "created_at": LONG_AGO}
        [contact] = world.intercom.seed([there])
        world.intercom.by_hand.archive_contact(contact)
    for user in refused:
        world.update_user(user, name=TOO_LONG)
    return taken, archived, refused


@pytest.mark.parametrize("state", ["completed", "completed_with_errors"])
def test_in_each_hundred_new_users_three_are_refused_and_told_why(
    world: SyncWorld, state: str
) -> None:
    world.intercom.set(bulk_lost_state=state, equal_email="always")
    users = given_users(world, 100 * HUNDREDS)
    taken, archived, refused = given_bad_ones(world, users)

    synced = world.sync(*users)

    bad = {*taken, *archived, *refused}
    assert kinds(synced)["POST /contacts/bulk"] == HUNDREDS
    assert kinds(synced)["POST /contacts"] <= 3 * len(bad)
    assert all(synced[user].status is Status.CHANGED for user in users if user not in bad)
    for user in taken:
        assert "another user has this address" in world.link(user).left_out["email"].why
        assert world.contact(user)["email"] is None
    for user in archived:
        assert world.contact(user)["name"] == world.app_user(user)["name"]
        assert Action.CREATED not in world.actions(user)
    for user in refused:
        assert "Intercom refused it" in world.link(user).left_out["name"].why
        assert world.contact(user)["email"] == world.app_user(user)["email"]
    assert len(world.intercom.contacts()) == len(users) + len(taken)
    assert world.sync(*users).calls == []


def test_in_each_hundred_changes_three_are_refused_and_told_why(world: SyncWorld) -> None:
    world.intercom.set(equal_email="always")
    users = given_users(world, 100 * HUNDREDS)
    world.sync(*users)
    for user in users:
        world.update_user(user, plan="business")
    taken, archived, refused = users[7::100], users[42::100], users[81::100]
    for user in taken:
        world.intercom.seed([{"external_id": f"x-{user}", "email": f"new{user}@example.com"}])
        world.update_user(user, email=f"new{user}@example.com")
    for user in archived:
        world.intercom.by_hand.archive_contact(world.contact(user)["id"])
    for user in refused:
        world.update_user(user, name=TOO_LONG)

    synced = world.sync(*users)

    bad = {*taken, *archived, *refused}
    assert kinds(synced)["PUT /contacts/bulk"] == HUNDREDS
    assert kinds(synced)["PUT /contacts/*"] <= 6 * len(bad)
    assert all(synced[user].status is Status.CHANGED for user in users if user not in bad)
    plans = {world.contact(u)["custom_attributes"]["subscription_plan"] for u in users}
    assert plans == {"business"}
    for user in taken:
        assert "another user has this address" in world.link(user).left_out["email"].why
    for user in refused:
        assert "Intercom refused it" in world.link(user).left_out["name"].why
    assert world.sync(*users).calls == []


def an_attribute_is_lost(world: SyncWorld) -> None:
    world.intercom.by_hand.archive_attribute("subscription_plan")


@pytest.mark.parametrize("kind", ["PUT /contacts/bulk", "POST /contacts/bulk"])
def test_an_attribute_that_is_archived_just_before_the_call_is_nobodys_error(
    world: SyncWorld, kind: str
) -> None:
    first = given_users(world, 4)
    world.sync(*first)
    users = first
    if kind.startswith("POST"):
        users = [
            world.given_user(email=f"n{n}@example.com", created_at=OLD, plan="business")
            for n in range(4)
        ]
    for user in users:
        world.update_user(user, plan="business", name=f"Name {user}")
    world.just_before(kind, lambda: an_attribute_is_lost(world))

    synced = world.sync(*users)

    assert all(synced[user].status is not Status.PARKED for user in users)
    assert [world.contact(user)["name"] for user in users] == [f"Name {user}" for user in users]


def test_users_of_one_batch_with_one_address_are_told_which_of_them_has_it(
    world: SyncWorld,
) -> None:
    world.intercom.set(equal_email="always")
    users = given_users(world, 5)
    for user in users[3:]:
        world.update_user(user, email="same@example.com")

    synced = world.sync(*users)

    left_out = [user for user in users if "email" in world.link(user).left_out]
    assert len(left_out) == 1
    assert left_out[0] in users[3:]
    assert len(world.intercom.contacts()) == 5
    assert all(synced[user].status is not Status.PARKED for user in users)


def test_addresses_that_are_swapped_by_a_mass_change_are_swapped(world: SyncWorld) -> None:
    world.intercom.set(equal_email="always")
    users = given_users(world, 4)
    world.sync(*users)
    emails = [world.app_user(user)["email"] for user in users]
    for user in users:
        world.update_user(user, email=f"away{user}@example.com", plan="business")
    for user, email in zip(users, [*emails[1:], emails[0]], strict=True):
        world.update_user(user, email=email)

    world.sync(*users)
    world.run_all_due()

    assert [world.contact(user)["email"] for user in users] == [*emails[1:], emails[0]]
    assert world.settles(*users)


def test_a_contact_that_is_somebodys_by_address_alone_is_adopted(world: SyncWorld) -> None:
    users = given_users(world, 4)
    [there] = world.intercom.seed([{"email": "u2@example.com", "name": "User 2"}])

    synced = world.sync(*users)

    assert world.contact(users[2])["id"] == there
    assert all(synced[user].status is Status.CHANGED for user in users)
    assert len(world.intercom.contacts()) == 4


def test_what_a_job_refused_can_be_explained_and_taken_back_with_the_rest(
    world: SyncWorld,
) -> None:
    users = given_users(world, 4, plan="free")
    world.sync(*users)
    for user in users:
        world.update_user(user, plan="business")
    world.update_user(users[1], name=TOO_LONG)

    world.sync(*users)

    rows = [world.journal(user)[-1] for user in (users[0], users[1])]
    pushed = {
        user: [r.entry for r in world.journal(user) if r.entry.new == "business"] for user in users
    }
    assert all(len(entries) == 1 for entries in pushed.values())
    assert rows[0].run_id == rows[1].run_id
    assert "sent by bulk" in pushed[users[0]][0].why
    assert "sent by bulk" not in pushed[users[1]][0].why


# --- verified e-mails -----------------------------------------------------------------------------


@pytest.fixture
def verified(worlds: Worlds) -> SyncWorld:
    sql = Sql(users={BEFORE: f"{BEFORE}    time_zone is not null as email_verified,\n"})
    return worlds(sql, bulk="preview")


def test_who_has_a_verified_email_goes_alone_since_an_item_cannot_say_it(
    verified: SyncWorld,
) -> None:
    users = given_users(verified, 4, time_zone="Asia/Tokyo")

    synced = verified.sync(*users)

    assert kinds(synced)["POST /contacts/bulk"] == 0
    assert kinds(synced)["POST /contacts"] == 4
    assert all(is_verified(verified, user) is True for user in users)


def test_a_new_address_goes_alone_with_its_word_and_other_changes_by_bulk(
    verified: SyncWorld,
) -> None:
    users = given_users(verified, 5, time_zone="Asia/Tokyo")
    verified.sync(*users)
    for user in users:
        verified.update_user(user, plan="business")
    verified.update_user(users[4], email="new@example.com")

    synced = verified.sync(*users)

    assert kinds(synced)["PUT /contacts/bulk"] == 1
    assert kinds(synced)["PUT /contacts/*"] == 1
    assert all(is_verified(verified, user) is True for user in users)
    assert verified.contact(users[4])["email"] == "new@example.com"
    assert verified.settles(*users)


def is_verified(world: SyncWorld, user: int) -> Any:
    return world.intercom.world.contacts[world.contact(user)["id"]].email_verified


# --- items that count as calls --------------------------------------------------------------------


def test_items_that_count_as_calls_slow_the_run_down_with_one_refusal_a_thread_and_window(
    world: SyncWorld,
) -> None:
    """Nobody measured it before: what Intercom says is left is believed after each call."""
    world.intercom.set(bulk_counts="item", rate_limit_per_window=200)
    users = given_users(world, 1_200)
    before = world.times.skipped

    synced = world.sync(*users)

    assert kinds(synced)["POST /contacts/bulk"] >= 12
    waited = world.times.skipped - before
    assert waited >= 40
    windows, threads = waited // 10 + 2, world.services.settings.threads
    assert world.intercom.stats()["rate_limited"] <= windows * threads
    assert all(synced[user].status is Status.CHANGED for user in users)
