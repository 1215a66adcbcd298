"""A lead who opted out and becomes part of a user: whoever it is, they are not mailed."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from intercom_assets.domain.models import Side
from intercom_assets.domain.vocabulary import Action
from intercom_assets.sync.engine.plan import count, plan_users
from intercom_assets.sync.operator.preview import previewing
from intercom_assets.sync.operator.undo.engine import undo
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import Sql, SyncWorld

NOW = datetime.now(UTC).replace(microsecond=0)
MERGE = "POST /contacts/merge"
COLUMN = "    updated_at,                                 -- read, never sent\n"
OUT = Sql(users={COLUMN: f"{COLUMN}    opted_out as unsubscribed_from_emails,\n"})
STORED: dict[str, Any] = {
    "table": "users",
    "key": "id",
    "columns": {"name": "name", "unsubscribed_from_emails": "opted_out"},
}


@pytest.fixture(autouse=True)
def _a_column_for_it(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("alter table users add column opted_out boolean")


@pytest.fixture
def world(worlds: Worlds) -> SyncWorld:
    return worlds(OUT, write_back=STORED)


def a_lead(world: SyncWorld, **fields: Any) -> str:
    lead = {"role": "lead", "email": "ada@example.com", "unsubscribed_from_emails": True}
    [found] = world.intercom.seed([lead | fields])
    return found


def a_user(world: SyncWorld, **columns: Any) -> int:
    return world.given_user(email="ada@example.com", created_at=NOW, **columns)


def sides(world: SyncWorld, user: int) -> tuple[Any, Any]:
    return world.app_user(user)["opted_out"], world.contact(user)["unsubscribed_from_emails"]


@pytest.mark.parametrize("app", [None, False, True])
def test_their_opt_out_stays_intercoms_word_and_is_taken_back_there_only(
    world: SyncWorld, app: bool | None
) -> None:
    lead = a_lead(world)
    ada = a_user(world, opted_out=app)

    world.sync(ada)

    assert sides(world, ada) == (True, True)
    assert [c["role"] for c in world.intercom.contacts()] == ["user"]
    if app is not True:
        [entry] = [
            row.entry for row in world.journal(ada) if lead in row.entry.why and row.entry.field
        ]
        assert (entry.action, entry.side, entry.new) == (Action.PUSHED, Side.INTERCOM, True)
    world.update_user(ada, opted_out=False)
    world.sync(ada)
    assert sides(world, ada) == (True, True)
    world.intercom.by_hand.edit_contact(str(ada), unsubscribed_from_emails=False)
    world.look(ada)
    assert sides(world, ada) == (False, False)
    assert world.settles_but_for_leads(ada)


def test_a_lead_of_somebody_known_brings_its_opt_out_before_it_is_merged(world: SyncWorld) -> None:
    ada = a_user(world, opted_out=False)
    world.sync(ada)
    a_lead(world)

    calls = world.look(ada).calls

    assert sides(world, ada) == (True, True)
    assert calls[-2:] == [f"PUT /contacts/{world.contact(ada)['id']}", MERGE]
    assert world.settles_but_for_leads(ada)


def test_who_did_not_opt_out_costs_no_call_more(world: SyncWorld) -> None:
    a_lead(world, unsubscribed_from_emails=False)
    ada = a_user(world, opted_out=False)

    calls = world.sync(ada).calls

    assert [c for c in calls if c.startswith("PUT")] == []
    assert sides(world, ada) == (False, False)


def test_it_is_kept_where_the_app_has_no_column_for_it(worlds: Worlds) -> None:
    world = worlds()
    a_lead(world)
    ada = a_user(world)

    world.sync(ada)

    assert world.contact(ada)["unsubscribed_from_emails"] is True
    assert world.settles_but_for_leads(ada)


def test_a_run_that_dies_before_the_merge_has_cost_nobodys_word(world: SyncWorld) -> None:
    a_lead(world)
    ada = a_user(world, opted_out=False)

    def killed() -> None:
        raise KeyboardInterrupt

    world.just_before(MERGE, killed)
    with pytest.raises(KeyboardInterrupt):
        world.sync(ada)
    world.sync(ada, by_hand=True)
    world.run_all_due()

    assert sides(world, ada) == (True, True)
    assert [c["role"] for c in world.intercom.contacts()] == ["user"]


def test_an_undo_does_not_take_it_back(world: SyncWorld) -> None:
    ada = a_user(world, opted_out=False)
    world.sync(ada)
    a_lead(world)
    world.look(ada)
    run = world.journal(ada)[-1].run_id

    assert list(undo(world.services, run, "undo-run")) == []

    assert sides(world, ada) == (True, True)


def test_a_lead_that_cannot_be_merged_leaves_the_user_opted_out_and_is_let_be(
    world: SyncWorld,
) -> None:
    lead = a_lead(world)
    world.intercom.by_hand.mark_external(lead)
    ada = a_user(world, opted_out=False)

    world.sync(ada)

    assert sides(world, ada) == (True, True)
    assert Action.MERGE_REFUSED in world.actions(ada)
    world.look(ada)  # its row is another one, since the opt-out was written to it
    assert world.settles_but_for_leads(ada)


def test_a_flag_of_the_apps_with_that_policy_is_kept_too(worlds: Worlds) -> None:
    sql = Sql(users={COLUMN: f"{COLUMN}    opted_out as no_calls,\n"})
    world = worlds(
        sql, fields={"no_calls": "opt_out"}, write_back=STORED | {"columns": {"name": "name"}}
    )
    bob = world.given_user(email="bob@example.com", created_at=NOW, opted_out=False)
    world.sync(bob)
    a_lead(world, unsubscribed_from_emails=False, custom_attributes={"no_calls": True})
    ada = a_user(world, opted_out=False)

    world.sync(ada)

    assert world.contact(ada)["custom_attributes"]["no_calls"] is True
    assert world.settles_but_for_leads(ada)


@pytest.mark.parametrize(("app", "calls"), [(False, 4), (True, 3)])
def test_a_plan_counts_the_call_that_it_takes(world: SyncWorld, app: bool, calls: int) -> None:
    a_lead(world)
    ada = a_user(world, opted_out=app)
    world.sync(world.given_user())  # attributes are made once, by anybody

    with previewing(world.services, [str(ada)], ask=True) as seen:
        planned = list(plan_users(seen.services, [str(ada)], find_leads=seen.find_leads))

    assert count(planned).calls == calls == len(world.sync(ada).calls)
