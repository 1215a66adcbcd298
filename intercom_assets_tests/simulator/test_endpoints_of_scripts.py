"""What existing scripts call besides contacts and companies, and what is not played."""

import pytest

from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.simulator.asking import (
    NOON,
    Api,
    Clock,
    ids,
    ok,
    refusal,
    status_and_code,
    where,
)

DAY_S = 86_400


# --- events ---


def event(**fields: object) -> dict[str, object]:
    return {"event_name": "ordered", "created_at": int(NOON), "user_id": "7", **fields}


def test_an_event_is_accepted_without_a_body_and_listed(api: Api) -> None:
    contact = api.user("7", email="a@b.c")

    accepted = api.post("/events", event(metadata={"price": 9, "plan": "pro"}))
    listed = ok(api.get("/events?type=user&user_id=7"))

    assert (accepted.status, accepted.body) == (202, b"")
    assert listed["events"] == [
        {
            "type": "event",
            "event_name": "ordered",
            "created_at": int(NOON),
            "user_id": "7",
            "intercom_user_id": contact["id"],
            "email": "a@b.c",
            "metadata": {"price": 9, "plan": "pro"},
        }
    ]


def test_an_event_told_twice_counts_once_and_ten_keys_of_it_are_kept(api: Api) -> None:
    api.user("7")
    for _ in range(2):
        api.post("/events", event(metadata={str(n): n for n in range(11)}))
    api.post("/events", event(created_at=int(NOON) + 1))

    events = ok(api.get("/events?type=user&user_id=7"))["events"]

    assert [item["created_at"] for item in events] == [int(NOON) + 1, int(NOON)]
    assert len(events[1]["metadata"]) == 10


def test_events_older_than_90_days_are_counted_but_not_listed(api: Api) -> None:
    api.user("7")
    api.post("/events", event(created_at=int(NOON) - 91 * DAY_S))
    api.post("/events", event())

    assert len(ok(api.get("/events?type=user&user_id=7"))["events"]) == 1
    [summary] = ok(api.get("/events?type=user&user_id=7&summary=true"))["events"]
    assert (summary["name"], summary["count"]) == ("ordered", 2)
    assert summary["first"] < summary["last"] == "2025-06-16T12:00:00.000+00:00"


def test_a_page_of_events_leads_to_the_next(api: Api) -> None:
    api.user("7")
    for second in range(3):
        api.post("/events", event(created_at=int(NOON) + second))

    first = ok(api.get("/events?type=user&user_id=7&per_page=2"))
    second_page = ok(api.get("/events?" + first["pages"]["next"].partition("?")[2]))

    assert [len(first["events"]), len(second_page["events"])] == [2, 1]
    assert second_page["pages"]["next"] is None


def test_a_lead_has_events_by_its_id_alone(api: Api) -> None:
    lead = api.lead(email="a@b.c")

    by_email = {"event_name": "ordered", "created_at": int(NOON), "email": "a@b.c"}
    by_id = {"event_name": "ordered", "created_at": int(NOON), "id": lead["id"]}

    assert refusal(api.post("/events", by_email)) == (404, "not_found", "User Not Found")
    assert api.post("/events", by_id).status == 202
    assert len(ok(api.get(f"/events?type=user&intercom_user_id={lead['id']}"))["events"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"created_at": int(NOON), "user_id": "7"},
        {"event_name": "ordered", "user_id": "7"},
        {"event_name": "ordered", "created_at": int(NOON)},
        {"event_name": "ordered", "created_at": "today", "user_id": "7"},
        {"event_name": "ordered", "created_at": int(NOON), "user_id": "7", "metadata": []},
        {"event_name": "ordered", "created_at": int(NOON), "user_id": "7", "x": 1},
    ],
)
def test_an_event_that_lacks_something_is_refused(api: Api, body: object) -> None:
    api.user("7")

    assert api.post("/events", body).status == 400


def test_events_are_asked_for_by_type_and_name(api: Api) -> None:
    assert api.get("/events?user_id=7").status == 400
    assert api.get("/events?type=user").status == 400
    assert api.get("/events?type=user&user_id=nobody").status == 404


# --- notes ---


@pytest.mark.parametrize("kind", ["contacts", "companies"])
def test_a_note_is_written_listed_newest_first_and_named_in_its_record(api: Api, kind: str) -> None:
    record = api.user() if kind == "contacts" else api.company()
    path = f"/{kind}/{record['id']}"
    first = ok(api.post(f"{path}/notes", {"body": "called"}))
    second = ok(api.post(f"{path}/notes", {"body": "<p>wrote</p>", "admin_id": "991267459"}))

    page = ok(api.get(f"{path}/notes"))

    assert ids(page) == [second["id"], first["id"]]
    assert (first["body"], first["author"]["id"]) == ("<p>called</p>", "991267459")
    assert ok(api.get(f"/notes/{first['id']}")) == first
    named = ok(api.get(path))["notes"]
    assert (named["total_count"], named["url"]) == (2, f"{path}/notes")


