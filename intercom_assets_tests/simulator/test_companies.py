"""Companies, their edges to contacts, and the lists that hide those without users."""

from typing import Any

import pytest

from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.simulator.asking import Api, Clock, ids, ok, refusal, status_and_code


def populated(api: Api, count: int) -> list[Any]:
    """Companies that are shown in lists, since each has a user."""
    contact = api.user()
    companies = [api.company(f"t{number}") for number in range(count)]
    for company in companies:
        api.attach(contact, company)
    return companies


# --- one company ---


def test_a_company_is_made_and_found_by_either_id(api: Api) -> None:
    sent = {
        "company_id": "t1",
        "name": "Team",
        "size": 5,
        "website": "example.com",
        "industry": "Ships",
        "monthly_spend": 155.98,
        "remote_created_at": 1_600_000_000,
        "plan": "Pro",
    }

    made = ok(api.post("/companies", sent))

    assert {**made, "plan": made["plan"]["name"]} == {**made, **sent, "monthly_spend": 155}
    assert (made["user_count"], made["session_count"]) == (0, 0)
    assert ok(api.get(f"/companies/{made['id']}")) == made
    assert ok(api.get("/companies?company_id=t1")) == made
    assert ok(api.get("/companies?name=Team")) == made


def test_a_second_post_updates_the_same_company(api: Api, clock: Clock) -> None:
    made = api.company(name="Team")
    clock.advance(60)

    same = api.company(name="Team")
    renamed = api.company(name="Crew")

    assert same == made
    assert (renamed["id"], renamed["name"]) == (made["id"], "Crew")
    assert renamed["updated_at"] == made["updated_at"] + 60


def test_unset_values_are_left_out_and_null_clears(api: Api) -> None:
    made = api.company(size=5, plan="Pro", monthly_spend=7)

    cleared = ok(
        api.put(f"/companies/{made['id']}", {"size": None, "plan": None, "monthly_spend": None})
    )

    assert "size" not in cleared
    assert "website" not in made
    assert (cleared["plan"], cleared["monthly_spend"]) == ({}, 0)


def test_a_company_can_be_told_that_it_was_just_seen(api: Api, clock: Clock) -> None:
    made = api.company(update_last_request_at=True)

    assert made["last_request_at"] == int(clock.now)
    api.version = "2.15"
    refused = api.post("/companies", {"company_id": "t1", "update_last_request_at": True})
    assert refusal(refused) == (400, "bad_request", "bad 'update_last_request_at' parameter")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "parameter_not_found")),
        ({"name": "Team"}, (400, "parameter_not_found")),
        ({"company_id": ""}, (400, "parameter_not_found")),
        ({"company_id": 5}, (400, "parameter_invalid")),
        ({"company_id": "t", "test": 1}, (400, "bad_request")),
        ({"company_id": "t", "size": "100"}, (400, "parameter_invalid")),
        ({"company_id": "t", "size": 1.5}, (400, "parameter_invalid")),
        ({"company_id": "t", "monthly_spend": 2**31}, (400, "parameter_invalid")),
        ({"company_id": "t", "monthly_spend": "7"}, (400, "parameter_invalid")),
        ({"company_id": "t", "remote_created_at": "now"}, (400, "parameter_invalid")),
        ({"company_id": "t", "name": "x" * 256}, (400, "parameter_invalid")),
        ({"company_id": "t", "custom_attributes": {"x": 1}}, (400, "parameter_invalid")),
    ],
)
def test_what_a_company_cannot_be(
    api: Api, simulator: Simulator, body: Any, expected: tuple[int, str]
) -> None:
    assert status_and_code(api.post("/companies", body)) == expected
    assert simulator.companies() == []


def test_the_company_id_and_the_day_of_creation_cannot_be_put(api: Api) -> None:
    made = api.company()

    for key in ("company_id", "remote_created_at", "update_last_request_at"):
        assert api.put(f"/companies/{made['id']}", {key: 1}).status == 400


def test_companies_nobody_knows(api: Api) -> None:
    for answer in (
        api.get("/companies/nobody"),
        api.get("/companies?company_id=nobody"),
        api.get("/companies?name=nobody"),
        api.put("/companies/nobody", {"name": "x"}),
        api.delete("/companies/nobody"),
        api.get("/companies/nobody/contacts"),
        api.post("/companies", {"id": "nobody", "name": "x"}),
    ):
        assert refusal(answer) == (404, "company_not_found", "Company Not Found")


