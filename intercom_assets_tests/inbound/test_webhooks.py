"""Whom a webhook wakes, what it costs, and what of it is never believed."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom_assets.domain import webhook_topics
from intercom_assets.domain.vocabulary import Cause, InboundCount, QueueKind
from intercom_assets.inbound import intake
from intercom_assets.inbound.notices import Notice, UnreadableNotice, read_notice
from intercom_assets.inbound.topics import TOPICS, Remembered, Woken
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets_tests.inbound.told import HEADERS, OLD, Told, notification

EDIT = "contact.user.updated"


def test_every_topic_that_is_asked_for_is_understood() -> None:
    assert set(webhook_topics.TOPICS) == TOPICS.keys() - {"contact.unarchived"}


# --- edits of contacts ---------------------------------------------------------------------------


def test_an_edit_is_read_once_and_pulled(told: Told) -> None:
    ada = told.world.given_user(name=None, created_at=OLD)
    told.world.sync(ada)
    told.world.intercom.by_hand.edit_contact(str(ada), name="Ada L.")

    answer = told.tell(EDIT, told.contact(ada))

    assert answer.status_code == 200
    assert told.queued() == [str(ada)]
    assert len(told.world.sync_due().calls) == 1
    assert told.world.app_user(ada)["name"] == "Ada L."


def test_what_the_app_owns_is_put_back_and_journaled_as_overruled(told: Told) -> None:
    ada = told.world.given_user(created_at=OLD)
    told.world.sync(ada)
    email = told.world.contact(ada)["email"]
    told.world.intercom.by_hand.edit_contact(str(ada), email="typed@by.hand")

    told.tell("contact.email.updated", told.contact(ada))
    told.world.sync_due()

    assert told.world.contact(ada)["email"] == email
    journal = told.world.services.store.journal.of_key(str(ada))
    assert "overruled" in [row.entry.action for row in journal]


@pytest.mark.parametrize("topic", [EDIT, "contact.user.created", "contact.subscribed"])
def test_an_echo_of_our_own_write_queues_nobody(told: Told, topic: str) -> None:
    ada, team = told.world.given_user(created_at=OLD), told.world.given_team()
    told.world.joins(ada, team)
    told.world.sync(ada)

    told.tell(topic, told.contact(ada))
    told.tell(
        "company.contact.attached", {"contact": told.contact(ada), "company": told.company(team)}
    )
    told.tell("company.created", told.company(team))
    told.tell("company.updated", told.company(team))

    assert told.queued() == told.queued(QueueKind.TEAM) == []
    assert told.counted(InboundCount.ECHO) == 4


def test_an_echo_that_comes_while_its_run_is_at_work_queues_nobody(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The webhook overtakes the record of the write that it is about."""
    ada, team = told.world.given_user(created_at=OLD), told.world.given_team()
    told.world.sync(ada)
    told.world.update_user(ada, email="ada@new.example")
    told.world.joins(ada, team)
    seen: list[tuple[str, ...]] = []
    handle = told.world.intercom.handle

    def telling(method: str, path: str, headers: Any, body: bytes = b"") -> Any:
        answer = handle(method, path, headers, body)
        if method in ("PUT", "POST") and "search" not in path:
            monkeypatch.setattr(told.world.intercom, "handle", handle)
            told.tell(EDIT, told.contact(ada))
            if path.endswith("/companies") and "contacts" in path:
                item = {"contact": told.contact(ada), "company": told.company(team)}
                told.tell("company.contact.attached", item)
            elif path.startswith("/companies"):
                told.tell("company.created", told.company(team))
            monkeypatch.setattr(told.world.intercom, "handle", telling)
            seen.append((path, *told.queued(), *told.queued(QueueKind.TEAM)))
        return answer

    monkeypatch.setattr(told.world.intercom, "handle", telling)
    told.world.sync(ada)
    monkeypatch.setattr(told.world.intercom, "handle", handle)

    assert len(seen) >= 3
    assert all(len(found) == 1 for found in seen)
    assert told.world.sync_due().calls == []


