"""Rules 11 to 15 of the replaced job: the time zone, from Intercom to the app."""

import pytest

from intercom_assets.sync.context.outcomes import Status
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import Sql, SyncWorld


@pytest.mark.parametrize("located", [None, "", "  "])
def test_a_place_without_a_zone_changes_nothing(played: SyncWorld, located: str | None) -> None:
    """Rule 11."""
    ada = played.given_user(time_zone="Europe/London")
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), timezone=located)

    played.look(ada)

    assert played.app_user(ada)["time_zone"] == "Europe/London"
    assert played.settles(ada)


def test_a_valid_zone_fills_an_empty_one(played: SyncWorld) -> None:
    """Rule 12."""
    ada = played.given_user(time_zone=None)
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), timezone="America/New_York")

    played.look(ada)

    assert played.app_user(ada)["time_zone"] == "America/New_York"
    assert played.settles(ada)


@pytest.mark.parametrize("policy", ["app", "intercom", "fill", "last_writer"])
@pytest.mark.parametrize("chosen", ["Europe/London", "Pacific Time (US & Canada)", "somewhere"])
def test_a_zone_that_somebody_chose_stays_whatever_the_place_and_the_policy(
    worlds: Worlds, policy: str, chosen: str
) -> None:
    """Rule 12 wrote over it; geo-IP is wrong of whoever travels, or has a VPN."""
    world = worlds(fields={"time_zone": policy})
    ada = world.given_user(time_zone=chosen)
    world.sync(ada)
    before = world.app_user(ada)
    world.intercom.by_hand.edit_contact(str(ada), timezone="Asia/Tokyo", country_code="IT")

    world.look(ada)

    assert world.app_user(ada) == before
    assert world.contact(ada)["custom_attributes"]["time_zone"] == chosen
    assert world.settles(ada)


@pytest.mark.parametrize("located", ["+1000", "Mars/Olympus", "EST5EDT4"])
def test_an_invalid_zone_is_told_once_and_the_rest_goes_on(played: SyncWorld, located: str) -> None:
    """Rule 13."""
    ada = played.given_user(name=None, time_zone="Europe/London")
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), timezone=located, name="Ada L.")

    played.look(ada)
    played.look(ada)

    assert played.app_user(ada)["time_zone"] == "Europe/London"
    assert played.app_user(ada)["name"] == "Ada L."
    ignored = [row.entry for row in played.journal(ada) if row.entry.action == "ignored"]
    assert [(entry.field, entry.new) for entry in ignored] == [("time_zone", located)]
    assert played.settles(ada)


def test_a_zone_that_the_app_refuses_stops_nothing(played: SyncWorld) -> None:
    """Rule 14: the job's `update!` ended it there, before anything was pushed."""
    played.run("alter table users add check (time_zone <> 'America/New_York')")
    ada = played.given_user(name="Ada", time_zone=None)
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), timezone="America/New_York")
    played.update_user(ada, name="Ada Lovelace")

    synced = played.look(ada)

    assert synced[ada].status is Status.CHANGED
    assert played.app_user(ada)["time_zone"] is None
    assert played.contact(ada)["name"] == "Ada Lovelace"
    assert "refused" in played.actions(ada)
    assert played.settles(ada)


def test_the_new_zone_is_in_the_attributes_of_the_same_pass(worlds: Worlds) -> None:
    """Rule 15; also attributes that SQL makes of the zone, in one more PUT."""
    label = {"billing_period,": "billing_period, 'lives in ' || time_zone as zone_label,"}
    world = worlds(Sql(users=label))
    ada = world.given_user(time_zone=None)
    world.sync(ada)
    world.intercom.by_hand.edit_contact(str(ada), timezone="Asia/Tokyo")

    synced = world.look(ada)

    attributes = world.contact(ada)["custom_attributes"]
    assert attributes["time_zone"] == "Asia/Tokyo"
    assert attributes["zone_label"] == "lives in Asia/Tokyo"
    assert synced.calls == [
        f"GET /contacts/{(c := world.contact(ada)['id'])}",
        f"PUT /contacts/{c}",
    ]
    assert world.settles(ada)


@pytest.mark.parametrize("code", ["IT", "ITA", "ita", " it "])
def test_a_country_with_one_zone_fills_an_empty_zone_and_replaces_none(
    played: SyncWorld, code: str
) -> None:
    ada = played.given_user(email="a@example.com", time_zone=None)
    bob = played.given_user(email="b@example.com", time_zone="Europe/London")
    played.sync(ada, bob)
    for user in (ada, bob):
        played.intercom.by_hand.edit_contact(str(user), country_code=code)

    played.look(ada, bob)

    assert played.app_user(ada)["time_zone"] == "Europe/Rome"
    assert played.app_user(bob)["time_zone"] == "Europe/London"
    assert played.settles(ada, bob)
