"""Lists and searches show old whole documents until the delay has passed; reads by id do not."""

from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.simulator.asking import Api, Clock, ids, ok, where

DELAY = 60


def lag(simulator: Simulator) -> None:
    simulator.set(index_delay_s=DELAY)


def test_a_new_contact_is_found_only_after_the_delay(
    api: Api, simulator: Simulator, clock: Clock
) -> None:
    lag(simulator)
    contact = api.user()

    assert ids(ok(api.get("/contacts"))) == []
    assert ids(api.search(where("external_id", "=", "7"))) == []
    assert ok(api.get(f"/contacts/{contact['id']}"))["id"] == contact["id"]
    assert api.post("/contacts", {"external_id": "7"}).status == 409

    clock.advance(DELAY)
    assert ids(ok(api.get("/contacts"))) == [contact["id"]]
    assert ids(api.search(where("external_id", "=", "7"))) == [contact["id"]]


def test_a_changed_contact_shows_its_old_document_whole(
    api: Api, simulator: Simulator, clock: Clock
) -> None:
    contact = api.user(name="Ada", email="a@b.c")
    lag(simulator)
    clock.advance(30)
    ok(api.put(f"/contacts/{contact['id']}", {"name": "Grace", "email": "g@b.c"}))

    old = api.search(where("email", "=", "a@b.c"))["data"]
    assert [(item["name"], item["updated_at"]) for item in old] == [("Ada", contact["updated_at"])]
    assert ids(api.search(where("email", "=", "g@b.c"))) == []

    clock.advance(DELAY)
    assert ids(api.search(where("email", "=", "a@b.c"))) == []
    assert api.search(where("email", "=", "g@b.c"))["data"][0]["name"] == "Grace"


def test_archived_and_merged_contacts_are_listed_until_the_delay_has_passed(
    api: Api, simulator: Simulator, clock: Clock
) -> None:
    gone, user, lead = api.user("1"), api.user("2", email="a@b.c"), api.lead(email="a@b.c")
    lag(simulator)
    ok(api.post(f"/contacts/{gone['id']}/archive"))
    ok(api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]}))

    assert len(ids(ok(api.get("/contacts")))) == 3
    clock.advance(DELAY)
    assert ids(ok(api.get("/contacts"))) == [user["id"]]


def test_each_version_appears_in_its_turn(api: Api, simulator: Simulator, clock: Clock) -> None:
    contact = api.user(name="first")
    lag(simulator)
    for name in ("second", "third"):
        ok(api.put(f"/contacts/{contact['id']}", {"name": name}))
        clock.advance(20)

    shown = []
    for _ in range(3):
        shown.append(ok(api.get("/contacts"))["data"][0]["name"])
        clock.advance(20)

    assert shown == ["first", "second", "third"]


def test_companies_and_their_contacts_lag_too(api: Api, simulator: Simulator, clock: Clock) -> None:
    contact, company = api.user(), api.company()
    lag(simulator)
    api.attach(contact, company)

    assert ids(ok(api.post("/companies/list"))) == []
    assert ids(ok(api.get(f"/companies/{company['id']}/contacts"))) == []
    assert ids(ok(api.get(f"/contacts/{contact['id']}/companies"))) == [company["id"]]
    clock.advance(DELAY)
    assert ids(ok(api.post("/companies/list"))) == [company["id"]]
    assert ids(ok(api.get(f"/companies/{company['id']}/contacts"))) == [contact["id"]]


def test_taking_the_delay_away_shows_everything_at_once(api: Api, simulator: Simulator) -> None:
    lag(simulator)
    contact = api.user()
    simulator.set(index_delay_s=0)

    assert ids(ok(api.get("/contacts"))) == [contact["id"]]


def test_seeds_have_been_there_for_long(api: Api, simulator: Simulator) -> None:
    lag(simulator)
    planted = simulator.seed({"external_id": "7"})

    assert ids(ok(api.get("/contacts"))) == planted
