"""Rules 6 to 10 of the replaced job: whose contact is whose, and where its id is kept.

What can go wrong with an identity beyond these is in `test_identity`.
"""

from datetime import UTC, datetime

from intercom_assets.sync.context.outcomes import Status
from intercom_assets_tests.sync.sync_world import SyncWorld

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)


def _is_attribute_call(call: str) -> bool:
    return "data_attributes" in call or call == "GET /me"


def test_a_user_is_known_by_the_apps_id_and_nothing_else(played: SyncWorld) -> None:
    """Rule 6: the same name and e-mail do not make a contact of another id ours."""
    stranger = played.intercom.by_hand.create_contact(
        role="user", external_id="77-other", email="ada@example.com", name="Ada L."
    )
    before = played.intercom.contact(id=stranger)
    ada = played.given_user(email="ada@example.com", name="Ada L.", created_at=OLD)

    played.sync(ada)

    assert played.contact(ada)["id"] != stranger
    assert played.intercom.contact(id=stranger) == before


def test_a_user_new_to_intercom_is_created_whole_in_one_call(played: SyncWorld) -> None:
    """Rule 7 needed two calls: a bare create, then a save of everything."""
    ada = played.given_user(
        email="ada@example.com", name="Ada L.", phone_number="+44 20 7946", created_at=OLD
    )

    synced = played.sync(ada)

    assert [c for c in synced.calls if not _is_attribute_call(c)] == ["POST /contacts"]
    contact = played.contact(ada)
    assert contact["role"] == "user"
    assert (contact["name"], contact["phone"]) == ("Ada L.", "+44207946")
    assert contact["custom_attributes"]["subscription_plan"] == "free"
    assert played.settles(ada)


def test_an_error_at_the_look_up_is_that_users_and_is_tried_again(played: SyncWorld) -> None:
    """Rule 8: the job ended on all but a 404; nobody else is touched here, and nothing is lost."""
    ada, bob = played.given_user(name="Ada"), played.given_user(name="Bob", email="bob@example.com")
    refusal = {"kind": "error", "endpoint": "POST /contacts", "status": 403, "code": "no"}
    played.intercom.set(faults=[refusal])

    synced = played.sync(ada, bob)

    statuses = sorted(outcome.status for outcome in synced.outcomes.values())
    assert statuses == [Status.CHANGED, Status.RETRY]
    played.sync(ada, bob)
    assert (played.contact(ada)["name"], played.contact(bob)["name"]) == ("Ada", "Bob")
    assert played.settles(ada, bob)


def test_intercoms_id_is_stored_in_one_key_of_the_metadata_and_the_others_stay(
    played: SyncWorld,
) -> None:
    """Rule 9 replaced the whole hash on each run (weakness 1); here it is one key, once."""
    ada = played.given_user(metadata={"beta": True, "intercom_user_id": "stale"})

    played.sync(ada)

    stored = played.app_user(ada)
    assert stored["metadata"] == {"beta": True, "intercom_user_id": played.contact(ada)["id"]}
    played.sync(ada)
    assert played.app_user(ada) == stored


def test_intercoms_id_is_stored_also_where_the_row_was_held_by_the_app(played: SyncWorld) -> None:
    ada = played.given_user()
    with played.row_locked(ada):
        assert played.sync(ada)[ada].status is Status.RETRY
    assert played.app_user(ada)["metadata"] == {}

    played.sync(ada)

    assert played.app_user(ada)["metadata"]["intercom_user_id"] == played.contact(ada)["id"]
    assert len(played.intercom.contacts()) == 1


def test_intercoms_id_is_stored_also_where_the_app_refuses_a_value_beside_it(
    played: SyncWorld,
) -> None:
    played.run("alter table users add check (phone_number not like '+666%')")
    ada = played.given_user(name="Ada", phone_number=None)
    played.intercom.by_hand.create_contact(role="user", external_id=str(ada), phone="+6661")

    played.sync(ada)

    assert played.app_user(ada)["phone_number"] is None
    assert played.app_user(ada)["metadata"]["intercom_user_id"] == played.contact(ada)["id"]


def test_a_contact_of_another_external_id_that_ours_was_given_by_hand_is_left(
    played: SyncWorld,
) -> None:
    """Rule 10 wrote id, user_id and e-mail at once, which takes contacts over; a PUT would, too."""
    ada = played.given_user(email="ada@example.com")
    played.sync(ada)
    contact = played.contact(ada)["id"]
    played.intercom.by_hand.edit_contact(contact, external_id="somebody-else", name="Some Body")

    synced = played.look(ada)

    assert synced[ada].status is Status.CHANGED
    assert played.contact(ada)["id"] != contact
    taken = played.intercom.contact(id=contact)
    assert taken is not None
    assert (taken["external_id"], taken["name"]) == ("somebody-else", "Some Body")


def test_an_id_that_the_app_uses_again_keeps_its_contact_and_nothing_of_the_old_person(
    played: SyncWorld,
) -> None:
    ada = played.given_user(email="ada@example.com", name="Ada L.", phone_number="+44 1")
    played.sync(ada)
    before = played.contact(ada)["id"]
    played.delete_user(ada)
    played.sync(ada)
    played.given_user(id=ada, email="bob@example.com", name="Bob", phone_number=None)

    played.sync(ada)

    contact = played.contact(ada)
    assert contact["id"] == before
    assert (contact["email"], contact["name"], contact["phone"]) == ("bob@example.com", "Bob", None)
    assert contact["custom_attributes"]["deleted"] is False
    assert played.app_user(ada)["phone_number"] is None
    assert played.settles(ada)
