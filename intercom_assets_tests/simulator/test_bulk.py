"""A hundred contacts or companies in one call: what is made of them, and what nobody is told."""

import json
from typing import Any

import pytest

from intercom_assets.simulator.simulator import Simulator
from intercom_assets.simulator.wire import Answer
from intercom_assets_tests.simulator.asking import Api, Clock, ids, ok, refusal, status_and_code

DELAY = 60


@pytest.fixture(autouse=True)
def preview(api: Api) -> None:
    api.version = "Preview"


def accepted(answer: Answer) -> Any:
    assert answer.status == 202, answer.body
    return answer.json()


def create(api: Api, *contacts: Any, **more: Any) -> Any:
    """The job, asked for once more after it was accepted."""
    return job(api, accepted(api.post("/contacts/bulk", {"contacts": list(contacts), **more})))


def update(api: Api, *contacts: Any) -> Any:
    return job(api, accepted(api.put("/contacts/bulk", {"contacts": list(contacts)})))


def job(api: Api, document: Any) -> Any:
    model = document["type"].partition(".")[0]
    return ok(api.get(f"/{model}/bulk/{document['id']}"))


def known(simulator: Simulator, external_id: str) -> Any:
    contact = simulator.contact(external_id=external_id)
    assert contact is not None
    return contact


def remaining(answer: Answer) -> int:
    return int(answer.headers["X-RateLimit-Remaining"])


# --- the call and its job ---


def test_the_answer_is_a_pending_job_without_ids_and_its_items_are_made(
    api: Api, simulator: Simulator, clock: Clock
) -> None:
    people = [{"external_id": str(n), "email": f"{n}@b.c", "name": f"N {n}"} for n in range(100)]

    document = accepted(api.post("/contacts/bulk", {"contacts": people}))

    assert document["type"] == "contacts.bulk.job"
    assert (document["state"], document["completed_at"]) == ("pending", None)
    assert [task["item_count"] for task in document["tasks"]] == [100]
    assert job(api, document)["state"] == "completed"
    assert job(api, document)["completed_at"] == int(clock.now)
    assert {contact["name"] for contact in simulator.contacts()} == {f"N {n}" for n in range(100)}
    assert "@b.c" not in json.dumps(job(api, document))


def test_a_job_waits_runs_and_is_done_when_its_delay_has_passed(
    api: Api, simulator: Simulator, clock: Clock
) -> None:
    simulator.set(bulk_job_delay_s=10)
    document = accepted(api.post("/contacts/bulk", {"contacts": [{"external_id": "7"}]}))

    states = []
    for _ in range(3):
        states.append(job(api, document)["state"])
        clock.advance(5)

    assert states == ["pending", "running", "completed"]
    assert known(simulator, "7")["created_at"] == document["created_at"] + 10


def test_what_a_job_made_is_in_lists_only_after_the_delay_of_the_index(
    api: Api, simulator: Simulator, clock: Clock
) -> None:
    """Counted from when the job made it, even if nobody looked then."""
    simulator.set(index_delay_s=DELAY, bulk_job_delay_s=10)
    accepted(api.post("/contacts/bulk", {"contacts": [{"external_id": "7"}]}))

    clock.advance(10)
    assert ok(api.get("/contacts/find_by_external_id/7"))["external_id"] == "7"
    assert ids(ok(api.get("/contacts"))) == []
    clock.advance(DELAY)
    assert ids(ok(api.get("/contacts"))) == [known(simulator, "7")["id"]]


@pytest.mark.parametrize("version", ["2.16", "2.17"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/contacts/bulk"),
        ("PUT", "/contacts/bulk"),
        ("POST", "/contacts/bulk/delete"),
        ("GET", "/contacts/bulk/job_v2_1"),
        ("POST", "/companies/bulk"),
        ("PUT", "/companies/bulk"),
        ("POST", "/companies/bulk/delete"),
        ("GET", "/companies/bulk/job_v2_1"),
    ],
)
def test_a_version_other_than_preview_does_not_have_it(
    api: Api, version: str, method: str, path: str
) -> None:
    api.version = version

    assert status_and_code(api.call(method, path, {})) == (400, "intercom_version_invalid")


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        ("POST", {}, (422, "field_not_found", "contacts field must be supplied")),
        ("POST", {"contacts": {}}, (422, "type_mismatch", "contacts must be an array")),
        ("POST", {"contacts": ["7"]}, (422, "type_mismatch", "each contact must be an object")),
        (
            "POST",
            {"contacts": [{}] * 101},
            (422, "parameter_invalid", "maximum number of contacts per request is 100"),
        ),
        ("POST", {"contacts": []}, (422, "parameter_invalid", "contacts must not be empty")),
        (
            "PUT",
            {"contacts": [{"id": "a"}, {"name": "Ada"}]},
            (422, "field_not_found", "contacts must be identified by id"),
        ),
        ("POST", {"contacts": [{}], "x": 1}, (400, "bad_request", "bad 'x' parameter")),
        (
            "POST",
            {"contacts": [{}], "job": {"id": "job_v2_0"}},
            (404, "job_not_found", "job job_v2_0 not found"),
        ),
    ],
)
def test_a_call_that_does_not_fit_is_refused_whole(
    api: Api, simulator: Simulator, method: str, body: Any, expected: Any
) -> None:
    assert refusal(api.call(method, "/contacts/bulk", body)) == expected
    assert simulator.contacts() == []


