"""Webhooks: what is told of which change, how it is signed, and when Intercom gives up."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from intercom_assets.simulator.sender import THREADS
from intercom_assets.simulator.simulator import Simulator
from intercom_assets.simulator.wire import Answer, json_body
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets_tests.simulator.asking import Api, Clock, ok
from intercom_assets_tests.simulator.listener import PATIENCE_S, Listener, listening

SECRET = "a-secret-of-a-test"
DAY = 86_400.0


@pytest.fixture
def listener(simulator: Simulator) -> Iterator[Listener]:
    with listening() as listener:
        yield listener
        simulator.stop()


def control(simulator: Simulator, name: str, body: Any = None) -> Answer:
    method = "GET" if body is None else "POST"
    return simulator.handle(method, f"/_simulator/{name}", {}, json_body(body))


def shown(simulator: Simulator) -> Any:
    return ok(control(simulator, "webhooks"))


def until(simulator: Simulator, **expected: object) -> None:
    def reached() -> bool:
        document = shown(simulator)
        return all(document[key] == value for key, value in expected.items())

    assert wait_until(reached, PATIENCE_S, 0.01), shown(simulator)


def subscribe(simulator: Simulator, listener: Listener, **knobs: Any) -> None:
    ok(control(simulator, "webhooks", {"url": listener.url, "secret": SECRET, **knobs}))
    until(simulator, state="live")


# --- what is told ---

Act = Callable[[Simulator, str], Any]


def tag(simulator: Simulator, contact: str) -> None:
    simulator.by_hand.tag_contact(contact, "Whale")


def untag(simulator: Simulator, contact: str) -> None:
    simulator.by_hand.untag_contact(contact, "Old")


TOLD: dict[str, tuple[Act, list[str]]] = {
    "edits a user": (
        lambda s, contact: s.by_hand.edit_contact(contact, name="Ada"),
        ["contact.user.updated"],
    ),
    "sets the value that is there": (
        lambda s, contact: s.by_hand.edit_contact(contact, name="Grace"),
        [],
    ),
    "changes an e-mail": (
        lambda s, contact: s.by_hand.edit_contact(contact, email="new@b.c"),
        ["contact.email.updated", "contact.user.updated"],
    ),
    "unsubscribes": (
        lambda s, contact: s.by_hand.edit_contact(contact, unsubscribed_from_emails=True),
        ["contact.unsubscribed"],
    ),
    "tags": (tag, ["contact.user.tag.created"]),
    "untags": (untag, ["contact.user.tag.deleted"]),
    "archives": (lambda s, contact: s.by_hand.archive_contact(contact), ["contact.archived"]),
    "deletes": (lambda s, contact: s.by_hand.delete_contact(contact), ["contact.deleted"]),
    "blocks": (lambda s, contact: s.by_hand.block_contact(contact), []),
    "brings back": (lambda s, contact: s.by_hand.unarchive_contact("gone"), ["contact.unarchive"]),
    "adds a user": (
        lambda s, contact: s.by_hand.create_contact(external_id="9"),
        ["contact.user.created"],
    ),
    "adds a lead": (
        lambda s, contact: s.by_hand.create_contact(role="lead", name="Lea"),
        ["contact.lead.created"],
    ),
    "gives a lead an e-mail": (
        lambda s, contact: s.by_hand.edit_contact("lead", email="lea@b.c"),
        ["contact.lead.added_email", "contact.lead.updated"],
    ),
    "makes a user of a lead": (
        lambda s, contact: s.by_hand.edit_contact("lead", role="user"),
        ["contact.lead.signed_up"],
    ),
    "merges a lead": (
        lambda s, contact: s.by_hand.merge_contacts("lead", contact),
        ["contact.merged"],
    ),
    "attaches": (
        lambda s, contact: s.by_hand.attach_company(contact, "t2"),
        ["company.contact.attached"],
    ),
    "detaches": (
        lambda s, contact: s.by_hand.detach_company(contact, "t1"),
        ["company.contact.detached"],
    ),
    "adds a company": (lambda s, contact: s.by_hand.create_company("t3"), ["company.created"]),
    "edits a company": (
        lambda s, contact: s.by_hand.edit_company("t1", name="Acme"),
        ["company.updated"],
    ),
    "deletes a company": (
        lambda s, contact: s.by_hand.delete_company("t1"),
        ["company.contact.detached", "company.deleted"],
    ),
}


@pytest.fixture
def contact(simulator: Simulator) -> str:
    simulator.seed(
        [
            {"id": "lead", "role": "lead", "companies": ["t2"]},
            {"id": "gone", "external_id": "5", "archived": True},
        ]
    )
    [contact] = simulator.seed({"external_id": "7", "name": "Grace", "companies": ["t1"]})
    simulator.by_hand.tag_contact(contact, "Old")
    return contact


@pytest.mark.parametrize("what", TOLD)
def test_an_operator_s_act_is_told_under_its_topics(
    simulator: Simulator, listener: Listener, contact: str, what: str
) -> None:
    """A ping comes last, so that nothing can come later unnoticed."""
    act, topics = TOLD[what]
    subscribe(simulator, listener)

    act(simulator, contact)
    control(simulator, "webhooks/ping", {})

    listener.wait_for(len(topics) + 1)
    assert Counter(listener.topics) == Counter([*topics, "ping"])
    until(simulator, delivered=len(topics) + 1, waiting=0)


def test_a_notification_has_the_documented_envelope_and_is_signed(
    simulator: Simulator, listener: Listener, clock: Clock
) -> None:
    subscribe(simulator, listener)

    contact = simulator.by_hand.create_contact(external_id="7", signed_up_at=0, name="Ada & Bob")

    [came] = listener.wait_for(1)
    envelope = came.json()
    item = envelope.pop("data")["item"]
    digest = hmac.new(SECRET.encode(), came.body, hashlib.sha1).hexdigest()
    assert came.headers["x-hub-signature"] == f"sha1={digest}"
    assert envelope.pop("id").startswith("notif_")
    assert envelope == {
        "type": "notification_event",
        "app_id": simulator.settings.workspace_id,
        "links": {},
        "topic": "contact.user.created",
        "delivery_status": "pending",
        "delivery_attempts": 1,
        "delivered_at": 0,
        "first_sent_at": int(clock.now),
        "created_at": int(clock.now),
        "self": None,
    }
    assert (item["type"], item["id"], item["external_id"]) == ("contact", contact, "7")
    assert item["signed_up_at"] == "1970-01-01T00:00:00.000+00:00"
    assert item["last_seen_at"] is None


def test_a_notification_s_id_comes_again_neither_after_subscribing_anew_nor_after_a_restart(
    simulator: Simulator, listener: Listener, contact: str
) -> None:
    """Whoever is told keeps ids for days, and takes one that it knows for a duplicate."""
    restarted = Simulator()
    restarted.seed([{"id": contact, "external_id": "7"}])
    try:
        for number, stand_in in enumerate([simulator, simulator, restarted]):
            subscribe(stand_in, listener)
            stand_in.by_hand.edit_contact(contact, name=f"Name {number}")
            listener.wait_for(number + 1)
    finally:
        restarted.stop()

    assert len({came.json()["id"] for came in listener.came}) == 3


def test_of_what_is_gone_only_ids_are_told(
    simulator: Simulator, listener: Listener, contact: str
) -> None:
    company = simulator.company("t1")
    assert company is not None
    subscribe(
        simulator, listener, topics=["contact.archived", "contact.deleted", "company.deleted"]
    )

    simulator.by_hand.archive_contact(contact)
    simulator.by_hand.delete_contact("lead")
    simulator.by_hand.delete_company("t1")

    listener.wait_for(3)
    ids = {"id": contact, "external_id": "7", "type": "contact"}
    assert listener.item("contact.archived") == {**ids, "archived": True}
    assert listener.item("contact.deleted")["deleted"] is True
    assert listener.item("company.deleted") == {
        "id": company["id"],
        "type": "company",
        "deleted": True,
    }


def test_a_merge_tells_of_the_survivor_and_names_the_merged(
    simulator: Simulator, listener: Listener, contact: str
) -> None:
    subscribe(simulator, listener)

    simulator.by_hand.merge_contacts("lead", contact)

    listener.wait_for(1)
    item = listener.item("contact.merged")
    assert item["id"] == contact
    assert item["merged_from"] == {"type": "contact", "id": "lead"}


def test_a_membership_is_told_with_both_ends_and_a_detached_one_as_it_was(
    simulator: Simulator, listener: Listener, contact: str
) -> None:
    subscribe(simulator, listener)
    simulator.by_hand.attach_company(contact, "t2")
    listener.wait_for(1)
    simulator.by_hand.detach_company(contact, "t2")
    listener.wait_for(2)

    for topic in ("company.contact.attached", "company.contact.detached"):
        item = listener.item(topic)
        assert (item["company"]["company_id"], item["contact"]["id"]) == ("t2", contact)
        assert item["contact"]["companies"]["total_count"] == 2


def test_a_tag_s_and_a_subscription_s_item_hold_the_contact(
    simulator: Simulator, listener: Listener, contact: str
) -> None:
    subscribe(simulator, listener)
    simulator.by_hand.tag_contact(contact, "sync now")
    simulator.by_hand.edit_contact(contact, unsubscribed_from_emails=True)
    listener.wait_for(2)

    tagged = listener.item("contact.user.tag.created")
    left = listener.item("contact.unsubscribed")
    assert (tagged["tag"]["name"], tagged["contact"]["id"]) == ("sync now", contact)
    assert (left["type"], left["contact"]["id"]) == ("contact_unsubscribe", contact)


def test_only_topics_that_were_asked_for_are_told(
    simulator: Simulator, listener: Listener, contact: str
) -> None:
    subscribe(simulator, listener, topics=["contact.archived"])

    simulator.by_hand.edit_contact(contact, name="Ada")
    simulator.by_hand.archive_contact(contact)

    listener.wait_for(1)
    until(simulator, notified=1, delivered=1)


@pytest.mark.parametrize("fire", [True, False])
def test_writes_of_the_api_are_told_as_the_subscription_says(
    simulator: Simulator, listener: Listener, api: Api, fire: bool
) -> None:
    subscribe(simulator, listener, fire_on_api_writes=fire)

    contact = api.user("7", name="Ada")
    simulator.by_hand.archive_contact(contact["id"])

    listener.wait_for(2 if fire else 1)
    expected = ["contact.user.created"] * fire + ["contact.archived"]
    assert sorted(listener.topics) == sorted(expected)


def test_who_was_seeded_is_told_to_nobody(simulator: Simulator, listener: Listener) -> None:
    subscribe(simulator, listener)

    simulator.seed({"count": 5, "companies": ["t1"]})

    assert shown(simulator)["notified"] == 0


# --- how badly it may go ---


def test_a_duplicate_has_the_id_of_its_twin(
    simulator: Simulator, listener: Listener, contact: str
) -> None:
    subscribe(simulator, listener, duplicate_share=1)

    simulator.by_hand.edit_contact(contact, name="Ada")

    first, second = listener.wait_for(2)
    assert first.json()["id"] == second.json()["id"]
    assert shown(simulator)["duplicates"] == 1


def test_lost_ones_are_counted_and_never_sent(
    simulator: Simulator, listener: Listener, contact: str
) -> None:
    subscribe(simulator, listener, lose_share=1)

    simulator.by_hand.edit_contact(contact, name="Ada")

    document = shown(simulator)
    assert (document["lost"], document["waiting"], document["sent"]) == (1, 0, 0)


def test_a_delay_is_by_the_simulator_s_own_clock(
    simulator: Simulator, listener: Listener, contact: str, clock: Clock
) -> None:
    subscribe(simulator, listener, delay_ms=3_600_000)
    simulator.by_hand.edit_contact(contact, name="Ada")
    assert shown(simulator)["waiting"] == 1

    clock.advance(3_600)

    assert listener.wait_for(1)[0].json()["first_sent_at"] == int(clock.now)


def test_shuffled_ones_come_in_another_order(
    simulator: Simulator, listener: Listener, contact: str, clock: Clock
) -> None:
    subscribe(simulator, listener, shuffle=60)
    for number in range(20):
        simulator.by_hand.edit_contact(contact, name=f"Ada {number}")
    clock.advance(60)

    names = [came.json()["data"]["item"]["name"] for came in listener.wait_for(20)]

    assert names != sorted(names, key=lambda name: int(name.split()[1]))
    assert len(set(names)) == 20


def test_a_refused_one_is_tried_once_more_after_a_minute(
    simulator: Simulator, listener: Listener, contact: str, clock: Clock
) -> None:
    listener.answers = [500]
    subscribe(simulator, listener)
    simulator.by_hand.edit_contact(contact, name="Ada")
    until(simulator, retried=1, waiting=1)

    clock.advance(60)

    first, second = (came.json() for came in listener.wait_for(2))
    assert (first["id"], first["first_sent_at"]) == (second["id"], second["first_sent_at"])
    assert second["delivery_attempts"] == 2
    until(simulator, failed=1, waiting=0)


def test_a_line_that_breaks_is_a_failed_delivery(
    simulator: Simulator, listener: Listener, contact: str
) -> None:
    listener.answers = [0]
    subscribe(simulator, listener)

    simulator.by_hand.edit_contact(contact, name="Ada")

    until(simulator, retried=1)
    assert shown(simulator)["last"][0]["status"] == 0


def test_an_answer_of_410_ends_the_subscription(
    simulator: Simulator, listener: Listener, contact: str
) -> None:
    listener.answers = [410]
    subscribe(simulator, listener)
    simulator.by_hand.edit_contact(contact, name="Ada")
    until(simulator, state="ended")

    simulator.by_hand.archive_contact(contact)

    document = shown(simulator)
    assert (document["dropped"], document["sent"], document["waiting"]) == (1, 1, 0)


def test_an_answer_of_429_slows_it_and_loses_nothing(
    simulator: Simulator, listener: Listener, contact: str, clock: Clock
) -> None:
    listener.answers = [429, 200]
    subscribe(simulator, listener)
    simulator.by_hand.edit_contact(contact, name="Ada")
    until(simulator, state="throttled", waiting=1)

    clock.advance(60)

    until(simulator, state="live", delivered=1)


def test_more_than_a_thousand_errors_in_a_row_pause_it_and_drop_what_happens(
    simulator: Simulator, listener: Listener, contact: str, clock: Clock
) -> None:
    listener.answers = [503]
    subscribe(simulator, listener)
    for number in range(1_001):
        simulator.by_hand.edit_contact(contact, name=f"Ada {number}")
    until(simulator, state="paused")

    simulator.by_hand.archive_contact(contact)
    assert shown(simulator)["dropped"] == 1
    listener.answers = [200]
    clock.advance(900)
    simulator.by_hand.unarchive_contact(contact)

    until(simulator, state="live", waiting=0, delivered=1_002, failed=0)


@pytest.mark.parametrize(("private", "state"), [(True, "suspended"), (False, "live")])
def test_seven_days_of_errors_suspend_a_private_app_until_it_is_set_live(
    simulator: Simulator, listener: Listener, contact: str, clock: Clock, private: bool, state: str
) -> None:
    listener.answers = [500]
    subscribe(simulator, listener, private=private)
    for number in range(7):
        simulator.by_hand.edit_contact(contact, name=f"Ada {number}")
        until(simulator, retried=number + 1)
        clock.advance(DAY)
        until(simulator, failed=number + 1)
    assert shown(simulator)["state"] == state

    listener.answers = [200]
    control(simulator, "webhooks/live", {})
    until(simulator, state="live")
    simulator.by_hand.edit_contact(contact, name="Grace")

    until(simulator, delivered=1)


def test_an_address_that_does_not_answer_head_gets_nothing(
    simulator: Simulator, listener: Listener, contact: str
) -> None:
    listener.head = 404
    ok(control(simulator, "webhooks", {"url": listener.url, "secret": SECRET}))
    until(simulator, state="refused")

    simulator.by_hand.edit_contact(contact, name="Ada")

    assert shown(simulator)["dropped"] == 1
    assert listener.came == []


# --- the control endpoint ---


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"url": "http://example.com/", "secret": "x"}, "an address of this machine"),
        ({"url": "http://10.0.0.7/", "secret": "x"}, "an address of this machine"),
        ({"url": "https://127.0.0.1/", "secret": "x"}, "an address of this machine"),
        ({"url": "http://[", "secret": "x"}, "an address of this machine"),
        ({"url": "http://127.0.0.1:99999/", "secret": "x"}, "an address of this machine"),
        ({"url": 7, "secret": "x"}, "an address of this machine"),
        ({"url": "http://127.0.0.1:1/"}, "need the secret"),
        ({"url": "http://127.0.0.1:1/", "secret": 7}, "secret of webhooks cannot be that"),
        ({"delay_ms": 5}, "nothing is subscribed yet"),
        ({"colour": 5}, "webhooks have no 'colour'"),
        ({"url": "http://[::1]:1/", "secret": "x", "lose_share": 1.1}, "lose_share"),
        ({"url": "http://localhost:1/", "secret": "x", "topics": ["x"]}, "no topic 'x'"),
        ({"url": "http://localhost:1/", "secret": "x", "topics": "x"}, "a list of names"),
        ([], "an object"),
    ],
)
def test_what_cannot_be_subscribed_is_said_in_one_sentence(
    simulator: Simulator, body: object, sentence: str
) -> None:
    answer = control(simulator, "webhooks", body)

    assert answer.status == 400
    assert sentence in answer.json()["error"]
    assert shown(simulator) == {"url": None}


def test_the_secret_and_what_was_sent_are_never_shown(
    simulator: Simulator, listener: Listener, contact: str
) -> None:
    subscribe(simulator, listener)
    simulator.by_hand.edit_contact(contact, name="Ada Lovelace")
    until(simulator, delivered=1)

    document = control(simulator, "webhooks").body.decode()

    assert SECRET not in document
    assert "Lovelace" not in document
    [last] = shown(simulator)["last"]
    assert (last["topic"], last["about"], last["status"]) == ("contact.user.updated", contact, 200)


def test_a_reset_or_no_url_ends_it(simulator: Simulator, listener: Listener, contact: str) -> None:
    subscribe(simulator, listener)
    control(simulator, "webhooks", {"url": None})
    assert shown(simulator) == {"url": None}
    subscribe(simulator, listener)
    simulator.reset("webhooks")

    simulator.by_hand.edit_contact(contact, name="Ada")

    assert shown(simulator) == {"url": None}
    assert listener.came == []


def test_knobs_are_turned_while_it_runs(
    simulator: Simulator, listener: Listener, contact: str
) -> None:
    subscribe(simulator, listener)
    ok(control(simulator, "webhooks", {"lose_share": 1}))

    simulator.by_hand.edit_contact(contact, name="Ada")

    document = shown(simulator)
    assert (document["url"], document["lost"]) == (listener.url, 1)


def test_a_listener_that_hangs_holds_up_nobody_who_asks(
    simulator: Simulator, listener: Listener, contact: str, api: Api
) -> None:
    """As many are under way as there can be, and the API answers all the same."""
    subscribe(simulator, listener)
    listener.hold.clear()

    for number in range(20):
        api.put(f"/contacts/{contact}", {"name": f"Ada {number}"})
        until(simulator, sent=min(number + 1, THREADS))

    assert ok(api.get(f"/contacts/{contact}"))["name"] == "Ada 19"
    assert shown(simulator)["delivered"] == 0
    listener.hold.set()
    until(simulator, delivered=20)
