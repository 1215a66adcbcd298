"""Weaknesses 1 to 10 of the replaced job: data lost or wrong. Each is played; none is left.

Numbers are those of `rules.WEAKNESSES`; what a rule's test shows already is only named there.
"""

from datetime import UTC, datetime

import pytest

from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import Sql, SyncWorld

SELECTED = "sessions_this_month as monthly_usage,"


def test_an_edit_in_intercom_that_loses_is_told_and_the_newest_wins_by_choice(
    worlds: Worlds,
) -> None:
    """Weakness 5: overwritten silently, no time stamps compared."""
    world = worlds(fields={"phone_number": "last_writer"})
    ada = world.given_user(name="Ada Lovelace", phone_number="+44 1")
    world.sync(ada)
    world.intercom.by_hand.edit_contact(str(ada), name="Lady A.", phone="+44 2")

    synced = world.look(ada)

    assert synced[ada].overruled == ("name",)
    [lost] = [row.entry for row in world.journal(ada) if row.entry.action == "overruled"]
    assert (lost.field, lost.old, lost.new) == ("name", "Lady A.", "Ada Lovelace")
    assert world.app_user(ada)["phone_number"] == "+44 2"
    assert world.settles(ada)


@pytest.mark.parametrize("memberships", ["app", "mirror"])
def test_a_company_without_an_id_of_ours_breaks_nothing(worlds: Worlds, memberships: str) -> None:
    """Weakness 6 sent `{company_id: null, remove: true}`; here Intercom's own id is used."""
    world = worlds(memberships=memberships)
    ada = world.given_user()
    world.sync(ada)
    company = world.intercom.by_hand.create_company("by-hand", name="Typed by hand")
    world.intercom.by_hand.edit_company(company, company_id="")
    world.intercom.by_hand.attach_company(str(ada), company)

    world.look(ada)

    left = world.intercom.contact(external_id=str(ada))
    assert left is not None
    assert left["company_ids"] == ([company] if memberships == "app" else [])
    assert world.settles(ada)


def test_the_apps_zone_is_kept_where_the_mapping_says_so(worlds: Worlds) -> None:
    """Weakness 8: where the person last was always beat the zone that the person chose."""
    world = worlds(fields={"time_zone": "app"})
    ada = world.given_user(time_zone="Europe/London")
    world.sync(ada)
    world.intercom.by_hand.edit_contact(str(ada), timezone="Asia/Tokyo")

    world.look(ada)

    assert world.app_user(ada)["time_zone"] == "Europe/London"
    assert world.contact(ada)["custom_attributes"]["time_zone"] == "Europe/London"
    assert world.settles(ada)


def test_a_zone_that_the_app_cleared_is_filled_again_once_the_person_moves(
    played: SyncWorld,
) -> None:
    """Weakness 8."""
    ada = played.given_user(time_zone=None)
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), timezone="Asia/Tokyo")
    played.look(ada)
    assert played.app_user(ada)["time_zone"] == "Asia/Tokyo"

    played.update_user(ada, time_zone=None)
    played.look(ada)
    assert played.app_user(ada)["time_zone"] is None
    assert played.settles(ada)

    played.intercom.by_hand.edit_contact(str(ada), timezone="America/New_York")
    played.look(ada)
    assert played.app_user(ada)["time_zone"] == "America/New_York"
    assert played.settles(ada)


def test_a_date_in_the_attributes_does_not_change_with_the_zone(played: SyncWorld) -> None:
    """Weakness 8: the job rendered dates in the zone; here they are moments, in Unix seconds."""
    ada = played.given_user(time_zone=None, subscribed_on=datetime(2026, 3, 1, tzinfo=UTC))
    played.sync(ada)
    before = played.contact(ada)["custom_attributes"]["subscribed_on"]
    played.intercom.by_hand.edit_contact(str(ada), timezone="Asia/Tokyo")

    synced = played.look(ada)

    assert played.contact(ada)["custom_attributes"]["subscribed_on"] == before
    assert "subscribed_on" not in synced[ada].changed


def test_a_new_column_of_a_table_goes_to_nobody(played: SyncWorld) -> None:
    """Weakness 9: a deny list leaks each column that nobody thought of."""
    ada = played.given_user()
    played.sync(ada)
    played.run("alter table users add column secret text default 'hush'")

    synced = played.look(ada)

    assert synced.writes == []
    assert "secret" not in played.contact(ada)["custom_attributes"]


def test_an_attribute_can_be_cleared_before_its_column_goes(worlds: Worlds) -> None:
    """Weakness 10: what is no longer selected stays; a NULL under its name clears it first."""
    world = worlds(Sql(users={SELECTED: f"{SELECTED} 'gold' as tier,"}))
    ada = world.given_user()
    world.sync(ada)
    assert world.contact(ada)["custom_attributes"]["tier"] == "gold"

    world.remap(Sql(users={SELECTED: f"{SELECTED} null::text as tier,"}))
    world.sync(ada)
    assert world.contact(ada)["custom_attributes"]["tier"] is None

    world.remap(Sql())
    assert world.sync(ada).calls == []
    assert world.settles(ada)
