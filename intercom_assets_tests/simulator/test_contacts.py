"""Contacts one by one: what is stored, what is refused, who may hold which identity."""

import re

import pytest

from intercom_assets.simulator.simulator import Simulator
from intercom_assets.simulator.wire import Answer
from intercom_assets_tests.simulator.asking import Api, Clock, ok, refusal, status_and_code

LIVE = r"A contact matching those details already exists with id=([0-9a-f]{24})"
ARCHIVED = r"An archived contact matching those details already exists with id=([0-9a-f]{24})"


def conflicting_id(answer: Answer, text: str) -> str:
    status, code, message = refusal(answer)
    assert (status, code) == (409, "conflict")
    match = re.fullmatch(text, message)
    assert match, message
    return match.group(1)


# --- creating ---


def test_a_new_user_reads_back_as_it_was_sent(api: Api) -> None:
    sent = {
        "role": "user",
        "external_id": "7",
        "email": "Ada@Example.com",
        "name": "Ada",
        "phone": "+353871234567",
        "avatar": "https://example.com/a.png",
        "signed_up_at": 1_600_000_000,
        "last_seen_at": 1_700_000_000,
        "owner_id": "991267459",
        "unsubscribed_from_emails": True,
    }
    created = ok(api.post("/contacts", sent))

    assert {key: created[key] for key in sent} == sent
    assert re.fullmatch("[0-9a-f]{24}", created["id"])
    assert ok(api.get(f"/contacts/{created['id']}")) == created
    assert ok(api.get("/contacts/find_by_external_id/7")) == created


def test_an_external_id_may_hold_any_character(api: Api) -> None:
    created = api.user("a/b c%2Fé")

    found = ok(api.get("/contacts/find_by_external_id/a%2Fb%20c%252F%C3%A9"))

    assert found["id"] == created["id"]


def test_an_email_alone_makes_a_user(api: Api) -> None:
    created = ok(api.post("/contacts", {"email": "a@b.c"}))

    assert (created["role"], created["external_id"]) == ("user", None)


@pytest.mark.parametrize("body", [None, {}, {"name": "Ada"}, {"email": ""}, {"external_id": ""}])
def test_a_contact_needs_an_email_an_external_id_or_a_role(api: Api, body: object) -> None:
    assert status_and_code(api.post("/contacts", body)) == (400, "parameter_not_found")


def test_the_role_contact_means_user(api: Api) -> None:
    assert ok(api.post("/contacts", {"role": "contact", "email": "a@b.c"}))["role"] == "user"


