"""An external id that somebody moved to another contact by hand: whose contact is it then?

It is the one's whose id it carries. Nothing of one person is written onto the other's contact but
what a write in the same second could not know, and that is put right; nothing of one person's is
pulled into the other's row.
"""

from datetime import UTC, datetime

import pytest

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.feeders.intercom_changes import feed_from_intercom
from intercom_assets_tests.sync.world import World

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)


def a_pair(world: World, *, second_linked: bool) -> tuple[int, int]:
    """Ada is linked; Bob may be, or is new. Bob has neither phone nor name of his own."""
    ada = world.given_user(
        email="ada@example.com", name="Ada L.", phone_number="+14155550101", created_at=OLD
    )
    world.sync(ada)
    bob = world.given_user(email="bob@example.com", name=None, phone_number=None, created_at=OLD)
    if second_linked:
        world.sync(bob)
    return ada, bob


def move(world: World, contact: str, to: int | str | None) -> None:
    world.intercom.by_hand.edit_contact(contact, external_id=None if to is None else str(to))


def settle(world: World, *users: int) -> None:
    """Whatever is due is done, then a pass over everybody finds nothing."""
    for _ in range(3):
        world.sync(*users, by_hand=True)
    assert world.sync(*users).writes == []
    assert world.services.store.queue.parked(QueueKind.USER) == []


def assert_each_has_an_own_contact(world: World, ada: int, bob: int) -> None:
    assert world.contact(ada)["email"] == "ada@example.com"
    assert (world.contact(ada)["name"], world.contact(ada)["phone"]) == ("Ada L.", "+14155550101")
    assert world.contact(bob)["email"] == "bob@example.com"
    assert world.contact(bob)["name"] is None
    assert world.contact(bob)["phone"] is None
    assert world.app_user(ada)["name"] == "Ada L."
    assert (world.app_user(bob)["name"], world.app_user(bob)["phone_number"]) == (None, None)


@pytest.mark.parametrize("first", ["ada", "bob", "both", "both changed"])
@pytest.mark.parametrize("equal_email", ["unless_both_have_external_ids", "always"])
def test_a_contact_given_to_a_new_user_is_that_users_and_the_old_owner_gets_one_of_its_own(
    world: World, first: str, equal_email: str
) -> None:
    world.intercom.set(equal_email=equal_email)
    ada, bob = a_pair(world, second_linked=False)
    moved = world.contact(ada)["id"]
    move(world, moved, bob)
    if first in ("ada", "both changed"):
        world.update_user(ada, plan="team")
    run = {"ada": [ada], "bob": [bob]}.get(first, [ada, bob])

    world.sync(*run)
    settle(world, ada, bob)

    assert world.contact(bob)["id"] == moved
    assert_each_has_an_own_contact(world, ada, bob)
    assert world.app_user(bob)["metadata"]["intercom_user_id"] == moved


def test_the_new_owners_values_wait_until_the_contact_is_claimed(world: World) -> None:
    """What a claim takes from somebody is noted with it: the other lets go at its next look."""
    ada, bob = a_pair(world, second_linked=False)
    moved = world.contact(ada)["id"]
    move(world, moved, bob)

    synced = world.sync(bob)

    assert synced[bob].status is Status.CHANGED
    assert world.services.store.links.by_contact([moved]) == {moved: str(bob)}
    due = world.sync_due()
    assert due[ada].status is Status.CHANGED
    assert_each_has_an_own_contact(world, ada, bob)


@pytest.mark.parametrize("order", ["ab", "ba", "together"])
@pytest.mark.parametrize("changed", [True, False])
def test_external_ids_swapped_between_two_are_honoured(
    world: World, order: str, changed: bool
) -> None:
    ada, bob = a_pair(world, second_linked=True)
    x, y = world.contact(ada)["id"], world.contact(bob)["id"]
    move(world, x, "for-a-moment")
    move(world, y, ada)
    move(world, x, bob)
    if changed:
        world.update_user(ada, plan="team")
        world.update_user(bob, plan="team")
    world.services.store.queue.enqueue(QueueKind.USER, [str(ada), str(bob)], needs_read=True)

    for group in {"ab": [[ada], [bob]], "ba": [[bob], [ada]]}.get(order, [[ada, bob]]):
        world.sync(*group)
    settle(world, ada, bob)

    assert (world.contact(ada)["id"], world.contact(bob)["id"]) == (y, x)
    assert_each_has_an_own_contact(world, ada, bob)
    assert len(world.intercom.contacts()) == 2


def test_a_contact_given_an_id_of_nobody_is_left_alone(world: World) -> None:
    ada, bob = a_pair(world, second_linked=True)
    x = world.contact(ada)["id"]
    move(world, x, "nobody-of-the-app")
    world.services.store.queue.enqueue(QueueKind.USER, [str(ada)], needs_read=True)

    world.sync_due()
    settle(world, ada, bob)

    assert world.contact(ada)["id"] != x
    assert world.contact("nobody-of-the-app")["id"] == x
    assert_each_has_an_own_contact(world, ada, bob)


def test_retry_brings_what_a_contact_of_nobody_kept_from_its_user(world: World) -> None:
    world.intercom.set(equal_email="always")
    ada, bob = a_pair(world, second_linked=True)
    x = world.contact(ada)["id"]
    move(world, x, "nobody-of-the-app")
    world.services.store.queue.enqueue(QueueKind.USER, [str(ada)], needs_read=True)
    assert world.sync_due()[ada].left_out == ("email",)
    world.intercom.by_hand.edit_contact(x, email=None)

    world.sync(ada, by_hand=True)

    settle(world, ada, bob)
    assert_each_has_an_own_contact(world, ada, bob)


def test_the_search_wakes_both_whom_a_moved_id_concerns(world: World) -> None:
    feed_from_intercom(world.services)
    ada, bob = a_pair(world, second_linked=False)
    moved = world.contact(ada)["id"]
    move(world, moved, bob)

    feed_from_intercom(world.services)
    world.sync_due()
    settle(world, ada, bob)

    assert world.contact(bob)["id"] == moved
    assert_each_has_an_own_contact(world, ada, bob)
