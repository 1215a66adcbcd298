"""Opt-outs on both sides, played through the app's database and Intercom.

Who wins is the domain's, where every history is tried; here is what the calls, the write-backs, an
undo, a contact that is gone and a column that means the opposite make of it.
"""

from itertools import product
from typing import Any

import psycopg
import pytest

from intercom_assets.domain.models import Side
from intercom_assets.domain.vocabulary import Action
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.operator.undo.engine import undo
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import Sql, SyncWorld

FLAGS = (None, True, False)
COLUMN = "    updated_at,                                 -- read, never sent\n"
OUT = Sql(users={COLUMN: f"{COLUMN}    opted_out as unsubscribed_from_emails,\n"})
STORED: dict[str, Any] = {
    "table": "users",
    "key": "id",
    "columns": {"name": "name", "unsubscribed_from_emails": "opted_out"},
}
NOT_STORED = {**STORED, "columns": {"name": "name"}}


@pytest.fixture(autouse=True)
def _a_column_for_it(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("alter table users add column opted_out boolean")
        connection.execute("alter table users add column wants_mail boolean default true")


@pytest.fixture
def world(worlds: Worlds) -> SyncWorld:
    return worlds(OUT, write_back=STORED)


def sides(world: SyncWorld, user: int) -> tuple[Any, Any]:
    return world.app_user(user)["opted_out"], world.contact(user)["unsubscribed_from_emails"]


def by_hand(world: SyncWorld, user: int, value: bool | None) -> None:
    world.intercom.by_hand.edit_contact(str(user), unsubscribed_from_emails=value)


def last(world: SyncWorld, user: int) -> tuple[str, str | None, Any, str]:
    entry = world.journal(user)[-1].entry
    return entry.action, entry.side, entry.new, entry.why


# --- what it costs, and which way it goes ---------------------------------------------------------


def test_an_opt_out_in_the_app_reaches_intercom_and_is_taken_back_there_only(
    world: SyncWorld,
) -> None:
    ada = world.given_user(opted_out=False)
    world.sync(ada)
    world.update_user(ada, opted_out=True)

    synced = world.sync(ada)

    assert [call.split()[0] for call in synced.calls] == ["GET", "PUT"]
    assert sides(world, ada) == (True, True)
    assert last(world, ada) == (Action.PUSHED, Side.INTERCOM, True, "opted out in the app")
    by_hand(world, ada, False)
    world.look(ada)
    assert sides(world, ada) == (True, True)
    why = "opted out in the app, where alone it is taken back"
    assert last(world, ada) == (Action.OVERRULED, Side.INTERCOM, True, why)
    world.update_user(ada, opted_out=False)
    world.sync(ada)
    assert sides(world, ada) == (False, False)
    why = "the app took its opt-out back"
    assert last(world, ada) == (Action.PUSHED, Side.INTERCOM, False, why)
    assert world.settles(ada)


def test_an_opt_out_in_intercom_reaches_the_app_and_is_taken_back_there_only(
    world: SyncWorld,
) -> None:
    ada = world.given_user(opted_out=False)
    world.sync(ada)
    by_hand(world, ada, True)

    synced = world.look(ada)

    assert synced.writes == []
    assert sides(world, ada) == (True, True)
    assert last(world, ada) == (Action.PULLED, Side.APP, True, "opted out in Intercom")
    world.update_user(ada, opted_out=False)
    world.sync(ada)
    assert sides(world, ada) == (True, True)
    by_hand(world, ada, False)
    world.look(ada)
    assert sides(world, ada) == (False, False)
    assert last(world, ada) == (Action.PULLED, Side.APP, False, "Intercom took its opt-out back")
    assert world.settles(ada)


@pytest.mark.parametrize("write_back", [STORED, NOT_STORED], ids=["stored", "not stored"])
def test_a_first_sync_onto_a_full_workspace_subscribes_nobody(
    worlds: Worlds, write_back: dict[str, Any]
) -> None:
    world = worlds(OUT, write_back=write_back)
    cases = list(product(FLAGS, FLAGS))
    users = [world.given_user(opted_out=app) for app, _ in cases]
    for user, (_, intercom) in zip(users, cases, strict=True):
        flag = {} if intercom is None else {"unsubscribed_from_emails": intercom}
        world.intercom.by_hand.create_contact(role="user", external_id=str(user), **flag)

    world.look(*users)

    for user, (app, intercom) in zip(users, cases, strict=True):
        now_app, now_intercom = sides(world, user)
        stored = write_back is STORED and intercom is True and app is not True
        assert now_app is (True if stored else app)
        assert now_intercom is (app is True or intercom is True)
    assert world.settles(*users)


def test_a_new_user_who_opted_out_is_one_call(world: SyncWorld) -> None:
    ada, bob = world.given_user(opted_out=True), world.given_user(opted_out=None)

    synced = world.sync(ada, bob)

    assert [call for call in synced.calls if "contacts" in call] == 2 * ["POST /contacts"]
    assert (sides(world, ada), sides(world, bob)) == ((True, True), (None, False))
    assert world.settles(ada, bob)


def test_without_a_write_back_column_intercoms_opt_out_is_kept_and_the_apps_is_its_own(
    worlds: Worlds,
) -> None:
    world = worlds(OUT, write_back=NOT_STORED)
    ada = world.given_user(opted_out=False)
    world.sync(ada)
    by_hand(world, ada, True)
    world.look(ada)
    assert sides(world, ada) == (False, True)
    world.update_user(ada, opted_out=True)
    world.sync(ada)

    by_hand(world, ada, False)
    world.look(ada)

    assert sides(world, ada) == (True, True)
    assert world.settles(ada)


def test_however_often_it_is_taken_back_by_hand_an_opt_out_is_never_given_up(
    world: SyncWorld,
) -> None:
    ada = world.given_user(opted_out=True)
    world.sync(ada)
    for _ in range(6):
        by_hand(world, ada, False)
        world.look(ada)

        assert sides(world, ada) == (True, True)
    assert world.link(ada).left_out == {}


# --- what we remember -----------------------------------------------------------------------------


def test_a_column_that_is_selected_later_is_compared_with_what_intercom_really_has(
    worlds: Worlds,
) -> None:
    """What is remembered of the contact is from before, and says nothing of it."""
    world = worlds(write_back=STORED | {"columns": {"name": "name"}})
    ada = world.given_user(opted_out=False)
    world.sync(ada)
    by_hand(world, ada, True)
    world.run(
        "update intercom_sync.user_link set shadow = shadow - 'unsubscribed_from_emails'::text"
    )

    world.remap(OUT, write_back=STORED)
    world.sync(ada)

    assert sides(world, ada) == (True, True)
    assert world.settles(ada)


def test_an_opt_out_outlives_its_contact(worlds: Worlds) -> None:
    """Deleted by hand, and made anew by us: the person has not changed their mind."""
    world = worlds(OUT, write_back=NOT_STORED)
    ada = world.given_user(opted_out=False)
    world.sync(ada)
    by_hand(world, ada, True)
    world.look(ada)
    contact = world.contact(ada)["id"]
    world.intercom.by_hand.edit_contact(contact, external_id=None, email=None)
    world.intercom.by_hand.delete_contact(contact)

    world.look(ada)

    assert sides(world, ada) == (False, True)


def test_a_write_back_that_a_crash_left_unrecorded_is_still_a_copy(world: SyncWorld) -> None:
    """Or nobody could take it back in Intercom, where it was made."""
    ada = world.given_user(opted_out=False)
    world.sync(ada)
    by_hand(world, ada, True)
    records = world.services.store.records
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(records), "record_users", _dies)
        with pytest.raises(KeyboardInterrupt):
            world.look(ada)
    assert sides(world, ada) == (True, True)

    world.sync(ada)
    by_hand(world, ada, False)
    world.look(ada)

    assert sides(world, ada) == (False, False)