@pytest.mark.parametrize(
    "bad",
    [
        {"role": "admin"},
        {"role": None},
        {"email": 5},
        {"name": ["Ada"]},
        {"name": "x" * 256},
        {"external_id": 7},
        {"signed_up_at": "2020-01-01"},
        {"signed_up_at": 1.5},
        {"signed_up_at": True},
        {"last_seen_at": 10**400},
        {"last_seen_at": -1},
        {"unsubscribed_from_emails": "yes"},
        {"avatar": 5},
        {"owner_id": "1"},
        {"owner_id": []},
        {"custom_attributes": ["a"]},
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_and_nothing_is_stored(
    api: Api, simulator: Simulator, bad: dict[str, object]
) -> None:
    refused = api.post("/contacts", {"external_id": "7", "email": "a@b.c", **bad})

    assert status_and_code(refused) == (400, "parameter_invalid")
    assert simulator.contacts() == []


def test_the_owner_must_be_a_teammate(api: Api) -> None:
    assert refusal(api.post("/contacts", {"email": "a@b.c", "owner_id": "321"})) == (
        400,
        "parameter_invalid",
        "The owner specified is not a member of the workspace",
    )


def test_an_unknown_key_is_a_bad_parameter_and_the_error_has_no_request_id(api: Api) -> None:
    answer = api.post("/contacts", {"email": "a@b.c", "plan": "pro"})

    assert refusal(answer) == (400, "bad_request", "bad 'plan' parameter")
    assert answer.json()["request_id"] is None


def test_email_verified_comes_with_an_email_or_not_at_all(api: Api) -> None:
    contact = api.user(email="a@b.c", email_verified=True)

    alone = api.put(f"/contacts/{contact['id']}", {"email_verified": True})

    assert alone.status == 400


# --- who may hold an identity ---


def test_an_external_id_is_taken_once(api: Api) -> None:
    first = api.user("7")

    assert conflicting_id(api.post("/contacts", {"external_id": "7"}), LIVE) == first["id"]


def test_an_email_is_taken_where_either_side_has_no_external_id(api: Api) -> None:
    nameless = ok(api.post("/contacts", {"email": "a@b.c"}))
    api.user("7", email="x@y.z")

    with_external_id = api.post("/contacts", {"external_id": "8", "email": "A@B.C"})
    without = api.post("/contacts", {"email": "X@y.z"})

    assert conflicting_id(with_external_id, LIVE) == nameless["id"]
    assert without.status == 409


def test_two_users_with_external_ids_may_share_an_email(api: Api) -> None:
    api.user("7", email="a@b.c")

    assert api.user("8", email="a@b.c")["email"] == "a@b.c"


def test_a_put_may_take_another_users_email_but_not_its_external_id(api: Api) -> None:
    first, second = api.user("7", email="a@b.c"), api.user("8", email="x@y.z")

    assert ok(api.put(f"/contacts/{second['id']}", {"email": "a@b.c"}))["email"] == "a@b.c"
    taken = api.put(f"/contacts/{second['id']}", {"external_id": "7"})
    assert conflicting_id(taken, LIVE) == first["id"]


def test_an_archived_user_blocks_creation_but_not_a_put(api: Api) -> None:
    gone, other = api.user("7", email="a@b.c"), api.user("8", email="x@y.z")
    ok(api.post(f"/contacts/{gone['id']}/archive"))

    assert conflicting_id(api.post("/contacts", {"external_id": "7"}), ARCHIVED) == gone["id"]
    assert conflicting_id(api.post("/contacts", {"email": "a@b.c"}), ARCHIVED) == gone["id"]
    assert ok(api.put(f"/contacts/{other['id']}", {"external_id": "7"}))["external_id"] == "7"


def test_a_live_holder_is_named_before_an_archived_one(api: Api) -> None:
    gone = api.user("7")
    ok(api.post(f"/contacts/{gone['id']}/archive"))
    other = api.user("8")
    ok(api.put(f"/contacts/{other['id']}", {"external_id": "7"}))

    assert conflicting_id(api.post("/contacts", {"external_id": "7"}), LIVE) == other["id"]


def test_a_user_may_gain_and_change_an_external_id_but_not_lose_it(api: Api) -> None:
    contact = ok(api.post("/contacts", {"email": "a@b.c"}))
    path = f"/contacts/{contact['id']}"

    assert ok(api.put(path, {"external_id": "7"}))["external_id"] == "7"
    assert ok(api.put(path, {"external_id": "8"}))["external_id"] == "8"
    assert ok(api.put(path, {"external_id": None}))["external_id"] == "8"
    assert api.get("/contacts/find_by_external_id/7").status == 404


# --- leads ---


def test_leads_are_not_unique_and_get_a_random_external_id(api: Api) -> None:
    api.user("7", email="a@b.c")

    first = api.lead(email="a@b.c", external_id="7")
    second = api.lead(email="a@b.c")

    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first["external_id"])
    assert first["external_id"] != second["external_id"]
    assert api.get(f"/contacts/find_by_external_id/{first['external_id']}").status == 404


def test_a_leads_external_id_cannot_be_set_later_either(api: Api) -> None:
    lead = api.lead(email="a@b.c")

    changed = ok(api.put(f"/contacts/{lead['id']}", {"external_id": "7", "name": "Ada"}))

    assert (changed["external_id"], changed["name"]) == (lead["external_id"], "Ada")


def test_a_lead_becomes_a_user_in_place(api: Api) -> None:
    lead = api.lead(email="a@b.c")

    user = ok(api.put(f"/contacts/{lead['id']}", {"role": "user", "external_id": "7"}))

    assert (user["id"], user["role"], user["external_id"]) == (lead["id"], "user", "7")


def test_a_user_never_becomes_a_lead(api: Api) -> None:
    user = api.user()

    assert refusal(api.put(f"/contacts/{user['id']}", {"role": "lead"})) == (
        400,
        "client_error",
        "Contact with user role can't be converted to a lead",
    )


def test_a_promoted_lead_meets_the_rules_of_creation(api: Api) -> None:
    taken, lead = api.user("7"), api.lead(email="a@b.c")

    answer = api.put(f"/contacts/{lead['id']}", {"role": "user", "external_id": "7"})

    assert conflicting_id(answer, LIVE) == taken["id"]


# --- updating ---


def test_a_key_that_is_not_sent_stays(api: Api) -> None:
    api.attribute("plan")
    api.attribute("seats", "integer")
    contact = api.user(name="Ada", custom_attributes={"plan": "pro"})

    changed = ok(api.put(f"/contacts/{contact['id']}", {"custom_attributes": {"seats": 0}}))

    assert changed["name"] == "Ada"
    assert changed["custom_attributes"] == {"plan": "pro", "seats": 0}


def test_null_clears_and_a_cleared_attribute_stays_as_null(api: Api) -> None:
    api.attribute("plan")
    api.attribute("seats", "integer")
    contact = api.user(name="Ada", phone="1", custom_attributes={"plan": "pro"})

    changed = ok(
        api.put(
            f"/contacts/{contact['id']}",
            {"name": None, "phone": None, "custom_attributes": {"plan": None, "seats": None}},
        )
    )

    assert (changed["name"], changed["phone"]) == (None, None)
    assert changed["custom_attributes"] == {"plan": None}


def test_a_cleared_email_reads_empty_by_id_and_null_in_lists(api: Api) -> None:
    contact = api.user(email="a@b.c")

    cleared = ok(api.put(f"/contacts/{contact['id']}", {"email": None}))

    assert cleared["email"] == ""
    assert ok(api.get(f"/contacts/{contact['id']}"))["email"] == ""
    assert ok(api.get("/contacts"))["data"][0]["email"] is None


def test_a_put_that_changes_nothing_does_not_move_updated_at(api: Api, clock: Clock) -> None:
    api.attribute("seats", "integer")
    contact = api.user(name="Ada", custom_attributes={"seats": 3})
    clock.advance(60)

    same = api.put(f"/contacts/{contact['id']}", {"name": "Ada", "custom_attributes": {"seats": 3}})
    other = ok(api.put(f"/contacts/{contact['id']}", {"name": "Grace"}))

    assert ok(same)["updated_at"] == contact["updated_at"]
    assert "Set-Cookie" not in same.headers
    assert other["updated_at"] == contact["updated_at"] + 60


def test_the_cookie_of_a_recent_write_comes_with_identities_only(api: Api) -> None:
    contact = api.user(name="Ada", email="a@b.c")
    path = f"/contacts/{contact['id']}"

    assert "Set-Cookie" not in api.put(path, {"name": "Grace"}).headers
    assert "recent_write=" in api.put(path, {"email": "g@b.c"}).headers["Set-Cookie"]


def test_the_stored_updated_at_may_run_ahead_of_the_writes_answer(
    api: Api, simulator: Simulator
) -> None:
    simulator.set(updated_at_skew_s=2)

    created = api.user()

    assert ok(api.get(f"/contacts/{created['id']}"))["updated_at"] == created["updated_at"] + 2


def test_nobody_is_found_by_an_unknown_id(api: Api) -> None:
    for answer in (
        api.get("/contacts/000000000000000000000000"),
        api.put("/contacts/nobody", {"name": "Ada"}),
        api.get("/contacts/find_by_external_id/7"),
        api.delete("/contacts/nobody"),
        api.post("/contacts/nobody/archive"),
        api.post("/contacts/nobody/unarchive"),
        api.post("/contacts/nobody/block"),
    ):
        assert refusal(answer) == (404, "not_found", "User Not Found")


# --- versions ---


def test_the_owner_is_a_number_before_2_16(api: Api) -> None:
    contact = api.user(owner_id="991267459")
    api.version = "2.14"

    assert ok(api.get(f"/contacts/{contact['id']}"))["owner_id"] == 991267459
    assert api.put(f"/contacts/{contact['id']}", {"email_verified": True}).status == 400


def test_version_2_3_answers_as_it_was_recorded(api: Api) -> None:
    api.version = "2.3"
    contact = api.user()

    assert contact["location"] == {
        "type": "location",
        "country": None,
        "region": None,
        "city": None,
    }
    assert ok(api.post(f"/contacts/{contact['id']}/archive", {})) == {
        "id": contact["id"],
        "object": "contact",
        "archived": True,
    }
