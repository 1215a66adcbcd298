"""The control endpoints and their Python twins: counting, setting, seeding, acting by hand."""

import json
from typing import Any

import pytest

from intercom_assets.simulator.by_hand import NotThere
from intercom_assets.simulator.faults import BadFault
from intercom_assets.simulator.seeding import BadSeed
from intercom_assets.simulator.settings import BadSetting
from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.simulator.asking import Api, Clock, ids, ok, where


def control(simulator: Simulator, method: str, name: str, body: Any = None) -> tuple[int, Any]:
    """Without a token or any header."""
    raw = b"" if body is None else json.dumps(body).encode()
    answer = simulator.handle(method, f"/_simulator/{name}", {}, raw)
    return answer.status, answer.json()


# --- counting ---


def test_calls_are_counted_by_endpoint_and_control_calls_are_not(
    api: Api, simulator: Simulator
) -> None:
    contact = api.user()
    api.put(f"/contacts/{contact['id']}", {"name": "Ada"})
    api.put(f"/contacts/{contact['id']}", {"name": "Ada"})
    api.put("/contacts/nobody", {"name": "Ada"})
    api.get("/nothing")

    status, stats = control(simulator, "GET", "stats")

    assert status == 200
    assert stats["calls_by_endpoint"] == {
        "PUT /contacts/{id}": 3,
        "POST /contacts": 1,
        "no such resource": 1,
    }
    assert stats["statuses"] == {"200": 3, "404": 2}
    assert (stats["calls"], stats["writes"], stats["changes"]) == (5, 4, 2)
    assert (stats["peak_per_window"], stats["rate_limited"]) == (5, 0)
    assert (stats["contacts"], stats["companies"], stats["attributes"]) == (1, 0, 0)
    assert stats["window"]["used"] == 5


def test_the_peak_is_of_any_window(api: Api, simulator: Simulator, clock: Clock) -> None:
    for calls in (3, 5, 2):
        for _ in range(calls):
            api.get("/me")
        clock.advance(10)

    assert simulator.stats()["peak_per_window"] == 5


def test_only_the_last_hundred_calls_are_kept_and_never_their_bodies(
    api: Api, simulator: Simulator
) -> None:
    for number in range(120):
        api.post("/contacts", {"external_id": str(number), "email": f"secret{number}@b.c"})

    _, calls = control(simulator, "GET", "calls")

    assert len(calls) == 100
    assert calls[0]["path"] == "/contacts"
    assert "secret" not in json.dumps(calls)


# --- settings and reset ---


def test_settings_change_at_once_and_reset_brings_back_those_of_the_start() -> None:
    simulator = Simulator(rate_limit_per_window=50)

    changed = control(
        simulator, "POST", "settings", {"rate_limit_per_window": 7, "email_case": "lower"}
    )[1]

    assert (changed["rate_limit_per_window"], changed["choices"]["email_case"]) == (7, "lower")
    assert "demo-token" not in json.dumps(changed)
    control(simulator, "POST", "reset")
    assert simulator.settings.rate_limit_per_window == 50
    assert simulator.settings.choice("email_case") == "keep"


@pytest.mark.parametrize(
    "changes",
    [
        {"latency": 5},
        {"latency_ms": -1},
        {"latency_ms": "5"},
        {"latency_ms": 5, "index_delay_s": None},
        {"rate_limit_per_window": 0},
        {"rate_limit_per_window": True},
        {"time_zone": "Mars/Olympus"},
        {"email_case": "upper"},
        {"equal_email": True},
        {"choices": ["email_case"]},
        {"latency_ms": 5, "fail_next": {"kind": "fire"}},
    ],
)
def test_a_setting_that_cannot_be_is_one_sentence_and_changes_nothing(
    simulator: Simulator, changes: dict[str, Any]
) -> None:
    status, answer = control(simulator, "POST", "settings", changes)

    assert status == 400
    assert isinstance(answer["error"], str)
    assert simulator.settings.latency_ms == 0
    with pytest.raises((BadSetting, BadFault)):
        simulator.set(**changes)


