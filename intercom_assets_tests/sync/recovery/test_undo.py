"""Taking a run back: what still is as the run left it, and what becomes of it afterwards."""

from datetime import UTC, datetime

import pytest

from intercom_assets.domain.vocabulary import Cause, QueueKind
from intercom_assets.sync.operator.undo.engine import UnknownRun, find_run, plan_undo, undo
from intercom_assets.sync.operator.undo.steps import Act, StepState, UndoStep
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)


def _last_run(world: SyncWorld, key: int, kind: QueueKind = QueueKind.USER) -> str:
    return world.services.store.journal.of_key(str(key), kind=kind)[0].run_id


def _undo(world: SyncWorld, run_id: str) -> dict[str, UndoStep]:
    done = [step for batch in undo(world.services, f"undo-{run_id}", run_id) for step in batch]
    return {step.what: step for step in done}


def _states(steps: dict[str, UndoStep]) -> dict[str, StepState]:
    return {what: step.state for what, step in steps.items()}


def test_a_plan_reads_and_writes_nothing(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada", created_at=OLD)
    played.sync(ada)
    played.update_user(ada, name="Wrong")
    played.sync(ada)
    before = len(played.wire.requests)

    [step] = plan_undo(played.services, _last_run(played, ada))

    assert (step.state, step.was, step.wrote, step.now) == (StepState.DUE, "Ada", "Wrong", "Wrong")
    assert all(r.startswith("GET") for r in played.wire.requests[before:])
    assert played.contact(ada)["name"] == "Wrong"


def test_what_was_changed_since_is_left_and_listed(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada", phone_number="+1", created_at=OLD)
    played.sync(ada)
    played.update_user(ada, name="Wrong", phone_number="+2")
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), phone="+3")

    done = _undo(played, _last_run(played, ada))

    assert _states(done) == {"name": StepState.DONE, "phone_number": StepState.MOVED}
    assert played.contact(ada)["name"] == "Ada"
    assert played.contact(ada)["phone"] == "+3"


def test_the_next_sync_leaves_what_was_taken_back_until_the_app_has_another_value(
    played: SyncWorld,
) -> None:
    ada = played.given_user(name="Ada", created_at=OLD)
    played.sync(ada)
    played.update_user(ada, name="Wrong")
    played.sync(ada)
    _undo(played, _last_run(played, ada))

    assert played.look(ada).writes == []
    played.update_user(ada, plan="team")
    played.sync(ada)
    assert played.contact(ada)["name"] == "Ada"

    played.update_user(ada, name="Ada Lovelace")
    synced = played.sync(ada)

    assert played.contact(ada)["name"] == "Ada Lovelace"
    assert synced[ada].overruled == ()
    assert played.link(ada).undone == {}
    assert played.settles(ada)


def test_an_edit_in_intercom_that_a_run_overruled_comes_back_and_stays(worlds: Worlds) -> None:
    world = worlds(fields={"name": "app"})
    ada = world.given_user(name="Ada", created_at=OLD)
    world.sync(ada)
    world.intercom.by_hand.edit_contact(str(ada), name="Lady A.")
    world.look(ada)
    assert world.contact(ada)["name"] == "Ada"

    _undo(world, _last_run(world, ada))
    world.look(ada)

    assert world.contact(ada)["name"] == "Lady A."
    world.intercom.by_hand.edit_contact(str(ada), name="Countess")
    world.look(ada)
    assert world.contact(ada)["name"] == "Ada"


@pytest.mark.parametrize("policy", ["fill", "intercom", "last_writer"])
def test_a_value_taken_out_of_the_app_is_neither_pulled_again_nor_cleared_in_intercom(
    worlds: Worlds, policy: str
) -> None:
    world = worlds(fields={"name": policy})
    ada = world.given_user(name=None, created_at=OLD)
    world.sync(ada)
    world.intercom.by_hand.edit_contact(str(ada), name="Ada L.")
    world.look(ada)
    assert world.app_user(ada)["name"] == "Ada L."

    done = _undo(world, _last_run(world, ada))
    world.look(ada)

    assert _states(done)["name"] is StepState.DONE
    assert world.app_user(ada)["name"] is None
    assert world.contact(ada)["name"] == "Ada L."
    world.intercom.by_hand.edit_contact(str(ada), name="Ada King")
    world.look(ada)
    assert world.app_user(ada)["name"] == "Ada King"


def test_a_zone_taken_out_of_the_app_is_not_pulled_again(played: SyncWorld) -> None:
    ada = played.given_user(time_zone=None, created_at=OLD)
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), location={"timezone": "Europe/Berlin"})
    played.look(ada)
    assert played.app_user(ada)["time_zone"] == "Europe/Berlin"

    _undo(played, _last_run(played, ada))
    played.look(ada)

    assert played.app_user(ada)["time_zone"] is None


def test_memberships_are_taken_back_both_ways_and_stay_so(played: SyncWorld) -> None:
    ada, left, joined = played.given_user(created_at=OLD), played.given_team(), played.given_team()
    played.joins(ada, left)
    played.sync(ada)
    played.leaves(ada, left)
    played.joins(ada, joined)
    played.sync(ada)
    assert played.teams_of(ada) == {str(joined)}

    done = _undo(played, _last_run(played, ada))

    members = [step.state for step in done.values() if step.act is not Act.EVENT]
    assert members == [StepState.DONE, StepState.DONE]
    assert played.teams_of(ada) == {str(left)}
    assert played.look(ada).writes == []
    played.joins(ada, left)
    played.leaves(ada, joined)
    played.sync(ada)
    assert played.teams_of(ada) == {str(left)}
    assert played.link(ada).undone_companies == []
    played.joins(ada, joined)
    played.sync(ada)
    assert played.teams_of(ada) == {str(left), str(joined)}


