"""Every unconfirmed question has a switch, and each switch changes what the simulator does."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from intercom_assets.simulator.choices import Choice
from intercom_assets.simulator.notifications import of_contact
from intercom_assets.simulator.records import Contact, Merge, State
from intercom_assets.simulator.settings import CHOICES
from intercom_assets.simulator.simulator import Simulator
from intercom_assets.simulator.telling import Telling
from intercom_assets_tests.simulator.asking import Api, Clock, ids, ok

AS_ASKED = {"Authorization": "Bearer demo-token", "Content-Type": "application/json"}
CONTACT = Contact("a", 1, "user", 100, 100)
Observe = Callable[[Api, Clock], Any]
OBSERVED: dict[str, tuple[Any, Observe]] = {}
"""Choice -> (another option, what shows the difference)."""


def shows(name: str, other: Any) -> Callable[[Observe], Observe]:
    def note(observe: Observe) -> Observe:
        OBSERVED[name] = (other, observe)
        return observe

    return note


@shows("equal_email", "always")
def _(api: Api, clock: Clock) -> Any:
    api.user("7", email="a@b.c")
    return api.post("/contacts", {"external_id": "8", "email": "a@b.c"}).status


@shows("user_merges", True)
def _(api: Api, clock: Clock) -> Any:
    gone, user = api.user("7", email="a@b.c"), api.user("8", email="a@b.c")
    return api.post("/contacts/merge", {"from": gone["id"], "into": user["id"]}).status


@shows("promotion_conflicts", False)
def _(api: Api, clock: Clock) -> Any:
    api.user("7", email="a@b.c")
    lead = api.lead(email="a@b.c")
    return api.put(f"/contacts/{lead['id']}", {"role": "user", "external_id": "7"}).status


@shows("unarchive_conflicts", False)
def _(api: Api, clock: Clock) -> Any:
    gone, other = api.user("7"), api.user("8")
    ok(api.post(f"/contacts/{gone['id']}/archive"))
    ok(api.put(f"/contacts/{other['id']}", {"external_id": "7"}))
    return api.post(f"/contacts/{gone['id']}/unarchive").status


@shows("merged_write", 410)
def _(api: Api, clock: Clock) -> Any:
    lead, user = api.lead(email="a@b.c"), api.user(email="a@b.c")
    ok(api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]}))
    return api.put(f"/contacts/{lead['id']}", {"name": "x"}).status


@shows("blocked_restorable", True)
def _(api: Api, clock: Clock) -> Any:
    contact = api.user()
    ok(api.post(f"/contacts/{contact['id']}/block"))
    return api.post(f"/contacts/{contact['id']}/unarchive").status


@shows("deletion_lock_days", 8)
def _(api: Api, clock: Clock) -> Any:
    ok(api.delete(f"/contacts/{api.user()['id']}"))
    clock.advance(7 * 86_400)
    return api.post("/contacts", {"external_id": "7"}).status


@shows("email_format", "address")
def _(api: Api, clock: Clock) -> Any:
    return api.post("/contacts", {"email": "nobody"}).status


@shows("email_case", "lower")
def _(api: Api, clock: Clock) -> Any:
    return api.user(email="A@B.C")["email"]


@shows("standard_text_limit", 300)
def _(api: Api, clock: Clock) -> Any:
    return api.post("/contacts", {"external_id": "7", "name": "x" * 256}).status


@shows("long_text", "truncate")
def _(api: Api, clock: Clock) -> Any:
    api.attribute("note")
    long = {"custom_attributes": {"note": "x" * 256}}
    return api.post("/contacts", {"external_id": "7", **long}).status


@shows("integer_limit", 100)
def _(api: Api, clock: Clock) -> Any:
    api.attribute("seats", "integer")
    return api.post("/contacts", {"role": "user", "custom_attributes": {"seats": 101}}).status


@shows("unlisted_option", "store")
def _(api: Api, clock: Clock) -> Any:
    api.attribute("colour", "options")
    return api.post("/contacts", {"role": "user", "custom_attributes": {"colour": "x"}}).status


@shows("iso_dates", True)
def _(api: Api, clock: Clock) -> Any:
    api.attribute("since", "date")
    since = {"custom_attributes": {"since": "2020-01-01T00:00:00+00:00"}}
    return api.post("/contacts", {"role": "user", **since}).status


@shows("attribute_limit_scope", "model")
def _(api: Api, clock: Clock) -> Any:
    for number in range(250):
        api.simulator.by_hand.create_attribute(f"a{number}")
    body = {"name": "b", "model": "company", "data_type": "string"}
    return api.post("/data_attributes", body).status


@shows("archived_attribute_name_taken", False)
def _(api: Api, clock: Clock) -> Any:
    api.attribute("plan")
    api.simulator.by_hand.archive_attribute("plan")
    body = {"name": "plan", "model": "contact", "data_type": "string"}
    return api.post("/data_attributes", body).status


@shows("attach_moves_updated_at", True)
def _(api: Api, clock: Clock) -> Any:
    contact, company = api.user(), api.company()
    clock.advance(5)
    api.attach(contact, company)
    return ok(api.get(f"/contacts/{contact['id']}"))["updated_at"] - contact["updated_at"]


@shows("detach_unattached", 200)
def _(api: Api, clock: Clock) -> Any:
    return api.delete(f"/contacts/{api.user()['id']}/companies/{api.company()['id']}").status


@shows("companies_lag", False)
def _(api: Api, clock: Clock) -> Any:
    api.simulator.set(index_delay_s=60)
    company = api.company()
    api.attach(api.user(), company)
    contacts = ids(ok(api.get(f"/companies/{company['id']}/contacts")))
    return len(ids(ok(api.post("/companies/list")))), len(contacts)


@shows("company_archival_s", 5)
def _(api: Api, clock: Clock) -> Any:
    company = api.company()
    ok(api.delete(f"/companies/{company['id']}"))
    return api.get(f"/companies/{company['id']}").status


@shows("company_name_required", True)
def _(api: Api, clock: Clock) -> Any:
    return api.post("/companies", {"company_id": "t1"}).status


@shows("attached_companies_keys", "data")
def _(api: Api, clock: Clock) -> Any:
    return sorted(ok(api.get(f"/contacts/{api.user()['id']}/companies")))


@shows("list_page_size", 50)
def _(api: Api, clock: Clock) -> Any:
    return ok(api.get("/contacts"))["pages"]["per_page"]


@shows("oversized_page", "clamp")
def _(api: Api, clock: Clock) -> Any:
    return api.get("/contacts?per_page=151").status, api.post("/companies/list?per_page=61").status


@shows("in_list_limit", 20)
def _(api: Api, clock: Clock) -> Any:
    query = {"field": "email", "operator": "IN", "value": ["x"] * 16}
    return api.post("/contacts/search", {"query": query}).status


@shows("names_escaped", False)
def _(api: Api, clock: Clock) -> Any:
    return api.user("7", name="Ann O'Neil")["name"]


@shows("content_type_required", False)
def _(api: Api, clock: Clock) -> Any:
    api.headers["Content-Type"] = "application/x-www-form-urlencoded"
    return api.post("/contacts", {"role": "user"}).status


def told(api: Api, old: Contact | None, new: Contact) -> Any:
    """What a webhook would hear: the topic as written, and the item."""
    telling = Telling(api.simulator.world, api.simulator.settings)
    [notice] = of_contact(old, new)
    return telling.topic(notice.topic), notice.item(telling)


@shows("webhook_times", "unix")
def _(api: Api, clock: Clock) -> Any:
    return told(api, None, CONTACT)[1]["created_at"]


@shows("webhook_merged_from", False)
def _(api: Api, clock: Clock) -> Any:
    merged = CONTACT._replace(merges=(Merge("b", "lead", 1),))
    return told(api, CONTACT, merged)[1].get("merged_from")


@shows("webhook_unarchive_topic", "contact.unarchived")
def _(api: Api, clock: Clock) -> Any:
    return told(api, CONTACT._replace(state=State.ARCHIVED), CONTACT)[0]


# --- where recordings show another thing than documents ---


def scrolled(api: Api) -> Any:
    api.attach(api.user(), api.company())
    first = ok(api.get("/companies/scroll"))
    last = api.get(f"/companies/scroll?scroll_param={first['scroll_param']}")
    return last.status, "scroll_param" in last.json()


@shows("scroll_end", "bare_page")
def _(api: Api, clock: Clock) -> Any:
    return scrolled(api)


@shows("next_page_has", "per_page")
def _(api: Api, clock: Clock) -> Any:
    api.simulator.seed({"count": 2})
    return sorted(ok(api.get("/contacts?per_page=1"))["pages"]["next"])


@shows("unsorted_search", "descending")
def _(api: Api, clock: Clock) -> Any:
    api.simulator.seed({"count": 2})
    found = api.search({"field": "role", "operator": "=", "value": "user"})
    return [item["external_id"] for item in found["data"]]


@shows("attach_user_count", "after")
def _(api: Api, clock: Clock) -> Any:
    return api.attach(api.user(), api.company())["user_count"]


@shows("creation_source", False)
def _(api: Api, clock: Clock) -> Any:
    return api.company()["custom_attributes"]


@shows("company_notes", "note.list")
def _(api: Api, clock: Clock) -> Any:
    body = {"company_id": "t1"}
    return api.simulator.handle("POST", "/companies", AS_ASKED, json.dumps(body).encode()).json()[
        "notes"
    ]


@shows("sms_fields", False)
def _(api: Api, clock: Clock) -> Any:
    return api.user().get("sms_consent")


@shows("language_override_writable", False)
def _(api: Api, clock: Clock) -> Any:
    return api.post("/contacts", {"role": "user", "language_override": "nl"}).status


@shows("tagged_items", "always")
def _(api: Api, clock: Clock) -> Any:
    api.company()
    headers = {**AS_ASKED, "Intercom-Version": "2.14"}
    body = {"name": "Whale", "companies": [{"company_id": "t1"}]}
    return sorted(api.simulator.handle("POST", "/tags", headers, json.dumps(body).encode()).json())


@shows("embedded_lists", "ten")
def _(api: Api, clock: Clock) -> Any:
    api.simulator.seed({"external_id": "7", "companies": [f"t{n}" for n in range(11)]})
    companies = ok(api.get("/contacts/find_by_external_id/7"))["companies"]
    return len(companies["data"]), companies["total_count"], companies["has_more"]


@shows("index_order", "any")
def _(api: Api, clock: Clock) -> Any:
    api.simulator.set(index_delay_s=60)
    for number in range(20):
        api.user(str(number))
        clock.advance(1)
    clock.advance(31)
    return [item["external_id"] for item in ok(api.get("/contacts?per_page=50"))["data"]]


@shows("company_race", False)
def _(api: Api, clock: Clock) -> Any:
    api.simulator.set(latency_ms=100)
    api.company()
    return api.post("/companies", {"company_id": "t1"}).status


@shows("phone_punctuation", "keep")
def _(api: Api, clock: Clock) -> Any:
    return api.user(phone="+1 (555) 010-0199")["phone"]


PREVIEW = {"Intercom-Version": "Preview"}


def bulk(api: Api, method: str, path: str, *items: Any, **more: Any) -> Any:
    """(status, state of the job a moment later) of a bulk call."""
    api.headers.update(PREVIEW)
    model = path.split("/")[1]
    answer = api.call(method, path, {model: list(items), **more})
    if answer.status != 202:
        return answer.status, None
    return answer.status, ok(api.get(f"/{model}/bulk/{answer.json()['id']}"))["state"]


@shows("bulk_since", "2.17")
def _(api: Api, clock: Clock) -> Any:
    api.headers["Intercom-Version"] = "2.17"
    return api.post("/contacts/bulk", {"contacts": [{"external_id": "7"}]}).status


@shows("bulk_counts", "item")
def _(api: Api, clock: Clock) -> Any:
    bulk(api, "POST", "/contacts/bulk", *[{"external_id": str(n)} for n in range(50)])
    return api.get("/me").headers["X-RateLimit-Remaining"]


@shows("bulk_job_closes", "never")
def _(api: Api, clock: Clock) -> Any:
    api.headers.update(PREVIEW)
    body = {"contacts": [{"external_id": "7"}]}
    job = api.post("/contacts/bulk", body).json()
    return api.post("/contacts/bulk", {**body, "job": {"id": job["id"]}}).status


@shows("bulk_lost_state", "completed")
def _(api: Api, clock: Clock) -> Any:
    api.simulator.set(bulk_lose_every=1)
    return bulk(api, "POST", "/contacts/bulk", {"external_id": "7"})


@shows("bulk_attach_creates", False)
def _(api: Api, clock: Clock) -> Any:
    bulk(api, "POST", "/contacts/bulk", {"external_id": "7", "companies": [{"company_id": "t1"}]})
    return api.simulator.company("t1") is None


@shows("bulk_null", "clear")
def _(api: Api, clock: Clock) -> Any:
    user = api.user(name="Ada")
    return bulk(api, "PUT", "/contacts/bulk", {"id": user["id"], "name": None})


@shows("bulk_equal_email", "as_single")
def _(api: Api, clock: Clock) -> Any:
    api.user("7", email="a@b.c")
    return bulk(api, "POST", "/contacts/bulk", {"external_id": "8", "email": "a@b.c"})


@pytest.mark.parametrize("choice", CHOICES.values(), ids=lambda choice: choice.name)
def test_a_switch_changes_what_is_seen(api: Api, clock: Clock, choice: Choice) -> None:
    other, observe = OBSERVED[choice.name]
    as_chosen = observe(api, clock)

    switched = Simulator(clock=clock, **{choice.name: other})
    api.headers.clear()
    api.simulator = switched

    assert observe(api, clock) != as_chosen


def test_each_choice_says_what_it_is_about() -> None:
    assert set(CHOICES) == set(OBSERVED)
    for choice in CHOICES.values():
        assert choice.question.endswith("?")
        assert choice.why
        assert choice.options == () or choice.chosen in choice.options