def test_reset_forgets_everything_or_only_what_it_is_told(api: Api, simulator: Simulator) -> None:
    first = api.user()
    simulator.set(faults="rate_limit", latency_ms=5)

    control(simulator, "POST", "reset", {"what": "stats"})
    assert (simulator.stats()["calls"], simulator.stats()["contacts"]) == (0, 1)
    control(simulator, "POST", "reset", {"what": "data"})
    assert simulator.contacts(state=None) == []
    assert len(simulator.faults.scripted) == 1
    control(simulator, "POST", "reset")
    assert (simulator.faults.scripted, simulator.settings.latency_ms) == ([], 0)
    assert api.user()["id"] != first["id"]
    with pytest.raises(BadSetting):
        simulator.reset("nothing")


def test_there_are_no_other_control_endpoints(simulator: Simulator) -> None:
    assert control(simulator, "GET", "nothing")[0] == 404
    assert control(simulator, "POST", "stats")[0] == 404
    assert simulator.handle("POST", "/_simulator/settings", {}, b"{").status == 400


def test_what_is_unconfirmed_can_be_read(simulator: Simulator) -> None:
    _, choices = control(simulator, "GET", "choices")

    assert {"name", "chosen", "options", "question", "why"} == set(choices[0])


# --- seeding ---


def test_seeds_are_contacts_that_were_there_before(api: Api, simulator: Simulator) -> None:
    status, answer = control(
        simulator,
        "POST",
        "contacts",
        [
            {
                "external_id": "7",
                "email": "a@b.c",
                "updated_at": 100,
                "created_at": 50,
                "custom_attributes": {"plan": "pro", "seats": 3, "rate": 1.5, "paid": True},
                "timezone": "Europe/Berlin",
                "country": "Germany",
                "browser": "Firefox",
                "companies": ["t1", "t2"],
            },
            {"role": "lead", "email": "a@b.c"},
            {"external_id": "8", "archived": True},
        ],
    )

    assert (status, answer["created"]) == (200, 3)
    found = ok(api.get("/contacts/find_by_external_id/7"))
    assert found["location"]["timezone"] == "Europe/Berlin"
    assert found["location"]["country"] == "Germany"
    assert (found["browser"], found["updated_at"], found["created_at"]) == ("Firefox", 100, 50)
    assert found["companies"]["total_count"] == 2
    kinds = {item["name"]: item["data_type"] for item in simulator.attributes()}
    assert kinds == {"plan": "string", "seats": "integer", "rate": "float", "paid": "boolean"}
    assert ids(ok(api.get("/contacts"))) == answer["ids"][:2]
    assert simulator.stats()["calls"] == 2
    assert api.post("/contacts", {"external_id": "8"}).status == 409


def test_many_can_be_seeded_by_number(api: Api, simulator: Simulator) -> None:
    simulator.seed({"count": 3, "first": 10, "phone": "+1"})

    page = api.search(where("role", "=", "user"))

    assert {item["external_id"] for item in page["data"]} == {"10", "11", "12"}
    assert {item["phone"] for item in page["data"]} == {"+1"}


@pytest.mark.parametrize(
    "seeds",
    [
        5,
        "x",
        [5],
        [{"external_id": 5}],
        [{"nme": "x"}],
        [{"role": "admin"}],
        [{"state": "lost"}],
        [{"state": "merged"}],
        [{"merged_into": "nobody", "state": "merged"}],
        [{"external_id": "1"}, {"created_at": None}],
        {"count": "many"},
    ],
)
def test_seeds_that_cannot_be_planted_plant_nothing(simulator: Simulator, seeds: Any) -> None:
    assert control(simulator, "POST", "contacts", seeds)[0] == 400
    assert simulator.contacts(state=None) == []
    with pytest.raises(BadSeed):
        simulator.seed(seeds)


# --- an operator's hand ---


