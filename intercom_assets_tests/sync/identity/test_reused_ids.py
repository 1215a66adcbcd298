"""An id of the app that was given to another person: nothing of the one before reaches the row."""

from datetime import UTC, datetime
from typing import Any

import pytest

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets_tests import builders
from intercom_assets_tests.sync.world import World

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)
NEW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)


def a_reused_id(world: World, *, swept_between: bool, **columns: Any) -> int:
    """Ada, whose name and phone Intercom knows too, leaves; Bob, of whom little is known, comes."""
    ada = world.given_user(
        email="ada@example.com",
        name="Ada L.",
        phone_number="+14155550101",
        time_zone="Europe/Rome",
        created_at=OLD,
    )
    world.sync(ada)
    seen = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
    world.intercom.by_hand.edit_contact(str(ada), last_seen_at=seen)
    world.delete_user(ada)
    if swept_between:
        world.sync(ada)
    builders.insert_user(
        world.url,
        **{"id": ada, "email": "bob@example.com", "name": None, "created_at": NEW, **columns},
    )
    return ada


@pytest.mark.parametrize("swept_between", [True, False])
@pytest.mark.parametrize("email", ["bob@example.com", None])
def test_nothing_older_than_the_new_row_is_pulled(
    world: World, swept_between: bool, email: str | None
) -> None:
    bob = a_reused_id(world, swept_between=swept_between, email=email)

    world.sync(bob)

    row = world.app_user(bob)
    assert (row["name"], row["phone_number"], row["time_zone"]) == (None, None, None)
    assert row["last_request_at"] is None
    contact = world.contact(bob)
    assert (contact["name"], contact["phone"]) == (None, None)
    assert (contact["email"] or None) == email
    assert contact["signed_up_at"] == int(NEW.timestamp())
    assert world.sync(bob).calls == []


def test_what_is_typed_for_the_new_person_is_pulled(world: World) -> None:
    bob = a_reused_id(world, swept_between=True)
    world.sync(bob)
    world.intercom.by_hand.edit_contact(str(bob), name="Bob B.")
    world.services.store.queue.enqueue(QueueKind.USER, [str(bob)], needs_read=True)

    world.sync_due()

    assert world.app_user(bob)["name"] == "Bob B."


def test_a_sign_up_that_was_corrected_loses_nothing_of_the_same_person(world: World) -> None:
    ada = world.given_user(email="ada@example.com", name=None, created_at=OLD)
    world.sync(ada)
    world.intercom.by_hand.edit_contact(str(ada), name="Ada L.")
    world.update_user(ada, created_at=NEW)
    world.services.store.queue.enqueue(QueueKind.USER, [str(ada)], needs_read=True)

    world.sync_due()

    assert world.app_user(ada)["name"] == "Ada L."
    assert world.sync(ada).calls == []