def test_an_older_body_that_comes_late_changes_nothing(told: Told) -> None:
    ada = told.world.given_user(created_at=OLD)
    told.world.sync(ada)
    told.world.intercom.by_hand.edit_contact(str(ada), name="First", updated_at=1_700_000_000)
    first = told.contact(ada)
    told.world.intercom.by_hand.edit_contact(str(ada), name="Second")
    told.world.sync(ada, by_hand=True)
    told.tell(EDIT, told.contact(ada))
    told.world.sync_due()
    name = told.world.app_user(ada)["name"]

    told.tell(EDIT, first)

    assert told.queued() == []
    assert told.world.app_user(ada)["name"] == name


def test_no_value_of_a_body_is_ever_applied(told: Told) -> None:
    ada = told.world.given_user(name=None, created_at=OLD)
    told.world.sync(ada)

    told.tell(EDIT, {**told.contact(ada), "name": "Made up", "updated_at": 4_000_000_000})
    told.world.sync_due()

    assert told.world.app_user(ada)["name"] is None


def test_times_are_read_as_iso_strings_and_as_seconds(told: Told) -> None:
    ada = told.world.given_user(created_at=OLD)
    told.world.sync(ada)
    item = told.contact(ada)
    for key in ("created_at", "updated_at", "signed_up_at", "last_seen_at"):
        if item.get(key) is not None:
            item[key] = datetime.fromtimestamp(item[key], UTC).isoformat(timespec="milliseconds")

    told.tell(EDIT, item)

    assert told.queued() == []


def test_parts_that_a_body_leaves_out_are_no_news(told: Told) -> None:
    ada = told.world.given_user(created_at=OLD)
    told.world.sync(ada)
    item = told.contact(ada)

    told.tell(EDIT, {key: item[key] for key in ("type", "id", "role", "email", "updated_at")})
    told.tell(EDIT, {"type": "contact", "id": item["id"], "email": "other@by.hand"})

    assert told.queued() == []  # the second has no time, so it is no newer than what is known
    told.tell(EDIT, {**item, "email": "other@by.hand"})
    assert told.queued() == [str(ada)]


def test_a_contact_that_nobody_knows_wakes_nobody(told: Told) -> None:
    stranger = told.world.intercom.by_hand.create_contact(role="user", email="s@x.example")

    told.tell(EDIT, told.contact(stranger))

    assert told.queued() == []


def test_a_contact_that_gets_a_users_id_wakes_that_user(told: Told) -> None:
    ada = told.world.given_user(created_at=OLD, email=None)
    told.world.delete_user(ada)
    told.world.services.store.claims.mark_others_contacts({str(ada): "another"})
    found = told.world.intercom.by_hand.create_contact(role="user", external_id=str(ada))

    told.tell("contact.user.created", told.contact(found))

    assert told.queued() == [str(ada)]


# --- deleted, archived, merged -------------------------------------------------------------------


def test_an_archived_contact_is_decided_on_at_once(told: Told) -> None:
    ada = told.world.given_user(created_at=OLD)
    told.world.sync(ada)
    item = told.contact(ada)
    told.world.intercom.by_hand.archive_contact(str(ada))

    told.tell("contact.archived", item)
    told.world.sync_due()

    assert told.world.contact(ada)["id"] == item["id"]


def test_a_deleted_contact_is_made_again_at_once(told: Told) -> None:
    """The body holds little more than an id."""
    ada = told.world.given_user(created_at=OLD)
    told.world.sync(ada)
    before = told.contact(ada)["id"]
    told.world.intercom.set(deletion_lock_days=0)
    told.world.intercom.by_hand.delete_contact(str(ada))

    told.tell("contact.deleted", {"type": "contact", "id": before, "deleted": True})
    told.world.sync_due()

    assert told.world.contact(ada)["id"] != before


def test_a_contact_that_was_merged_into_another_is_decided_on_at_once(told: Told) -> None:
    ada = told.world.given_user(created_at=OLD)
    told.world.sync(ada)
    before = told.contact(ada)["id"]
    other = told.world.intercom.by_hand.create_contact(role="user", external_id="elsewhere")
    told.world.intercom.by_hand.delete_contact(str(ada))
    survivor = told.contact(other)

    told.tell("contact.merged", {**survivor, "merged_from": {"type": "contact", "id": before}})

    assert told.queued() == [str(ada)]


