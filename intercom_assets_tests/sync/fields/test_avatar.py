"""A person's picture: its address, from the app to Intercom, and back where the app has a place."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from intercom_assets.domain.models import Reason
from intercom_assets.domain.vocabulary import Action
from intercom_assets.sync.engine.plan import plan_users
from intercom_assets.sync.operator.undo.engine import undo
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import Sql, SyncWorld

COLUMN = "    updated_at,                                 -- read, never sent\n"
PICTURE = Sql(users={COLUMN: f"{COLUMN}    avatar_url,\n"})
STORED: dict[str, Any] = {"table": "users", "key": "id", "columns": {"avatar_url": "avatar_url"}}
OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)
ADA, GRACE = "https://cdn.example.com/ada.png", "https://cdn.example.com/grace.png"


@pytest.fixture(autouse=True)
def _a_column_for_it(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("alter table users add column avatar_url text")


@pytest.fixture
def world(worlds: Worlds) -> SyncWorld:
    return worlds(PICTURE)


def test_it_goes_with_the_one_call_of_a_new_user_and_of_a_changed_one(world: SyncWorld) -> None:
    world.sync(world.given_user(email="first@example.com"))  # which makes the attributes
    ada = world.given_user(avatar_url=ADA, created_at=OLD)

    assert world.sync(ada).calls == ["POST /contacts"]
    assert world.contact(ada)["avatar"] == ADA
    world.update_user(ada, avatar_url=GRACE)
    assert [call.split()[0] for call in world.sync(ada).calls] == ["PUT"]
    assert world.contact(ada)["avatar"] == GRACE
    assert world.settles(ada)


def test_one_that_the_app_clears_is_cleared_in_intercom(world: SyncWorld) -> None:
    ada = world.given_user(avatar_url=ADA)
    world.sync(ada)
    world.update_user(ada, avatar_url=None)

    world.sync(ada)

    assert world.contact(ada)["avatar"] is None
    assert world.settles(ada)


def test_one_that_intercom_has_by_itself_stays_where_the_app_has_none(world: SyncWorld) -> None:
    ada = world.given_user(avatar_url=None)
    world.intercom.by_hand.create_contact(role="user", external_id=str(ada), avatar=GRACE)

    world.look(ada)

    assert world.contact(ada)["avatar"] == GRACE
    assert world.settles(ada)


def test_it_reaches_the_app_where_a_column_is_named_for_it(worlds: Worlds) -> None:
    world = worlds(PICTURE, write_back=STORED)
    ada = world.given_user(avatar_url=None)
    world.sync(ada)
    world.intercom.by_hand.edit_contact(str(ada), avatar=GRACE)

    world.look(ada)

    assert world.app_user(ada)["avatar_url"] == GRACE
    assert world.actions(ada)[-1] == Action.PULLED
    assert world.settles(ada)


def test_an_edit_in_intercom_loses_to_the_app_and_is_journaled(world: SyncWorld) -> None:
    ada = world.given_user(avatar_url=ADA)
    world.sync(ada)
    world.intercom.by_hand.edit_contact(str(ada), avatar=GRACE)

    world.look(ada)

    assert world.contact(ada)["avatar"] == ADA
    entry = world.journal(ada)[-1].entry
    assert (entry.action, entry.field, entry.new) == (Action.OVERRULED, "avatar_url", ADA)


@pytest.mark.parametrize(
    "address",
    [
        "/uploads/ada.png",
        "data:image/png;base64,AAAA",
        "https://",
        "https://a b/c",
        "https:///x",
        f"https://cdn.example.com/{'a' * 2_048}",
    ],
)
def test_what_is_no_address_is_left_out_and_nothing_else(world: SyncWorld, address: str) -> None:
    ada = world.given_user(name="Ada", avatar_url=address)

    world.sync(ada)

    assert (world.contact(ada)["name"], world.contact(ada)["avatar"]) == ("Ada", None)
    left_out = world.link(ada).left_out["avatar_url"]
    assert left_out.reason is Reason.UNFIT
    assert left_out.why.startswith("avatar_url is not the address of a picture; allowed: http or")
    assert address not in left_out.why
    assert world.settles(ada)


def test_a_plan_shows_it_and_an_undo_takes_it_back(world: SyncWorld) -> None:
    ada = world.given_user(avatar_url=ADA)
    world.sync(ada)
    world.update_user(ada, avatar_url=GRACE)

    [planned] = plan_users(world.services, [str(ada)])
    [change] = planned.changes
    assert (change.field, change.old, change.new, planned.calls) == ("avatar_url", ADA, GRACE, 1)
    world.sync(ada)
    run = world.journal(ada)[-1].run_id
    assert list(undo(world.services, f"undo-{run}", run))
    assert world.contact(ada)["avatar"] == ADA
    assert world.sync(ada).calls == []
