"""Rules 16 to 20 of the replaced job: which companies a user is in; and what their number does."""

import pytest

from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.engine.plan import plan_users
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import Sql, SyncWorld


def _a_user_in(world: SyncWorld, *domains: str) -> tuple[int, list[int]]:
    ada = world.given_user()
    teams = [world.given_team(domain=domain) for domain in domains]
    for team in teams:
        world.joins(ada, team)
    return ada, teams


def test_a_company_that_intercom_has_already_is_not_attached_twice(played: SyncWorld) -> None:
    """Rule 16: the union of both lists, without duplicates."""
    ada, [team] = _a_user_in(played, "one.example")
    played.sync_teams(team)
    played.intercom.by_hand.create_contact(
        role="user", external_id=str(ada), companies=[str(team), "by-hand"]
    )

    synced = played.sync(ada)

    assert [call for call in synced.writes if call.endswith("/companies")] == []
    assert played.teams_of(ada) == {str(team), "by-hand"}
    assert played.settles(ada)


def test_every_team_of_the_user_is_attached_and_kept(played: SyncWorld) -> None:
    """Rule 17."""
    ada, teams = _a_user_in(played, "one.example", "two.example")

    played.sync(ada)
    played.look(ada)

    assert played.teams_of(ada) == {str(team) for team in teams}
    assert played.settles(ada)


def test_a_team_that_the_user_left_is_detached(played: SyncWorld) -> None:
    """Rule 18."""
    ada, [one, two] = _a_user_in(played, "one.example", "two.example")
    played.sync(ada)
    played.leaves(ada, one)

    synced = played.sync(ada)

    assert len(synced.calls) == 1
    assert played.teams_of(ada) == {str(two)}
    assert played.settles(ada)


def test_a_user_of_no_teams_any_more_keeps_none_of_them(played: SyncWorld) -> None:
    """Rule 18: "no teams at all: all removed"."""
    ada, teams = _a_user_in(played, "one.example", "two.example")
    played.sync(ada)
    for team in teams:
        played.leaves(ada, team)

    played.sync(ada)

    assert played.teams_of(ada) == set()
    assert played.settles(ada)


def test_a_company_attached_by_hand_stays_unless_it_is_a_team_of_the_app(played: SyncWorld) -> None:
    """Rule 18 removed it, also (weakness 6) one that is nothing of the app's."""
    ada = played.given_user()
    team = played.given_team(domain="team.example")
    played.sync_teams(team)
    played.sync(ada)
    for company in ("by-hand", str(team)):
        played.intercom.by_hand.create_company(company)
        played.intercom.by_hand.attach_company(str(ada), company)

    played.look(ada)

    assert played.teams_of(ada) == {"by-hand"}
    assert played.settles(ada)


def test_memberships_mirror_removes_companies_attached_by_hand_as_the_job_did(
    worlds: Worlds,
) -> None:
    """Rule 18, literally, by choice."""
    world = worlds(memberships="mirror")
    ada, [team] = _a_user_in(world, "one.example")
    world.sync(ada)
    world.intercom.by_hand.create_company("by-hand")
    world.intercom.by_hand.attach_company(str(ada), "by-hand")

    world.look(ada)

    assert world.teams_of(ada) == {str(team)}
    assert world.settles(ada)


def test_integer_ids_of_the_app_are_the_strings_of_intercom(played: SyncWorld) -> None:
    """Rule 19 compared 12 with "12": add and remove in one request from the second sync on."""
    ada, [team] = _a_user_in(played, "one.example")

    played.sync(ada)
    again = played.look(ada)

    assert played.teams_of(ada) == {str(team)}
    assert again.writes == []


def test_a_team_unknown_to_intercom_comes_into_being_whole(played: SyncWorld) -> None:
    """Rule 20 made a bare company, an id without a name."""
    _, [team] = ada_in = _a_user_in(played, "one.example")
    played.update_team(team, monthly_spend=49)

    played.sync(ada_in[0])

    company = played.company(team)
    assert (company["name"], company["monthly_spend"]) == ("one.example", 49)
    assert company["custom_attributes"]["company_deleted"] is False
    assert played.sync_teams(team).calls == []