def test_our_own_archive_is_an_echo(told: Told) -> None:
    ada = told.world.given_user(created_at=OLD)
    told.world.sync(ada)
    item = told.contact(ada)
    told.world.services.store.tombstones.forget_user(str(ada))

    told.tell("contact.archived", item)

    assert told.queued() == []


# --- companies -----------------------------------------------------------------------------------


def test_a_company_that_somebody_edited_is_put_back_and_journaled_as_overruled(told: Told) -> None:
    team = told.world.given_team(domain="Ours")
    told.world.sync_teams(team)
    told.world.intercom.by_hand.edit_company(str(team), name="Theirs")

    told.tell("company.updated", told.company(team))
    synced = told.world.run_due(QueueKind.TEAM)

    assert told.company(team)["name"] == "Ours"
    assert [call.split()[0] for call in synced.calls] == ["GET", "POST"]
    journal = told.world.services.store.journal.of_key(str(team), kind=QueueKind.TEAM)
    newest = next(row.entry for row in journal if row.entry.field == "name")
    assert (newest.action, newest.old, newest.new) == ("overruled", "Theirs", "Ours")


def test_a_company_that_looks_edited_and_is_not_costs_one_read(told: Told) -> None:
    team = told.world.given_team(domain="Ours")
    told.world.sync_teams(team)

    told.tell("company.updated", {**told.company(team), "name": "An old name"})

    assert [c.split()[0] for c in told.world.run_due(QueueKind.TEAM).calls] == ["GET"]


def test_a_deleted_company_is_made_again_with_its_members(told: Told) -> None:
    ada, team = told.world.given_user(created_at=OLD), told.world.given_team()
    told.world.joins(ada, team)
    told.world.sync(ada)
    before = told.company(team)
    told.world.intercom.by_hand.delete_company(str(team))

    told.tell("company.deleted", {"type": "company", "id": before["id"], "deleted": True})
    told.world.run_due(QueueKind.TEAM)
    told.world.sync_due()

    assert told.company(team)["id"] != before["id"]
    attached = told.document(f"/contacts/{told.contact(ada)['id']}/companies")
    assert [company["company_id"] for company in attached["data"]] == [str(team)]


def test_a_membership_ended_by_hand_is_made_again_and_one_made_by_hand_elsewhere_stays(
    told: Told,
) -> None:
    ada, team = told.world.given_user(created_at=OLD), told.world.given_team()
    told.world.joins(ada, team)
    told.world.sync(ada)
    by_hand = told.world.intercom.by_hand
    elsewhere = by_hand.create_company("elsewhere", "Elsewhere")
    by_hand.detach_company(str(ada), str(team))
    by_hand.attach_company(str(ada), "elsewhere")

    item = {"type": "company.contact", "contact": told.contact(ada), "company": told.company(team)}
    told.tell("company.contact.detached", item)
    told.world.sync_due()

    attached = told.document(f"/contacts/{told.contact(ada)['id']}/companies")["data"]
    assert {company["id"] for company in attached} == {told.company(team)["id"], elsewhere}


# --- leads ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "topic", ["contact.lead.created", "contact.lead.updated", "contact.lead.added_email"]
)
def test_a_lead_with_a_new_users_address_is_merged(told: Told, topic: str) -> None:
    ada = told.world.given_user(created_at=datetime.now(UTC), email="ada@x.example")
    told.world.sync(ada)
    lead = told.world.intercom.by_hand.create_contact(role="lead", email="Ada@x.example")

    told.tell(topic, told.contact(lead))
    synced = told.world.sync_due()

    assert [call for call in synced.calls if "merge" in call]


def test_a_lead_outside_the_merge_window_wakes_nobody(told: Told) -> None:
    ada = told.world.given_user(created_at=OLD, email="ada@x.example")
    told.world.sync(ada)
    lead = told.world.intercom.by_hand.create_contact(role="lead", email="ada@x.example")

    told.tell("contact.lead.created", told.contact(lead))

    assert told.world.sync_due().calls == []


