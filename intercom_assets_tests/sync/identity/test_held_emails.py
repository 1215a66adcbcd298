"""E-mails of people who left, swapped, or passed on, where a second user with one is refused."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.feeders.sweep import sweep
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.world import World

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)


@pytest.fixture
def strict(world: World) -> World:
    world.intercom.set(equal_email="always")
    return world


def people(world: World, *emails: str) -> list[int]:
    users = [world.given_user(email=each, name="Somebody", created_at=OLD) for each in emails]
    world.sync(*users)
    return users


def settle(world: World, *users: int) -> None:
    world.sync_due()
    world.sync(*users)
    assert world.sync(*users).calls == []
    assert world.services.store.queue.parked(QueueKind.USER) == []


def emails(world: World, *users: int) -> list[str | None]:
    return [world.contact(user)["email"] for user in users]


@pytest.mark.parametrize("how", ["row deleted", "deleted_at", "deleted_at, unnoticed"])
@pytest.mark.parametrize("spelled", ["shared@example.com", "Shared@Example.COM"])
def test_who_left_gives_the_address_up(strict: World, how: str, spelled: str) -> None:
    [ada] = people(strict, "shared@example.com")
    if how == "row deleted":
        strict.delete_user(ada)
    else:
        strict.update_user(ada, deleted_at=OLD)
    if how != "deleted_at, unnoticed":
        strict.sync(ada)
    bob = strict.given_user(email=spelled, name="Bob", created_at=OLD)

    strict.sync(bob)
    settle(strict, ada, bob)

    assert strict.contact(bob)["email"] == spelled
    assert strict.contact(ada)["email"] in ("", None)
    assert strict.contact(ada)["custom_attributes"]["deleted"] is True
    assert strict.contact(ada)["name"] == "Somebody"


def test_who_was_archived_gives_the_address_up_and_stays_archived(strict: World) -> None:
    [ada] = people(strict, "shared@example.com")
    held = strict.contact(ada)["id"]
    strict.delete_user(ada)
    strict.sync(ada)
    strict.intercom.by_hand.archive_contact(held)
    bob = strict.given_user(email="shared@example.com", name="Bob", created_at=OLD)

    strict.sync(bob)

    assert strict.contact(bob)["email"] == "shared@example.com"
    assert [c["external_id"] for c in strict.intercom.contacts()] == [str(bob)]


@pytest.mark.parametrize("chunks", ["one", "each its own", "backwards"])
@pytest.mark.parametrize("size", [2, 3, 5])
def test_addresses_that_go_round_arrive(strict: World, size: int, chunks: str) -> None:
    """The rows hold the swap already; each contact still has the address of another."""
    before = [f"p{n}@example.com" for n in range(size)]
    users = people(strict, *before)
    after = [*before[1:], before[0]]
    for user, email in zip(users, after, strict=True):
        strict.update_user(user, email=email)

    for group in {"one": [users], "each its own": [[u] for u in users]}.get(
        chunks, [[u] for u in reversed(users)]
    ):
        strict.sync(*group)
    settle(strict, *users)

    assert emails(strict, *users) == after


def test_a_chain_arrives_whoever_is_first(strict: World) -> None:
    ada, bob, eve = people(strict, "a@example.com", "b@example.com", "e@example.com")
    strict.update_user(ada, email="b@example.com")
    strict.update_user(bob, email="e@example.com")
    strict.update_user(eve, email="new@example.com")

    strict.sync(ada)
    settle(strict, ada, bob, eve)

    assert emails(strict, ada, bob, eve) == ["b@example.com", "e@example.com", "new@example.com"]


def test_a_swap_that_is_taken_back_at_once_costs_nobody_an_address(strict: World) -> None:
    ada, bob = people(strict, "a@example.com", "b@example.com")
    strict.update_user(ada, email="b@example.com")
    strict.update_user(bob, email="a@example.com")
    strict.sync(ada)
    strict.update_user(ada, email="a@example.com")
    strict.update_user(bob, email="b@example.com")

    strict.sync(bob)
    settle(strict, ada, bob)

    assert emails(strict, ada, bob) == ["a@example.com", "b@example.com"]


def test_who_comes_back_gets_the_address_again_if_it_is_free(strict: World) -> None:
    [ada] = people(strict, "shared@example.com")
    strict.update_user(ada, deleted_at=OLD)
    strict.sync(ada)
    bob = strict.given_user(email="shared@example.com", name="Bob", created_at=OLD)
    strict.sync(bob)
    strict.update_user(bob, email="bob@example.com")
    strict.sync(bob)
    strict.update_user(ada, deleted_at=None)

    strict.sync(ada)
    settle(strict, ada, bob)

    assert emails(strict, ada, bob) == ["shared@example.com", "bob@example.com"]


def test_an_address_given_up_is_no_edit_of_anybody(strict: World) -> None:
    ada, bob = people(strict, "a@example.com", "b@example.com")
    strict.update_user(ada, email="b@example.com")
    strict.update_user(bob, email="a@example.com")

    first = strict.sync(ada)
    second = strict.sync_due()

    assert first[ada].overruled == second[bob].overruled == ()


def test_a_kill_after_the_address_was_cleared_costs_nobody_an_address(
    strict: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = people(strict, "a@example.com", "b@example.com")
    strict.update_user(ada, email="b@example.com")
    strict.update_user(bob, email="a@example.com")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(strict.services.store.journal, "add", killed)
        with pytest.raises(KeyboardInterrupt):
            strict.sync(ada)
    strict.sync(ada, by_hand=True)
    settle(strict, ada, bob)

    assert emails(strict, ada, bob) == ["b@example.com", "a@example.com"]


def test_a_contact_of_another_system_gives_nothing_up(strict: World) -> None:
    strict.intercom.by_hand.create_contact(
        role="user", external_id="elsewhere-1", email="shared@example.com"
    )
    bob = strict.given_user(email="shared@example.com", name="Bob", created_at=OLD)

    strict.sync(bob)

    assert strict.contact("elsewhere-1")["email"] == "shared@example.com"


def test_who_is_held_as_gone_gives_nothing_up(strict: World) -> None:
    """A WHERE clause that hides half of the users must not cost them their addresses."""
    users = people(strict, *[f"p{n}@example.com" for n in range(60)])
    for user in users[:40]:
        strict.delete_user(user)
    strict.sync(*users)
    assert strict.services.store.gone.found(QueueKind.USER) != frozenset()
    bob = strict.given_user(email="p0@example.com", name="Bob", created_at=OLD)

    strict.sync(bob)

    assert strict.contact(users[0])["email"] == "p0@example.com"


def test_an_address_goes_to_whoever_it_is_when_external_ids_were_switched_by_hand(
    strict: World,
) -> None:
    """Each contact then carries the address of the user whom it was before."""
    ada, bob = people(strict, "a@example.com", "b@example.com")
    first, second = strict.contact(ada)["id"], strict.contact(bob)["id"]
    by_hand = strict.intercom.by_hand
    by_hand.edit_contact(first, external_id="for a moment")
    by_hand.edit_contact(second, external_id=str(ada))
    by_hand.edit_contact(first, external_id=str(bob))

    for user in (ada, bob):
        strict.services.store.queue.enqueue(QueueKind.USER, [str(user)], needs_read=True)
    for user in (ada, bob):
        strict.sync(user)
    settle(strict, ada, bob)

    assert emails(strict, ada, bob) == ["a@example.com", "b@example.com"]


LETS_GO: Mapping[str, Mapping[str, Any] | None] = {
    "another address": {"email": "ada@example.com"},
    "no address": {"email": None},
    "deleted_at": {"deleted_at": OLD},
    "row deleted": None,
}


@pytest.mark.parametrize("how", list(LETS_GO))
def test_who_shares_an_address_gets_it_once_the_other_has_it_no_more(
    strict: World, how: str
) -> None:
    ada, bob = people(strict, "shared@example.com", "Shared@example.com")
    assert emails(strict, ada, bob) == ["shared@example.com", None]
    if (columns := LETS_GO[how]) is None:
        strict.delete_user(ada)
    else:
        strict.update_user(ada, **columns)

    strict.sync(ada)
    settle(strict, ada, bob)

    assert emails(strict, bob) == ["Shared@example.com"]


def test_three_who_share_an_address_get_it_one_after_the_other(strict: World) -> None:
    ada, bob, eve = people(strict, *["shared@example.com"] * 3)
    strict.update_user(ada, email="ada@example.com")
    strict.sync(ada)
    settle(strict, ada, bob, eve)
    first, last = (bob, eve) if strict.contact(bob)["email"] else (eve, bob)
    assert emails(strict, first, last) == ["shared@example.com", None]

    strict.delete_user(first)
    strict.sync(first)
    settle(strict, ada, bob, eve)

    assert emails(strict, last) == ["shared@example.com"]


def test_who_waits_for_an_address_costs_no_call_until_it_is_free(strict: World) -> None:
    ada, bob = people(strict, "shared@example.com", "shared@example.com")
    strict.update_user(bob, name="Robert")

    assert strict.sync(bob).calls == [f"PUT /contacts/{strict.contact(bob)['id']}"]

    strict.update_user(ada, name="Ada L.")
    strict.sync(ada)
    assert strict.sync_due().calls == []


def test_who_waits_for_a_strangers_address_is_not_tried_again(strict: World) -> None:
    """We would not hear of it if the stranger gave it up; `retry` asks again."""
    strict.intercom.by_hand.create_contact(
        role="user", external_id="elsewhere-1", email="shared@example.com"
    )
    [bob] = people(strict, "shared@example.com")
    strict.update_user(bob, name="Robert")

    assert len(strict.sync(bob).calls) == 1
    sweep(strict.services)
    assert strict.sync_due().calls == []


def test_an_address_that_was_freed_by_a_run_that_died_arrives_with_the_sweep(
    strict: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = people(strict, "shared@example.com", "shared@example.com")
    strict.update_user(ada, email="ada@example.com")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("intercom_assets.sync.passes.users.chunk.wake_waiting", killed)
        with pytest.raises(KeyboardInterrupt):
            strict.sync(ada)
    assert strict.sync_due().calls == []

    sweep(strict.services)
    settle(strict, ada, bob)

    assert emails(strict, ada, bob) == ["ada@example.com", "shared@example.com"]


def test_an_address_that_is_freed_between_a_refusal_and_its_record_arrives(
    strict: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    [ada] = people(strict, "shared@example.com")
    bob = strict.given_user(email="shared@example.com", name="Bob", created_at=OLD)
    store = type(strict.services.store.records)
    record = store.record_users

    def meanwhile(*arguments: Any) -> Any:
        monkeypatch.undo()
        strict.update_user(ada, email="ada@example.com")
        strict.sync(ada)
        return record(*arguments)

    monkeypatch.setattr(store, "record_users", meanwhile)
    strict.sync(bob)
    settle(strict, ada, bob)

    assert emails(strict, ada, bob) == ["ada@example.com", "shared@example.com"]


def test_an_address_is_free_once_the_contact_that_held_it_is_another_one(strict: World) -> None:
    """Its user gets a new contact, and has another address in the app by then."""
    ada, bob = people(strict, "shared@example.com", "shared@example.com")
    strict.intercom.by_hand.edit_contact(
        strict.contact(ada)["id"], external_id="elsewhere", email="else@example.com"
    )
    strict.update_user(ada, email="ada@example.com")
    strict.services.store.queue.enqueue(QueueKind.USER, [str(ada)], needs_read=True)

    strict.sync_due()
    settle(strict, ada, bob)

    assert emails(strict, ada, bob) == ["ada@example.com", "shared@example.com"]


def test_who_was_archived_gives_an_address_up_to_whoever_waits_for_it(worlds: Worlds) -> None:
    world = worlds(on_delete="archive")
    world.intercom.set(equal_email="always")
    ada, bob = people(world, "shared@example.com", "shared@example.com")
    world.update_user(ada, deleted_at=OLD)

    world.sync(ada)
    settle(world, ada, bob)

    assert emails(world, bob) == ["shared@example.com"]
    assert [c["external_id"] for c in world.intercom.contacts()] == [str(bob)]
