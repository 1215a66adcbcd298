"""Tags: on contacts one by one, on many at once, and on companies."""

import pytest

from intercom_assets.simulator.by_hand import NotThere
from intercom_assets_tests.simulator.asking import Api, Clock, ids, ok, refusal, where


def test_tagging_moves_updated_at_and_shows_in_the_contact(api: Api, clock: Clock) -> None:
    contact, tag = api.user(), ok(api.post("/tags", {"name": "Whale"}))
    path = f"/contacts/{contact['id']}"
    clock.advance(5)

    tagged = ok(api.post(f"{path}/tags", {"id": tag["id"]}))

    shown = ok(api.get(path))
    assert (tagged["id"], tagged["applied_at"]) == (tag["id"], int(clock.now))
    assert shown["updated_at"] == contact["updated_at"] + 5
    assert ids(shown["tags"]) == ids(ok(api.get(f"{path}/tags"))) == [tag["id"]]
    assert ids(api.search(where("tag_id", "=", tag["id"]))) == [contact["id"]]
    assert ids(api.search(where("tag_id", "!=", tag["id"]))) == []

    ok(api.delete(f"{path}/tags/{tag['id']}"))
    assert ids(ok(api.get(f"{path}/tags"))) == []
    assert api.delete(f"{path}/tags/{tag['id']}").status == 404


def test_a_tag_is_made_found_renamed_and_deleted(api: Api) -> None:
    tag = ok(api.post("/tags", {"name": "Whale"}))

    assert ok(api.post("/tags", {"name": "whale"}))["id"] == tag["id"]
    assert ok(api.post("/tags", {"id": tag["id"], "name": "Shark"}))["name"] == "Shark"
    assert ok(api.get(f"/tags/{tag['id']}"))["name"] == "Shark"
    assert ids(ok(api.get("/tags"))) == [tag["id"]]
    assert api.delete(f"/tags/{tag['id']}").status == 200
    assert refusal(api.get(f"/tags/{tag['id']}")) == (404, "not_found", "Resource Not Found")


def test_many_contacts_and_companies_are_tagged_at_once(api: Api) -> None:
    contact, company = api.user(), api.company()
    api.attach(contact, company)

    made = ok(
        api.post(
            "/tags",
            {
                "name": "Whale",
                "users": [{"id": contact["id"]}],
                "companies": [{"company_id": "t1"}],
            },
        )
    )

    assert ids(ok(api.get(f"/companies?tag_id={made['id']}"))) == [company["id"]]
    assert ids(ok(api.get(f"/contacts/{contact['id']}/tags"))) == [made["id"]]
    assert refusal(api.delete(f"/tags/{made['id']}"))[1] == "tag_has_dependent_objects"
    ok(api.post("/tags", {"name": "Whale", "companies": [{"id": company["id"], "untag": True}]}))
    assert ids(ok(api.get(f"/companies?tag_id={made['id']}"))) == []


def test_a_contact_is_untagged_in_the_list_that_tags_others(api: Api) -> None:
    ada, grace = api.user("7"), api.user("8")
    tag = ok(api.post("/tags", {"name": "Whale", "users": [{"id": ada["id"]}]}))

    items = [{"id": ada["id"], "untag": True}, {"id": grace["id"], "untag": False}]
    done = ok(api.post("/tags", {"name": "Whale", "users": items}))

    assert [user["tagged"] for user in done["users"]] == [False, True]
    assert ids(ok(api.get(f"/contacts/{ada['id']}/tags"))) == []
    assert ids(ok(api.get(f"/contacts/{grace['id']}/tags"))) == [tag["id"]]


def test_untagging_who_was_not_tagged_changes_nothing(api: Api, clock: Clock) -> None:
    contact = api.user("7")
    clock.advance(5)

    ok(api.post("/tags", {"name": "Whale", "users": [{"id": contact["id"], "untag": True}]}))

    shown = ok(api.get(f"/contacts/{contact['id']}"))
    assert (shown["updated_at"], ids(shown["tags"])) == (contact["updated_at"], [])


def test_a_company_is_tagged_renamed_and_untagged_by_hand(api: Api) -> None:
    company, contact, by_hand = api.company(), api.user(), api.simulator.by_hand
    by_hand.tag_company(company["company_id"], "Whale")
    by_hand.tag_contact(contact["id"], "whale")
    by_hand.rename_tag("whale", "Shark")

    shown = ok(api.get(f"/companies/{company['id']}"))["tags"]["tags"]
    assert [tag["name"] for tag in shown] == ["Shark"]
    by_hand.untag_company(company["id"], "shark")
    assert ok(api.get(f"/companies/{company['id']}"))["tags"]["tags"] == []
    by_hand.tag_company(company["id"], "Shark")
    by_hand.delete_tag("Shark")
    assert ok(api.get("/tags"))["data"] == []
    assert ok(api.get(f"/companies/{company['id']}"))["tags"]["tags"] == []
    assert ok(api.get(f"/contacts/{contact['id']}"))["tags"]["data"] == []
    with pytest.raises(NotThere, match="no tag 'Shark'"):
        by_hand.delete_tag("Shark")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"test": "invalid"}, 400),
        ({"name": "x", "users": {}}, 400),
        ({"name": "x", "users": [{"id": "nobody"}]}, 404),
        ({"name": "x", "companies": [{"company_id": "nobody"}]}, 404),
        ({"name": "x", "companies": [{"company_id": {}}]}, 404),
        ({"name": "x", "id": "99"}, 404),
    ],
)
def test_tags_that_cannot_be_made(api: Api, body: object, status: int) -> None:
    assert api.post("/tags", body).status == status


def test_contacts_and_tags_nobody_knows(api: Api) -> None:
    contact, tag = api.user(), ok(api.post("/tags", {"name": "Whale"}))

    unknown = api.post(f"/contacts/{contact['id']}/tags", {"id": "99"})
    assert refusal(unknown) == (404, "not_found", "Resource Not Found")
    stranger = api.post("/contacts/nobody/tags", {"id": tag["id"]})
    assert refusal(stranger) == (404, "not_found", "User Not Found")


def test_the_workspace_and_its_teammates(api: Api) -> None:
    me = ok(api.get("/me"))

    assert me["app"]["timezone"] == "UTC"
    assert ok(api.get("/admins"))["admins"][0]["id"] == me["id"]
    assert ok(api.get(f"/admins/{me['id']}"))["email"] == me["email"]
    assert api.get("/admins/1").status == 404
