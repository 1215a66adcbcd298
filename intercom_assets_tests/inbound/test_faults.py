"""What goes wrong on the way: down, killed, flooded, suspended. Nothing of it loses a change."""

import json
import resource
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit

import psycopg
import pytest
import requests

from intercom_assets.domain.vocabulary import InboundCount, StateKey
from intercom_assets.inbound import intake
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets.sync.feeders import intercom_changes
from intercom_assets.sync.feeders.intercom_changes import feed_from_intercom
from intercom_assets_tests.inbound.processes import a_listening_process
from intercom_assets_tests.inbound.told import OLD, Told, notification

EDIT = "contact.user.updated"


def execute(url: str, statement: LiteralString) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


@contextmanager
def database_down(url: str) -> Iterator[None]:
    """Nobody can connect, and whoever was is cut off."""
    name = urlsplit(url).path.strip("/")
    server = url.replace(f"/{name}", "/postgres")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'alter database "{name}" allow_connections false'.encode())
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name]
        )
        try:
            yield
        finally:
            connection.execute(f'alter database "{name}" allow_connections true'.encode())


def test_while_our_own_tables_are_down_intercom_is_asked_to_try_again_and_nothing_is_lost(
    told: Told,
) -> None:
    ada = told.world.given_user(name=None, created_at=OLD)
    told.world.sync(ada)
    told.world.intercom.by_hand.edit_contact(str(ada), name="Ada L.")
    body = notification(EDIT, told.contact(ada))

    with database_down(told.world.url):
        refused = [told.listener.post("/webhooks", body).status_code for _ in range(3)]
        healthy = requests.get(told.listener.url + "/healthz", timeout=30).status_code
    taken = told.listener.post("/webhooks", body).status_code

    assert (refused, healthy, taken) == ([503, 503, 503], 503, 200)
    assert told.queued() == [str(ada)]


def test_tables_that_are_locked_for_long_make_intercom_try_again_within_its_patience(
    told: Told,
) -> None:
    body = notification(EDIT, {"type": "contact", "id": "1"})
    with psycopg.connect(told.world.url) as other:
        other.execute("lock table intercom_sync.notification in access exclusive mode")
        answer = told.listener.post("/webhooks", body)

    assert answer.status_code == 503
    assert answer.elapsed < timedelta(seconds=5)


def test_a_process_that_is_killed_before_its_commit_has_taken_nothing(told: Told) -> None:
    ada = told.world.given_user(name=None, created_at=OLD)
    told.world.sync(ada)
    told.world.intercom.by_hand.edit_contact(str(ada), name="Ada L.")
    body = json.dumps(notification(EDIT, told.contact(ada))).encode()

    with (
        a_listening_process(told.world.url) as process,
        psycopg.connect(told.world.url) as other,
        ThreadPoolExecutor(1) as thread,
    ):
        other.execute("lock table intercom_sync.counter in access exclusive mode")
        asked = thread.submit(process.post, body)
        wait_until(lambda: _waits_for_a_lock(told.world.url), 20)
        process.popen.send_signal(signal.SIGKILL)
        with pytest.raises(requests.ConnectionError):
            asked.result()
        other.rollback()
        assert told.queued() == []

    assert told.listener.post("/webhooks", body).status_code == 200
    assert told.queued() == [str(ada)]


def _waits_for_a_lock(url: str) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select exists (select from pg_locks where not granted)"
        ).fetchone()
    return bool(row and row[0])


def test_a_process_that_dies_between_its_commit_and_the_answer_takes_the_retry_as_known(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = told.world.given_user(name=None, created_at=OLD)
    told.world.sync(ada)
    told.world.intercom.by_hand.edit_contact(str(ada), name="Ada L.")
    body = notification(EDIT, told.contact(ada))

    def never(*_: object) -> None:
        pass

    with monkeypatch.context() as patched:
        patched.setattr(intake, "_answer", never)
        patched.setattr(intake, "ANSWER_WITHIN_S", 0.5)
        assert told.listener.post("/webhooks", body).status_code == 503
    told.world.sync_due()
    again = told.listener.post("/webhooks", body)

    assert again.status_code == 200
    assert told.queued() == []
    assert told.counted(InboundCount.DUPLICATE) == 1
    assert told.world.app_user(ada)["name"] == "Ada L."


def test_what_is_in_hand_when_the_process_is_told_to_end_is_answered(told: Told) -> None:
    body = json.dumps(notification(EDIT, {"type": "contact", "id": "1"})).encode()
    with (
        a_listening_process(told.world.url) as process,
        psycopg.connect(told.world.url) as other,
        ThreadPoolExecutor(1) as thread,
    ):
        other.execute("lock table intercom_sync.counter in access exclusive mode")
        asked = thread.submit(process.post, body)
        wait_until(lambda: _waits_for_a_lock(told.world.url), 20)
        process.popen.terminate()
        other.rollback()

        assert asked.result().status_code == 200
        process.popen.wait(20)


def test_forged_requests_are_cheap_and_hold_no_memory(told: Told) -> None:
    """A few thousand, then as many again: the second half must not make it grow."""
    url, forged = told.world.url, {"X-Hub-Signature": "sha1=" + "0" * 40}
    with a_listening_process(url) as process, requests.Session() as session:

        def flood(number: int) -> int:
            for n in range(number):
                answer = session.post(
                    process.url + "/webhooks", b"x" * 1_000, headers=forged, timeout=30
                )
                assert answer.status_code == 401, n
            return _resident(process.popen.pid)

        flood(500)
        first, second = flood(1_500), flood(1_500)

    assert second - first < 4_000_000
    assert told.counted(InboundCount.RECEIVED) == 0


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def test_many_at_once_are_each_answered_after_their_commit_and_none_is_lost(told: Told) -> None:
    users = [
        told.world.given_user(email=f"u{n}@x.example", name=None, created_at=OLD) for n in range(40)
    ]
    told.world.sync(*users)
    for user in users:
        told.world.intercom.by_hand.edit_contact(str(user), name="Edited")
    bodies = [notification(EDIT, told.contact(user)) for user in users]

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda b: told.listener.post("/webhooks", b), bodies * 2))

    assert {answer.status_code for answer in answers} == {200}
    assert told.queued() == sorted(map(str, users))
    assert told.counted(InboundCount.DUPLICATE) == 40


