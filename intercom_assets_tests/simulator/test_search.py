"""Search: filters and groups, types and operators, calendar days, pages that follow a cursor."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.simulator.asking import (
    Api,
    Clock,
    all_of,
    any_of,
    ids,
    ok,
    refusal,
    where,
)

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: Any = UTC) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


@pytest.fixture
def people(simulator: Simulator) -> dict[str, str]:
    """Names to ids."""
    api_ids = simulator.seed(
        [
            {"external_id": "1", "email": "Ada@b.c", "name": "Ada", "signed_up_at": 100},
            {"external_id": "2", "email": "grace@b.c", "name": "Grace", "country": "Chad"},
            {"external_id": "3", "name": "Alan", "unsubscribed_from_emails": True},
            {"role": "lead", "email": "ada@b.c", "name": "Lead", "phone": "+1"},
        ]
    )
    return dict(zip(("Ada", "Grace", "Alan", "Lead"), api_ids, strict=True))


def found(api: Api, people: dict[str, str], query: Any) -> set[str]:
    by_id = {contact_id: name for name, contact_id in people.items()}
    return {by_id[contact_id] for contact_id in ids(api.search(query))}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (where("email", "=", "ADA@B.C"), {"Ada", "Lead"}),
        (where("email", "!=", "ada@b.c"), {"Grace", "Alan"}),
        (where("email", "IN", ["ada@b.c", "grace@b.c"]), {"Ada", "Lead", "Grace"}),
        (where("email", "NIN", ["ada@b.c"]), {"Grace", "Alan"}),
        (where("email", "=", None), {"Alan"}),
        (where("email", "!=", None), {"Ada", "Grace", "Lead"}),
        (where("email", "~", "RAC"), {"Grace"}),
        (where("email", "!~", "ada"), {"Grace", "Alan"}),
        (where("email", "^", "gra"), {"Grace"}),
        (where("name", "$", "A"), {"Ada"}),
        (where("email_domain", "=", "b.c"), {"Ada", "Grace", "Lead"}),
        (where("external_id", "=", "2"), {"Grace"}),
        (where("external_id", "IN", ["1", "3", "9"]), {"Ada", "Alan"}),
        (where("name", "=", "ada"), set()),
        (where("role", "=", "lead"), {"Lead"}),
        (where("phone", "=", "+1"), {"Lead"}),
        (where("location.country", "=", "Chad"), {"Grace"}),
        (where("unsubscribed_from_emails", "=", True), {"Alan"}),
        (where("has_hard_bounced", "!=", True), {"Ada", "Grace", "Alan", "Lead"}),
        (where("signed_up_at", "=", 100), {"Ada"}),
        (where("signed_up_at", "=", None), {"Grace", "Alan", "Lead"}),
        (where("browser", "=", "Chrome"), set()),
        (where("segment_id", "=", "1"), set()),
        (all_of(where("email", "=", "ada@b.c"), where("role", "=", "user")), {"Ada"}),
        (any_of(where("name", "=", "Alan"), where("external_id", "=", "2")), {"Alan", "Grace"}),
        (
            all_of(
                any_of(where("email", "=", "ada@b.c"), where("email", "=", "grace@b.c")),
                any_of(where("role", "=", "lead"), where("name", "=", "Grace")),
            ),
            {"Lead", "Grace"},
        ),
        (
            all_of(where("role", "=", "user"), any_of(where("name", "~", "a"))),
            {"Ada", "Grace", "Alan"},
        ),
    ],
)
def test_who_is_found(api: Api, people: dict[str, str], query: Any, expected: set[str]) -> None:
    assert found(api, people, query) == expected


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        (None, "invalid_query", "Invalid query. Ensure"),
        ({}, "invalid_query", "Invalid query. Ensure"),
        ({"field": "email", "operator": "="}, "invalid_query", "Invalid query. Ensure"),
        ({"operator": "AND", "value": []}, "invalid_query", "Invalid query. Ensure"),
        ({"operator": "AND", "value": {}}, "invalid_query", "Invalid query. Ensure"),
        ({"operator": "NOT", "value": [1]}, "invalid_operator", "Composite operators must be"),
        (where("not_a_field", "=", "x"), "invalid_field", "not_a_field is not a valid field"),
        (where("companies", "=", "x"), "invalid_field", "companies is not a valid field"),
        (where("custom_attributes.x", "=", "x"), "invalid_field", "custom_attributes.x is not"),
        (where("email", ">", "x"), "invalid_operator", "email does not support operator: >"),
        (where("email", ["="], "x"), "invalid_operator", "email does not support operator"),
        (where("email", "=", 123), "invalid_value", "123 is not a valid string"),
        (where("role", "=", "admin"), "invalid_value", "admin is not a valid role"),
        (where("created_at", "=", "foobar"), "invalid_value", "foobar is not a valid date"),
        (where("created_at", "=", -1.5), "invalid_value", "-1.5 is not a valid date"),
        (where("created_at", "=", 10**30), "invalid_value", ""),
        (where("has_hard_bounced", "=", "x"), "invalid_value", "x is not a valid boolean"),
        (where("email", "IN", "x"), "invalid_values", "IN needs an array"),
        (where("email", "IN", []), "invalid_values", "IN needs an array"),
        (where("email", "IN", ["x"] * 16), "invalid_value", "Number of elements"),
        (where("email", "~", None), "invalid_value", "null is not"),
        (where("tag_id", "IN", ["1"]), "invalid_operator", "tag_id does not support"),
        (any_of(*[where("email", "=", "x")] * 16), "invalid_value", "Number of elements in comp"),
        (all_of(any_of(all_of(where("email", "=", "x")))), "invalid_query", "Queries can be"),
    ],
)
def test_queries_that_are_refused(api: Api, query: Any, code: str, message: str) -> None:
    status, said, text = refusal(api.post("/contacts/search", {"query": query}))

    assert (status, said) == (400, code)
    assert text.startswith(message)


@pytest.mark.parametrize("operator", ["!=", ">=", "<=", "IN", "NIN", "~"])
def test_dates_take_only_three_operators(api: Api, operator: str) -> None:
    answer = api.post("/contacts/search", {"query": where("updated_at", operator, 5)})

    assert refusal(answer)[1] == "invalid_operator"


def test_fifteen_by_fifteen_filters_fit(api: Api, simulator: Simulator) -> None:
    simulator.seed({"count": 300})
    numbers = iter(range(1, 226))
    query = any_of(
        *(
            any_of(*(where("external_id", "=", str(next(numbers))) for _ in range(15)))
            for _ in range(15)
        )
    )

    assert api.search(query, pagination={"per_page": 150})["total_count"] == 225


# --- custom attributes ---


def test_custom_attributes_are_searched_by_their_type(api: Api) -> None:
    api.attribute("seats", "integer")
    api.attribute("paid", "boolean")
    api.attribute("colour", "options")
    few = api.user("1", custom_attributes={"seats": 3, "paid": True, "colour": "red"})
    many = api.user("2", custom_attributes={"seats": 30})

    def ask(*query: Any) -> list[str]:
        return sorted(ids(api.search(where(*query))))

    assert ask("custom_attributes.seats", ">=", 30) == [many["id"]]
    assert ask("custom_attributes.seats", "<", 30) == [few["id"]]
    assert ask("custom_attributes.seats", "<=", 2) == []
    assert ask("custom_attributes.seats", ">", 1) == sorted([few["id"], many["id"]])
    assert ask("custom_attributes.seats", "IN", [3, 4]) == [few["id"]]
    assert ask("custom_attributes.paid", "=", True) == [few["id"]]
    assert ask("custom_attributes.paid", "=", None) == [many["id"]]
    assert ask("custom_attributes.colour", "=", "red") == [few["id"]]


# --- calendar days ---


@pytest.mark.parametrize(
    ("operator", "expected"), [("=", {"dawn", "dusk"}), (">", {"after"}), ("<", {"before"})]
)
def test_dates_match_by_calendar_day(
    api: Api, simulator: Simulator, operator: str, expected: set[str]
) -> None:
    times = {
        "before": "2025-06-15 23:59:59",
        "dawn": "2025-06-16 00:00:00",
        "dusk": "2025-06-16 23:59:59",
        "after": "2025-06-17 00:00:00",
    }
    for name, time in times.items():
        simulator.seed({"name": name, "external_id": name, "signed_up_at": at(time)})

    for field in ("signed_up_at", "created_at", "updated_at"):
        for contact in simulator.contacts():
            simulator.by_hand.edit_contact(contact["id"], **{field: contact["signed_up_at"]})
        page = api.search(where(field, operator, at("2025-06-16 09:00:00")))
        assert {item["name"] for item in page["data"]} == expected, field


def test_the_day_is_the_workspaces(api: Api, simulator: Simulator) -> None:
    simulator.set(time_zone="Europe/Berlin")
    simulator.seed({"external_id": "1", "updated_at": at("2025-06-16 00:30:00", BERLIN)})

    def today(text: str) -> int:
        return int(api.search(where("updated_at", "=", at(text, BERLIN)))["total_count"])

    assert (today("2025-06-16 23:00:00"), today("2025-06-15 23:00:00")) == (1, 0)


def test_the_day_of_a_clock_change_has_its_own_length(api: Api, simulator: Simulator) -> None:
    simulator.set(time_zone="Europe/Berlin")
    simulator.seed({"external_id": "1", "updated_at": at("2025-10-26 23:30:00", BERLIN)})

    asked = where("updated_at", "=", at("2025-10-26 00:10:00", BERLIN))

    assert api.search(asked)["total_count"] == 1


def test_from_midnight_of_that_day_on_is_asked_for_with_two_filters(
    api: Api, simulator: Simulator, clock: Clock
) -> None:
    for hour in (-20, -10, -1, 20):
        simulator.seed({"external_id": str(hour), "updated_at": int(clock.now) + hour * 3600})
    now = int(clock.now)

    page = api.search(
        any_of(where("updated_at", ">", now), where("updated_at", "=", now)),
        sort={"field": "updated_at", "order": "descending"},
    )

    assert [item["external_id"] for item in page["data"]] == ["20", "-1", "-10"]


@pytest.mark.parametrize(
    ("operator", "expected"),
    [("=", {5}), (">", {6}), (">=", {5, 6}), ("<", {4}), ("<=", {4, 5}), ("!=", {4, 6})],
)
def test_2_17_compares_to_the_second(
    api: Api, simulator: Simulator, operator: str, expected: set[int]
) -> None:
    for second in (4, 5, 6):
        simulator.seed({"external_id": str(second), "updated_at": second})
    api.version = "2.17"

    page = api.search(where("updated_at", operator, 5))

    assert {item["updated_at"] for item in page["data"]} == expected


def test_custom_dates_stay_grained_by_day_in_2_17(api: Api) -> None:
    api.attribute("renewal", "date")
    api.user(custom_attributes={"renewal": at("2025-06-16 23:00:00")})
    api.version = "2.17"

    asked = where("custom_attributes.renewal", "=", at("2025-06-16 01:00:00"))

    assert api.search(asked)["total_count"] == 1
    assert api.post("/contacts/search", {"query": {**asked, "operator": ">="}}).status == 400


def test_digits_in_quotes_are_a_date(api: Api) -> None:
    assert api.search(where("created_at", ">", "1306054154"))["total_count"] == 0


# --- pages and order ---


def test_pages_follow_the_cursor_of_the_body(api: Api, simulator: Simulator) -> None:
    simulator.seed({"count": 7})
    body = {"query": where("role", "=", "user"), "sort": {"field": "name", "order": "ascending"}}
    seen: list[str] = []
    numbers = []
    cursor = None
    while True:
        page = ok(
            api.post(
                "/contacts/search",
                {**body, "pagination": {"per_page": 3, "starting_after": cursor}},
            )
        )
        seen += [item["name"] for item in page["data"]]
        numbers.append(page["pages"]["page"])
        if "next" not in page["pages"]:
            break
        assert page["pages"]["next"]["page"] == page["pages"]["page"] + 1
        cursor = page["pages"]["next"]["starting_after"]

    assert seen == [f"User {number}" for number in range(1, 8)]
    assert numbers == [1, 2, 3]
    assert (page["total_count"], page["pages"]["total_pages"]) == (7, 3)


@pytest.mark.parametrize("order", ["ascending", "descending"])
@pytest.mark.parametrize("field", ["updated_at", "signed_up_at", "email", "created_at"])
def test_every_row_comes_once_in_either_order(
    api: Api, simulator: Simulator, field: str, order: str
) -> None:
    simulator.seed(
        [
            {
                "external_id": str(number),
                "email": f"{number % 3}@b.c" if number % 4 else None,
                "signed_up_at": number % 5 if number % 2 else None,
                "updated_at": 100 + number % 3,
            }
            for number in range(20)
        ]
    )
    seen: list[str] = []
    cursor: str | None = None
    while cursor != "":
        page = api.search(
            where("role", "=", "user"),
            sort={"field": field, "order": order},
            pagination={"per_page": 6, "starting_after": cursor},
        )
        seen += ids(page)
        cursor = page["pages"].get("next", {}).get("starting_after", "")

    assert len(seen) == len(set(seen)) == 20


def test_a_cursor_in_the_query_string_is_ignored(api: Api, simulator: Simulator) -> None:
    simulator.seed({"count": 3})
    body = {"query": where("role", "=", "user"), "pagination": {"per_page": 2}}
    first = ok(api.post("/contacts/search", body))
    cursor = first["pages"]["next"]["starting_after"]

    again = ok(api.post(f"/contacts/search?starting_after={cursor}", body))

    assert ids(again) == ids(first)


@pytest.mark.parametrize("cursor", ["None", "x", "e30=", "WzEsMl0=", 5, [], "WyIxIiwxLCJhIl0="])
def test_a_cursor_that_nobody_gave_is_refused(api: Api, cursor: Any) -> None:
    answer = api.post(
        "/contacts/search",
        {"query": where("role", "=", "user"), "pagination": {"starting_after": cursor}},
    )

    assert refusal(answer) == (
        400,
        "client_error",
        "Invalid starting_after param. Please try again using a starting_after value from a "
        "paginated response",
    )


def test_a_cursor_of_another_order_is_refused(api: Api, simulator: Simulator) -> None:
    simulator.seed({"count": 3})
    first = api.search(where("role", "=", "user"), pagination={"per_page": 1})
    cursor = first["pages"]["next"]["starting_after"]

    answer = api.post(
        "/contacts/search",
        {
            "query": where("role", "=", "user"),
            "sort": {"field": "signed_up_at"},
            "pagination": {"starting_after": cursor.replace("W", "V", 1)},
        },
    )

    assert answer.status == 400


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"sort": {"field": "created_at", "order": "desc"}}, "invalid_sort_order"),
        ({"sort": {"field": "nothing"}}, "invalid_field"),
        ({"sort": {"field": "tag_id"}}, "invalid_field"),
        ({"sort": "created_at"}, "parameter_invalid"),
        ({"sort": {"by": "created_at"}}, "bad_request"),
        ({"pagination": {"per_page": 151}}, "parameter_invalid"),
        ({"pagination": {"per_page": 0}}, "parameter_invalid"),
        ({"pagination": {"per_page": "many"}}, "parameter_invalid"),
        ({"pagination": []}, "parameter_invalid"),
        ({"pagination": {"page": 2}}, "bad_request"),
        ({"starting_after": "x"}, "bad_request"),
    ],
)
def test_bodies_that_are_refused(api: Api, body: dict[str, Any], code: str) -> None:
    answer = api.post("/contacts/search", {"query": where("role", "=", "user"), **body})

    assert refusal(answer)[:2] == (400, code)


def test_the_short_word_for_an_order_works_before_2_16(api: Api) -> None:
    api.version = "2.15"

    assert api.search(where("role", "=", "user"), sort={"field": "name", "order": "desc"})


# --- GET /contacts ---


def test_all_contacts_are_listed_by_cursor_in_order_of_creation(
    api: Api, simulator: Simulator
) -> None:
    made = simulator.seed({"count": 5})

    first = ok(api.get("/contacts?per_page=3"))
    cursor = first["pages"]["next"]["starting_after"]
    api.user("new")
    second = ok(api.get(f"/contacts?per_page=3&starting_after={cursor}"))

    assert [*ids(first), *ids(second)][:5] == made
    assert first["pages"] == {
        "type": "pages",
        "page": 1,
        "per_page": 3,
        "total_pages": 2,
        "next": {"page": 2, "starting_after": cursor},
    }
    assert "next" not in second["pages"]


def test_an_empty_list_has_no_pages(api: Api) -> None:
    assert ok(api.get("/contacts"))["pages"] == {
        "type": "pages",
        "page": 1,
        "per_page": 10,
        "total_pages": 0,
    }
    assert api.get("/contacts?starting_after=None").status == 400
    assert api.get("/contacts?per_page=151").status == 400


def test_a_time_with_a_fraction_is_the_second_that_it_is_in(api: Api, clock: Clock) -> None:
    """As a public extractor sends it: it could not read a contact otherwise."""
    contact = api.user("7")

    exact = any_of(where("updated_at", ">", clock.now), where("updated_at", "=", clock.now))

    assert isinstance(clock.now, float)
    assert ids(api.search(exact)) == [contact["id"]]


def test_a_page_size_beside_the_query_is_accepted_and_sizes_nothing(api: Api) -> None:
    for number in range(3):
        api.user(str(number))

    page = api.search(where("role", "=", "user"), per_page=2)

    assert (len(page["data"]), page["pages"]["per_page"]) == (3, 50)