def test_the_number_of_items_is_a_setting(api: Api, simulator: Simulator) -> None:
    simulator.set(bulk_item_limit=1000)
    people = [{"external_id": str(n)} for n in range(1000)]

    assert create(api, *people)["tasks"][0]["item_count"] == 1000


def test_an_open_job_takes_further_tasks_and_a_done_one_is_closed(
    api: Api, simulator: Simulator, clock: Clock
) -> None:
    simulator.set(bulk_job_delay_s=10)
    first = accepted(api.post("/contacts/bulk", {"contacts": [{"external_id": "1"}]}))
    named = {"job": {"id": first["id"]}}

    more = create(api, {"external_id": "2"}, {"external_id": "3"}, **named)

    assert more["id"] == first["id"]
    assert [task["item_count"] for task in more["tasks"]] == [1, 2]
    clock.advance(10)
    assert job(api, first)["state"] == "completed"
    assert refusal(api.post("/contacts/bulk", {"contacts": [{}], **named})) == (
        403,
        "forbidden",
        f"job {first['id']} is closed for new task updates",
    )


def test_a_job_of_contacts_is_none_of_companies(api: Api) -> None:
    made = create(api, {"external_id": "7"})

    assert refusal(api.get(f"/companies/bulk/{made['id']}")) == (
        404,
        "job_not_found",
        f"job {made['id']} not found",
    )


# --- the limit ---


def test_a_bulk_call_is_one_call_unless_items_count(api: Api, simulator: Simulator) -> None:
    people = [{"external_id": str(n)} for n in range(100)]
    ok(api.get("/me"))
    before = remaining(api.get("/me"))
    assert before - remaining(api.post("/contacts/bulk", {"contacts": people})) == 1

    simulator.set(bulk_counts="item")
    assert before - 1 - remaining(api.post("/contacts/bulk", {"contacts": people})) == 100
    assert simulator.stats()["peak_per_window"] == 103


def test_where_items_count_a_call_may_overdraw_the_window_and_the_next_is_refused(
    api: Api, simulator: Simulator, clock: Clock
) -> None:
    simulator.set(bulk_counts="item", rate_limit_per_window=83)
    people = {"contacts": [{"external_id": str(n)} for n in range(100)]}

    assert api.post("/contacts/bulk", people).status == 202
    assert api.post("/contacts/bulk", people).status == 429
    clock.advance(10)
    assert api.post("/contacts/bulk", people).status == 202


# --- creating ---


@pytest.mark.parametrize("archived", [False, True])
@pytest.mark.parametrize("item", [{"external_id": "7"}, {"external_id": "9", "email": "A@B.c"}])
def test_an_item_whose_id_or_email_is_taken_is_rejected_and_the_others_are_made(
    api: Api, simulator: Simulator, item: Any, archived: bool
) -> None:
    taken = api.user("7", email="a@b.c", name="Ada")
    if archived:
        ok(api.post(f"/contacts/{taken['id']}/archive"))

    document = create(api, {"external_id": "8"}, {**item, "name": "Grace"})

    assert document["state"] == "completed_with_errors"
    assert known(simulator, "7")["name"] == "Ada"
    assert [contact["external_id"] for contact in simulator.contacts(None)] == ["7", "8"]


def test_two_items_of_one_email_make_one_contact(api: Api, simulator: Simulator) -> None:
    create(api, {"external_id": "1", "email": "a@b.c"}, {"external_id": "2", "email": "a@b.c"})

    assert [contact["external_id"] for contact in simulator.contacts()] == ["1"]


def test_leads_may_share_an_email(api: Api, simulator: Simulator) -> None:
    api.user("7", email="a@b.c")

    document = create(api, *[{"role": "lead", "email": "a@b.c"}] * 2)

    assert document["state"] == "completed"
    assert [contact["role"] for contact in simulator.contacts()] == ["user", "lead", "lead"]


