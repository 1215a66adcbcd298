"""Whose opt-out it is where a contact becomes another user's, or a user gets another contact."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import Sql, SyncWorld

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)
COLUMN = "    updated_at,                                 -- read, never sent\n"
OUT = Sql(users={COLUMN: f"{COLUMN}    opted_out as unsubscribed_from_emails,\n"})
NOT_STORED: dict[str, Any] = {"table": "users", "key": "id", "columns": {"name": "name"}}
STORED = NOT_STORED | {"columns": {"name": "name", "unsubscribed_from_emails": "opted_out"}}
UNSUBSCRIBED = "unsubscribed_from_emails"


@pytest.fixture(autouse=True)
def _a_column_for_it(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("alter table users add column opted_out boolean")


@pytest.fixture(params=[STORED, NOT_STORED], ids=["stored", "not stored"])
def world(worlds: Worlds, request: pytest.FixtureRequest) -> SyncWorld:
    return worlds(OUT, write_back=request.param)


def people(world: SyncWorld, *flags: bool | None) -> list[int]:
    users = [
        world.given_user(email=f"p{n}@example.com", opted_out=flag, created_at=OLD)
        for n, flag in enumerate(flags)
    ]
    world.sync(*users)
    return users


def swap_ids(world: SyncWorld, one: int, other: int) -> None:
    first, second = world.contact(one)["id"], world.contact(other)["id"]
    by_hand = world.intercom.by_hand
    by_hand.edit_contact(first, external_id="for a moment")
    by_hand.edit_contact(second, external_id=str(one))
    by_hand.edit_contact(first, external_id=str(other))


def is_out(world: SyncWorld, user: int) -> tuple[bool, bool]:
    app, intercom = world.app_user(user)["opted_out"], world.contact(user)[UNSUBSCRIBED]
    return app is True, intercom is True


def opts_out_in_intercom(world: SyncWorld, user: int) -> None:
    world.intercom.by_hand.edit_contact(str(user), unsubscribed_from_emails=True)


def settle(world: SyncWorld, *users: int) -> None:
    world.look(*users)
    world.run_all_due()
    assert world.settles(*users)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("bobs", [None, False])
def test_an_opt_out_of_the_apps_stays_with_its_user_when_ids_are_switched_by_hand(
    world: SyncWorld, bobs: bool | None, backwards: bool
) -> None:
    ada, bob = people(world, True, bobs)
    swap_ids(world, ada, bob)

    for user in (bob, ada) if backwards else (ada, bob):
        world.look(user)
    settle(world, ada, bob)

    assert is_out(world, ada) == (True, True)
    assert is_out(world, bob) == (False, False)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("read", [True, False])
def test_an_opt_out_of_intercoms_stays_with_its_user_when_ids_are_switched_by_hand(
    world: SyncWorld, read: bool, backwards: bool
) -> None:
    """Mails go to the address that the contact had: of whoever it was until then."""
    ada, bob = people(world, False, False)
    opts_out_in_intercom(world, ada)
    if read:
        world.look(ada)
    swap_ids(world, ada, bob)

    for user in (bob, ada) if backwards else (ada, bob):
        world.look(user)
    settle(world, ada, bob)

    assert is_out(world, ada)[1]
    assert is_out(world, bob) == (False, False)


@pytest.mark.parametrize("backwards", [False, True])
def test_who_opted_out_in_intercom_is_so_on_the_contact_that_was_anothers(
    world: SyncWorld, backwards: bool
) -> None:
    ada, bob = people(world, True, False)
    opts_out_in_intercom(world, bob)
    world.look(bob)
    swap_ids(world, ada, bob)

    for user in (bob, ada) if backwards else (ada, bob):
        world.look(user)
    settle(world, ada, bob)

    assert is_out(world, ada) == (True, True)
    assert is_out(world, bob)[1]


def test_a_contact_that_somebody_else_made_anew_is_opted_out_as_the_one_before(
    world: SyncWorld,
) -> None:
    [ada] = people(world, False)
    opts_out_in_intercom(world, ada)
    world.look(ada)
    old = world.contact(ada)["id"]
    world.intercom.by_hand.edit_contact(old, external_id=None, email=None)
    world.intercom.by_hand.delete_contact(old)
    world.intercom.by_hand.create_contact(role="user", external_id=str(ada))

    settle(world, ada)

    assert is_out(world, ada)[1]
    world.intercom.by_hand.edit_contact(str(ada), unsubscribed_from_emails=False)
    world.look(ada)
    assert is_out(world, ada) == (False, False)


@pytest.mark.parametrize("who", ["app", "intercom"])
def test_another_person_who_got_the_id_is_not_opted_out_for_the_one_before(
    world: SyncWorld, who: str
) -> None:
    [ada] = people(world, who == "app")
    if who == "intercom":
        opts_out_in_intercom(world, ada)
        world.look(ada)
    world.update_user(
        ada, email="eve@example.com", created_at=datetime.now(UTC), opted_out=None, name="Eve"
    )

    settle(world, ada)

    assert is_out(world, ada) == (False, False)


@pytest.mark.parametrize("dies", ["just_before", "just_after"])
def test_a_run_that_dies_over_the_contact_that_was_made_anew_costs_nobodys_word(
    world: SyncWorld, dies: str
) -> None:
    [ada] = people(world, False)
    opts_out_in_intercom(world, ada)
    world.look(ada)
    old = world.contact(ada)["id"]
    world.intercom.by_hand.edit_contact(old, external_id=None, email=None)
    world.intercom.by_hand.delete_contact(old)
    world.intercom.by_hand.create_contact(role="user", external_id=str(ada))

    def killed() -> None:
        raise KeyboardInterrupt

    getattr(world, dies)("PUT /contacts/*", killed)
    with pytest.raises(KeyboardInterrupt):
        world.look(ada)
    world.sync(ada, by_hand=True)
    settle(world, ada)

    assert is_out(world, ada)[1]
    world.intercom.by_hand.edit_contact(str(ada), unsubscribed_from_emails=False)
    world.look(ada)
    assert is_out(world, ada) == (False, False)
