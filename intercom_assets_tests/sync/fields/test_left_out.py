"""A field that Intercom refuses or cannot hold, or that somebody else writes: the rest goes on."""

from typing import Any

import pytest

from intercom_assets.domain.models import Reason
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.feeders.sweep import sweep_teams
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import Sql, SyncWorld

LONG = "x" * 300
SELECTED = "sessions_this_month as monthly_usage,"
BARE = [False, True]
"""Whether a refusal names the field that it is about."""


@pytest.fixture(params=BARE, ids=["named", "bare"])
def refusing(played: SyncWorld, request: pytest.FixtureRequest) -> SyncWorld:
    """A workspace that refuses texts of more than 255 characters, and e-mails that are none."""
    played.intercom.set(bare_refusals=request.param, email_format="address")
    return played


@pytest.mark.parametrize(
    "columns",
    [
        {"email": LONG},
        {"email": "no address"},
        {"name": LONG},
        {"phone_number": "0" * 300},
        {"name": LONG, "email": "no address"},
        {"name": LONG, "email": "no address", "phone_number": "0" * 300},
    ],
    ids=lambda columns: "+".join(columns),
)
@pytest.mark.parametrize("is_new", [True, False], ids=["new", "known"])
def test_refused_fields_are_left_out_and_all_others_are_sent(
    refusing: SyncWorld, columns: dict[str, str], is_new: bool
) -> None:
    ada = refusing.given_user(plan="free")
    if not is_new:
        refusing.sync(ada)
    refusing.update_user(ada, plan="business", **columns)

    synced = refusing.sync(ada)

    contact = refusing.contact(ada)
    assert set(synced[ada].left_out) == set(columns)
    assert synced[ada].status is Status.CHANGED
    assert contact["custom_attributes"]["subscription_plan"] == "business"
    assert contact["custom_attributes"]["deleted"] is False
    assert len([call for call in synced.writes if "contacts" in call]) <= 3 + 7 * len(columns)
    assert refusing.settles(ada)
    assert refusing.services.store.queue.parked() == []
    assert [row.entry.field for row in refusing.journal(ada) if row.entry.action == "left out"]


def test_a_field_that_was_left_out_is_sent_when_it_changes(refusing: SyncWorld) -> None:
    ada = refusing.given_user(email="no address", name="Ada")
    refusing.sync(ada)

    refusing.update_user(ada, name="Ada L.")
    assert len(refusing.sync(ada).calls) == 1
    refusing.update_user(ada, email="ada@example.com")
    synced = refusing.sync(ada)

    assert synced[ada].left_out == ()
    assert refusing.contact(ada)["email"] == "ada@example.com"
    assert refusing.link(ada).left_out == {}


def test_a_field_that_was_left_out_is_tried_again_on_retry(refusing: SyncWorld) -> None:
    ada = refusing.given_user(email="no address", name="Ada")
    refusing.sync(ada)
    refusing.intercom.set(email_format="any")
    assert refusing.sync(ada).calls == []

    assert refusing.services.store.queue.retry(QueueKind.USER, [str(ada)]) == [str(ada)]
    refusing.sync_due()

    assert refusing.contact(ada)["email"] == "no address"
    assert refusing.services.store.queue.retry(QueueKind.USER) == []


def test_who_is_named_by_hand_is_tried_with_everything(refusing: SyncWorld) -> None:
    ada = refusing.given_user(email="no address")
    refusing.sync(ada)
    refusing.intercom.set(email_format="any")

    synced = refusing.sync(ada, by_hand=True)

    assert synced[ada].left_out == ()
    assert refusing.contact(ada)["email"] == "no address"


def test_a_deletion_goes_through_beside_a_refused_field(refusing: SyncWorld) -> None:
    ada, team = refusing.given_user(name="Ada"), refusing.given_team()
    refusing.joins(ada, team)
    refusing.run_all_due()
    refusing.run("update users set name = %s, deleted_at = now() where id = %s", LONG, ada)

    refusing.run_all_due()

    assert refusing.contact(ada)["custom_attributes"]["deleted"] is True
    assert refusing.contact(ada)["name"] == "Ada"


def test_memberships_move_beside_a_refused_field(refusing: SyncWorld) -> None:
    ada, team = refusing.given_user(email="no address"), refusing.given_team()
    refusing.joins(ada, team)

    refusing.run_all_due()

    assert refusing.teams_of(ada) == {str(team)}
    assert refusing.link(ada).left_out.keys() == {"email"}