# --- sync now ------------------------------------------------------------------------------------


def tagged(told: Told, user: int, name: str = "Sync Now") -> dict[str, object]:
    """Puts the tag on as an agent does; the webhook's item."""
    handle = told.world.intercom.handle
    made = json.loads(handle("POST", "/tags", HEADERS, json.dumps({"name": name}).encode()).body)
    contact = told.contact(user)
    path = f"/contacts/{contact['id']}/tags"
    handle("POST", path, HEADERS, json.dumps({"id": made["id"]}).encode())
    return {"type": "contact_tag", "tag": made, "contact": told.contact(user)}


def tags_of(told: Told, user: int) -> list[str]:
    contact = told.contact(user)["id"]
    return [tag["name"] for tag in told.document(f"/contacts/{contact}/tags")["data"]]


def test_the_tag_sync_now_syncs_the_user_and_is_taken_off_by_one_call(told: Told) -> None:
    ada = told.world.given_user(created_at=OLD)
    told.world.sync(ada)
    item = tagged(told, ada)

    told.tell("contact.user.tag.created", item)
    waiting = told.world.services.store.queue.waiting(QueueKind.USER, str(ada))
    synced = told.world.sync_due()

    assert waiting is not None
    assert waiting.cause == Cause.SYNC_NOW
    assert [call.split()[0] for call in synced.calls] == ["GET", "DELETE"]
    assert tags_of(told, ada) == []
    assert told.world.sync(ada).calls == []


def test_another_tag_asks_for_nothing(told: Told) -> None:
    ada = told.world.given_user(created_at=OLD)
    told.world.sync(ada)

    told.tell("contact.user.tag.created", tagged(told, ada, "vip"))

    assert told.queued() == []
    assert tags_of(told, ada) == ["vip"]


def test_a_tag_that_is_off_by_hand_already_stops_nobody(told: Told) -> None:
    ada = told.world.given_user(created_at=OLD)
    told.world.sync(ada)
    item: dict[str, Any] = tagged(told, ada)
    told.tell("contact.user.tag.created", item)
    told.world.services.intercom.untag_contact(item["contact"]["id"], item["tag"]["id"])

    synced = told.world.sync_due()

    assert synced[ada].problem is None
    assert told.world.services.store.inbound.sync_now_of([str(ada)]) == []


# --- what is counted, and what is refused --------------------------------------------------------


def test_a_notification_that_comes_twice_changes_nothing(told: Told) -> None:
    ada = told.world.given_user(created_at=OLD)
    told.world.sync(ada)
    told.world.intercom.by_hand.edit_contact(str(ada), name="Ada L.")
    item = told.contact(ada)
    told.tell(EDIT, item, id="notif_same")
    told.world.sync_due()

    answer = told.tell(EDIT, {**item, "name": "Another"}, id="notif_same")

    assert answer.status_code == 200
    assert told.queued() == []
    assert told.counted(InboundCount.DUPLICATE) == 1


def test_a_notification_of_an_hour_ago_is_taken_and_counted_as_late(told: Told) -> None:
    ada = told.world.given_user(name=None, created_at=OLD)
    told.world.sync(ada)
    told.world.intercom.by_hand.edit_contact(str(ada), name="Ada L.")
    then = int((datetime.now(UTC) - timedelta(hours=1)).timestamp())

    told.tell(EDIT, told.contact(ada), created_at=then)

    assert told.queued() == [str(ada)]
    assert told.counted(InboundCount.LATE) == 1