def _dies(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


# --- the operator ---------------------------------------------------------------------------------


def test_an_undo_takes_back_what_was_opted_in_and_never_an_opt_out(world: SyncWorld) -> None:
    ada, bob = world.given_user(opted_out=False), world.given_user(opted_out=True)
    world.sync(ada, bob)
    world.update_user(ada, opted_out=True)
    world.update_user(bob, opted_out=False)
    world.sync(ada, bob)
    run = world.journal(ada)[-1].run_id
    assert run is not None

    list(undo(world.services, "the-undo", run))

    assert (sides(world, ada), sides(world, bob)) == ((True, True), (False, True))
    assert world.settles(ada, bob)


def test_a_column_that_means_the_opposite_is_not_written(worlds: Worlds) -> None:
    """It would take the value without complaint, and opt somebody in who opted out."""
    world = worlds(
        Sql(users={COLUMN: f"{COLUMN}    not wants_mail as unsubscribed_from_emails,\n"}),
        write_back=STORED | {"columns": {"unsubscribed_from_emails": "wants_mail"}},
    )
    ada = world.given_user(wants_mail=True)
    world.sync(ada)
    by_hand(world, ada, True)

    outcome = world.look(ada)[ada]

    assert world.app_user(ada)["wants_mail"] is True
    assert world.contact(ada)["unsubscribed_from_emails"] is True
    assert outcome.status is not Status.PARKED
    action, _, _, why = last(world, ada)
    assert action == Action.REFUSED_BY_APP
    assert why == "the query then reads the opposite of what was stored, so nothing was stored"
    assert world.settles(ada)


def test_one_opposite_row_costs_only_itself(world: SyncWorld) -> None:
    """A trigger of the app that keeps somebody subscribed."""
    world.run(
        "create function keep() returns trigger language plpgsql as "
        "$$ begin new.opted_out := false; return new; end $$"
    )
    world.run(
        "create trigger keep before update on users for each row "
        "when (new.email = 'kept@example.com') execute function keep()"
    )
    ada = world.given_user(opted_out=False, email="kept@example.com")
    bob = world.given_user(opted_out=False)
    world.sync(ada, bob)
    for user in (ada, bob):
        by_hand(world, user, True)

    world.look(ada, bob)

    assert (sides(world, ada), sides(world, bob)) == ((False, True), (True, True))
    assert world.settles(ada, bob)
