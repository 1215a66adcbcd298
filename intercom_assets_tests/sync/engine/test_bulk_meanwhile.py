"""What happens between a call of many items and its proof: leavers, edits, late jobs and lists.

Nothing may be lost, overwritten or made for nobody; what cannot be told is waited for.
"""

from collections.abc import Iterator

import pytest

from intercom_assets.sync.context.outcomes import Status
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.small_bulk import (
    OLD,
    SMALL,
    KilledError,
    die,
    given_users,
    killed_at,
    kinds,
    sizes_of_bulk,
)
from intercom_assets_tests.sync.sync_world import SyncWorld


@pytest.fixture(autouse=True)
def small_batches_are_large() -> Iterator[None]:
    with sizes_of_bulk(SMALL):
        yield


@pytest.fixture
def world(worlds: Worlds) -> SyncWorld:
    return worlds(bulk="preview")


# --- users who leave ------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["deleted", "marked"])
@pytest.mark.parametrize("request_", ["POST /contacts/bulk", "GET /contacts/bulk/*"])
def test_who_leaves_while_a_job_makes_them_is_marked_there(
    world: SyncWorld, how: str, request_: str
) -> None:
    users = given_users(world, 4)
    world.just_after(request_, lambda: leaves_the_app(world, users[1], how))

    world.sync(*users)
    world.run_all_due()

    assert world.contact(users[1])["custom_attributes"]["deleted"] is True
    assert world.settles(*users)


def leaves_the_app(world: SyncWorld, user: int, how: str) -> None:
    if how == "deleted":
        world.delete_user(user)
    else:
        world.update_user(user, deleted_at=OLD)


@pytest.mark.parametrize("how", ["deleted", "marked"])
def test_who_leaves_while_a_job_is_late_is_marked_once_it_is_done(
    world: SyncWorld, how: str
) -> None:
    """Until the job cannot be at work any more nobody can say that there is no contact."""
    world.intercom.set(bulk_job_delay_s=400)
    users = given_users(world, 4)
    world.just_after("POST /contacts/bulk", lambda: leaves_the_app(world, users[1], how))

    world.sync(*users)
    for _ in range(8):
        world.times.sleep(100)
        world.run_all_due_once()

    assert world.contact(users[1])["custom_attributes"]["deleted"] is True


@pytest.mark.parametrize("how", ["deleted", "marked"])
def test_who_leaves_after_a_run_died_is_marked_once_its_job_is_done(
    world: SyncWorld, how: str
) -> None:
    world.intercom.set(bulk_job_delay_s=60)
    users = given_users(world, 4)
    killed_at(world, "after", "POST /contacts/bulk", *users)
    leaves_the_app(world, users[1], how)

    for _ in range(8):
        world.run_all_due_once()
        world.times.sleep(100)

    assert world.contact(users[1])["custom_attributes"]["deleted"] is True


def test_who_leaves_a_team_while_a_job_attaches_them_is_taken_out(world: SyncWorld) -> None:
    team, other = (world.given_team(domain=f"t{n}.example") for n in range(2))
    users = given_users(world, 4)
    for user in users:
        world.joins(user, team)
        world.joins(user, other)
    world.just_after("POST /contacts/bulk", lambda: world.leaves(users[2], team))

    world.sync(*users)
    world.run_all_due()

    assert world.teams_of(users[2]) == {str(other)}
    assert world.teams_of(users[0]) == {str(team), str(other)}
    assert world.settles(*users)


# --- teams ----------------------------------------------------------------------------------------


def test_a_team_that_is_renamed_while_its_company_is_made_has_the_new_name(
    world: SyncWorld,
) -> None:
    teams = [world.given_team(domain=f"t{n}.example") for n in range(8)]
    users = given_users(world, 8)
    for user, team in zip(users, teams, strict=True):
        world.joins(user, team)
    world.just_after(
        "POST /contacts/bulk", lambda: world.update_team(teams[0], domain="renamed.example")
    )

    world.sync(*users)
    world.run_all_due()

    assert world.company(teams[0])["name"] == "renamed.example"
    assert world.sync_teams(*teams).calls == []


def test_a_team_that_is_deleted_while_its_users_are_attached_is_marked(world: SyncWorld) -> None:
    teams = [world.given_team(domain=f"t{n}.example") for n in range(8)]
    users = given_users(world, 8)
    for user, team in zip(users, teams, strict=True):
        world.joins(user, team)
    world.just_after("POST /contacts/bulk", lambda: world.delete_team(teams[0]))

    world.sync(*users)
    world.run_all_due()

    assert world.company(teams[0])["custom_attributes"]["company_deleted"] is True
    assert world.teams_of(users[0]) == set()
    assert world.settles(*users)