def test_a_deleted_company_lets_its_contacts_go_and_its_id_be_used_again(api: Api) -> None:
    contact, made = api.user(), api.company()
    api.attach(contact, made)

    assert ok(api.delete(f"/companies/{made['id']}")) == {
        "id": made["id"],
        "object": "company",
        "deleted": True,
    }

    assert ok(api.get(f"/contacts/{contact['id']}"))["companies"]["total_count"] == 0
    assert api.get(f"/companies/{made['id']}").status == 404
    assert api.company()["id"] != made["id"]


def test_a_deleted_company_can_be_read_until_its_archival_is_through(
    api: Api, simulator: Simulator, clock: Clock
) -> None:
    simulator.set(company_archival_s=30)
    made = api.company()
    ok(api.delete(f"/companies/{made['id']}"))

    assert api.get(f"/companies/{made['id']}").status == 200
    assert api.put(f"/companies/{made['id']}", {"name": "x"}).status == 404
    clock.advance(30)
    assert api.get(f"/companies/{made['id']}").status == 404


# --- edges ---


def test_attaching_answers_the_count_of_before_and_detaching_the_new_one(api: Api) -> None:
    contact, made = api.user(), api.company()

    attached = api.attach(contact, made)
    again = api.attach(contact, made)
    detached = ok(api.delete(f"/contacts/{contact['id']}/companies/{made['id']}"))

    assert [answer["user_count"] for answer in (attached, again, detached)] == [0, 1, 0]
    assert detached["id"] == made["id"]


def test_edges_that_cannot_be_made_or_unmade(api: Api) -> None:
    contact, made = api.user(), api.company()
    edges = f"/contacts/{contact['id']}/companies"

    assert refusal(api.post(edges, {})) == (400, "parameter_not_found", "company not specified")
    assert status_and_code(api.post(edges, {"id": "nobody"})) == (404, "company_not_found")
    assert status_and_code(api.post(edges, {"id": made["id"], "x": 1})) == (400, "bad_request")
    assert status_and_code(api.delete(f"{edges}/{made['id']}")) == (404, "company_not_found")
    stranger = api.post("/contacts/nobody/companies", {"id": made["id"]})
    assert refusal(stranger) == (404, "not_found", "User Not Found")
    assert api.get("/contacts/nobody/companies").status == 404


def test_an_edge_does_not_move_the_contacts_updated_at(api: Api, clock: Clock) -> None:
    contact, made = api.user(), api.company()
    clock.advance(60)

    api.attach(contact, made)

    assert ok(api.get(f"/contacts/{contact['id']}"))["updated_at"] == contact["updated_at"]


def test_a_contact_shows_ten_companies_and_tells_that_there_are_more_if_so_set(
    api: Api, simulator: Simulator
) -> None:
    simulator.set(embedded_lists="ten")
    made = populated(api, 12)
    contact = ok(api.get("/contacts"))["data"][0]

    embedded = contact["companies"]
    whole = ok(api.get(embedded["url"]))
    second = ok(api.get(f"{embedded['url']}?per_page=5&page=3"))

    assert [item["id"] for item in embedded["data"]] == [item["id"] for item in made[:10]]
    assert (embedded["total_count"], embedded["has_more"]) == (12, True)
    assert ids(whole) == [item["id"] for item in made]
    assert whole["companies"] == whole["data"]
    assert ids(second) == [item["id"] for item in made[10:]]
    assert (whole["pages"]["next"], second["pages"]["next"]) == (None, None)


def test_a_contact_has_at_most_a_thousand_companies(api: Api, simulator: Simulator) -> None:
    simulator.seed({"external_id": "7", "companies": [f"t{n}" for n in range(1000)]})
    contact = simulator.contact(external_id="7")
    assert contact is not None

    answer = api.post(f"/contacts/{contact['id']}/companies", {"id": api.company("last")["id"]})

    assert refusal(answer) == (
        400,
        "contact_company_limit_exceeded",
        "Contact has reached the maximum of 1000 company associations",
    )