def test_a_contact_that_the_run_created_stays_with_what_it_was_created_with(
    played: SyncWorld,
) -> None:
    ada = played.given_user(name="Ada", email="ada@example.com", created_at=OLD)
    played.sync(ada)
    contact = played.contact(ada)

    done = _undo(played, _last_run(played, ada))

    assert _states(done) == {"created": StepState.FINAL}
    assert "never deletes" in done["created"].why
    assert played.contact(ada) == contact


def test_an_archived_contact_comes_back_and_stays_although_the_user_is_gone(
    worlds: Worlds,
) -> None:
    world = worlds(on_delete="archive")
    ada = world.given_user(name="Ada", created_at=OLD)
    world.sync(ada)
    world.update_user(ada, deleted_at=OLD)
    world.sync(ada)
    assert world.link(ada).archived

    done = _undo(world, _last_run(world, ada))

    assert set(_states(done).values()) == {StepState.DONE}
    assert world.contact(ada)["state"] == "live"
    assert world.contact(ada)["custom_attributes"]["deleted"] is False
    assert world.look(ada).writes == []
    assert world.contact(ada)["state"] == "live"
    world.update_user(ada, deleted_at=None)
    world.sync(ada)
    world.update_user(ada, deleted_at=OLD)
    world.sync(ada)
    assert world.link(ada).archived


def test_a_companys_fields_are_taken_back_and_stay_so(played: SyncWorld) -> None:
    team = played.given_team(domain="acme.example", plan="free")
    played.sync_teams(team)
    played.update_team(team, plan="wrong")
    played.sync_teams(team)

    done = _undo(played, _last_run(played, team, QueueKind.TEAM))
    played.sync_teams(team)

    assert _states(done) == {"plan": StepState.DONE}
    assert played.company(team)["plan"]["name"] == "free"
    played.update_team(team, plan="team")
    played.sync_teams(team)
    assert played.company(team)["plan"]["name"] == "team"


def test_a_company_that_the_run_created_stays(played: SyncWorld) -> None:
    team = played.given_team(domain="acme.example")
    played.sync_teams(team)

    done = _undo(played, _last_run(played, team, QueueKind.TEAM))

    assert _states(done) == {"created": StepState.FINAL}
    assert played.company(team)["company_id"] == str(team)


def test_an_undo_can_be_undone(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada", created_at=OLD)
    played.sync(ada)
    played.update_user(ada, name="Ada Lovelace")
    played.sync(ada)
    _undo(played, _last_run(played, ada))
    assert played.contact(ada)["name"] == "Ada"

    _undo(played, _last_run(played, ada))

    assert played.contact(ada)["name"] == "Ada Lovelace"
    assert played.settles(ada)


def test_a_change_that_waits_is_not_lost_by_an_undo(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada", phone_number="+1", created_at=OLD)
    played.sync(ada)
    played.update_user(ada, name="Wrong")
    played.sync(ada)
    played.update_user(ada, phone_number="+2")
    played.services.store.queue.enqueue(QueueKind.USER, [str(ada)], cause=Cause.APP)

    _undo(played, _last_run(played, ada))
    played.run_all_due()

    assert played.contact(ada)["name"] == "Ada"
    assert played.contact(ada)["phone"] == "+2"


def test_an_edit_that_nobody_noticed_yet_is_decided_after_an_undo(played: SyncWorld) -> None:
    """The undo's look takes the search's reason away to wake the user."""
    ada = played.given_user(name="Ada", phone_number=None, created_at=OLD)
    played.sync(ada)
    played.update_user(ada, name="Wrong")
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), phone="+44 20")

    _undo(played, _last_run(played, ada))
    played.sync_due()

    assert played.app_user(ada)["phone_number"] == "+44 20"


def test_whoever_another_run_has_is_told_as_busy(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada", created_at=OLD)
    played.sync(ada)
    played.update_user(ada, name="Wrong")
    played.sync(ada)
    played.services.store.queue.enqueue(QueueKind.USER, [str(ada)])

    with played.lease_of(ada):
        done = _undo(played, _last_run(played, ada))

    assert _states(done) == {"name": StepState.BUSY}
    assert played.contact(ada)["name"] == "Wrong"


def test_what_intercom_refuses_is_told_and_what_was_done_is_kept(played: SyncWorld) -> None:
    ada, team = played.given_user(name="Ada", created_at=OLD), played.given_team()
    played.sync(ada)
    played.update_user(ada, name="Wrong")
    played.joins(ada, team)
    played.sync(ada)
    company = played.company(team)["id"]
    contact = played.contact(ada)["id"]
    played.just_before(
        f"DELETE /contacts/{contact}/companies/{company}",
        lambda: played.intercom.set(fail_next={"count": 9, "status": 500}),
    )

    done = _undo(played, _last_run(played, ada))

    assert done["name"].state is StepState.DONE
    assert done[str(team)].state is StepState.FAILED
    assert "unavailable" in done[str(team)].why
    assert played.contact(ada)["name"] == "Ada"
    played.run_all_due()
    assert played.contact(ada)["name"] == "Ada"


def test_a_run_is_found_by_the_beginning_of_its_id(played: SyncWorld) -> None:
    ada = played.given_user(created_at=OLD)
    played.sync(ada)
    store = played.services.store

    assert find_run(store, "test-run") == "test-run-1"
    played.update_user(ada, name="Ada")
    played.sync(ada)
    with pytest.raises(UnknownRun, match="test-run-1, test-run-2"):
        find_run(store, "test-run")
    with pytest.raises(UnknownRun, match="no run nothing"):
        find_run(store, "nothing")
