"""The panel over HTTP and over real tables: signed, in time, and with a button that works."""

import json
import time
from typing import Any
from uuid import uuid4

import pytest
import requests

from intercom_assets.database.records import Failure, Json, Lane
from intercom_assets.database.store.store import Store
from intercom_assets.domain.models import JournalEntry, Side
from intercom_assets.domain.vocabulary import Action, Cause, QueueKind, StateKey
from intercom_assets.inbound import inbox
from intercom_assets.inbound.agents_words import NOBODY, OTHER_WORKSPACE
from intercom_assets_tests.inbound.listening import Listener, listening
from intercom_assets_tests.inbound.standings import given_a_user, given_given_up_on


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is slow on a busy machine is no failure; how little is waited has tests of its own."""
    monkeypatch.setattr(inbox, "ANSWER_WITHIN_S", 20.0)


CONTACT = {"type": "contact", "id": "6a01", "role": "user", "external_id": "7"}


def body(contact: object = CONTACT, **rest: object) -> dict[str, object]:
    return {"workspace_id": "abc", "workspace_region": "US", "contact": contact, **rest}


def components(answer: requests.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["canvas"]["content"]["components"]
    return found


def texts(answer: requests.Response) -> str:
    return json.dumps(components(answer))


def opened(listener: Listener, contact: object = CONTACT) -> requests.Response:
    return listener.inbox("/inbox/initialize", body(contact))


def pressed(listener: Listener, component: str) -> requests.Response:
    return listener.inbox("/inbox/submit", body(component_id=component, input_values={}))


# --- what it shows --------------------------------------------------------------------------------


def test_a_user_in_step_is_shown_with_id_and_button(listener: Listener, store: Store) -> None:
    given_a_user(store, "7", "6a01")

    shown = components(opened(listener))

    assert shown[0]["text"].startswith("In step, ")
    assert shown[1]["items"][0]["title"] == "User 7 of the app"
    assert shown[-1]["label"] == "Sync now"


def test_what_waits_and_why_it_was_given_up_on_are_shown(listener: Listener, store: Store) -> None:
    given_a_user(store, "7", "6a01")
    store.queue.enqueue(QueueKind.USER, ["7"], cause=Cause.APP)
    assert "changed in the app" in texts(opened(listener))

    given_given_up_on(store, "7", Failure("full", code="contact_company_limit_exceeded"))
    assert "as many companies as Intercom allows" in texts(opened(listener))


def test_edits_that_lost_in_the_last_week_are_shown_and_older_ones_not(
    listener: Listener, store: Store
) -> None:
    given_a_user(store, "7", "6a01")
    lost = JournalEntry(
        QueueKind.USER, "7", Action.OVERRULED, "name", Side.INTERCOM, "secret old", "secret new"
    )
    store.journal.add("run", [lost, lost])
    store.journal.add("run", [JournalEntry(QueueKind.USER, "8", Action.OVERRULED, "email")])

    shown = texts(opened(listener))
    assert '"title": "name"' in shown
    assert "the app owns it, 2 times" in shown
    assert "secret" not in shown
    assert "email" not in shown

    store.pool.transact(
        lambda cursor: cursor.execute(
            "update intercom_sync.journal set at = at - interval '8 days'"
        )
    )
    assert "the app owns it" not in texts(opened(listener))


@pytest.mark.parametrize(
    "contact",
    [
        {"id": "6a99", "role": "user", "external_id": "7"},
        {"id": "6a99", "role": "user", "external_id": "9"},
        {"id": "6a99", "role": "user", "external_id": None},
        {"id": "\x00"},
        {"id": 7},
        {},
        [],
        None,
    ],
    ids=repr,
)
def test_a_contact_that_is_nobody_s_gets_one_sentence(
    listener: Listener, store: Store, contact: object
) -> None:
    """Also one that carries the external id of a user whose contact is another one."""
    given_a_user(store, "7", "6a01")
    store.queue.enqueue(QueueKind.USER, ["7"])

    [only] = components(opened(listener, contact))

    assert only["text"] == NOBODY


def test_a_lead_is_called_one(listener: Listener, store: Store) -> None:
    [only] = components(opened(listener, {"id": "6a99", "role": "lead", "external_id": "7"}))

    assert "lead" in only["text"]


def test_a_user_who_waits_for_the_first_sync_is_known_by_the_external_id(
    listener: Listener, store: Store
) -> None:
    store.queue.enqueue(QueueKind.USER, ["7"], cause=Cause.APP)

    assert "Waiting to be synced" in texts(opened(listener))


def test_the_older_name_of_the_contact_is_read_too(listener: Listener, store: Store) -> None:
    given_a_user(store, "7", "6a01")

    answer = listener.inbox("/inbox/initialize", {"customer": {"id": "6a01"}})

    assert "User 7 of the app" in texts(answer)


def test_the_partition_is_linked_where_dagster_s_address_is_known(store: Store) -> None:
    given_a_user(store, "7", "6a01")
    with listening(store, dagster_url="https://dagster.example.com") as listener:
        shown = components(opened(listener))

    assert shown[-1]["action"] == {
        "type": "url",
        "url": "https://dagster.example.com/assets/reconciled_profiles?view=partitions&partition=7",
    }


def test_the_user_leads_to_the_app_s_admin_and_fields_are_called_as_in_intercom(
    listener: Listener, store: Store
) -> None:
    given_a_user(store, "a/7", "6a01")
    store.journal.add(
        "run", [JournalEntry(QueueKind.USER, "a/7", Action.OVERRULED, "phone_number")]
    )
    phone: Json = {
        "name": "phone_number", "intercom": "phone", "kind": "string", "policy": "app",
        "custom": False,
    }  # fmt: skip
    mapping: Json = {"users": [phone], "admin_url": "https://admin.example/u/{id}"}
    store.state.put(StateKey.COMPARED_FIELDS, mapping)

    shown = components(opened(listener))

    assert shown[1]["items"][0]["action"] == {"type": "url", "url": "https://admin.example/u/a%2F7"}
    assert shown[4]["items"][0]["title"] == "phone"


def test_another_workspace_s_inbox_is_told_so(listener: Listener, store: Store) -> None:
    given_a_user(store, "7", "6a01")
    store.state.put(StateKey.WORKSPACE, {"id": "ours"})

    [only] = components(opened(listener))

    assert only["text"] == OTHER_WORKSPACE


# --- the button -----------------------------------------------------------------------------------


def test_sync_now_queues_the_user_in_the_live_lane_and_shows_it(
    listener: Listener, store: Store
) -> None:
    given_a_user(store, "7", "6a01")

    shown = texts(pressed(listener, "sync_now"))

    assert "Waiting to be synced" in shown
    [leased] = store.queue.lease(QueueKind.USER, "run", token=uuid4(), limit=9, seconds=9)
    assert (leased.key, leased.lane, leased.needs_read) == ("7", Lane.LIVE, True)


def test_sync_now_wakes_who_was_given_up_on(listener: Listener, store: Store) -> None:
    given_a_user(store, "7", "6a01")
    given_given_up_on(store, "7", Failure("no", code="conflict"))

    shown = texts(pressed(listener, "sync_now"))

    assert "Waiting to be synced" in shown
    assert store.queue.due(QueueKind.USER).sole_key == "7"


def test_sync_now_brings_a_waiting_sweep_forward(listener: Listener, store: Store) -> None:
    given_a_user(store, "7", "6a01")
    store.queue.enqueue(QueueKind.USER, ["7"], lane=Lane.BULK, delay=3_600)

    pressed(listener, "sync_now")

    assert store.queue.due(QueueKind.USER, lanes=[Lane.LIVE]).sole_key == "7"


@pytest.mark.parametrize("component", ["refresh", "user_0", ""])
def test_other_presses_only_refresh(listener: Listener, store: Store, component: str) -> None:
    given_a_user(store, "7", "6a01")

    assert "In step" in texts(pressed(listener, component))
    assert store.queue.waiting(QueueKind.USER, "7") is None


def test_sync_now_for_nobody_queues_nobody(listener: Listener, store: Store) -> None:
    [only] = components(pressed(listener, "sync_now"))

    assert only["text"] == NOBODY
    assert store.queue.due(QueueKind.USER).count == 0


# --- whoever asks, and however slowly we answer ---------------------------------------------------


@pytest.mark.parametrize("path", ["/inbox/initialize", "/inbox/submit"])
def test_who_does_not_sign_is_shown_nothing(listener: Listener, store: Store, path: str) -> None:
    given_a_user(store, "7", "6a01")

    answer = listener.post(path, body(component_id="sync_now"))  # with a webhook's signature

    assert answer.status_code == 401
    assert store.queue.waiting(QueueKind.USER, "7") is None


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"contact": "x"}'])
def test_a_signed_body_that_cannot_be_read_is_about_nobody(listener: Listener, raw: bytes) -> None:
    [only] = components(listener.inbox("/inbox/initialize", raw))

    assert only["text"] == NOBODY


def test_tables_that_are_down_are_one_sentence_on_the_panel() -> None:
    with (
        Store("postgresql://nobody@127.0.0.1:1/nothing") as store,
        listening(store) as listener,
    ):
        [only] = components(opened(listener))

    assert "does not answer just now" in only["text"]


def test_tables_that_are_slow_are_not_waited_for(
    listener: Listener, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "ANSWER_WITHIN_S", 0.05)
    given_a_user(store, "7", "6a01")

    with store.pool.transaction(b"begin") as blocking:
        blocking.execute("lock table intercom_sync.user_link in access exclusive mode")
        [only] = components(opened(listener))

    assert "does not answer just now" in only["text"]


def test_a_press_that_was_not_waited_for_still_counts(
    listener: Listener, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "ANSWER_WITHIN_S", 0.05)
    given_a_user(store, "7", "6a01")

    with store.pool.transaction(b"begin") as blocking:
        blocking.execute("lock table intercom_sync.queue in access exclusive mode")
        pressed(listener, "sync_now")

    deadline = time.monotonic() + 30
    while store.queue.waiting(QueueKind.USER, "7") is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert store.queue.waiting(QueueKind.USER, "7") is not None
