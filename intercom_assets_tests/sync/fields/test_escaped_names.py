"""Intercom answers names HTML-escaped: they are kept, compared and written as they are."""

from collections.abc import Callable
from typing import Any

import pytest

from intercom_assets.sync.feeders.audit import audit
from intercom_assets.sync.feeders.intercom_changes import feed_from_intercom
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld

PLAIN = ["Ann O'Neil", 'Ann "Annie" O\'Neil', "Smith & Sons", "a < b > c", "&", "R&D; Team", "Zoë"]
CODED = ["Tom &amp; Jerry", "O&#39;Neil", "&lt;b&gt;", "&amp;amp;", "&#x27; &#039; &apos;"]
MIXED = ["AT&copy", "&nbsp;&eacute;", "it's &amp; was", "<i> &amp; </i>"]
NAMES = [*PLAIN, *CODED, *MIXED]


@pytest.fixture(params=[True, False], ids=["escaping", "not escaping"])
def either(request: pytest.FixtureRequest, played: SyncWorld) -> SyncWorld:
    played.intercom.settings.change({"names_escaped": request.param})
    return played


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_the_app_arrives_as_it_is_and_settles(either: SyncWorld, name: str) -> None:
    ada = either.given_user(name=name)
    team = either.given_team(domain=name)
    either.joins(ada, team)

    either.sync_teams(team)
    either.sync(ada)

    assert either.contact(ada)["name"] == name
    assert either.company(team)["name"] == name
    assert either.settles(ada)
    assert either.sync_teams(team).calls == []
    assert either.app_user(ada)["name"] == name


@pytest.mark.parametrize("name", NAMES)
def test_a_name_changed_in_the_app_is_sent_once(either: SyncWorld, name: str) -> None:
    ada, team = either.given_user(name="Old"), either.given_team(domain="old")
    either.sync(ada)
    either.sync_teams(team)
    either.update_user(ada, name=name)
    either.update_team(team, domain=name)

    assert len(either.sync(ada).writes) == len(either.sync_teams(team).writes) == 1

    assert either.contact(ada)["name"] == either.company(team)["name"] == name
    assert either.settles(ada)
    assert either.sync_teams(team).calls == []


@pytest.mark.parametrize("name", NAMES)
def test_a_name_typed_in_intercom_is_stored_in_the_app_as_it_was_typed(
    played: SyncWorld, name: str
) -> None:
    ada = played.given_user(name=None)
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), name=f"{name} 2")
    played.look(ada)

    assert played.app_user(ada)["name"] == f"{name} 2"
    assert played.settles(ada)


@pytest.mark.parametrize("name", [*PLAIN, *MIXED])
def test_where_names_are_not_escaped_one_that_no_escaping_could_have_made_is_taken_as_it_is(
    played: SyncWorld, name: str
) -> None:
    played.intercom.settings.change({"names_escaped": False})
    ada = played.given_user(name=None)
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), name=f"{name} 2")
    played.look(ada)

    assert played.app_user(ada)["name"] == f"{name} 2"
    assert played.settles(ada)


def _searched(world: SyncWorld) -> Any:
    return feed_from_intercom(world.services).users


def _audited(world: SyncWorld) -> Any:
    return audit(world.services).queued


@pytest.mark.parametrize("look", [_searched, _audited])
def test_no_listing_takes_an_escaped_name_for_a_change(
    either: SyncWorld, look: Callable[[SyncWorld], Any]
) -> None:
    feed_from_intercom(either.services)
    users = [either.given_user(name=name) for name in NAMES]
    either.sync(*users)

    assert look(either) == 0


def test_contacts_that_were_there_are_taken_over_without_a_write(worlds: Worlds) -> None:
    """By the listing of the first sync: contacts and companies."""
    played = worlds(chunk_size=2)
    users = [played.given_user(name=name, email=f"u{n}@x.example") for n, name in enumerate(NAMES)]
    teams = [played.given_team(domain=name) for name in NAMES]
    for user, team in zip(users, teams, strict=True):
        played.joins(user, team)
    played.sync_teams(*teams)
    played.sync(*users)
    played.run("delete from intercom_sync.user_link")
    played.run("delete from intercom_sync.team_link")
    played.run("delete from intercom_sync.workspace")
    played.times.skipped += 3_600

    assert [c for c in played.sync_teams(*teams).writes if "/companies" in c] == []
    assert played.sync(*users).writes == []


def test_a_name_from_a_merged_lead_is_kept_as_it_is(either: SyncWorld) -> None:
    either.intercom.by_hand.create_contact(role="lead", email="ada@x.example", name="L & <M>")
    ada = either.given_user(name="Ann O'Neil &amp; Co", email="ada@x.example")

    either.sync(ada)

    assert either.contact(ada)["name"] == "Ann O'Neil &amp; Co"
    assert either.settles_but_for_leads(ada)
