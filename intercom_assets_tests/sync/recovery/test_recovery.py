"""Killed between a call and its record: what was noted before the call tells what is whose.

A run that dies is played by a record that fails; its rows are leased anew, as after `kill -9`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from intercom_assets.domain.models import Values
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.outcomes import Status
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)
NOW = datetime.now(UTC).replace(microsecond=0)


class KilledError(Exception):
    """The process is gone."""


def _die(*_: Any, **__: Any) -> Any:
    raise KilledError


@contextmanager
def _killed(world: SyncWorld, at: str) -> Iterator[None]:
    """The process dies when it is about to call this method of the store's records."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.services.store.records, at, _die)
        with pytest.raises(KilledError):
            yield


@pytest.fixture(params=["before its calls", "before its record"])
def kill(request: pytest.FixtureRequest) -> Callable[[SyncWorld], Any]:
    """A way to die in mid-pass; before the calls means between the note and the first of them."""

    def before_calls(world: SyncWorld) -> Any:
        return _killed_at_calls(world)

    return before_calls if request.param == "before its calls" else _killed_at_record


@contextmanager
def _killed_at_calls(world: SyncWorld) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("intercom_assets.sync.passes.users.chunk.first_call", _die)
        with pytest.raises(KilledError):
            yield


def _killed_at_record(world: SyncWorld) -> Any:
    return _killed(world, "record_users")


def test_a_user_created_by_a_run_that_died_is_found_and_not_created_again(
    played: SyncWorld, kill: Callable[[SyncWorld], Any]
) -> None:
    ada = played.given_user(name="Ada", email="ada@example.com")
    with kill(played):
        played.sync(ada)

    synced = played.sync(ada)

    assert synced[ada].status is Status.CHANGED
    assert len(played.intercom.contacts(state=None)) == 1
    assert played.app_user(ada)["metadata"]["intercom_user_id"] == played.contact(ada)["id"]
    assert played.settles(ada)


def test_a_change_sent_by_a_run_that_died_is_sent_once_more_at_most(
    played: SyncWorld, kill: Callable[[SyncWorld], Any]
) -> None:
    ada = played.given_user(name="Ada", plan="free")
    played.sync(ada)
    played.update_user(ada, name="Ada Lovelace", plan="team")
    with kill(played):
        played.sync(ada)

    synced = played.sync(ada)

    assert len(synced.writes) <= 1
    assert played.contact(ada)["name"] == "Ada Lovelace"
    assert played.contact(ada)["custom_attributes"]["subscription_plan"] == "team"
    assert synced[ada].overruled == ()
    assert played.settles(ada)


def test_an_operators_edit_after_a_run_that_died_is_no_conflict(worlds: Worlds) -> None:
    """Without the note, base is old, "both moved", and the app would overwrite the edit."""
    world = worlds(fields={"name": "last_writer"})
    ada = world.given_user(name="Ada")
    world.sync(ada)
    world.update_user(ada, name="Ada Lovelace")
    with _killed_at_record(world):
        world.sync(ada)
    assert world.contact(ada)["name"] == "Ada Lovelace"
    world.intercom.by_hand.edit_contact(str(ada), name="Lady A.")

    world.look(ada)

    assert world.app_user(ada)["name"] == "Lady A."
    assert world.contact(ada)["name"] == "Lady A."
    assert world.settles(ada)


def test_an_operators_edit_before_a_run_that_died_at_its_calls_still_loses_to_the_app(
    worlds: Worlds,
) -> None:
    """Nothing was sent: both moved, and the app wins, told as overruled."""
    world = worlds(fields={"name": "last_writer"})
    ada = world.given_user(name="Ada")
    world.sync(ada)
    world.update_user(ada, name="Ada Lovelace")
    world.intercom.by_hand.edit_contact(str(ada), name="Lady A.")
    with _killed_at_calls(world):
        world.sync(ada)

    synced = world.look(ada)

    assert world.contact(ada)["name"] == "Ada Lovelace"
    assert synced[ada].overruled == ("name",)
    assert world.settles(ada)


def test_an_edge_made_by_a_run_that_died_is_removed_if_the_user_left_meanwhile(
    played: SyncWorld,
) -> None:
    ada, team = played.given_user(), played.given_team()
    played.sync(ada)
    played.sync_teams(team)
    played.joins(ada, team)
    with _killed_at_record(played):
        played.sync(ada)
    assert played.teams_of(ada) == {str(team)}
    played.leaves(ada, team)

    played.run_all_due()

    assert played.teams_of(ada) == set()
    assert played.link(ada).edges == {}
    assert played.settles(ada)


def test_an_edge_removed_by_a_run_that_died_is_made_again_if_the_user_is_back(
    played: SyncWorld,
) -> None:
    ada, team = played.given_user(), played.given_team()
    played.joins(ada, team)
    played.sync(ada)
    played.leaves(ada, team)
    with _killed_at_record(played):
        played.sync(ada)
    assert played.teams_of(ada) == set()
    played.joins(ada, team)

    played.run_all_due()

    assert played.teams_of(ada) == {str(team)}
    assert played.settles(ada)


