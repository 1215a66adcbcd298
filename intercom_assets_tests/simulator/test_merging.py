"""Merging a lead into a user, and where its old id leads."""

from typing import Any

import pytest

from intercom_assets_tests.simulator.asking import Api, Clock, ids, ok, refusal, status_and_code


def merge(api: Api, lead: Any, user: Any, **more: Any) -> Any:
    return api.post("/contacts/merge", {"from": lead["id"], "into": user["id"], **more})


def test_the_user_survives_and_takes_what_it_lacks(api: Api, clock: Clock) -> None:
    api.attribute("source")
    api.attribute("plan")
    lead = api.lead(
        email="A@b.c", name="Lead", phone="1", custom_attributes={"source": "ad", "plan": "free"}
    )
    user = api.user(email="a@b.c", name="Ada", custom_attributes={"plan": "pro"})
    shared, own = api.company("shared"), api.company("own")
    api.attach(lead, shared)
    api.attach(lead, own)
    api.attach(user, shared)
    clock.advance(60)

    survivor = ok(merge(api, lead, user))

    assert (survivor["id"], survivor["external_id"]) == (user["id"], "7")
    assert (survivor["name"], survivor["phone"]) == ("Ada", "1")
    assert survivor["custom_attributes"] == {"plan": "pro", "source": "ad"}
    assert survivor["companies"]["total_count"] == 2
    assert survivor["updated_at"] == user["updated_at"] + 60
    assert ok(api.get(f"/companies/{shared['id']}"))["user_count"] == 1
    assert ids(ok(api.get("/contacts"))) == [user["id"]]


def test_a_merged_id_answers_410_with_a_link_to_the_user(api: Api) -> None:
    lead, user = api.lead(email="a@b.c"), api.user(email="a@b.c")
    ok(merge(api, lead, user))

    gone = api.get(f"/contacts/{lead['id']}")

    assert refusal(gone) == (
        410,
        "contact_merged",
        "This contact has been merged. See the 'Link' header for the canonical contact.",
    )
    assert gone.headers["Link"] == f'</contacts/{user["id"]}>; rel="canonical"'
    by_external_id = api.get(f"/contacts/find_by_external_id/{lead['external_id']}")
    assert by_external_id.status == 410


def test_before_2_16_a_merged_id_is_simply_not_found(api: Api) -> None:
    lead, user = api.lead(email="a@b.c"), api.user(email="a@b.c")
    ok(merge(api, lead, user))
    api.version = "2.15"

    assert api.get(f"/contacts/{lead['id']}").status == 404


def test_writes_to_a_merged_id_are_not_found(api: Api) -> None:
    lead, user = api.lead(email="a@b.c"), api.user(email="a@b.c")
    ok(merge(api, lead, user))
    path = f"/contacts/{lead['id']}"

    for answer in (api.put(path, {"name": "x"}), api.delete(path), api.post(f"{path}/archive")):
        assert refusal(answer) == (404, "not_found", "User Not Found")
    assert refusal(api.post(f"{path}/unarchive"))[2] == (
        "User has been merged and is not restorable."
    )
    assert merge(api, lead, user).status == 404


def test_a_merged_leads_identity_blocks_nobody(api: Api) -> None:
    lead, user = api.lead(email="a@b.c"), api.user(email="x@y.z")
    ok(merge(api, lead, user, skip_duplicate_validation=True))

    assert api.user("8", email="a@b.c")["email"] == "a@b.c"


@pytest.mark.parametrize("version", ["2.16", "2.15"])
def test_strangers_are_merged_only_if_told_to(api: Api, version: str) -> None:
    lead, user = api.lead(email="a@b.c"), api.user(email="x@y.z")
    api.version = version

    answer = merge(api, lead, user)

    if version == "2.15":
        assert answer.status == 200
        return
    assert refusal(answer)[1] == "invalid_merge"
    assert "skip_duplicate_validation=true" in refusal(answer)[2]
    assert merge(api, lead, user, skip_duplicate_validation=True).status == 200


def test_an_equal_phone_makes_duplicates_too(api: Api) -> None:
    assert merge(api, api.lead(phone="+1"), api.user(phone="+1")).status == 200


def test_only_a_lead_is_merged_and_only_into_a_user(api: Api) -> None:
    lead, user = api.lead(email="a@b.c"), api.user(email="a@b.c")

    for one, other in ((user, lead), (lead, lead), (user, user)):
        assert refusal(merge(api, one, other)) == (
            400,
            "invalid_merge",
            "Merging can only be performed on a lead into a user",
        )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "parameter_not_found")),
        ({"from": "a"}, (404, "not_found")),
        ({"from": "a", "into": "b"}, (404, "not_found")),
        ({"from": 1, "into": 2}, (400, "parameter_invalid")),
        ({"from": "a", "into": "b", "why": "c"}, (400, "bad_request")),
    ],
)
def test_what_cannot_be_merged(api: Api, body: Any, expected: tuple[int, str]) -> None:
    assert status_and_code(api.post("/contacts/merge", body)) == expected


def test_the_merge_history_is_told_to_those_who_ask(api: Api, clock: Clock) -> None:
    user = api.user(email="a@b.c")
    leads = [api.lead(email="a@b.c") for _ in range(3)]
    for lead in leads:
        ok(merge(api, lead, user))
        clock.advance(10)
    path = f"/contacts/{user['id']}"

    newest = ok(api.get(f"{path}/merge_history?per_page=2"))
    oldest = ok(api.get(f"{path}/merge_history?per_page=2&cursor={newest['next_cursor']}"))

    told = [item["source_contact_id"] for item in (*newest["data"], *oldest["data"])]
    assert told == [lead["id"] for lead in reversed(leads)]
    assert "next_cursor" not in oldest
    assert "merge_history" not in ok(api.get(path))
    assert len(ok(api.get(f"{path}?include_merge_history=true"))["merge_history"]) == 3
    assert api.get(f"/contacts/{api.lead()['id']}/merge_history").status == 404
    assert api.get(f"{path}/merge_history?order=up").status == 400


def test_users_are_not_merged_where_preview_has_not_come_yet(api: Api) -> None:
    gone, user = api.user("7", email="a@b.c"), api.user("8", email="a@b.c")

    assert refusal(merge(api, gone, user)) == (
        400,
        "invalid_merge",
        "Merging can only be performed on a lead into a user",
    )


def test_where_it_has_users_are_merged_if_they_share_an_address_and_no_flag_skips_that(
    api: Api,
) -> None:
    api.simulator.set(user_merges=True)
    gone, user = api.user("7", email="a@b.c"), api.user("8", email="a@b.c")
    other, lead = api.user("9", email="other@b.c"), api.lead(email="a@b.c")

    skipped = merge(api, gone, user, skip_duplicate_validation=True)

    assert status_and_code(skipped) == (400, "parameter_not_allowed")
    assert status_and_code(merge(api, other, user)) == (400, "invalid_merge")
    assert status_and_code(merge(api, user, lead)) == (400, "invalid_merge")
    survivor = ok(merge(api, gone, user))
    assert (survivor["id"], survivor["external_id"]) == (user["id"], "8")
    assert api.get(f"/contacts/{gone['id']}").status == 410
