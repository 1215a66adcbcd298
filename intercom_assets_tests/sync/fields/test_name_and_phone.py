"""Rules 21 to 25 of the replaced job: name and phone, which go both ways."""

import pytest

from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld


def _edited(world: SyncWorld, user: int, **fields: str | None) -> None:
    """An operator's edit of a user that was synced before."""
    world.sync(user)
    world.intercom.by_hand.edit_contact(str(user), **fields)


def test_the_apps_name_is_pushed_over_intercoms(played: SyncWorld) -> None:
    """Rule 21; what it overwrites is told (weakness 5)."""
    ada = played.given_user(name="Ada Lovelace")
    _edited(played, ada, name="Lady A.")

    synced = played.look(ada)

    assert played.contact(ada)["name"] == "Ada Lovelace"
    assert played.app_user(ada)["name"] == "Ada Lovelace"
    assert synced[ada].overruled == ("name",)
    assert played.settles(ada)


@pytest.mark.parametrize("blank", ["", "   ", "\t\n"])
def test_a_blank_name_is_none(played: SyncWorld, blank: str) -> None:
    """Rule 21 asked `name?`, which a blank is not."""
    ada = played.given_user(name=blank)
    _edited(played, ada, name="Ada L.")

    played.look(ada)

    assert played.app_user(ada)["name"] == "Ada L."
    assert played.settles(ada)


def test_intercoms_name_fills_a_nameless_user_and_is_not_sent_back(played: SyncWorld) -> None:
    """Rule 22."""
    ada = played.given_user(name=None)
    _edited(played, ada, name="  Ada L. ")

    synced = played.look(ada)

    assert played.app_user(ada)["name"] == "Ada L."
    assert synced.writes == []
    assert played.settles(ada)


@pytest.mark.parametrize(("name", "provider"), [("X", None), (" X ", None), ("Ada", "google")])
def test_a_name_that_the_app_cannot_use_is_cleared_in_intercom(
    played: SyncWorld, name: str, provider: str | None
) -> None:
    """Rule 23: one letter, or a user from OAuth."""
    ada = played.given_user(name=None, oauth_provider=provider)
    _edited(played, ada, name=name)

    played.look(ada)

    assert played.app_user(ada)["name"] is None
    assert played.contact(ada)["name"] is None
    assert played.settles(ada)


def test_intercoms_phone_fills_a_user_without_one(played: SyncWorld) -> None:
    """Rule 24."""
    ada = played.given_user(phone_number=None)
    _edited(played, ada, phone="+44 20 7946")

    synced = played.look(ada)

    assert played.app_user(ada)["phone_number"] == "+44 20 7946"
    assert synced.writes == []
    assert played.settles(ada)


def test_an_empty_phone_is_none(played: SyncWorld) -> None:
    """Rule 24 asked for nil, so that '' erased what an operator had typed (weakness 4)."""
    ada = played.given_user(phone_number="")
    _edited(played, ada, phone="+44 20 7946")

    played.look(ada)

    assert played.app_user(ada)["phone_number"] == "+44 20 7946"
    assert played.settles(ada)


def test_the_apps_phone_is_pushed_over_intercoms(played: SyncWorld) -> None:
    """Rule 25."""
    ada = played.given_user(phone_number="+44 1")
    _edited(played, ada, phone="+44 2")

    played.look(ada)

    assert played.contact(ada)["phone"] == "+441"
    assert played.settles(ada)


def test_a_phone_that_the_app_cleared_is_cleared_in_intercom(played: SyncWorld) -> None:
    """Rule 25: nil is pushed too, where it is the app's news and not what it never had."""
    ada = played.given_user(phone_number="+44 1")
    played.sync(ada)
    played.update_user(ada, phone_number=None)

    played.sync(ada)

    assert played.contact(ada)["phone"] is None
    assert played.app_user(ada)["phone_number"] is None
    assert played.settles(ada)


def test_a_phone_typed_while_the_app_cleared_its_own_is_pulled(played: SyncWorld) -> None:
    """Clearing waits for a look in the same pass: what it would erase is another number by then."""
    ada = played.given_user(phone_number="+44 1")
    _edited(played, ada, phone="+44 2")
    played.update_user(ada, phone_number=None)

    played.sync(ada)

    assert played.app_user(ada)["phone_number"] == "+44 2"
    assert played.contact(ada)["phone"] == "+44 2"
    assert played.settles(ada)


def test_an_oauth_users_phone_in_intercom_is_cleared_as_the_job_did(played: SyncWorld) -> None:
    """Rules 24 and 25 together."""
    ada = played.given_user(phone_number=None, oauth_provider="google")
    _edited(played, ada, phone="+44 2")

    played.look(ada)

    assert played.app_user(ada)["phone_number"] is None
    assert played.contact(ada)["phone"] is None
    assert played.settles(ada)


def test_what_operators_typed_is_kept_where_clear_unusable_is_false(worlds: Worlds) -> None:
    """Weaknesses 3 and 4, for who does not want rule 23."""
    world = worlds(clear_unusable=False)
    one = world.given_user(email="1@example.com", name=None)
    oauth = world.given_user(
        email="2@example.com", name=None, phone_number=None, oauth_provider="google"
    )
    _edited(world, one, name="X")
    _edited(world, oauth, name="Ada", phone="+44 2")

    world.look(one, oauth)

    assert world.contact(one)["name"] == "X"
    assert (world.contact(oauth)["name"], world.contact(oauth)["phone"]) == ("Ada", "+44 2")
    assert world.app_user(oauth)["name"] is None
    assert world.settles(one, oauth)


def test_punctuation_that_intercom_leaves_out_is_no_difference_at_a_first_sync(
    played: SyncWorld,
) -> None:
    """Everybody is there already, with the same numbers in Intercom's spelling: no call is made
    for that, and the app keeps its own."""
    contacts = {}
    for spelling in ("+44 (20) 7946-0001", "+44 20.7946.0002", "+442079460003"):
        ada = played.given_user(phone_number=spelling)
        played.sync(ada)
        digits = "+" + "".join(filter(str.isdecimal, spelling))
        played.intercom.by_hand.edit_contact(str(ada), phone=digits)
        contacts[ada] = spelling
    played.run("delete from intercom_sync.user_link")

    synced = played.look(*contacts)

    assert [call for call in synced.writes if call.startswith("PUT")] == []
    assert {user: played.app_user(user)["phone_number"] for user in contacts} == contacts
    assert played.settles(*contacts)


def test_another_number_is_another_number(played: SyncWorld) -> None:
    ada = played.given_user(phone_number="+44 (20) 7946-0001")
    _edited(played, ada, phone="+442079460002")

    played.look(ada)

    assert played.contact(ada)["phone"] == "+442079460001"
    assert played.settles(ada)
