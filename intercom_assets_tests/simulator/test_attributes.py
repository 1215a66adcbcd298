"""Data attributes: made before use, named once for both models, strict about their values."""

from typing import Any

import pytest

from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.simulator.asking import Api, Clock, ok, refusal, status_and_code


def make(api: Api, **body: Any) -> Any:
    return api.post(
        "/data_attributes", {"name": "plan", "model": "contact", "data_type": "string", **body}
    )


def names(page: Any) -> set[str]:
    return {item["name"] for item in page["data"] if item["custom"]}


def test_a_new_attribute_reads_back_as_it_was_made(api: Api, clock: Clock) -> None:
    made = ok(make(api, description="What they pay for", messenger_writable=True))

    assert made["full_name"] == "custom_attributes.plan"
    assert (made["data_type"], made["description"]) == ("string", "What they pay for")
    assert (made["custom"], made["archived"], made["api_writable"]) == (True, False, True)
    assert made["created_at"] == int(clock.now)
    assert made in ok(api.get("/data_attributes?model=contact"))["data"]
    assert made not in ok(api.get("/data_attributes?model=company"))["data"]
    assert made in ok(api.get("/data_attributes"))["data"]


def test_a_list_attribute_reads_back_as_a_string_with_options(api: Api) -> None:
    made = api.attribute("colour", "options")

    assert (made["data_type"], made["options"]) == ("string", ["red", "blue"])


def test_the_standard_attributes_that_can_be_written(api: Api) -> None:
    page = ok(api.get("/data_attributes?model=contact"))

    assert {item["name"] for item in page["data"] if item["api_writable"]} == {
        "role",
        "name",
        "owner_id",
        "email",
        "phone",
        "external_id",
        "signed_up_at",
        "last_seen_at",
        "unsubscribed_from_emails",
        "avatar",
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": "conversation"}, "The Data Attribute model field must be either contact or"),
        ({"model": None}, "The Data Attribute model field must be either contact or company"),
        ({"data_type": "mithril"}, "Data Type isn't an option"),
        ({"data_type": None}, "Data Type isn't an option"),
        ({"name": "!nv@l!d n@me"}, "Your name for this attribute must only contain alphanumeric"),
        ({"name": "a.b"}, "Your name for this attribute must only contain alphanumeric"),
        ({"name": "a$"}, "Your name for this attribute must only contain alphanumeric"),
        ({"name": ""}, "Your name for this attribute must only contain alphanumeric"),
        ({"name": 5}, "name must be a string"),
        ({"name": "Email"}, "'Email' is one of our standard attributes for your people data."),
        ({"data_type": "options"}, "Options isn't an array"),
        ({"data_type": "options", "options": {"value": "a"}}, "Options isn't an array"),
        (
            {"data_type": "options", "options": [{"value": "a"}]},
            "You must have at least two options on a list type data attribute",
        ),
        ({"description": 5}, "description must be a string"),
    ],
)
def test_attributes_that_cannot_be_made(api: Api, body: dict[str, Any], message: str) -> None:
    status, code, said = refusal(make(api, **body))

    assert (status, code) == (400, "parameter_invalid")
    assert said.startswith(message)


@pytest.mark.parametrize("name", ["paid_subscriber", "The One Ring", "a-b", "£", "größe"])
def test_names_that_work(api: Api, name: str) -> None:
    assert ok(make(api, name=name))["name"] == name


def test_a_name_is_used_once_across_both_models(api: Api) -> None:
    ok(make(api, model="company"))

    assert refusal(make(api))[2] == (
        "You already have 'plan' in your company data. "
        "To save this as new people data, use a different name."
    )
    assert refusal(make(api, model="company"))[2].endswith(
        "To save this as new company data, use a different name."
    )
    assert ok(make(api, name="Plan"))["name"] == "Plan"


def test_the_model_of_conversations_is_gone(api: Api) -> None:
    answer = api.get("/data_attributes?model=conversation")

    assert status_and_code(answer) == (422, "parameter_invalid")
    assert api.get("/data_attributes?model=ticket").status == 400


# --- changing ---


def test_description_and_options_change_but_not_name_and_type(api: Api, clock: Clock) -> None:
    made = api.attribute("colour", "options")
    clock.advance(5)
    path = f"/data_attributes/{made['id']}"

    changed = ok(api.put(path, {"description": "x", "options": [{"value": "a"}, {"value": "b"}]}))

    assert (changed["description"], changed["options"]) == ("x", ["a", "b"])
    assert changed["updated_at"] == made["updated_at"] + 5
    assert api.put(path, {"data_type": "string"}).status == 400
    assert refusal(api.put(path, {"options": {"value": "a"}}))[2] == "Options isn't an array"