def test_a_field_that_it_does_not_know_is_ignored_without_a_word(
    api: Api, simulator: Simulator
) -> None:
    document = create(
        api,
        {
            "external_id": "7",
            "signed_up_at": 1_700_000_000,
            "last_seen_at": 1_700_000_001,
            "email_verified": True,
            "shoe_size": 43,
        },
    )

    assert document["state"] == "completed"
    contact = known(simulator, "7")
    assert (contact["signed_up_at"], contact["last_seen_at"]) == (1_700_000_000, 1_700_000_001)
    assert "shoe_size" not in contact


@pytest.mark.parametrize(
    "attributes", [{"shoe_size": 43}, {"plan": 5}, "pro"], ids=["unknown", "of a wrong type", "odd"]
)
def test_a_refused_attribute_rejects_its_item_alone(
    api: Api, simulator: Simulator, attributes: Any
) -> None:
    api.attribute("plan")
    document = create(
        api,
        {"external_id": "1", "custom_attributes": attributes, "companies": [{"company_id": "t1"}]},
        {"external_id": "2", "custom_attributes": {"plan": "pro"}},
    )

    assert document["state"] == "completed_with_errors"
    assert [contact["external_id"] for contact in simulator.contacts()] == ["2"]
    assert simulator.company("t1") is None


# --- updating and deleting ---


def test_an_update_is_by_intercoms_id_and_sets_no_role_and_no_times(
    api: Api, simulator: Simulator
) -> None:
    user = api.user("7", name="Ada")
    api.attribute("plan")

    document = update(
        api,
        {
            "id": user["id"],
            "name": "Grace",
            "custom_attributes": {"plan": "pro"},
            "role": "lead",
            "signed_up_at": 1_700_000_000,
            "last_seen_at": 1_700_000_000,
        },
    )

    contact = known(simulator, "7")
    assert document["state"] == "completed"
    assert (contact["name"], contact["role"]) == ("Grace", "user")
    assert contact["custom_attributes"] == {"plan": "pro"}
    assert (contact["signed_up_at"], contact["last_seen_at"]) == (None, None)


def test_an_update_of_nobody_is_rejected_and_makes_nobody(api: Api, simulator: Simulator) -> None:
    user = api.user("7")

    document = update(api, {"id": "f" * 24, "name": "X"}, {"id": user["id"], "name": "Ada"})

    assert document["state"] == "completed_with_errors"
    assert [contact["name"] for contact in simulator.contacts(None)] == ["Ada"]


def test_an_update_to_another_users_external_id_is_rejected(api: Api, simulator: Simulator) -> None:
    api.user("7")
    user = api.user("8")

    document = update(api, {"id": user["id"], "external_id": "7", "name": "X"})

    assert document["state"] == "completed_with_errors"
    assert known(simulator, "8")["name"] is None


def test_deleting_by_the_hundred_is_for_good(api: Api, simulator: Simulator) -> None:
    users = [api.user(str(n)) for n in range(3)]
    body = {"contacts": [{"id": user["id"]} for user in users[:2]]}

    assert job(api, accepted(api.post("/contacts/bulk/delete", body)))["state"] == "completed"

    states = [contact["state"] for contact in simulator.contacts(None)]
    assert states == ["deleted", "deleted", "live"]
    unarchived = api.post(f"/contacts/{users[0]['id']}/unarchive")
    assert status_and_code(unarchived) == (400, "bad_request")


# --- companies and tags of an item ---


def test_an_item_attaches_and_detaches_companies(api: Api, simulator: Simulator) -> None:
    api.company("t1", name="One")
    api.company("t2", name="Two")
    create(
        api,
        {
            "external_id": "7",
            "companies": [{"company_id": "t1"}, {"company_id": "t2", "name": "X"}],
        },
    )
    user = known(simulator, "7")
    assert len(user["company_ids"]) == 2

    update(
        api,
        {"id": user["id"], "companies": [{"company_id": "t1", "remove": True}]},
    )

    two = simulator.company("t2")
    assert two is not None
    assert known(simulator, "7")["company_ids"] == [two["id"]]
    assert (two["name"], two["user_count"]) == ("Two", 1)
    assert simulator.company("t1")["user_count"] == 0  # type: ignore[index]


def test_attaching_a_company_that_is_not_there_makes_it(api: Api, simulator: Simulator) -> None:
    user = api.user("7")

    update(api, {"id": user["id"], "companies": [{"company_id": "t9", "name": "Nine"}]})

    made = simulator.company("t9")
    assert made is not None
    assert (made["name"], made["user_count"]) == ("Nine", 1)


def test_an_item_of_more_than_a_thousand_companies_is_rejected(
    api: Api, simulator: Simulator
) -> None:
    user = api.user("7")

    document = update(
        api, {"id": user["id"], "companies": [{"company_id": f"t{n}"} for n in range(1001)]}
    )

    assert document["state"] == "completed_with_errors"
    assert simulator.companies() == []