# --- many, and too many ---------------------------------------------------------------------------


def test_more_than_ten_companies_are_read_in_full_before_one_is_detached(played: SyncWorld) -> None:
    """The list inside a contact ends at ten, so what it does not show may still be there."""
    played.intercom.set(embedded_lists="ten")
    ada, teams = _a_user_in(played, *(f"t{n}.example" for n in range(12)))
    played.sync(ada)
    assert played.teams_of(ada) == {str(team) for team in teams}
    assert played.settles(ada)
    for team in (teams[0], teams[11]):
        played.leaves(ada, team)

    synced = played.look(ada)

    assert sum("/companies" in call and call.startswith("GET") for call in synced.calls) == 1
    assert played.teams_of(ada) == {str(team) for team in teams[1:11]}
    assert played.settles(ada)


def test_an_edge_beyond_the_ten_that_are_shown_that_was_removed_by_hand_is_made_again(
    played: SyncWorld,
) -> None:
    """A contact tells how many companies it has, so what it does not show is missed as well."""
    played.intercom.set(embedded_lists="ten")
    ada, teams = _a_user_in(played, *(f"t{n}.example" for n in range(12)))
    played.sync(ada)
    played.intercom.by_hand.detach_company(str(ada), str(teams[11]))

    played.look(ada)

    assert played.teams_of(ada) == {str(team) for team in teams}
    assert played.settles(ada)


@pytest.mark.parametrize("memberships", ["app", "mirror"])
def test_a_company_beyond_the_ten_that_are_shown_is_found_once_and_then_known(
    worlds: Worlds, memberships: str
) -> None:
    world = worlds(memberships=memberships)
    ada, teams = _a_user_in(world, *(f"t{n}.example" for n in range(12)))
    not_hers = world.given_team(domain="other.example")
    world.sync_teams(not_hers)
    world.sync(ada)
    world.intercom.by_hand.attach_company(str(ada), str(not_hers))

    world.look(ada)

    assert world.teams_of(ada) == {str(team) for team in teams}
    assert world.settles(ada)
    world.update_user(ada, name="Ada Lovelace")
    assert len(world.sync(ada).calls) == 1
    assert world.settles(ada)


def test_a_team_beyond_the_ten_that_are_shown_is_not_attached_again(played: SyncWorld) -> None:
    ada, _ = _a_user_in(played, *(f"t{n}.example" for n in range(12)))
    played.sync(ada)
    played.update_user(ada, name="Ada Lovelace")

    synced = played.sync(ada)

    assert len(synced.calls) == 1
    assert len(played.teams_of(ada)) == 12


def test_the_limit_of_1000_companies_parks_the_user_with_its_reason(played: SyncWorld) -> None:
    ada, [team] = _a_user_in(played, "one.example")
    many = [f"by-hand-{n}" for n in range(1000)]
    played.intercom.by_hand.create_contact(role="user", external_id=str(ada), companies=many)

    synced = played.sync(ada)

    assert synced[ada].status is Status.PARKED
    assert "maximum of 1000 company associations" in (synced[ada].problem or "")
    assert str(team) not in played.teams_of(ada)
    assert played.sync_due().calls == []


def test_a_user_at_the_limit_can_change_teams(played: SyncWorld) -> None:
    """The old edge goes before the new one comes."""
    ada, [old] = _a_user_in(played, "old.example")
    many = [f"by-hand-{n}" for n in range(999)]
    played.intercom.by_hand.create_contact(role="user", external_id=str(ada), companies=many)
    played.sync(ada)
    assert len(played.teams_of(ada)) == 1000
    new = played.given_team(domain="new.example")
    played.sync_teams(new)
    played.leaves(ada, old)
    played.joins(ada, new)

    synced = played.sync(ada)

    assert synced[ada].status is Status.CHANGED
    assert str(new) in played.teams_of(ada)
    assert str(old) not in played.teams_of(ada)


# --- companies and people that leave --------------------------------------------------------------