def test_a_late_job_writes_no_older_name_over_a_companys_newer_one(world: SyncWorld) -> None:
    teams = [world.given_team(domain=f"t{n}.example") for n in range(4)]
    users = given_users(world, 4)
    for user, team in zip(users, teams, strict=True):
        world.joins(user, team)
    world.sync(*users)
    world.intercom.set(bulk_job_delay_s=550)
    for team in teams:
        world.update_team(team, domain=f"second{team}.example")
    world.sync_teams(*teams)
    world.update_team(teams[1], domain="third.example")

    for _ in range(8):
        world.run_all_due_once()
        world.times.sleep(100)

    assert world.company(teams[1])["name"] == "third.example"
    assert world.company(teams[2])["name"] == f"second{teams[2]}.example"


def test_after_a_kill_a_late_job_writes_no_older_name_over_a_companys_newer_one(
    world: SyncWorld,
) -> None:
    teams = [world.given_team(domain=f"t{n}.example") for n in range(4)]
    users = given_users(world, 4)
    for user, team in zip(users, teams, strict=True):
        world.joins(user, team)
    world.sync(*users)
    world.intercom.set(bulk_job_delay_s=400)
    for team in teams:
        world.update_team(team, domain=f"second{team}.example")
    world.just_after("POST /companies/bulk", die)
    with pytest.raises(KilledError):
        world.sync_teams(*teams)
    world.update_team(teams[1], domain="third.example")

    for _ in range(8):
        world.run_all_due_once()
        world.times.sleep(100)

    assert world.company(teams[1])["name"] == "third.example"
    assert world.company(teams[2])["name"] == f"second{teams[2]}.example"


# --- a late index ---------------------------------------------------------------------------------


def given_users_who_changed_back_unindexed(world: SyncWorld) -> list[int]:
    users = given_users(world, 4, plan="free")
    world.sync(*users)
    world.times.sleep(1_000)
    world.intercom.set(index_delay_s=900)
    for user in users:
        world.update_user(user, plan="team")
        world.sync(user)
        world.update_user(user, plan="free")
    world.times.sleep(5)
    return users


def test_an_index_from_before_proves_nothing(world: SyncWorld) -> None:
    """It still shows the value that was there before the one that the job was to replace."""
    users = given_users_who_changed_back_unindexed(world)
    world.intercom.set(bulk_lose_every=1)

    world.sync(*users)
    world.run_all_due()

    plans = {world.contact(user)["custom_attributes"]["subscription_plan"] for user in users}
    assert plans == {"free"}


def test_after_a_kill_an_index_from_before_proves_nothing(world: SyncWorld) -> None:
    users = given_users_who_changed_back_unindexed(world)
    killed_at(world, "before", "PUT /contacts/bulk", *users)

    for _ in range(8):
        world.run_all_due_once()
        world.times.sleep(100)

    plans = {world.contact(user)["custom_attributes"]["subscription_plan"] for user in users}
    assert plans == {"free"}


# --- a token that may not search ------------------------------------------------------------------


def test_who_may_not_search_proves_by_reading(world: SyncWorld) -> None:
    world.intercom.set(
        faults=[
            {
                "kind": "error",
                "status": 403,
                "code": "forbidden",
                "endpoint": "POST /contacts/search",
                "count": None,
            }
        ]
    )
    users = given_users(world, 4)

    synced = world.sync(*users)

    assert all(synced[user].status is Status.CHANGED for user in users)
    assert kinds(synced)["POST /contacts"] == 0
    assert world.sync(*users).calls == []


# --- numbers that are a user's and a team's -------------------------------------------------------


def test_a_teams_job_that_is_late_keeps_no_user_of_the_same_number_waiting(
    world: SyncWorld,
) -> None:
    users = given_users(world, 4)
    world.sync(*users)
    teams = [world.given_team(id=user, domain=f"t{user}.example") for user in users]
    more = [world.given_team(id=900 + n, domain=f"m{n}.example") for n in range(3)]
    world.intercom.set(bulk_job_delay_s=400)
    for user, team in zip(users, teams, strict=True):
        world.joins(user, team)
        for each in more:
            world.joins(user, each)

    synced = world.sync(*users)

    assert all(synced[user].status is Status.CHANGED for user in users)
    assert all(len(world.teams_of(user)) == 4 for user in users)


def test_an_index_from_before_proves_no_membership(world: SyncWorld) -> None:
    team = world.given_team(domain="t.example")
    users = given_users(world, 4)
    for user in users:
        world.joins(user, team)
    world.sync(*users)
    world.times.sleep(1_000)
    world.intercom.set(index_delay_s=900, attach_moves_updated_at=False)
    for user in users:
        world.leaves(user, team)
        world.sync(user)
        world.joins(user, team)
    world.times.sleep(5)
    world.intercom.set(bulk_lose_every=1)

    world.sync(*users)
    world.run_all_due()

    assert {str(team)} == set.union(*map(world.teams_of, users))
    assert all(world.teams_of(user) for user in users)