def test_a_write_that_is_refused_whatever_it_holds_leaves_nothing_out(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada")
    played.sync(ada)
    fault = {"kind": "error", "endpoint": "PUT /contacts/{id}", "status": 400, "count": None}
    played.intercom.set(faults=[fault])
    played.update_user(ada, name="Ada L.", plan="team", phone_number="+44 1")

    synced = played.sync(ada)

    assert synced[ada].status is Status.RETRY
    assert len(synced.writes) == 2
    assert played.link(ada).left_out == {}
    played.intercom.reset("faults")
    played.run_all_due()
    assert played.contact(ada)["name"] == "Ada L."


def test_one_of_many_attributes_is_found_in_few_calls(worlds: Worlds) -> None:
    columns = ", ".join(f"sessions_this_month + {n} as c{n}" for n in range(30))
    picked = "case when name = 'Ada' then 'gone' else 'here' end as mood"
    world = worlds(Sql(users={SELECTED: f"{SELECTED} {columns}, {picked},"}))
    ada = world.given_user(name="Bob")
    world.sync(ada)
    world.intercom.set(bare_refusals=True)
    world.intercom.by_hand.archive_attribute("mood")
    world.update_user(ada, name="Ada", sessions_this_month=7)

    synced = world.sync(ada)

    assert world.contact(ada)["custom_attributes"]["c29"] == 36
    assert synced[ada].left_out == ("mood",)
    assert len(synced.calls) <= 8


# --- what is known beforehand ---------------------------------------------------------------------


@pytest.mark.parametrize("spend", [2_147_484, 50_000_000, -2_147_484])
def test_a_spend_beyond_the_documented_limit_costs_no_call_and_no_member_waits(
    worlds: Worlds, spend: int
) -> None:
    played = worlds(Sql(teams={"round(monthly_spend)::integer": "(monthly_spend * 1000)::bigint"}))
    ada, team = played.given_user(), played.given_team(monthly_spend=spend, domain="t.example")
    played.joins(ada, team)

    synced = played.sync_teams(team)

    assert synced[team].left_out == ("monthly_spend",)
    assert synced.writes.count("POST /companies") == 1
    assert played.company(team)["name"] == "t.example"
    played.sync(ada)
    assert played.teams_of(ada) == {str(team)}
    played.update_team(team, monthly_spend=5)
    assert played.sync_teams(team)[team].left_out == ()
    assert played.company(team)["monthly_spend"] == 5_000


def test_what_nobody_could_ever_send_is_shown_once_in_the_journal(worlds: Worlds) -> None:
    world = worlds(Sql(users={SELECTED: f"{SELECTED} 'NaN'::float8 as pair,"}))
    ada = world.given_user(name="Ada")
    world.sync(ada)
    world.update_user(ada, name="Ada L.")
    world.sync(ada)

    answer = [row.entry for row in world.journal(ada) if row.entry.action == "left out"]
    assert [(each.field, each.new) for each in answer] == [("pair", None)]
    assert world.link(ada).left_out["pair"].reason is Reason.UNFIT
    assert world.contact(ada)["name"] == "Ada L."


# --- teams ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "known"])
@pytest.mark.parametrize("bare", BARE)
def test_a_refused_field_of_a_team_is_left_out_and_its_members_do_not_wait(
    worlds: Worlds, is_new: bool, bare: bool
) -> None:
    world = worlds(Sql(teams={"    plan,": "    plan, metadata ->> 'site' as website,"}))
    world.intercom.set(bare_refusals=bare)
    ada, team = world.given_user(), world.given_team(domain="one.example", plan="free")
    if not is_new:
        world.sync_teams(team)
    world.joins(ada, team)
    _site(world, team, LONG)
    world.update_team(team, plan="business")

    synced = world.sync_teams(team)
    world.sync(ada)

    assert synced[team].left_out == ("website",)
    assert world.company(team)["plan"]["name"] == "business"
    assert world.teams_of(ada) == {str(team)}
    assert world.sync_teams(team).calls == []
    _site(world, team, "https://one.example")
    assert world.sync_teams(team)[team].left_out == ()
    assert world.company(team)["website"] == "https://one.example"


def _site(world: SyncWorld, team: int, site: Any) -> None:
    whole = "metadata || jsonb_build_object('site', %s::text)"
    world.run(f"update teams set metadata = {whole} where id = %s", site, team)


def test_a_team_with_an_attribute_that_nobody_can_write_is_not_queued_night_by_night(
    worlds: Worlds,
) -> None:
    """The sweep hashed all columns, the pass those that can be written: they never agreed."""
    world = worlds(Sql(teams={"    plan,": "    plan, metadata ->> 'site' as site,"}))
    world.intercom.by_hand.create_attribute("site", model="company", data_type="integer")
    team = world.given_team(domain="one.example")
    _site(world, team, "https://one.example")
    world.sync_teams(team)
    world.update_team(team, plan="business")
    assert world.sync_teams(team)[team].left_out == ("site",)

    swept = sweep_teams(world.services)

    assert swept.queued == 0
