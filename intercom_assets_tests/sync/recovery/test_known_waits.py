"""Parked for a time that is known: when it is over there is a call, and nobody loses the wait."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.failures import Problem, Verdict
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.feeders.sweep import sweep
from intercom_assets.sync.passes.teams import chunk
from intercom_assets.sync.passes.teams.team_pass import TeamPass
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld

DAY = 86_400


@pytest.fixture
def played(worlds: Worlds) -> SyncWorld:
    """Its leases outlast the days that are skipped."""
    return worlds(lease="90d")


def _parked_by_deletion(world: SyncWorld) -> int:
    """A contact deleted by hand still holds the user's identity for a week."""
    ada = world.given_user(email="ada@example.com")
    world.sync(ada)
    world.intercom.by_hand.delete_contact(str(ada))
    assert world.look(ada)[ada].status is Status.PARKED
    return ada


def _later(world: SyncWorld, days: float) -> None:
    """The queue's clock goes on, and Intercom's."""
    world.times.skipped += days * DAY
    for column in ("due_at", "parked_at", "parked_until", "first_at"):
        world.run(
            f"update intercom_sync.queue set {column} = {column} - %s",
            timedelta(days=days),
        )


def _until(world: SyncWorld, ada: int) -> datetime:
    waiting = world.services.store.queue.waiting(QueueKind.USER, str(ada))
    assert waiting is not None
    assert waiting.parked_until is not None
    return waiting.parked_until


def test_a_user_whose_contact_was_deleted_by_hand_is_made_again_when_the_wait_is_over(
    played: SyncWorld,
) -> None:
    ada = _parked_by_deletion(played)
    assert _until(played, ada) - datetime.now(UTC) > timedelta(days=7.9)
    _later(played, 7.5)
    assert played.sync_due().outcomes == {}

    _later(played, 0.6)
    tried = played.sync_due()

    assert tried.writes == ["POST /contacts"]
    assert tried[ada].status is Status.CHANGED
    assert played.settles(ada)


def _swept(world: SyncWorld, ada: int) -> None:
    sweep(world.services)


def _logged(world: SyncWorld, ada: int) -> None:
    world.services.store.queue.enqueue(QueueKind.USER, [str(ada)])


def _named(world: SyncWorld, ada: int) -> None:
    assert world.sync(ada).calls == []


@pytest.mark.parametrize("between", [_swept, _logged, _named])
def test_whatever_wakes_it_in_between_neither_calls_nor_loses_the_wait(
    played: SyncWorld, between: Callable[[SyncWorld, int], None]
) -> None:
    ada = _parked_by_deletion(played)
    _later(played, 3)
    before = _until(played, ada)

    for _ in range(2):
        between(played, ada)
        assert played.sync_due().calls == []
        assert _until(played, ada) == before

    _later(played, 5.1)
    assert played.sync_due()[ada].status is Status.CHANGED


def test_a_change_of_the_row_is_tried_at_once_and_does_not_make_the_wait_longer(
    played: SyncWorld,
) -> None:
    ada = _parked_by_deletion(played)
    _later(played, 3)
    before = _until(played, ada)
    played.update_user(ada, name="Ada Byron")

    tried = played.sync(ada)

    assert tried[ada].status is Status.PARKED
    assert tried.calls
    assert _until(played, ada) == before
    _later(played, 5.1)
    played.sync_due()
    assert played.contact(ada)["name"] == "Ada Byron"


def test_still_refused_when_the_wait_is_over_it_waits_once_more(played: SyncWorld) -> None:
    ada = played.given_user(email="ada@example.com")
    played.sync(ada)
    played.intercom.by_hand.block_contact(str(ada))
    played.look(ada)

    _later(played, 8.1)
    tried = played.sync_due()

    assert tried[ada].status is Status.PARKED
    assert tried.calls
    assert _until(played, ada) - datetime.now(UTC) > timedelta(days=7.9)


def test_a_retry_shortens_the_wait(played: SyncWorld) -> None:
    _parked_by_deletion(played)

    played.services.store.queue.retry(QueueKind.USER)

    assert played.sync_due().calls


def test_a_team_with_a_known_wait_is_tried_when_it_is_over(
    played: SyncWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = played.given_team()

    def upsert(team: TeamPass, client: Any) -> None:
        team.fail(Problem(Verdict.LATER, "not now", wait=3600.0))

    with monkeypatch.context() as patched:
        patched.setattr(chunk, "upsert_company", upsert)
        played.sync_teams(team)
    sweep(played.services)
    assert played.run_due(QueueKind.TEAM).calls == []

    _later(played, 1.01 / 24)

    assert played.run_due(QueueKind.TEAM).writes == ["POST /companies"]


def test_who_is_held_as_gone_meanwhile_keeps_the_wait(played: SyncWorld) -> None:
    ada = _parked_by_deletion(played)
    before = _until(played, ada)
    played.services.store.gone.admit(QueueKind.USER, [str(ada)], most=0)
    played.run("update users set id = -id where id = %s", ada)
    sweep(played.services)
    played.sync_due()
    played.run("update users set id = -id where id = %s", -ada)
    sweep(played.services)
    played.sync_due()

    assert _until(played, ada) == before