def test_a_company_deleted_in_intercom_is_made_again_and_all_its_members_come_back(
    played: SyncWorld,
) -> None:
    ada, [team] = _a_user_in(played, "one.example")
    played.run_all_due()
    played.intercom.by_hand.delete_company(str(team))
    bob = played.given_user(email="bob@example.com")
    played.joins(bob, team)

    first = played.sync(bob)
    played.run_all_due()

    assert first[bob].status is Status.RETRY
    assert "deleted in Intercom" in (first[bob].problem or "")
    assert played.teams_of(ada) == played.teams_of(bob) == {str(team)}
    assert played.company(team)["name"] == "one.example"
    assert played.settles(ada, bob)


def test_a_deleted_team_is_marked_and_nobody_stays_in_its_company(played: SyncWorld) -> None:
    ada, [team] = _a_user_in(played, "one.example")
    played.sync(ada)
    played.delete_team(team)

    played.sync(ada)
    played.sync_teams(team)

    assert played.teams_of(ada) == set()
    assert played.company(team)["custom_attributes"]["company_deleted"] is True
    assert played.settles(ada)


@pytest.mark.parametrize("how", ["row", "deleted_at"])
def test_a_plan_knows_that_a_team_gone_before_it_had_a_company_gets_none(
    played: SyncWorld, how: str
) -> None:
    ada, [gone, team] = _a_user_in(played, "gone.example", "one.example")
    if how == "row":
        played.delete_team(gone)
    else:
        marked = "case when domain = 'gone.example' then to_timestamp(0) end as deleted_at"
        played.remap(Sql(teams={"    owner_id,": f"    owner_id, {marked},"}))

    [foreseen] = plan_users(played.services, [str(ada)])
    played.sync(ada)
    [planned] = plan_users(played.services, [str(ada)])

    assert foreseen.attach == (str(team),)
    assert played.teams_of(ada) == {str(team)}
    assert planned.action == "none"


def test_a_deleted_user_leaves_all_companies(played: SyncWorld) -> None:
    """The row's memberships are gone with it; the app's set is the truth."""
    ada, _ = _a_user_in(played, "one.example", "two.example")
    played.sync(ada)
    played.delete_user(ada)

    played.sync(ada)

    assert played.teams_of(ada) == set()
    assert played.contact(ada)["custom_attributes"]["deleted"] is True
    assert played.settles(ada)


def test_an_edge_that_was_removed_by_hand_is_made_again_once_it_is_seen(played: SyncWorld) -> None:
    ada, [team] = _a_user_in(played, "one.example")
    played.sync(ada)
    played.intercom.by_hand.detach_company(str(ada), str(team))

    played.look(ada)

    assert played.teams_of(ada) == {str(team)}
    assert played.settles(ada)


@pytest.mark.parametrize("times", [1, 2])
def test_an_edge_that_was_detached_by_hand_first_is_no_error(played: SyncWorld, times: int) -> None:
    ada, teams = _a_user_in(played, *(f"t{n}.example" for n in range(times)))
    played.sync(ada)
    for team in teams:
        played.intercom.by_hand.detach_company(str(ada), str(team))
        played.leaves(ada, team)

    synced = played.sync(ada)

    assert synced[ada].status in (Status.CHANGED, Status.UNCHANGED)
    assert played.link(ada).edges == {}
    assert played.settles(ada)


def test_a_team_that_cannot_be_synced_holds_up_its_members_edge_only(played: SyncWorld) -> None:
    ada, [good, bad] = _a_user_in(played, "good.example", "bad.example")
    played.sync_teams(good)
    refusal = {"kind": "error", "endpoint": "POST /companies", "status": 403, "code": "no"}
    played.intercom.set(faults=[{**refusal, "count": None}])

    synced = played.sync(ada)

    assert played.contact(ada)["email"] == "someone@example.com"
    assert played.teams_of(ada) == {str(good)}
    assert synced[ada].status is Status.RETRY
    assert f"waits for the company of team {bad}" in (synced[ada].problem or "")
    assert played.sync(ada).calls == []
    played.intercom.reset("faults")
    played.run_all_due()
    assert played.teams_of(ada) == {str(good), str(bad)}