def test_any_order_of_edits_ends_with_the_last_one(told: Told) -> None:
    ada = told.world.given_user(name=None, created_at=OLD)
    told.world.sync(ada)
    items: list[dict[str, Any]] = []
    for number in range(4):
        told.world.intercom.by_hand.edit_contact(str(ada), name=f"Name {number}")
        items.append(told.contact(ada))

    for number in (2, 3, 0, 1):
        told.tell(EDIT, items[number])
        told.world.sync_due()

    assert told.world.app_user(ada)["name"] == "Name 3"
    assert told.world.contact(ada)["name"] == "Name 3"


# --- webhooks that stay away ---------------------------------------------------------------------


def seen_seconds_ago(told: Told, seconds: int) -> None:
    told.world.services.store.state.put(StateKey.WEBHOOK_SEEN, True)
    with psycopg.connect(told.world.url) as connection:
        connection.execute(
            "update intercom_sync.workspace set at = now() - make_interval(secs => %s) "
            "where key = %s",
            [seconds, StateKey.WEBHOOK_SEEN],
        )


def searches(told: Told, times: int = 3) -> int:
    return sum(feed_from_intercom(told.world.services).calls for _ in range(times))


def test_polling_is_slower_while_webhooks_arrive_and_never_off(told: Told) -> None:
    assert searches(told) == 3
    seen_seconds_ago(told, 5)

    assert searches(told) == 0
    _look_was_seconds_ago(told, 61)
    assert searches(told) == 1


def test_polling_is_fast_again_when_no_webhook_came_for_a_while(told: Told) -> None:
    searches(told, 1)
    seen_seconds_ago(told, 601)

    assert searches(told) == 3


def _look_was_seconds_ago(told: Told, seconds: int) -> None:
    state = told.world.services.store.state
    mark = state.get(StateKey.INTERCOM_CHANGES)
    assert isinstance(mark, dict)
    state.put(StateKey.INTERCOM_CHANGES, {**mark, "looked_at": told.world.services.now() - seconds})


def test_what_no_webhook_told_of_is_found_by_polling_and_counted(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when Intercom has switched them off for a day."""
    monkeypatch.setattr(intercom_changes, "WEBHOOK_DUE", -1)
    ada = told.world.given_user(name=None, created_at=OLD)
    searches(told, 1)
    told.world.sync(ada)
    seen_seconds_ago(told, 86_400)
    told.world.intercom.by_hand.edit_contact(str(ada), name="Ada L.")

    feed_from_intercom(told.world.services)
    told.world.sync_due()

    assert told.world.app_user(ada)["name"] == "Ada L."
    assert told.counted(InboundCount.MISSED) == 1


def test_what_a_webhook_told_of_is_not_counted_as_missed(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intercom_changes, "WEBHOOK_DUE", -1)
    ada = told.world.given_user(name=None, created_at=OLD)
    searches(told, 1)
    told.world.sync(ada)
    told.world.intercom.by_hand.edit_contact(str(ada), name="Ada L.")
    told.tell(EDIT, told.contact(ada))
    _look_was_seconds_ago(told, 61)

    feed_from_intercom(told.world.services)

    assert told.queued() == [str(ada)]
    assert told.counted(InboundCount.MISSED) == 0


def test_notifications_are_forgotten_after_days_and_not_after_hours(told: Told) -> None:
    for number in range(3):
        told.tell(EDIT, {}, id=f"notif_{number}")
    for number, hours in enumerate((1, 47, 49)):
        execute_with(
            told.world.url,
            "update intercom_sync.notification set at = now() - make_interval(hours => %s) "
            "where id = %s",
            hours,
            f"notif_{number}",
        )

    assert told.world.services.store.inbound.prune() == 1


def execute_with(url: str, statement: LiteralString, *values: object) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement, values)


def test_an_erased_person_leaves_no_tag_behind(told: Told) -> None:
    ada = told.world.given_user(created_at=OLD)
    told.world.sync(ada)
    contact = told.contact(ada)
    tag = {"id": "9", "name": "sync now"}
    told.tell("contact.user.tag.created", {"tag": tag, "contact": contact})

    told.world.services.store.tombstones.forget_user(str(ada))

    assert told.world.services.store.inbound.sync_now_of([str(ada)]) == []
