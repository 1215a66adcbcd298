"""Webhooks as the stand-in sends them, over HTTP and by its own rules, to the listener.

The two share no code, so what a body looks like is not what the reading side would like it to be.
"""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from intercom_assets.domain.vocabulary import InboundCount, QueueKind
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets.sync.feeders.audit import audit
from intercom_assets_tests.inbound.listening import SECRET
from intercom_assets_tests.inbound.told import OLD, Told, a_told_world

ALL_TAKEN_WITHIN_S = 30.0


@pytest.fixture
def subscribed(database: str, tmp_path: Path) -> Iterator[Told]:
    """Everything is told, writes by the API too."""
    with a_told_world(database, tmp_path / "mapping") as told, telling(told):
        yield told


@contextmanager
def telling(told: Told, **knobs: object) -> Iterator[None]:
    url = f"{told.listener.url}/webhooks"
    control(told, {"url": url, "secret": SECRET.decode(), **knobs})
    try:
        yield
    finally:
        told.world.intercom.webhooks.stop()


def control(told: Told, body: dict[str, object]) -> None:
    path = "/_simulator/webhooks"
    answer = told.world.intercom.handle("POST", path, {}, json.dumps(body).encode())
    assert answer.status == 200, answer.body


def all_taken(told: Told) -> None:
    """Waits until nothing is under way from there to here."""

    def done() -> bool:
        answer = told.world.intercom.handle("GET", "/_simulator/webhooks", {})
        shown = json.loads(answer.body)
        return int(shown["waiting"]) == 0

    assert wait_until(done, ALL_TAKEN_WITHIN_S)


def test_what_we_write_comes_back_and_costs_no_call(subscribed: Told) -> None:
    world = subscribed.world
    team = world.given_team()
    users = [world.given_user(email=f"u{n}@x.example", created_at=OLD) for n in range(4)]
    for user in users:
        world.joins(user, team)
    world.sync(*users)
    all_taken(subscribed)  # what comes later than the next write of the same second is no echo
    for user in users:
        world.update_user(user, name="Changed", email=f"new{user}@x.example")
    world.sync(*users)
    all_taken(subscribed)
    world.leaves(users[0], team)
    world.delete_user(users[1])
    world.sync(*users)

    all_taken(subscribed)

    assert subscribed.counted(InboundCount.RECEIVED) >= 12
    assert subscribed.queued() == subscribed.queued(QueueKind.TEAM) == []
    assert world.sync_due().calls == []


def edits_a_field(told: Told, user: str, team: str) -> None:
    told.world.intercom.by_hand.edit_contact(user, email="typed@by.hand")


def archives(told: Told, user: str, team: str) -> None:
    told.world.intercom.by_hand.archive_contact(user)


def deletes(told: Told, user: str, team: str) -> None:
    told.world.intercom.by_hand.delete_contact(user)


def detaches(told: Told, user: str, team: str) -> None:
    told.world.intercom.by_hand.detach_company(user, team)


def edits_the_company(told: Told, user: str, team: str) -> None:
    told.world.intercom.by_hand.edit_company(team, name="Typed by hand")


def deletes_the_company(told: Told, user: str, team: str) -> None:
    told.world.intercom.by_hand.delete_company(team)


@pytest.mark.parametrize(
    "by_hand",
    [edits_a_field, archives, deletes, detaches, edits_the_company, deletes_the_company],
)
def test_what_somebody_does_in_intercom_is_decided_on_at_once(
    subscribed: Told, by_hand: Callable[[Told, str, str], None]
) -> None:
    world = subscribed.world
    world.intercom.set(deletion_lock_days=0)
    ada, team = world.given_user(created_at=OLD), world.given_team(domain="ours.example")
    world.joins(ada, team)
    world.sync(ada)
    before = seen(subscribed, ada, team)
    all_taken(subscribed)

    by_hand(subscribed, str(ada), str(team))
    all_taken(subscribed)
    for _ in range(3):
        world.run_due(QueueKind.TEAM)
        world.sync_due()

    assert seen(subscribed, ada, team) == before


def seen(told: Told, user: int, team: int) -> dict[str, Any]:
    contact, company = told.contact(user), told.company(team)
    attached = told.document(f"/contacts/{contact['id']}/companies")["data"]
    return {
        "email": contact["email"],
        "company": company["name"],
        "in": [item["company_id"] for item in attached],
    }


def test_a_lead_with_a_new_users_address_is_merged(subscribed: Told) -> None:
    world = subscribed.world
    ada = world.given_user(created_at=datetime.now(UTC), email="ada@x.example")
    world.sync(ada)
    world.intercom.by_hand.create_contact(role="lead", email="ada@x.example")
    all_taken(subscribed)

    assert [call for call in world.sync_due().calls if "merge" in call]
    all_taken(subscribed)
    assert world.sync_due().calls == []


@pytest.mark.parametrize("lost", [0.0, 0.3])
def test_doubled_shuffled_and_lost_webhooks_bring_nothing_wrong(
    database: str, tmp_path: Path, lost: float
) -> None:
    """What comes ends in the last edit; what is lost is left to search and audit."""
    chance = random.Random(7)
    with (
        a_told_world(database, tmp_path / "mapping", fields={"name": "intercom"}) as told,
        telling(told, duplicate_share=0.5, shuffle=0.3, lose_share=lost),
    ):
        world = told.world
        users = [
            world.given_user(email=f"u{n}@x.example", name=None, created_at=OLD) for n in range(5)
        ]
        world.sync(*users)
        for number in range(30):
            user = chance.choice(users)
            world.intercom.by_hand.edit_contact(str(user), name=f"Name {number}")
            if chance.random() < 0.3:
                world.sync_due()
        all_taken(told)
        world.sync_due()
        if lost:
            audit(world.services)
            world.sync_due()

        for user in users:
            assert world.app_user(user)["name"] == world.contact(user)["name"]
        assert told.counted(InboundCount.DUPLICATE) > 0