def test_a_lead_merged_by_a_run_that_died_is_done(played: SyncWorld) -> None:
    played.intercom.seed([{"role": "lead", "email": "ada@example.com", "phone": "+44 2"}])
    ada = played.given_user(email="ada@example.com", created_at=NOW)
    with _killed_at_record(played):
        played.sync(ada)

    played.run_all_due()

    assert [c["role"] for c in played.intercom.contacts()] == ["user"]
    assert played.app_user(ada)["phone_number"] == "+44 2"
    assert played.services.store.queue.parked() == []


@pytest.mark.parametrize("back", [False, True])
def test_a_user_archived_by_a_run_that_died_stays_so_or_comes_back(
    worlds: Worlds, back: bool
) -> None:
    world = worlds(on_delete="archive")
    ada = world.given_user()
    world.sync(ada)
    contact = world.contact(ada)["id"]
    world.update_user(ada, deleted_at=OLD)
    with _killed_at_record(world):
        world.sync(ada)
    if back:
        world.update_user(ada, deleted_at=None)

    world.run_all_due()

    found = world.intercom.contact(id=contact)
    assert found is not None
    assert found["state"] == ("live" if back else "archived")
    assert found["custom_attributes"]["deleted"] is not back
    assert len(world.intercom.contacts(state=None)) == 1
    assert world.sync(ada).calls == []


def test_a_user_created_by_a_run_that_died_and_gone_since_is_marked(played: SyncWorld) -> None:
    ada = played.given_user()
    with _killed_at_record(played):
        played.sync(ada)
    played.run("delete from users where id = %s", ada)

    played.run_all_due()

    assert played.contact(ada)["custom_attributes"]["deleted"] is True
    assert played.settles(ada)


def test_a_value_written_to_the_app_by_a_run_that_died_is_agreed_on(played: SyncWorld) -> None:
    ada = played.given_user(name=None)
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), name="Ada L.")
    with _killed_at_record(played):
        played.look(ada)
    assert played.app_user(ada)["name"] == "Ada L."

    played.run_all_due()

    assert played.app_user(ada)["name"] == played.contact(ada)["name"] == "Ada L."
    assert played.settles(ada)


def test_a_value_cleared_in_the_app_after_a_run_that_died_is_cleared_in_intercom(
    played: SyncWorld,
) -> None:
    """What was in flight and landed was agreed on: it must not come back as Intercom's news."""
    ada = played.given_user(name=None)
    played.sync(ada)
    played.update_user(ada, name="Ada L.")
    with _killed_at_record(played):
        played.sync(ada)
    played.update_user(ada, name=None)

    played.run_all_due()

    assert played.app_user(ada)["name"] is None
    assert played.contact(ada)["name"] is None
    assert played.settles(ada)


def test_a_company_made_by_a_run_that_died_is_updated_and_not_made_again(played: SyncWorld) -> None:
    team = played.given_team(domain="one.example")
    with _killed(played, "record_teams"):
        played.sync_teams(team)

    played.sync_teams(team)

    assert len(played.intercom.companies()) == 1
    assert played.app_team(team)["metadata"]["intercom_company_id"] == played.company(team)["id"]
    assert played.sync_teams(team).calls == []


def test_a_teams_value_that_a_dead_run_sent_is_taken_back_if_the_app_went_back(
    played: SyncWorld,
) -> None:
    """Found by the chaos harness: our copy still showed the value before, so nothing was due."""
    team = played.given_team(domain="acme.example", plan="free")
    played.sync_teams(team)
    played.update_team(team, plan="business")
    with _killed(played, "record_teams"):
        played.sync_teams(team)
    played.update_team(team, plan="free")

    played.sync_teams(team)

    assert played.company(team)["plan"]["name"] == "free"
    assert played.sync_teams(team).calls == []


def test_a_team_that_was_taken_over_before_its_call_is_left_alone(played: SyncWorld) -> None:
    team = played.given_team(plan="free")
    played.sync_teams(team)
    played.update_team(team, plan="business")
    store, other = played.services.store, uuid4()
    noted = store.records.note_teams_in_flight

    def too_late(token: UUID, notes: Mapping[str, Values]) -> frozenset[str]:
        store.queue.release(token)
        store.queue.lease(
            QueueKind.TEAM, "other", token=other, limit=1, seconds=60, keys=list(notes)
        )
        return noted(token, notes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.records, "note_teams_in_flight", too_late)
        patch.setattr("intercom_assets.sync.engine.chunk_source.PATIENCE_IN_LEASES", 0)
        synced = played.sync_teams(team)

    assert synced.calls == []
    assert synced[team].status is Status.HELD
