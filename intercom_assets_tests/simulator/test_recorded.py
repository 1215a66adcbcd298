"""What recordings of the real API show and its documents do not say."""

from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.simulator.asking import Api, Clock, ids, ok, refusal, where


def test_a_scroll_may_end_by_a_404_in_place_of_the_empty_page(
    api: Api, simulator: Simulator
) -> None:
    simulator.set(scroll_end="not_found")
    api.attach(api.user(), api.company())

    first = ok(api.get("/companies/scroll"))
    last = api.get(f"/companies/scroll?scroll_param={first['scroll_param']}")

    assert len(first["data"]) == 1
    assert refusal(last)[:2] == (404, "not_found")
    assert ok(api.get("/companies/scroll"))["data"], "another scroll can be opened at once"


def test_a_search_without_sort_is_oldest_first_and_with_half_of_one_newest(
    api: Api, clock: Clock
) -> None:
    for external_id in ("1", "2", "3"):
        api.user(external_id)
        clock.advance(60)
    users = where("role", "=", "user")

    def found(**rest: object) -> list[str]:
        return [item["external_id"] for item in api.search(users, **rest)["data"]]

    assert found() == ["1", "2", "3"]
    assert found(sort={"field": "created_at"}) == ["3", "2", "1"]


def test_a_company_made_by_the_api_says_so_and_one_made_by_hand_does_not(
    api: Api, simulator: Simulator
) -> None:
    made = api.company("t1")
    simulator.by_hand.create_company("t2", "Two")

    saved = {"company_id": "t1", "custom_attributes": made["custom_attributes"]}
    assert ok(api.post("/companies", saved))["custom_attributes"] == {"creation_source": "api"}
    assert ok(api.get("/companies?company_id=t2"))["custom_attributes"] == {}


def test_a_companys_notes_are_a_list_with_an_address(api: Api) -> None:
    company = api.company()

    assert company["notes"] == {
        "type": "list",
        "data": [],
        "url": f"/companies/{company['id']}/notes",
        "total_count": 0,
        "has_more": False,
    }


def test_contacts_tell_of_text_messages_since_2_7(api: Api) -> None:
    contact = api.user()
    api.version = "2.3"

    assert (contact["sms_consent"], contact["unsubscribed_from_sms"]) == (False, False)
    assert "sms_consent" not in ok(api.get(f"/contacts/{contact['id']}"))


def test_the_language_that_somebody_chose_can_be_written_and_cleared(api: Api) -> None:
    contact = api.user(language_override="nl")
    path = f"/contacts/{contact['id']}"

    assert contact["language_override"] == "nl"
    assert ok(api.put(path, {"name": "Ada"}))["language_override"] == "nl"
    assert ok(api.put(path, {"language_override": None}))["language_override"] is None


def test_below_2_16_tagging_answers_three_keys(api: Api) -> None:
    company, body = api.company(), {"name": "Whale", "companies": [{"company_id": "t1"}]}
    assert ok(api.post("/tags", body))["companies"] == [{"id": company["id"], "tagged": True}]

    api.version = "2.14"
    assert sorted(ok(api.post("/tags", body))) == ["id", "name", "type"]


def test_a_list_inside_a_contact_may_be_whole_however_long_it_is(
    api: Api, simulator: Simulator
) -> None:
    simulator.seed({"external_id": "7", "companies": [f"t{n}" for n in range(12)]})

    companies = ok(api.get("/contacts/find_by_external_id/7"))["companies"]

    assert (len(companies["data"]), companies["total_count"]) == (12, 12)
    assert companies["has_more"] is False


def test_an_index_out_of_order_never_shows_an_older_version_after_a_newer_one(
    api: Api, simulator: Simulator, clock: Clock
) -> None:
    simulator.set(index_order="any")
    contact = api.user(name="0")
    simulator.set(index_delay_s=60)
    shown = []
    for number in range(1, 120):
        if number < 60:
            ok(api.put(f"/contacts/{contact['id']}", {"name": str(number)}))
        clock.advance(1)
        shown.append(int(ok(api.get("/contacts"))["data"][0]["name"]))

    assert shown == sorted(shown)
    assert shown[-1] == 59


def test_two_at_once_cannot_both_make_a_company(
    api: Api, simulator: Simulator, clock: Clock
) -> None:
    simulator.set(latency_ms=100)
    company = api.company("t1")
    clock.advance(0.05)

    assert refusal(api.post("/companies", {"company_id": "t1"})) == (
        400,
        "unique_company_constraint",
        "Company already exists.",
    )
    clock.advance(0.06)
    assert ok(api.post("/companies", {"company_id": "t1"}))["id"] == company["id"]


def test_a_lead_from_another_channel_cannot_be_merged(api: Api, simulator: Simulator) -> None:
    lead, user = api.lead(email="a@b.c"), api.user(email="a@b.c")
    simulator.by_hand.mark_external(lead["id"])

    answer = api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]})

    assert refusal(answer)[:2] == (422, "unprocessable_entity")
    assert ok(api.get(f"/contacts/{lead['id']}"))["id"] == lead["id"]


def test_a_phone_number_comes_back_without_its_punctuation(api: Api) -> None:
    contact = api.user(phone="+1 (555) 010-01.99")

    assert contact["phone"] == "+15550100199"
    assert ids(api.search(where("phone", "=", "+15550100199"))) == [contact["id"]]


def test_standard_attributes_say_what_teammates_can_edit(api: Api) -> None:
    rows = ok(api.get("/data_attributes"))["data"]

    editable = {(row["model"], row["full_name"]) for row in rows if row["ui_writable"]}
    assert editable == {
        ("contact", "name"),
        ("contact", "email"),
        ("contact", "phone"),
        ("company", "name"),
        ("company", "size"),
        ("company", "industry"),
        ("company", "website"),
    }
    assert {"ios_sdk_version", "android_app_name"} <= {row["full_name"] for row in rows}