def test_another_workspaces_is_refused_and_changes_nothing(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    ada = told.world.given_user(created_at=OLD)
    told.world.sync(ada)

    answer = told.tell(EDIT, {**told.contact(ada), "name": "X"}, app_id="another")

    assert answer.status_code == 403
    assert told.queued() == []
    assert told.counted(InboundCount.OTHER_WORKSPACE) == 1
    assert "another workspace (another)" in caplog.text


@pytest.mark.parametrize("topic", ["conversation.user.created", "made.up", "ping"])
def test_topics_that_are_about_nobody_are_taken(told: Told, topic: str) -> None:
    assert told.tell(topic, {"type": "ping"}).status_code == 200
    assert told.counted(InboundCount.RECEIVED) == 1
    assert told.counted(InboundCount.UNKNOWN) == (0 if topic == "ping" else 1)


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize(
    "item", [None, [], "text", {}, {"id": None}, {"id": 7}, {"type": "company"}, {"contact": {}}]
)
def test_items_that_are_not_as_documented_are_taken_and_wake_nobody(
    told: Told, topic: str, item: object
) -> None:
    assert told.tell(topic, item).status_code == 200
    assert told.queued() == told.queued(QueueKind.TEAM) == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"topic": 7}', b'{"topic": null}'],
)
def test_a_signed_body_that_cannot_be_read_is_taken_since_a_retry_would_not_mend_it(
    told: Told, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    assert told.listener.post("/webhooks", body).status_code == 200
    assert "A webhook is not understood" in caplog.text


def test_text_that_no_database_can_hold_wakes_nobody_and_stops_nobody(told: Told) -> None:
    item = {"type": "contact", "id": "a\ud800\x00", "external_id": "\udfff", "role": "lead"}

    answer = told.tell("contact.lead.created", {**item, "email": "x\ud800@x.example"}, id="\ud800")

    assert answer.status_code == 200
    assert told.queued() == []


def test_a_notification_that_fails_for_a_fault_of_ours_takes_no_other_with_it(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        intake, "ANSWER_WITHIN_S", 60.0
    )  # the table is locked for as long as needed
    ada = told.world.given_user(name=None, created_at=OLD)
    told.world.sync(ada)
    told.world.intercom.by_hand.edit_contact(str(ada), name="Ada L.")
    rule = TOPICS[EDIT]

    def faulty(notice: Notice, known: Remembered) -> Woken:
        if notice.id == "notif_poison":
            raise ZeroDivisionError
        return rule(notice, known)

    monkeypatch.setitem(cast(dict[str, Any], TOPICS), EDIT, faulty)
    bodies = [notification(EDIT, told.contact(ada), id=f"notif_{n}") for n in ("poison", "1", "2")]
    with psycopg.connect(told.world.url) as other, ThreadPoolExecutor(4) as threads:
        other.execute("lock table intercom_sync.notification in access exclusive mode")
        first = threads.submit(told.listener.post, "/webhooks", notification(EDIT, {}))
        assert wait_until(lambda: _waits_for_lock(told.world.url), 8)
        rest = [threads.submit(told.listener.post, "/webhooks", body) for body in bodies]
        assert wait_until(lambda: len(told.listener.inbound.intake.waiting) == 3, 8)
        other.rollback()

        assert first.result().status_code == 200
        assert [each.result().status_code for each in rest] == [500, 200, 200]
    assert told.queued() == [str(ada)]


def _waits_for_lock(url: str) -> bool:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select from pg_locks where not granted and relation ="
            " 'intercom_sync.notification'::regclass and database ="
            " (select oid from pg_database where datname = current_database())"
        )
        return found.fetchone() is not None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "type", "contact", "company", "tag", "merged_from", "updated_at"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    item=json_values,
    more=st.dictionaries(st.sampled_from(["id", "app_id", "created_at"]), json_values),
)
def test_no_body_makes_reading_fail_in_another_way_than_it_says(
    item: object, more: dict[str, object]
) -> None:
    body = json.dumps({**notification(EDIT, item), **more}).encode()
    with suppress(UnreadableNotice):
        assert read_notice(body).topic == EDIT


def test_nothing_of_a_body_is_logged_or_stored(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    ada = told.world.given_user(created_at=OLD)
    told.world.sync(ada)

    told.tell(EDIT, {**told.contact(ada), "name": "Zebedee Quux", "email": "zebedee@quux.example"})
    told.listener.post("/webhooks", b'{"topic": "zebedee"', secret=b"wrong")

    assert "ebedee" not in caplog.text
    with psycopg.connect(told.world.url) as connection:
        for table in ("queue", "notification", "workspace", "counter", "journal"):
            rows = connection.execute(f"select * from intercom_sync.{table}".encode()).fetchall()
            assert "ebedee" not in repr(rows)