@pytest.mark.parametrize("attribute_id", ["999", "plan", "9" * 30, "-1", "٣"])
def test_an_unknown_attribute_cannot_be_changed(api: Api, attribute_id: str) -> None:
    assert refusal(api.put(f"/data_attributes/{attribute_id}", {"archived": True})) == (
        404,
        "field_not_found",
        "We couldn't find that data attribute to update",
    )


def test_an_archived_attribute_is_as_if_it_did_not_exist_until_it_is_taken_back(api: Api) -> None:
    made = api.attribute("plan")
    contact = api.user(custom_attributes={"plan": "pro"})
    path = f"/data_attributes/{made['id']}"
    assert ok(api.put(path, {"archived": True}))["archived"] is True

    write = api.put(f"/contacts/{contact['id']}", {"custom_attributes": {"plan": "free"}})
    assert refusal(write)[2] == "Custom attribute 'plan' does not exist"
    assert names(ok(api.get("/data_attributes"))) == set()
    assert names(ok(api.get("/data_attributes?include_archived=true"))) == {"plan"}
    assert make(api).status == 400

    ok(api.put(path, {"archived": False}))
    ok(api.put(f"/contacts/{contact['id']}", {"custom_attributes": {"plan": "free"}}))


def test_an_attribute_in_use_cannot_be_archived(api: Api, simulator: Simulator) -> None:
    made = api.attribute("plan")
    simulator.by_hand.depend_on_attribute("plan")

    answer = api.put(f"/data_attributes/{made['id']}", {"archived": True})

    assert status_and_code(answer) == (422, "data_invalid")


def test_there_is_room_for_250_and_archiving_frees_a_place(api: Api) -> None:
    made = [api.attribute(f"a{n}", model=("contact", "company")[n % 2]) for n in range(250)]

    assert status_and_code(make(api)) == (400, "custom_data_limit_reached")
    ok(api.put(f"/data_attributes/{made[0]['id']}", {"archived": True}))
    assert make(api).status == 200


# --- values ---


@pytest.mark.parametrize(
    ("data_type", "good", "bad"),
    [
        ("string", ["", "x" * 255], [5, True, ["a"], {"a": 1}, "x" * 256]),
        ("integer", [0, -5, 2**53], ["5", 5.5, True, [5], 2**70]),
        ("float", [0, 1.5, -2], ["1.5", True, {}, 10**400]),
        ("boolean", [True, False], [1, 0, "true", []]),
        ("date", [0, 1_700_000_000], ["2020-01-01", 1.5, -1, True]),
        ("datetime", [1_700_000_000], ["2020-01-01T00:00:00Z"]),
        ("options", ["red"], ["green", 5]),
    ],
)
def test_values_must_fit_their_attributes_type(
    api: Api, data_type: str, good: list[Any], bad: list[Any]
) -> None:
    api.attribute("x", data_type)
    contact = api.user()
    path = f"/contacts/{contact['id']}"

    for value in good:
        stored = ok(api.put(path, {"custom_attributes": {"x": value}}))
        assert stored["custom_attributes"] == {"x": value}
    for value in bad:
        refused = api.put(path, {"custom_attributes": {"x": value}})
        assert status_and_code(refused) == (400, "parameter_invalid"), value
    assert ok(api.get(path))["custom_attributes"] == {"x": good[-1]}


def test_an_unknown_attribute_refuses_the_whole_write(api: Api) -> None:
    contact = api.user(name="Ada")

    answer = api.put(
        f"/contacts/{contact['id']}", {"name": "Grace", "custom_attributes": {"isOpenSource": True}}
    )

    assert refusal(answer) == (
        400,
        "parameter_invalid",
        "Custom attribute 'isOpenSource' does not exist",
    )
    assert ok(api.get(f"/contacts/{contact['id']}"))["name"] == "Ada"


def test_an_attribute_of_the_other_model_does_not_exist_here(api: Api) -> None:
    api.attribute("plan_name", model="company")

    answer = api.post("/contacts", {"external_id": "7", "custom_attributes": {"plan_name": "x"}})

    assert refusal(answer)[2] == "Custom attribute 'plan_name' does not exist"
    made = api.company(custom_attributes={"plan_name": "pro"})
    assert made["custom_attributes"] == {"plan_name": "pro", "creation_source": "api"}