def test_an_edit_by_hand_moves_updated_at_and_is_not_counted(
    api: Api, simulator: Simulator, clock: Clock
) -> None:
    contact = api.user(name="Ada")
    clock.advance(9)

    simulator.by_hand.edit_contact(
        "7", name="Grace", phone="+1", timezone="Asia/Tokyo", custom_attributes={}
    )

    found = ok(api.get(f"/contacts/{contact['id']}"))
    assert (found["name"], found["phone"]) == ("Grace", "+1")
    assert found["location"]["timezone"] == "Asia/Tokyo"
    assert found["updated_at"] == contact["updated_at"] + 9
    assert simulator.stats()["calls"] == 2


def test_an_operator_does_what_the_screens_can(simulator: Simulator) -> None:
    hand = simulator.by_hand
    hand.create_contact(external_id="7", email="a@b.c")
    hand.create_contact(role="lead", email="a@b.c", id="5ba682d23d7cf92bef87bfd4")
    hand.create_company("t1", "Team")
    hand.attach_company("7", "t1")
    assert simulator.company_keys(external_id="7") == {"t1"}
    hand.edit_company("t1", plan="Pro", custom_attributes={"seats": 3})
    company = simulator.company("t1")
    assert company is not None
    assert (company["plan"]["name"], company["custom_attributes"]) == ("Pro", {"seats": 3})
    hand.detach_company("7", "t1")
    hand.merge_contacts("5ba682d23d7cf92bef87bfd4", "7")
    hand.archive_contact("7")
    hand.unarchive_contact("7")
    hand.delete_company("t1")
    hand.create_attribute("plan")
    hand.archive_attribute("plan")

    states = [contact["state"] for contact in simulator.contacts(state=None)]
    assert states == ["live", "merged"]
    assert simulator.companies() == []
    assert [item["archived"] for item in simulator.attributes()] == [True]
    hand.block_contact("7")
    hand.delete_contact("7")
    assert simulator.stats()["calls"] == 0


def test_an_operator_can_act_over_http(api: Api, simulator: Simulator) -> None:
    api.user()

    done = control(
        simulator, "POST", "operator", {"do": "edit_contact", "contact": "7", "name": "Ada"}
    )

    assert done == (200, {"done": "edit_contact", "result": None})
    _, found = control(simulator, "GET", "contacts?external_id=7")
    assert (found["name"], found["state"]) == ("Ada", "live")
    assert control(simulator, "GET", "contacts?external_id=9") == (200, None)
    assert len(control(simulator, "GET", "contacts?state=any")[1]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"do": "_run"},
        {"do": "fly"},
        {"do": "edit_contact"},
        {"do": "edit_contact", "contact": "9"},
        {"do": "edit_contact", "contact": "7", "wings": 2},
        {"do": "attach_company", "contact": "7", "company": "t9"},
        {"do": "archive_attribute", "name": "plan"},
        {"do": "merge_contacts", "lead": "7", "into": "7"},
    ],
)
def test_what_an_operator_cannot_do(api: Api, simulator: Simulator, body: Any) -> None:
    api.user()

    status, answer = control(simulator, "POST", "operator", body)

    assert (status, bool(answer["error"])) == (400, True)


def test_nobody_is_edited_who_is_not_there(simulator: Simulator) -> None:
    with pytest.raises(NotThere):
        simulator.by_hand.edit_contact("7", name="Ada")


# --- reading ---


def test_tests_read_documents_without_being_counted(api: Api, simulator: Simulator) -> None:
    contact, company = api.user(email="a@b.c"), api.company()
    api.attach(contact, company)
    ok(api.post(f"/contacts/{contact['id']}/archive"))

    found = simulator.contact(external_id="7")

    assert found is not None
    assert (found["state"], found["company_ids"]) == ("archived", [company["id"]])
    assert simulator.contact(email="A@b.c") == found == simulator.contact(id=contact["id"])
    assert simulator.contact(external_id="9") is None
    assert simulator.company("t9") is None
    assert simulator.contacts() == []
    assert [item["id"] for item in simulator.companies()] == [company["id"]]
