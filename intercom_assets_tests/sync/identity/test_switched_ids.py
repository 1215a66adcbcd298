"""Ids switched for everybody stop before the first duplicate; people who register again do not."""

import re

import pytest

from intercom_assets.domain.guards import GuardStopped
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.engine.batch import run_batch
from intercom_assets.sync.engine.chunk_source import Batch
from intercom_assets.sync.engine.last_stop import stops
from intercom_assets.sync.feeders.sweep import sweep
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.identity.switching import (
    NO_WRITES,
    SWITCHED,
    TEAMS_SWITCHED,
    given_users,
    some_switched,
    switched,
    writes,
)
from intercom_assets_tests.sync.sync_world import Sql, SyncWorld


@pytest.mark.parametrize("many", [3, 8, 30, 300])
def test_a_batch_of_everybody_stops_before_its_first_write(worlds: Worlds, many: int) -> None:
    played = worlds(**NO_WRITES)
    users = given_users(played, many)
    played.remap(SWITCHED, **NO_WRITES)
    before = writes(played)

    with pytest.raises(GuardStopped) as stopped:
        played.sync(*switched(users))

    assert writes(played) == before
    why = str(stopped.value)
    assert why.startswith(f"Nothing was written: {many} users with an id new to this sync")
    assert re.search(r"it had (\d+) and now has usr_\1\)", why)
    assert "intercom-assets relink" in why
    assert f"switched{many}-" in why
    assert "@" not in why
    [stop] = stops(played.services.store)
    assert (stop.kind, stop.why) == (QueueKind.USER, why)


@pytest.mark.parametrize(("size", "many"), [(1, 300), (1, 8), (2, 30), (9, 30)])
def test_a_small_batch_of_many_who_were_switched_stops(
    worlds: Worlds, size: int, many: int
) -> None:
    played = worlds(**NO_WRITES)
    users = given_users(played, many)
    played.remap(SWITCHED, **NO_WRITES)
    before = writes(played)

    with pytest.raises(GuardStopped):
        played.sync(*switched(users[:size]))

    assert writes(played) == before


def test_somebody_without_an_email_stops_among_others_who_were_switched(worlds: Worlds) -> None:
    played = worlds(**NO_WRITES)
    given_users(played, 8)
    nobody = played.given_user(email=None)
    played.sync(nobody)
    played.remap(SWITCHED, **NO_WRITES)
    before = writes(played)

    with pytest.raises(GuardStopped):
        played.sync(f"usr_{nobody}")

    assert writes(played) == before


@pytest.mark.parametrize("size", [1, 2, 15, 30])
def test_nobody_is_marked_as_deleted_before_it_is_seen(worlds: Worlds, size: int) -> None:
    """A batch of old ids only, as a sweep or a trigger may queue them first."""
    played = worlds(**NO_WRITES)
    users = given_users(played, 30)
    played.remap(SWITCHED, **NO_WRITES)
    before = writes(played)

    with pytest.raises(GuardStopped, match=r"before it marks any user as deleted: \d+ users"):
        played.sync(*users[:size])

    assert writes(played) == before
    assert played.services.store.gone.held().keys == []
    assert played.services.store.gone.found(QueueKind.USER) == frozenset()


def test_a_sweep_queues_them_and_the_run_stops(worlds: Worlds) -> None:
    played = worlds(**NO_WRITES)
    given_users(played, 25)
    played.remap(SWITCHED, **NO_WRITES)
    before = writes(played)
    sweep(played.services)

    for most in (1, 7, 10_000):
        with pytest.raises(GuardStopped):
            played.sync_due(most)

    assert writes(played) == before


def test_part_of_them_switched_stops_a_batch_of_everybody_and_of_one(worlds: Worlds) -> None:
    played = worlds(**NO_WRITES)
    users = given_users(played, 120)
    part = users[::4]
    played.remap(some_switched(part), **NO_WRITES)
    before = writes(played)

    for batch in (switched(part), [f"usr_{part[7]}"]):
        with pytest.raises(GuardStopped):
            played.sync(*batch, *(user for user in users if user not in part))

    assert writes(played) == before