def test_tags_are_put_on_and_taken_off_and_unknown_ones_passed_over(
    api: Api, simulator: Simulator
) -> None:
    user, tag, other = api.user("7"), *(ok(api.post("/tags", {"name": n})) for n in ("A", "B"))
    ok(api.post(f"/contacts/{user['id']}/tags", {"id": other["id"]}))
    tags = {"add": [{"id": tag["id"]}, {"id": "0"}], "remove": [{"id": other["id"]}]}

    document = update(api, {"id": user["id"], "tags": tags})

    assert document["state"] == "completed"
    assert ids(ok(api.get(f"/contacts/{user['id']}/tags"))) == [tag["id"]]


# --- companies ---


def test_companies_are_made_or_updated_by_their_company_id(api: Api, simulator: Simulator) -> None:
    api.company("t1", name="One")
    rows = [{"company_id": "t1", "name": "Uno"}, {"company_id": "t2", "monthly_spend": 5}]

    document = job(api, accepted(api.post("/companies/bulk", {"companies": rows})))

    assert (document["type"], document["state"]) == ("companies.bulk.job", "completed")
    named = {company["company_id"]: company["name"] for company in simulator.companies()}
    assert named == {"t1": "Uno", "t2": ""}


def test_an_update_of_companies_makes_none(api: Api, simulator: Simulator) -> None:
    company = api.company("t1")
    rows = [
        {"id": company["id"], "remote_created_at": 1_700_000_000},
        {"id": "f" * 24, "name": "X"},
    ]

    document = job(api, accepted(api.put("/companies/bulk", {"companies": rows})))

    assert document["state"] == "completed_with_errors"
    assert [row["remote_created_at"] for row in simulator.companies()] == [1_700_000_000]


@pytest.mark.parametrize(
    ("method", "body", "message"),
    [
        ("POST", {"companies": [{"name": "x"}]}, "companies must be identified by company_id"),
        ("PUT", {"companies": [{"company_id": "t1"}]}, "companies must be identified by id"),
        ("PUT", {}, "companies field must be supplied"),
    ],
)
def test_companies_are_named(api: Api, method: str, body: Any, message: str) -> None:
    assert refusal(api.call(method, "/companies/bulk", body)) == (422, "field_not_found", message)


def test_an_item_of_an_unknown_company_attribute_is_rejected_alone(
    api: Api, simulator: Simulator
) -> None:
    rows = [{"company_id": "t1", "custom_attributes": {"x": 1}}, {"company_id": "t2"}]

    document = job(api, accepted(api.post("/companies/bulk", {"companies": rows})))

    assert document["state"] == "completed_with_errors"
    assert [company["company_id"] for company in simulator.companies()] == ["t2"]


def test_deleted_companies_let_their_people_go(api: Api, simulator: Simulator) -> None:
    company = api.company("t1")
    api.attach(api.user("7"), company)

    accepted(api.post("/companies/bulk/delete", {"companies": [{"id": company["id"]}]}))

    assert known(simulator, "7")["company_ids"] == []
    assert api.get(f"/companies/{company['id']}").status == 404


# --- what gets lost ---


@pytest.mark.parametrize("state", ["completed_with_errors", "completed"])
def test_lost_items_are_not_made_and_the_job_may_keep_silent_of_them(
    api: Api, simulator: Simulator, state: str
) -> None:
    simulator.set(bulk_lose_every=3, bulk_lost_state=state)

    document = create(api, *[{"external_id": str(n)} for n in range(1, 7)])

    assert document["state"] == state
    made = [contact["external_id"] for contact in simulator.contacts()]
    assert made == ["1", "2", "4", "5"]
    assert simulator.stats()["bulk"] == {"jobs": 1, "items": 6, "not_made": 2}


@pytest.mark.parametrize(
    ("setting", "status", "name"),
    [("reject_item", 202, "Ada"), ("refuse_call", 422, "Ada"), ("clear", 202, None)],
)
def test_a_null_is_refused_or_clears(
    api: Api, simulator: Simulator, setting: str, status: int, name: str | None
) -> None:
    simulator.set(bulk_null=setting)
    user = api.user("7", name="Ada", phone="+491")

    answer = api.put("/contacts/bulk", {"contacts": [{"id": user["id"], "name": None}]})

    assert answer.status == status
    assert (known(simulator, "7")["name"], known(simulator, "7")["phone"]) == (name, "+491")


def test_a_null_may_be_ignored_and_the_rest_of_its_item_stored(
    api: Api, simulator: Simulator
) -> None:
    simulator.set(bulk_null="ignore")
    user = api.user("7", name="Ada")

    document = update(api, {"id": user["id"], "name": None, "email": "a@b.c"})

    assert document["state"] == "completed"
    assert (known(simulator, "7")["name"], known(simulator, "7")["email"]) == ("Ada", "a@b.c")