def test_notes_are_paged_by_cursor_to_their_end(api: Api) -> None:
    path = f"/contacts/{api.user()['id']}/notes"
    written = [ok(api.post(path, {"body": f"note {number}"}))["id"] for number in range(5)]

    found, after = [], ""
    for _ in range(3):
        page = ok(api.get(f"{path}?per_page=2&starting_after={after}"))
        found += ids(page)
        after = page["pages"].get("next", {}).get("starting_after", "")

    assert found == written[::-1]
    assert after == ""


def test_notes_are_about_who_is_there_and_by_who_works_here(api: Api) -> None:
    path = f"/contacts/{api.user()['id']}/notes"

    assert refusal(api.get("/contacts/nobody/notes")) == (404, "not_found", "User Not Found")
    assert status_and_code(api.get("/companies/none/notes")) == (404, "company_not_found")
    stranger = api.post(path, {"body": "x", "admin_id": "1"})
    assert refusal(stranger) == (404, "not_found", "Resource Not Found")
    assert api.post(path, {}).status == 400
    assert api.get("/notes/none").status == 404


# --- segments and teams ---


def test_segments_hold_whom_an_operator_put_there(api: Api, simulator: Simulator) -> None:
    ada, grace, company = api.user("1"), api.user("2"), api.company()
    api.attach(ada, company)
    people = simulator.by_hand.create_segment("Active", [ada["id"]])
    firms = simulator.by_hand.create_segment("Large", [company["id"]])
    simulator.by_hand.put_in_segment(people, grace["id"])

    listed = ok(api.get("/segments?include_count=true"))["segments"]

    assert [(item["name"], item["count"]) for item in listed] == [("Active", 2), ("Large", 1)]
    assert ok(api.get(f"/segments/{people}"))["name"] == "Active"
    assert ids(ok(api.get(f"/contacts/{ada['id']}/segments"))) == [people]
    assert ids(ok(api.get(f"/companies/{company['id']}/segments"))) == [firms]
    assert ids(api.search(where("segment_id", "=", people))) == [ada["id"], grace["id"]]
    assert ids(ok(api.get(f"/companies?segment_id={firms}"))) == [company["id"]]
    shown = ok(api.get(f"/companies/{company['id']}"))["segments"]["segments"]
    assert [item["id"] for item in shown] == [firms]


def test_teams_are_listed(api: Api, simulator: Simulator) -> None:
    team = simulator.by_hand.create_team("Support", ["991267459"])

    assert ok(api.get("/teams")) == {
        "type": "team.list",
        "teams": [{"type": "team", "id": team, "name": "Support", "admin_ids": [991267459]}],
    }
    assert ok(api.get(f"/teams/{team}"))["name"] == "Support"
    assert status_and_code(api.get("/teams/none")) == (404, "team_not_found")


# --- subscriptions ---


def test_a_contact_opts_in_and_out_of_subscription_types(api: Api, simulator: Simulator) -> None:
    news = simulator.by_hand.create_subscription_type("News")
    contact = api.user()
    path = f"/contacts/{contact['id']}"

    made = ok(api.post(f"{path}/subscriptions", {"id": news, "consent_type": "opt_out"}))

    assert ids(ok(api.get("/subscription_types"))) == [news] == [made["id"]]
    assert ids(ok(api.get(f"{path}/subscriptions"))) == [news]
    document = ok(api.get(path))
    assert document["opted_out_subscription_types"]["total_count"] == 1
    assert document["opted_in_subscription_types"]["total_count"] == 0
    ok(api.delete(f"{path}/subscriptions/{news}"))
    assert ids(ok(api.get(f"{path}/subscriptions"))) == []
    assert api.delete(f"{path}/subscriptions/{news}").status == 404
    unknown = api.post(f"{path}/subscriptions", {"id": "none", "consent_type": "opt_in"})
    assert refusal(unknown) == (404, "not_found", "Resource Not Found")


# --- messages ---


def test_a_message_goes_from_a_teammate_to_a_contact_or_begins_a_conversation(api: Api) -> None:
    contact = api.user("7")
    admin = {"type": "admin", "id": 991267459}
    to = {"type": "user", "user_id": "7"}

    told = ok(
        api.post("/messages", {"message_type": "in_app", "body": "Hi", "from": admin, "to": to})
    )
    asked = ok(
        api.post("/messages", {"from": {"type": "user", "id": contact["id"]}, "body": "Help"})
    )

    assert (told["type"], told["message_type"]) == ("admin_message", "inapp")
    assert (asked["type"], bool(asked["conversation_id"])) == ("user_message", True)