@pytest.mark.parametrize("again", [1, 2])
def test_who_registers_again_in_a_living_app_stops_nothing(played: SyncWorld, again: int) -> None:
    users = given_users(played, 5)
    for user in users[:again]:
        email = played.app_user(user)["email"]
        played.delete_user(user)
        new = played.given_user(email=email)
        played.sync(user, new)
        assert played.contact(new)["email"] == email
        assert played.contact(user)["custom_attributes"]["deleted"] is True


def test_who_left_long_ago_may_register_again_however_many_they_are(played: SyncWorld) -> None:
    users = given_users(played, 15)
    for user in users:
        played.delete_user(user)
    played.sync(*users)
    played.run("update intercom_sync.gone set found_at = now() - interval '2 days'")

    assert len(given_users(played, 15)) == 15
    assert len(played.intercom.contacts()) == 30


def test_strangers_stop_nothing_although_everybody_else_is_gone(played: SyncWorld) -> None:
    users = given_users(played, 30)
    for user in users:
        played.delete_user(user)

    given_users(played, 30, first=100)

    assert len(played.intercom.contacts()) == 60


def test_an_operator_may_say_that_they_are_others(worlds: Worlds) -> None:
    played = worlds(**NO_WRITES)
    users = given_users(played, 12)
    played.remap(SWITCHED, **NO_WRITES)
    keys = (*switched(users), *map(str, users))
    batch = Batch(QueueKind.USER, keys=keys)
    with pytest.raises(GuardStopped) as stopped:
        list(run_batch(played.services, batch, "stopped"))
    accepted = str(stopped.value).split("--accept ")[1].split(";")[0]
    smaller = accepted.replace("switched12", "switched11")

    with pytest.raises(GuardStopped):
        list(run_batch(played.services, Batch(QueueKind.USER, keys=keys, accepted=smaller), "no"))
    list(run_batch(played.services, Batch(QueueKind.USER, keys=keys, accepted=accepted), "yes"))

    assert len(played.intercom.contacts()) == 24
    assert played.sync(*keys).calls == []


def test_switched_teams_stop_before_a_company_is_made(worlds: Worlds) -> None:
    played = worlds(**NO_WRITES)
    teams = [played.given_team(domain=f"t{n}.example") for n in range(4)]
    played.sync_teams(*teams)
    [user] = given_users(played, 1)
    played.joins(user, teams[0])
    played.sync(user)
    played.remap(TEAMS_SWITCHED, **NO_WRITES)
    before = writes(played)

    for batch in (teams, teams[:1]):
        with pytest.raises(GuardStopped, match=r"Nothing was written: .* old ids in teams\.sql"):
            played.sync_teams(*(f"t_{team}" for team in batch))
        with pytest.raises(GuardStopped, match="before it marks any team as deleted"):
            played.sync_teams(*batch)
    with pytest.raises(GuardStopped, match="before it makes a company"):
        played.sync(user)
    assert writes(played) == before

    played.remap(Sql(), **NO_WRITES)
    played.sync_teams(*teams)
    played.sync(user)
    assert played.teams_of(user) == {str(teams[0])}
    assert len(played.intercom.companies()) == 4


def test_switched_teams_may_be_accepted(worlds: Worlds) -> None:
    played = worlds(**NO_WRITES)
    teams = [played.given_team(domain=f"t{n}.example") for n in range(4)]
    played.sync_teams(*teams)
    played.remap(TEAMS_SWITCHED, **NO_WRITES)
    keys = tuple(f"t_{team}" for team in teams)
    with pytest.raises(GuardStopped) as stopped:
        played.sync_teams(*keys)
    accepted = str(stopped.value).split("--accept ")[1].split(";")[0]

    list(run_batch(played.services, Batch(QueueKind.TEAM, keys=keys, accepted=accepted), "yes"))

    assert len(played.intercom.companies()) == 8


def test_a_team_of_the_same_name_stops_nothing(played: SyncWorld) -> None:
    team = played.given_team(domain="one.example")
    other = played.given_team(domain="other.example")
    played.sync_teams(team, other)
    played.delete_team(team)

    again = played.given_team(domain="one.example")
    played.sync_teams(team, again)

    assert played.company(again)["name"] == "one.example"
