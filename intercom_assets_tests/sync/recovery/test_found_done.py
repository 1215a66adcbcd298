"""What a killed run had done is in the journal as that run's, found by the next one.

A kill is played by a record that fails after the calls; then the rows are leased anew, as after
`kill -9`. In these worlds the first run is `test-run-1`, the second `test-run-2`, and so on.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.operator.undo.engine import plan_undo, undo
from intercom_assets.sync.operator.undo.steps import StepState
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)
NOW = datetime.now(UTC).replace(microsecond=0)
Told = tuple[str, str, str | None, Any, Any]


class KilledError(Exception):
    """The process is gone."""


def _die(*_: Any, **__: Any) -> Any:
    raise KilledError


@contextmanager
def killed_before_its_record(world: SyncWorld, at: str = "record_users") -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.services.store.records, at, _die)
        with pytest.raises(KilledError):
            yield


def told(world: SyncWorld, key: int, kind: QueueKind = QueueKind.USER) -> list[Told]:
    """The journal, oldest first: run, action, field, old, new."""
    rows = world.journal(key, kind)
    return [(r.run_id, r.entry.action, r.entry.field, r.entry.old, r.entry.new) for r in rows]


def by(run: str, entries: Sequence[Told]) -> list[Told]:
    return [entry for entry in entries if entry[0] == run]


def actions(entries: Sequence[Told]) -> set[tuple[str, str | None]]:
    return {(action, field) for _, action, field, _, _ in entries}


# --- users: fields --------------------------------------------------------------------------------


def test_a_value_that_a_killed_run_sent_is_that_runs(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada", plan="free", created_at=OLD)
    played.sync(ada)
    played.update_user(ada, name="Ada Lovelace", plan="team")
    with killed_before_its_record(played):
        played.sync(ada)

    synced = played.sync(ada)

    assert synced.writes == []
    assert synced[ada].status is Status.CHANGED  # so that its partition gets its materialization
    assert sorted(by("test-run-2", told(played, ada))) == [
        ("test-run-2", "pushed", "name", "Ada", "Ada Lovelace"),
        ("test-run-2", "pushed", "subscription_plan", "free", "team"),
    ]
    assert by("test-run-3", told(played, ada)) == []
    assert played.settles(ada)


def test_it_is_told_with_who_wins_and_what_was_agreed_on(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada", created_at=OLD)
    played.sync(ada)
    played.update_user(ada, name="Ada Lovelace")
    with killed_before_its_record(played):
        played.sync(ada)
    played.sync(ada)

    entry = played.journal(ada)[-1].entry

    assert (entry.policy, entry.base) == ("fill", "Ada")
    assert "its run was killed" in entry.why


def test_a_killed_run_can_be_taken_back(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada", created_at=OLD)
    played.sync(ada)
    played.update_user(ada, name="Wrong")
    with killed_before_its_record(played):
        played.sync(ada)
    played.sync(ada)

    steps = [step for batch in undo(played.services, "undo", "test-run-2") for step in batch]

    assert [(step.what, step.state) for step in steps] == [("name", StepState.DONE)]
    assert played.contact(ada)["name"] == "Ada"


def test_what_did_not_get_there_is_the_next_runs(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada", created_at=OLD)
    played.sync(ada)
    played.update_user(ada, name="Ada Lovelace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("intercom_assets.sync.passes.users.chunk.first_call", _die)
        with pytest.raises(KilledError):
            played.sync(ada)

    played.sync(ada)

    assert by("test-run-2", told(played, ada)) == []
    assert ("pushed", "name") in actions(by("test-run-3", told(played, ada)))


def test_what_somebody_wrote_over_meanwhile_is_not_said_to_be_there(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada", plan="free", created_at=OLD)
    played.sync(ada)
    played.update_user(ada, name="Ada Lovelace", plan="team")
    with killed_before_its_record(played):
        played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), name="Lady A.")

    played.sync(ada)

    assert actions(by("test-run-2", told(played, ada))) == {("pushed", "subscription_plan")}


def test_a_run_that_is_killed_after_one_that_was_killed_leaves_each_its_own(
    played: SyncWorld,
) -> None:
    ada = played.given_user(name="Ada", plan="free", created_at=OLD)
    played.sync(ada)
    played.update_user(ada, name="Ada Lovelace")
    with killed_before_its_record(played):
        played.sync(ada)
    played.update_user(ada, plan="team")
    with killed_before_its_record(played):
        played.sync(ada)

    played.sync(ada)

    assert actions(by("test-run-2", told(played, ada))) == {("pushed", "name")}
    assert actions(by("test-run-3", told(played, ada))) == {("pushed", "subscription_plan")}


def test_what_it_stored_in_the_app_is_that_runs(worlds: Worlds) -> None:
    world = worlds(fields={"name": "intercom"})
    ada = world.given_user(name="Ada", created_at=OLD)
    world.sync(ada)
    world.intercom.by_hand.edit_contact(str(ada), name="Lady A.")
    with killed_before_its_record(world):
        world.look(ada)
    assert world.app_user(ada)["name"] == "Lady A."

    world.sync(ada)

    [(run, action, field, old, new)] = [t for t in told(world, ada) if t[1] == "pulled"]
    assert (run, action, field, old, new) == ("test-run-2", "pulled", "name", "Ada", "Lady A.")
    assert world.settles(ada)


def test_an_answer_that_was_lost_is_found_done_as_that_runs(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada", created_at=OLD)
    played.sync(ada)
    played.update_user(ada, name="Ada Lovelace")
    lost = {"kind": "lost_reply", "endpoint": "PUT /contacts/*"}
    played.intercom.set(faults=[lost])
    played.sync(ada)
    played.intercom.set(faults=[])

    played.run_all_due()

    pushed = [t for t in told(played, ada) if t[1:3] == ("pushed", "name") and t[4] != "Ada"]
    assert [entry[0] for entry in pushed] == ["test-run-2"]


# --- users: creation, leads, leaving --------------------------------------------------------------


def test_a_contact_that_it_created_is_that_runs_with_all_that_it_was_created_with(
    played: SyncWorld,
) -> None:
    ada = played.given_user(name="Ada", email="ada@example.com", created_at=OLD)
    with killed_before_its_record(played):
        played.sync(ada)

    played.sync(ada)

    done = actions(by("test-run-1", told(played, ada)))
    assert {("created", None), ("pushed", "name"), ("pushed", "email")} <= done
    assert by("test-run-2", told(played, ada)) == []
    assert {step.state for step in plan_undo(played.services, "test-run-1")} == {StepState.FINAL}


def test_a_contact_that_was_there_before_was_not_created_by_it(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada", email="ada@example.com", created_at=OLD)
    played.intercom.seed([{"external_id": str(ada), "name": "Ada", "created_at": 1}])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("intercom_assets.sync.passes.users.chunk.first_call", _die)
        with pytest.raises(KilledError):
            played.sync(ada)

    played.sync(ada)

    assert by("test-run-1", told(played, ada)) == []
    assert ("adopted", None) in actions(by("test-run-2", told(played, ada)))


def test_a_lead_that_it_merged_is_that_runs(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada", email="ada@example.com", created_at=NOW)
    played.intercom.seed([{"role": "lead", "email": "ada@example.com"}])
    with killed_before_its_record(played):
        played.sync(ada)
    assert len(played.intercom.contacts()) == 1

    played.sync(ada)

    assert ("merged", None) in actions(by("test-run-1", told(played, ada)))
    assert [t for t in told(played, ada) if t[1] == "merged"][1:] == []


@pytest.mark.parametrize("back", [False, True])
def test_a_contact_that_it_archived_is_that_runs(worlds: Worlds, back: bool) -> None:
    world = worlds(on_delete="archive")
    ada = world.given_user(name="Ada", created_at=OLD)
    world.sync(ada)
    world.update_user(ada, deleted_at=NOW)
    with killed_before_its_record(world):
        world.sync(ada)

    world.sync(ada)

    assert actions(by("test-run-2", told(world, ada))) == {
        ("pushed", "deleted"),
        ("archived", None),
    }
    assert world.link(ada).archived
    world.update_user(ada, deleted_at=None)
    if back:
        with killed_before_its_record(world):
            world.sync(ada)
        world.sync(ada)
        assert ("unarchived", None) in actions(by("test-run-4", told(world, ada)))
        assert ("unarchived", None) not in actions(by("test-run-5", told(world, ada)))
    assert world.sync(ada)[ada].problem is None
    assert world.contact(ada)["custom_attributes"]["deleted"] is False


# --- memberships ----------------------------------------------------------------------------------


@pytest.mark.parametrize("companies", [1, 12])
def test_memberships_that_it_moved_are_that_runs(played: SyncWorld, companies: int) -> None:
    """Twelve: an answer shows the first ten only."""
    ada = played.given_user(name="Ada", created_at=OLD)
    teams = [played.given_team() for _ in range(companies)]
    other = played.given_team()
    for team in teams:
        played.joins(ada, team)
    played.sync(ada)
    played.joins(ada, other)
    played.leaves(ada, teams[0])
    left = played.company(teams[0])["id"]
    with killed_before_its_record(played):
        played.sync(ada)

    played.sync(ada)

    moves = [t[1:] for t in by("test-run-2", told(played, ada)) if t[1] in ("attached", "detached")]
    assert sorted(moves) == [
        ("attached", None, None, str(other)),
        ("detached", None, left, None),
    ]
    assert by("test-run-3", told(played, ada)) == []
    assert played.settles(ada)


def test_of_two_memberships_of_which_one_was_made_each_is_its_runs(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada", created_at=OLD)
    one, two = played.given_team(), played.given_team()
    played.sync(ada)
    played.sync_teams(one, two)
    played.joins(ada, one)
    played.joins(ada, two)
    made: list[str] = []

    def dies_at_the_second() -> None:
        if made:
            raise KilledError
        made.append("one")

    played.just_before("POST /contacts/*/companies", dies_at_the_second)
    played.just_before("POST /contacts/*/companies", dies_at_the_second)
    with pytest.raises(KilledError):
        played.sync(ada)
    played.wire.forget()

    played.sync(ada)

    joined = [(t[0], t[4]) for t in told(played, ada) if t[1] == "attached"]
    assert len(joined) == 2
    assert {run for run, _ in joined} == {"test-run-3", "test-run-4"}


# --- teams ----------------------------------------------------------------------------------------


def test_a_company_that_it_made_is_that_runs(played: SyncWorld) -> None:
    team = played.given_team(domain="acme.example", plan="free")
    with killed_before_its_record(played, "record_teams"):
        played.sync_teams(team)

    synced = played.sync_teams(team)

    done = actions(by("test-run-1", told(played, team, QueueKind.TEAM)))
    assert {("created", None), ("pushed", "name"), ("pushed", "plan")} <= done
    assert by("test-run-2", told(played, team, QueueKind.TEAM)) == []
    assert (synced.writes, synced[team].status) == ([], Status.CHANGED)


def test_a_teams_value_that_it_sent_is_that_runs_and_can_be_taken_back(played: SyncWorld) -> None:
    team = played.given_team(domain="acme.example", plan="free")
    played.sync_teams(team)
    played.update_team(team, plan="business")
    with killed_before_its_record(played, "record_teams"):
        played.sync_teams(team)

    synced = played.sync_teams(team)

    assert by("test-run-2", told(played, team, QueueKind.TEAM)) == [
        ("test-run-2", "pushed", "plan", "free", "business")
    ]
    assert synced.writes == []
    assert [s.state for s in plan_undo(played.services, "test-run-2")] == [StepState.DUE]
    assert played.sync_teams(team).calls == []


def test_a_teams_value_that_the_app_took_back_meanwhile_is_sent_and_no_edit_is_overruled(
    played: SyncWorld,
) -> None:
    team = played.given_team(domain="acme.example", plan="free")
    played.sync_teams(team)
    played.update_team(team, plan="business")
    with killed_before_its_record(played, "record_teams"):
        played.sync_teams(team)
    played.update_team(team, plan="free")

    synced = played.sync_teams(team)

    assert synced[team].overruled == ()
    assert [t[0] for t in told(played, team, QueueKind.TEAM) if t[2] == "plan"][1:] == [
        "test-run-2", "test-run-3",
    ]  # fmt: skip


# --- undo -----------------------------------------------------------------------------------------


def test_what_an_undo_took_back_before_it_was_killed_is_the_undos(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada", created_at=OLD)
    played.sync(ada)
    played.update_user(ada, name="Wrong")
    played.sync(ada)
    with killed_before_its_record(played):
        list(undo(played.services, "undo-1", "test-run-2"))
    assert played.contact(ada)["name"] == "Ada"

    played.sync(ada)

    assert ("undo-1", "undone", "name", "Wrong", "Ada") in told(played, ada)
