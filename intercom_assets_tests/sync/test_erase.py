"""Erasing a person: a receipt that says all, and nothing that brings the person back."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from intercom_assets.database.records import Done as Ended
from intercom_assets.database.records import InFlight, UserRecord
from intercom_assets.domain.models import JournalEntry, UserLink
from intercom_assets.domain.vocabulary import Action, QueueKind
from intercom_assets.sync.engine.batch import run_batch
from intercom_assets.sync.engine.chunk_source import Batch
from intercom_assets.sync.engine.initial_listing import list_workspace
from intercom_assets.sync.engine.plan import plan_users
from intercom_assets.sync.feeders.audit import audit
from intercom_assets.sync.feeders.intercom_changes import feed_from_intercom
from intercom_assets.sync.feeders.sweep import sweep
from intercom_assets.sync.operator.erase import AtWork, erase_user, receipt_of
from intercom_assets.sync.operator.erasure_receipt import ErasureReceipt
from intercom_assets_tests.sync.sync_world import SyncWorld

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)
NOW = datetime.now(UTC).replace(microsecond=0)


def _a_person(world: SyncWorld) -> int:
    ada = world.given_user(email="ada@example.com", name="Ada Lovelace", created_at=NOW)
    world.joins(ada, world.given_team())
    world.sync(ada)
    return ada


def _everything_that_we_hold(world: SyncWorld) -> str:
    """Every row of every table of ours, as text."""
    found = []
    with psycopg.connect(world.url) as connection:
        tables = connection.execute(
            "select tablename from pg_tables where schemaname = 'intercom_sync'"
        ).fetchall()
        for (name,) in tables:
            rows = connection.execute(f"select t::text from intercom_sync.{name} t").fetchall()
            found += [row[0] for row in rows]
    return "\n".join(found)


def test_the_receipt_says_what_when_by_which_requests_and_that_both_look_ups_are_404(
    played: SyncWorld,
) -> None:
    ada = _a_person(played)
    contact = played.contact(ada)["id"]

    receipt = erase_user(played.services, str(ada))

    assert (receipt.contact_id, receipt.deleted, receipt.complete) == (contact, True, True)
    assert receipt.deleted_at is not None
    answers = [(each.call.split()[0], each.status) for each in receipt.requests]
    assert answers == [("GET", 200), ("DELETE", 200), ("GET", 404), ("GET", 404)]
    assert all(each.request_id for each in receipt.requests)
    assert receipt_of(played.services, str(ada)) == receipt


def test_nothing_of_the_person_stays_in_our_tables(played: SyncWorld) -> None:
    ada = _a_person(played)
    assert "Lovelace" in _everything_that_we_hold(played)

    erase_user(played.services, str(ada))

    held = _everything_that_we_hold(played)
    assert "Lovelace" not in held
    assert "ada@example.com" not in held


def _all_at_once(world: SyncWorld, ada: int) -> None:
    keys = tuple(row.id for rows in world.services.app.stream_users() for row in rows)
    for _ in run_batch(world.services, Batch(QueueKind.USER, keys=keys), "all"):
        pass


def _a_change(world: SyncWorld, ada: int) -> None:
    world.update_user(ada, name="Ada Again")
    world.run_all_due()


def _a_lead(world: SyncWorld, ada: int) -> None:
    world.intercom.seed([{"role": "lead", "email": "ada@example.com"}])
    world.times.skipped += 60
    feed_from_intercom(world.services)
    world.run_all_due()


def _the_sweep(world: SyncWorld, ada: int) -> None:
    sweep(world.services)
    world.run_all_due()


def _the_audit(world: SyncWorld, ada: int) -> None:
    audit(world.services)
    world.run_all_due()


def _a_listing(world: SyncWorld, ada: int) -> None:
    list_workspace(world.services)
    world.run_all_due()


def _by_hand(world: SyncWorld, ada: int) -> None:
    world.sync(ada, by_hand=True)


@pytest.mark.parametrize(
    "later",
    [_all_at_once, _a_change, _a_lead, _the_sweep, _the_audit, _a_listing, _by_hand],
    ids=lambda later: later.__name__.strip("_"),
)
def test_nothing_makes_the_person_again(
    played: SyncWorld, later: Callable[[SyncWorld, int], None]
) -> None:
    ada = _a_person(played)
    feed_from_intercom(played.services)
    erase_user(played.services, str(ada))

    later(played, ada)

    assert [c for c in played.intercom.contacts() if c["role"] == "user"] == []
    assert "Lovelace" not in _everything_that_we_hold(played)
    assert played.services.store.links.users([str(ada)]) == {}
    [planned] = plan_users(played.services, [str(ada)])
    assert planned.action == "erased"


class KilledError(Exception):
    """The process is gone."""


def _die(*_: Any, **__: Any) -> Any:
    raise KilledError


STEPS = [
    "tombstones.add",
    "queue.lease",
    "delete_contact",
    "after delete",
    "get_contact",
    "tombstones.forget_user",
]


@pytest.mark.parametrize("step", STEPS)
def test_killed_before_any_step_it_is_run_again_and_ends_with_the_whole_receipt(
    played: SyncWorld, step: str
) -> None:
    ada = _a_person(played)
    contact = played.contact(ada)["id"]
    with pytest.MonkeyPatch.context() as patch:
        if step == "after delete":
            played.just_after(f"DELETE /contacts/{contact}", _die)
        elif step.endswith("contact"):
            patch.setattr(f"intercom_assets.intercom.client.IntercomClient.{step}", _die)
        else:
            part, method = step.split(".")
            patch.setattr(getattr(played.services.store, part), method, _die)
        with pytest.raises(KilledError):
            erase_user(played.services, str(ada))
    played.run("update intercom_sync.queue set claim_until = now() where claim_until is not null")
    if step != "tombstones.add":
        played.run_all_due()

    receipt = erase_user(played.services, str(ada))

    assert (receipt.contact_id, receipt.deleted, receipt.complete) == (contact, True, True)
    assert "DELETE" in {each.call.split()[0] for each in receipt.requests}
    assert played.intercom.contacts() == []
    assert "Lovelace" not in _everything_that_we_hold(played)


def test_erasing_twice_keeps_the_receipt_of_the_first_time(played: SyncWorld) -> None:
    ada = _a_person(played)
    first = erase_user(played.services, str(ada))

    again = erase_user(played.services, str(ada))

    assert again.complete
    assert (again.contact_id, again.deleted_at) == (first.contact_id, first.deleted_at)
    assert again.requests[: len(first.requests)] == first.requests


def test_a_run_that_was_at_work_meanwhile_writes_nothing_of_the_person(played: SyncWorld) -> None:
    """Its lease has run out, as of a process that was stopped for a while."""
    ada, token = _a_person(played), uuid4()
    store = played.services.store
    store.queue.enqueue(QueueKind.USER, [str(ada)])
    store.queue.lease(QueueKind.USER, "late", token=token, limit=1, seconds=0.01, keys=[str(ada)])

    erase_user(played.services, str(ada))
    entry = JournalEntry(QueueKind.USER, str(ada), Action.PUSHED, "name", new="Ada Lovelace")
    lost = store.records.note_in_flight(token, [InFlight(str(ada), {"name": "Ada Lovelace"})])
    store.records.record_users(
        token, "late", [UserRecord(UserLink(str(ada), "c"), Ended(), [entry])]
    )

    assert lost == {str(ada)}
    assert "Lovelace" not in _everything_that_we_hold(played)


def test_it_waits_for_a_run_that_has_the_person_and_says_so_if_that_does_not_end(
    played: SyncWorld,
) -> None:
    ada = _a_person(played)
    played.services.store.queue.enqueue(QueueKind.USER, [str(ada)])
    waits: list[float] = []

    with played.lease_of(ada), pytest.raises(AtWork, match=f"user {ada}"):
        erase_user(played.services, str(ada), sleep=waits.append)

    assert sum(waits) > 60
    assert erase_user(played.services, str(ada)).deleted


def test_a_contact_that_was_merged_into_another_users_is_left_and_told(played: SyncWorld) -> None:
    ada, bob = _a_person(played), played.given_user(email="bob@example.com", created_at=OLD)
    played.sync(bob)
    into = played.contact(bob)["id"]
    played.intercom.by_hand.delete_contact(str(ada))
    lead = played.intercom.by_hand.create_contact(role="lead", email="ada@example.com")
    played.intercom.by_hand.merge_contacts(lead, into)
    move = "update intercom_sync.user_link set contact_id = %s where user_id = %s"
    played.run(move, lead, str(ada))

    receipt = erase_user(played.services, str(ada))

    assert _told(receipt) == (False, True, into)
    assert played.contact(bob)["id"] == into


def test_a_contact_that_was_merged_into_one_that_is_gone_too_is_no_obstacle(
    played: SyncWorld,
) -> None:
    ada, by_hand = _a_person(played), played.intercom.by_hand
    by_hand.delete_contact(str(ada))
    lead = by_hand.create_contact(role="lead", email="ada@example.com")
    into = by_hand.create_contact(role="user", email="ada@example.com")
    by_hand.merge_contacts(lead, into)
    by_hand.delete_contact(into)
    move = "update intercom_sync.user_link set contact_id = %s where user_id = %s"
    played.run(move, lead, str(ada))

    receipt = erase_user(played.services, str(ada))

    assert _told(receipt) == (False, True, None)


def _told(receipt: ErasureReceipt) -> tuple[bool, bool, str | None]:
    return receipt.deleted, receipt.complete, receipt.left


def test_whoever_intercom_never_had_is_erased_all_the_same(played: SyncWorld) -> None:
    receipt = erase_user(played.services, "4711")

    assert (receipt.contact_id, receipt.deleted, receipt.complete) == (None, False, True)