@pytest.mark.parametrize(
    ("change", "met"),
    [
        ({"body": None}, (400, "parameter_invalid")),
        ({"message_type": "email"}, (422, "parameter_not_found")),
        ({"message_type": "carrier pigeon"}, (400, "parameter_invalid")),
        ({"to": {"type": "user", "user_id": "nobody"}}, (404, "not_found")),
        ({"to": None}, (400, "parameter_not_found")),
        ({"from": {"type": "admin", "id": 1}}, (404, "admin_not_found")),
        ({"from": None}, (400, "parameter_not_found")),
    ],
)
def test_a_message_that_cannot_go_is_refused(
    api: Api, change: dict[str, object], met: tuple[int, str]
) -> None:
    api.user("7")
    body = {
        "message_type": "in_app",
        "body": "Hi",
        "from": {"type": "admin", "id": 991267459},
        "to": {"type": "user", "user_id": "7"},
    }

    assert status_and_code(api.post("/messages", {**body, **change})) == met


# --- visitors and jobs ---


def test_a_visitor_is_renamed_and_becomes_the_user_that_it_is(
    api: Api, simulator: Simulator
) -> None:
    api.attribute("plan")
    visitor = simulator.by_hand.create_visitor("v1")
    body = {"user_id": "v1", "name": "Ada", "custom_attributes": {"plan": "pro"}}

    assert ok(api.get("/visitors?user_id=v1"))["id"] == visitor
    assert ok(api.put("/visitors", body))["name"] == "Ada"
    convert = {"type": "user", "user": {"email": "a@b.c"}, "visitor": {"user_id": "v1"}}
    made = ok(api.post("/visitors/convert", convert))

    assert (made["role"], made["name"], made["email"]) == ("user", "Ada", "a@b.c")
    assert made["custom_attributes"] == {"plan": "pro"}
    gone = refusal(api.get("/visitors?user_id=v1"))
    assert gone == (404, "not_found", "Visitor Not Found")


def test_a_visitor_whose_user_exists_is_only_gone(api: Api, simulator: Simulator) -> None:
    user = api.user("7", email="a@b.c")
    simulator.by_hand.create_visitor("v1")

    convert = {"type": "user", "user": {"user_id": "7"}, "visitor": {"user_id": "v1"}}

    assert ok(api.post("/visitors/convert", convert))["id"] == user["id"]
    assert len(simulator.contacts()) == 1


def test_a_visitor_becomes_a_lead_under_its_own_id(api: Api, simulator: Simulator) -> None:
    simulator.by_hand.create_visitor("v1")

    lead = ok(api.post("/visitors/convert", {"type": "lead", "visitor": {"user_id": "v1"}}))

    assert (lead["role"], lead["external_id"]) == ("lead", "v1")
    assert api.post("/visitors/convert", {"type": "boss", "visitor": {}}).status == 400
    assert api.post("/visitors/convert", {"type": "user", "visitor": {}}).status == 400


def test_a_job_tells_how_far_it_is(api: Api, simulator: Simulator) -> None:
    job = simulator.by_hand.create_job("success", "ticket", "20")

    assert ok(api.get(f"/jobs/status/{job}"))["status"] == "success"
    assert refusal(api.get("/jobs/status/none")) == (404, "job_not_found", "Job Not Found")


# --- what is not played ---


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/conversations"),
        ("POST", "/tickets"),
        ("GET", "/contacts/1/banners"),
        ("GET", "/contacts/1/conversations"),
        ("GET", "/contacts/activities"),
        ("POST", "/companies/search"),
    ],
)
def test_what_intercom_has_and_the_simulator_has_not_is_no_missing_contact(
    api: Api, method: str, path: str
) -> None:
    answer = api.call(method, path)

    assert refusal(answer)[:2] == (501, "not_simulated")
    assert path in refusal(answer)[2]


def test_what_intercom_has_not_either_is_a_404(api: Api) -> None:
    assert refusal(api.get("/contact/7")) == (404, "not_found", "Resource Not Found")


def test_a_note_or_a_subscription_does_not_tell_webhooks_of_an_edit(
    api: Api, simulator: Simulator, clock: Clock
) -> None:
    contact = api.user()
    path = f"/contacts/{contact['id']}"
    clock.advance(60)

    ok(api.post(f"{path}/notes", {"body": "called"}))

    assert ok(api.get(path))["updated_at"] == contact["updated_at"]
