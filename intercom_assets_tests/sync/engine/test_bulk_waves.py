"""Waves of a large batch: what goes on while one of them waits, and how they end."""

from collections import Counter
from collections.abc import Iterator, Sequence
from threading import Event
from typing import Any, LiteralString

import pytest

from intercom_assets.database.failures import AppUnavailable
from intercom_assets.domain.bulk import BulkJob, ContactItem
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import LeaseRanOut
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.engine.batch import run_batch
from intercom_assets.sync.engine.chunk_source import Batch
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.small_bulk import SMALL, given_users, kinds, sizes_of_bulk
from intercom_assets_tests.sync.sync_world import SyncWorld

PATIENCE_S = 20
LEASED: LiteralString = "select key from intercom_sync.queue where claim_token is not null"


@pytest.fixture(autouse=True)
def small_waves() -> Iterator[None]:
    with sizes_of_bulk({**SMALL, "AT_ONCE": 3}):
        yield


@pytest.fixture
def world(worlds: Worlds) -> SyncWorld:
    return worlds(bulk="preview", chunk_size=3)


def test_the_next_users_are_sent_while_the_first_ones_wait_for_the_index(world: SyncWorld) -> None:
    sent = Event()
    seen: list[bool] = []
    users = given_users(world, 6)
    world.just_before("POST /contacts/search", lambda: seen.append(sent.wait(PATIENCE_S)))
    world.just_after("POST /contacts/bulk", lambda: None)
    world.just_after("POST /contacts/bulk", sent.set)

    synced = world.sync(*users)

    assert seen == [True]
    assert kinds(synced)["POST /contacts/bulk"] == 2
    assert all(synced[user].status is Status.CHANGED for user in users)
    assert world.sync(*users).calls == []


def test_who_goes_alone_is_done_while_the_others_wait_for_the_index(world: SyncWorld) -> None:
    done = Event()
    seen: list[bool] = []
    users = given_users(world, 5)
    world.sync(users[0])
    world.update_user(users[0], last_request_at="2026-11-01T10:00:00Z")
    world.just_before("POST /contacts/search", lambda: seen.append(done.wait(PATIENCE_S)))
    world.just_after("PUT /contacts/*", done.set)

    synced = world.sync(*users)

    assert seen == [True]
    assert all(synced[user].status is Status.CHANGED for user in users)
    assert world.settles(*users)


def test_who_is_unchanged_is_read_once(world: SyncWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    users = given_users(world, 9)
    world.sync(*users)
    world.update_user(users[0], plan="business")
    read: list[str] = []
    app = world.services.app
    wrapped = app.read_users

    def counting(keys: list[str]) -> Any:
        read.extend(keys)
        return wrapped(keys)

    monkeypatch.setattr(app, "read_users", counting)
    world.sync(*users)

    assert min(Counter(read).values()) == 1  # a few more often, to see whether the query is steady


def test_those_who_are_done_make_room_though_others_of_their_chunk_wait(world: SyncWorld) -> None:
    """Few changes among many: one wave of all of them, and not a wait for each few chunks."""
    users = given_users(world, 15)
    world.sync(*users)
    for user in users[::3]:
        world.update_user(user, plan="business")

    with sizes_of_bulk({"AT_ONCE": 100, "ROWS_AT_ONCE": 8}):
        synced = world.sync(*users)

    assert kinds(synced)["PUT /contacts/bulk"] == 1
    assert world.settles(*users)


@pytest.mark.parametrize("rows", [1, 3, 6])
def test_no_more_rows_are_held_than_memory_is_for(world: SyncWorld, rows: int) -> None:
    users = given_users(world, 12)
    held: list[int] = []
    for _ in range(4):
        world.just_after("POST /contacts/bulk", lambda: held.append(len(world.rows(LEASED))))

    with sizes_of_bulk({"ROWS_AT_ONCE": rows}):
        synced = world.sync(*users)

    assert len(held) == 4
    assert max(held) <= max(rows, 3)
    assert all(synced[user].status is Status.CHANGED for user in users)


@pytest.mark.parametrize("kept", [0, 3, 100])
def test_who_is_not_kept_in_memory_is_read_again_and_proven_alike(
    world: SyncWorld, kept: int
) -> None:
    users = given_users(world, 9)
    world.just_after(
        "POST /contacts/bulk", lambda: world.update_user(users[8], name="Another Name")
    )

    with sizes_of_bulk({"KEPT_ROWS": kept}):
        synced = world.sync(*users)

    assert kinds(synced)["POST /contacts"] == 0
    assert all(synced[user].status is Status.CHANGED for user in users)
    world.sync_due()
    assert world.contact(users[8])["name"] == "Another Name"
    assert world.settles(*users)


def test_a_call_that_its_leases_have_no_room_for_ends_bulk_for_nobody_else(
    world: SyncWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = given_users(world, 9)
    send, refused = IntercomClient.bulk_create_contacts, Event()

    def without_room_once(client: IntercomClient, items: Sequence[ContactItem]) -> BulkJob:
        if not refused.is_set():
            refused.set()
            raise LeaseRanOut("POST /contacts/bulk: too little of the lease is left")
        return send(client, items)

    monkeypatch.setattr(IntercomClient, "bulk_create_contacts", without_room_once)
    synced = world.sync(*users)

    assert kinds(synced)["POST /contacts/bulk"] == 2
    assert kinds(synced)["POST /contacts"] == 3
    assert all(synced[user].status is Status.CHANGED for user in users)


def test_a_run_that_is_stopped_gives_everybody_back(world: SyncWorld) -> None:
    users = given_users(world, 12)
    stop = Event()
    world.just_after("POST /contacts/bulk", stop.set)
    keys = tuple(map(str, users))

    list(run_batch(world.services, Batch(QueueKind.USER, keys=keys), "stopped", stop.is_set))

    assert world.rows(LEASED) == []
    synced = world.sync(*users)
    assert all(synced[user].problem is None for user in users)
    assert len(world.intercom.contacts()) == 12
    assert world.sync(*users).calls == []


def test_an_app_that_goes_away_meanwhile_ends_the_run_in_one_sentence(
    world: SyncWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = given_users(world, 12)
    away = AppUnavailable("the app's database does not answer")
    app = world.services.app

    def raises(*_: object) -> None:
        raise away

    with monkeypatch.context() as patch:
        world.just_after("POST /contacts/bulk", lambda: patch.setattr(app, "read_users", raises))
        with pytest.raises(AppUnavailable, match="does not answer"):
            world.sync(*users)

    assert world.rows(LEASED) == []
    synced = world.sync(*users)
    assert all(synced[user].problem is None for user in users)
    assert len(world.intercom.contacts()) == 12
