"""Archived, deleted and blocked contacts: what can come back, and what it blocks meanwhile."""

from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.simulator.asking import Api, Clock, ids, ok, refusal, status_and_code

DAY = 86_400


def test_an_archived_contact_is_gone_by_id_and_from_lists(api: Api) -> None:
    contact = api.user()

    archived = ok(api.post(f"/contacts/{contact['id']}/archive"))

    assert archived == {
        "type": "contact",
        "id": contact["id"],
        "external_id": "7",
        "archived": True,
    }
    assert api.get(f"/contacts/{contact['id']}").status == 404
    assert api.put(f"/contacts/{contact['id']}", {"name": "x"}).status == 404
    assert ids(ok(api.get("/contacts"))) == []


def test_archiving_twice_answers_the_same_and_unarchiving_brings_everything_back(
    api: Api, clock: Clock
) -> None:
    contact = api.user(name="Ada")
    first = api.post(f"/contacts/{contact['id']}/archive")
    again = api.post(f"/contacts/{contact['id']}/archive")
    clock.advance(60)

    back = ok(api.post(f"/contacts/{contact['id']}/unarchive"))

    assert ok(again) == ok(first)
    assert ("Set-Cookie" in first.headers, "Set-Cookie" in again.headers) == (True, False)
    assert back["archived"] is False
    found = ok(api.get(f"/contacts/{contact['id']}"))
    assert (found["name"], found["updated_at"]) == ("Ada", contact["updated_at"] + 60)


def test_unarchiving_a_live_contact_changes_nothing(api: Api) -> None:
    contact = api.user()

    assert ok(api.post(f"/contacts/{contact['id']}/unarchive"))["archived"] is False


def test_unarchiving_is_refused_where_the_external_id_was_taken(api: Api) -> None:
    gone, other = api.user("7"), api.user("8")
    ok(api.post(f"/contacts/{gone['id']}/archive"))
    ok(api.put(f"/contacts/{other['id']}", {"external_id": "7"}))

    assert api.post(f"/contacts/{gone['id']}/unarchive").status == 409


def test_an_archived_or_deleted_lead_blocks_nobody(api: Api) -> None:
    lead = api.lead(email="a@b.c")
    ok(api.post(f"/contacts/{lead['id']}/archive"))

    assert api.user(email="a@b.c")["role"] == "user"


def test_a_deleted_user_cannot_be_restored_and_blocks_for_a_week(api: Api, clock: Clock) -> None:
    contact = api.user(email="a@b.c")
    assert ok(api.delete(f"/contacts/{contact['id']}"))["deleted"] is True

    again = api.post("/contacts", {"external_id": "7"})
    back = api.post(f"/contacts/{contact['id']}/unarchive")
    assert refusal(again)[2].startswith("An archived contact matching")
    assert refusal(back) == (
        400,
        "bad_request",
        "User has been marked for permanent deletion and is not restorable.",
    )

    clock.advance(7 * DAY)
    assert api.user()["id"] != contact["id"]
    assert api.post(f"/contacts/{contact['id']}/unarchive").status == 404


def test_an_archived_contact_can_be_deleted(api: Api) -> None:
    contact = api.user()
    ok(api.post(f"/contacts/{contact['id']}/archive"))

    assert ok(api.delete(f"/contacts/{contact['id']}"))["deleted"] is True
    assert api.delete(f"/contacts/{contact['id']}").status == 404


def test_a_blocked_user_is_gone_and_not_restorable(api: Api) -> None:
    contact = api.user()

    assert ok(api.post(f"/contacts/{contact['id']}/block"))["blocked"] is True

    assert api.get(f"/contacts/{contact['id']}").status == 404
    assert api.post("/contacts", {"external_id": "7"}).status == 409
    back = api.post(f"/contacts/{contact['id']}/unarchive")
    assert status_and_code(back) == (400, "not_restorable")


def test_a_company_deleted_meanwhile_does_not_come_back_with_the_contact(
    api: Api, simulator: Simulator
) -> None:
    contact, company = api.user(), api.company()
    api.attach(contact, company)
    ok(api.post(f"/contacts/{contact['id']}/archive"))
    ok(api.delete(f"/companies/{company['id']}"))

    ok(api.post(f"/contacts/{contact['id']}/unarchive"))

    assert ok(api.get(f"/contacts/{contact['id']}"))["companies"]["total_count"] == 0


def test_an_archived_contact_does_not_count_among_a_companys_users(api: Api) -> None:
    contact, company = api.user(), api.company()
    api.attach(contact, company)
    assert ok(api.get(f"/companies/{company['id']}"))["user_count"] == 1

    ok(api.post(f"/contacts/{contact['id']}/archive"))
    assert ok(api.get(f"/companies/{company['id']}"))["user_count"] == 0

    ok(api.post(f"/contacts/{contact['id']}/unarchive"))
    assert ok(api.get(f"/companies/{company['id']}"))["user_count"] == 1
