"""Whether an e-mail is verified: Intercom takes it with an e-mail only, and never tells it."""

import json
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from intercom_assets.domain.vocabulary import Action
from intercom_assets.mapping.problems import MappingError
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.engine.plan import plan_users
from intercom_assets.sync.operator.undo.engine import undo
from intercom_assets.sync.operator.undo.steps import StepState
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import Sql, SyncWorld

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)
COLUMN = "    updated_at,                                 -- read, never sent\n"
VERIFIED = Sql(users={COLUMN: f"{COLUMN}    email_verified,\n"})


@pytest.fixture(autouse=True)
def _a_column_for_it(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("alter table users add column email_verified boolean")


@pytest.fixture
def world(worlds: Worlds) -> SyncWorld:
    return worlds(VERIFIED)


def held(world: SyncWorld, user: int) -> bool | None:
    """What the stand-in keeps, which no answer has."""
    verified = world.intercom.world.contacts[world.contact(user)["id"]].email_verified
    assert "email_verified" not in world.contact(user)
    return verified


def bodies(world: SyncWorld) -> list[dict[str, Any]]:
    """Of writes, from here on."""
    sent: list[dict[str, Any]] = []

    def stores(body: bytes) -> bytes:
        if body:
            sent.append(json.loads(body))
        return body

    world.wire.stores = stores
    return sent


@pytest.mark.parametrize("verified", [True, False, None])
def test_it_goes_with_the_one_call_of_a_new_user(world: SyncWorld, verified: bool | None) -> None:
    world.sync(world.given_user(email="first@example.com"))
    ada = world.given_user(email="ada@example.com", email_verified=verified, created_at=OLD)

    assert world.sync(ada).calls == ["POST /contacts"]
    assert held(world, ada) is verified
    assert world.settles(ada)


def test_a_change_of_it_takes_the_e_mail_along_in_one_call(world: SyncWorld) -> None:
    ada = world.given_user(email="ada@example.com", email_verified=False, created_at=OLD)
    world.sync(ada)
    world.update_user(ada, email_verified=True)
    sent = bodies(world)

    assert [call.split()[0] for call in world.sync(ada).calls] == ["PUT"]
    assert sent == [{"email": "ada@example.com", "email_verified": True}]
    assert held(world, ada) is True
    entry = world.journal(ada)[-1].entry
    assert (entry.action, entry.field, entry.old, entry.new) == (
        Action.PUSHED,
        "email_verified",
        False,
        True,
    )
    world.update_user(ada, email_verified=None)
    world.sync(ada)
    assert held(world, ada) is None
    assert world.settles(ada)


def test_a_new_e_mail_brings_it_along(world: SyncWorld) -> None:
    ada = world.given_user(email="ada@example.com", email_verified=True, created_at=OLD)
    world.sync(ada)
    world.update_user(ada, email="new@example.com")
    sent = bodies(world)

    world.sync(ada)

    assert sent == [{"email": "new@example.com", "email_verified": True}]
    assert world.settles(ada)


def test_another_change_leaves_it_where_it_is(world: SyncWorld) -> None:
    ada = world.given_user(email="ada@example.com", email_verified=True, created_at=OLD)
    world.sync(ada)
    world.update_user(ada, name="Somebody Else")
    sent = bodies(world)

    world.sync(ada)

    assert sent == [{"name": "Somebody Else"}]


def test_what_is_remembered_of_it_is_no_column_that_was_left_in_intercom(
    world: SyncWorld,
) -> None:
    ada = world.given_user(email="ada@example.com", email_verified=True, created_at=OLD)
    world.sync(ada)

    [planned] = plan_users(world.services, [str(ada)])

    assert (planned.left, planned.calls) == ((), 0)


def test_without_an_e_mail_it_waits_for_one(world: SyncWorld) -> None:
    ada = world.given_user(email=None, name="Ada", email_verified=True, created_at=OLD)

    assert world.sync(ada)[ada].status is Status.CHANGED
    assert held(world, ada) is None
    assert world.settles(ada)
    world.update_user(ada, email="ada@example.com")
    world.sync(ada)
    assert held(world, ada) is True


def test_it_stays_away_where_the_address_is_anothers(world: SyncWorld) -> None:
    world.intercom.set(equal_email="always")
    bob = world.given_user(email="shared@example.com", email_verified=True, created_at=OLD)
    world.sync(bob)
    ada = world.given_user(
        email="shared@example.com", name="Ada", email_verified=True, created_at=OLD
    )

    synced = world.sync(ada)

    assert synced[ada].left_out == ("email",)
    assert (world.contact(ada)["name"], held(world, ada)) == ("Ada", None)
    assert world.sync(ada).calls == []


def test_what_a_lost_answer_hides_is_sent_again_and_settles(world: SyncWorld) -> None:
    ada = world.given_user(email="ada@example.com", email_verified=False, created_at=OLD)
    world.sync(ada)
    world.update_user(ada, email_verified=True)
    lost = {"kind": "lost_reply", "endpoint": "PUT /contacts/*", "count": 9}
    world.intercom.set(faults=[lost])
    world.sync(ada)
    world.intercom.reset("faults")

    world.run_all_due()

    assert held(world, ada) is True
    assert world.settles(ada)


def test_one_that_an_old_api_refuses_is_left_out_and_the_e_mail_is_not(world: SyncWorld) -> None:
    world.wire.refuses = lambda _request, body: b"email_verified" in body
    ada = world.given_user(email="ada@example.com", email_verified=True, created_at=OLD)

    synced = world.sync(ada)

    assert synced[ada].left_out == ("email_verified",)
    assert world.contact(ada)["email"] == "ada@example.com"
    assert world.sync(ada).calls == []


def test_a_plan_shows_it_and_an_undo_says_that_it_cannot_know(world: SyncWorld) -> None:
    ada = world.given_user(email="ada@example.com", email_verified=False, created_at=OLD)
    world.sync(ada)
    world.update_user(ada, email_verified=True)

    [planned] = plan_users(world.services, [str(ada)])
    [change] = planned.changes
    assert (change.field, change.old, change.new, planned.calls) == (
        "email_verified",
        False,
        True,
        1,
    )
    world.sync(ada)
    run = world.journal(ada)[-1].run_id
    [[step]] = list(undo(world.services, f"undo-{run}", run))
    assert (step.state, step.why) == (
        StepState.FINAL,
        "Intercom does not tell what it holds of it",
    )
    assert held(world, ada) is True


def test_it_has_one_policy_and_no_write_back(worlds: Worlds) -> None:
    with pytest.raises(MappingError, match="email_verified is fill, and Intercom never tells it"):
        worlds(VERIFIED, fields={"email_verified": "fill"}).sync()
    stored = {"table": "users", "key": "id", "columns": {"email_verified": "email_verified"}}
    with pytest.raises(MappingError, match="email_verified is of no use"):
        worlds(VERIFIED, write_back=stored).sync()