def test_a_companys_contacts_come_by_cursor(api: Api) -> None:
    made = api.company()
    people = [api.user(str(number)) for number in range(5)]
    for contact in people:
        api.attach(contact, made)

    first = ok(api.get(f"/companies/{made['id']}/contacts?per_page=3"))
    cursor = first["pages"]["next"]["starting_after"]
    second = ok(api.get(f"/companies/{made['id']}/contacts?per_page=3&starting_after={cursor}"))

    assert [*ids(first), *ids(second)] == [contact["id"] for contact in people]
    assert first["total_count"] == 5
    assert "next" not in second["pages"]


# --- lists ---


def test_lists_hide_companies_without_users(api: Api) -> None:
    (shown,) = populated(api, 1)
    hidden = api.company("hidden")

    for page in (
        ok(api.post("/companies/list")),
        ok(api.get("/companies")),
        ok(api.get("/companies/scroll")),
    ):
        assert ids(page) == [shown["id"]]
    assert ok(api.get("/companies?company_id=hidden"))["id"] == hidden["id"]


def test_pages_of_companies_are_numbered_and_the_next_one_is_a_url(api: Api) -> None:
    made = [item["id"] for item in populated(api, 5)]
    api.headers["Host"] = "127.0.0.1:8080"

    first = ok(api.post("/companies/list?per_page=3&order=asc"))
    url = first["pages"]["next"]
    second = ok(api.post(url.removeprefix("http://127.0.0.1:8080")))

    assert url == "http://127.0.0.1:8080/companies/list?order=asc&page=2&per_page=3"
    assert [*ids(first), *ids(second)] == made
    assert second["pages"] == {
        "type": "pages",
        "next": None,
        "page": 2,
        "per_page": 3,
        "total_pages": 2,
    }


def test_most_recently_seen_companies_come_first(api: Api, clock: Clock) -> None:
    first, second, third = populated(api, 3)
    api.company("t1", update_last_request_at=True)

    assert ids(ok(api.post("/companies/list"))) == [second["id"], third["id"], first["id"]]


@pytest.mark.parametrize(
    "query", ["per_page=61", "per_page=0", "page=0", "page=x", "order=up", "per_page=-1"]
)
def test_pages_that_cannot_be_asked_for(api: Api, query: str) -> None:
    assert status_and_code(api.post(f"/companies/list?{query}")) == (400, "parameter_invalid")


def test_lists_of_companies_end_at_ten_thousand(api: Api) -> None:
    assert refusal(api.post("/companies/list?per_page=60&page=167")) == (
        400,
        "client_error",
        "page limit reached, please use scroll API",
    )


# --- scroll ---


def test_a_scroll_ends_with_an_empty_page_that_has_a_parameter_and_then_is_gone(api: Api) -> None:
    made = populated(api, 3)

    first = ok(api.get("/companies/scroll"))
    last = ok(api.get(f"/companies/scroll?scroll_param={first['scroll_param']}"))

    assert sorted(ids(first)) == sorted(item["id"] for item in made)
    assert (first["pages"], first["total_count"]) == (None, None)
    assert last["data"] == []
    assert last["scroll_param"] == first["scroll_param"]
    over = api.get(f"/companies/scroll?scroll_param={first['scroll_param']}")
    assert status_and_code(over) == (404, "not_found")


def test_a_scroll_shows_a_hundred_at_a_time(api: Api) -> None:
    populated(api, 101)

    first = ok(api.get("/companies/scroll"))
    second = ok(api.get(f"/companies/scroll?scroll_param={first['scroll_param']}"))

    assert [len(first["data"]), len(second["data"])] == [100, 1]


def test_only_one_scroll_is_open_and_an_idle_one_dies_after_a_minute(
    api: Api, clock: Clock
) -> None:
    populated(api, 1)
    first = ok(api.get("/companies/scroll"))

    assert refusal(api.get("/companies/scroll")) == (
        400,
        "scroll_exists",
        "scroll already exists for this workspace",
    )
    clock.advance(60)
    late = api.get(f"/companies/scroll?scroll_param={first['scroll_param']}")
    assert late.status == 404
    assert api.get("/companies/scroll").status == 200
