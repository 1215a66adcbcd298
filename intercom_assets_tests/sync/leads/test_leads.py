"""Rules 35 to 41 of the replaced job: leads with a new user's e-mail become part of the user."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.feeders.intercom_changes import feed_from_intercom
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(hours=24)
SEARCH, MERGE = "POST /contacts/search", "POST /contacts/merge"


def _a_lead(world: SyncWorld, email: str = "ada@example.com", **fields: str) -> str:
    """The id of a lead that Intercom has known for a while."""
    [lead] = world.intercom.seed([{"role": "lead", "email": email, **fields}])
    return lead


def _roles(world: SyncWorld) -> list[str]:
    return sorted(contact["role"] for contact in world.intercom.contacts())


@pytest.mark.parametrize(("age", "merged"), [(DAY - timedelta(seconds=1), True), (DAY, False)])
def test_leads_are_looked_for_strictly_within_24_hours_of_sign_up(
    worlds: Worlds, age: timedelta, merged: bool
) -> None:
    """Rule 35."""
    world = worlds(now=NOW.timestamp())
    _a_lead(world)
    ada = world.given_user(email="ada@example.com", created_at=NOW - age)

    synced = world.sync(ada)

    assert _roles(world) == (["user"] if merged else ["lead", "user"])
    assert (SEARCH in synced.calls) is merged


def test_the_user_is_saved_before_its_lead_is_merged(played: SyncWorld) -> None:
    """Rule 36."""
    _a_lead(played)
    ada = played.given_user(email="ada@example.com", created_at=NOW)

    calls = played.sync(ada).calls

    assert calls.index("POST /contacts") < calls.index(MERGE)
    assert _roles(played) == ["user"]
    assert played.settles_but_for_leads(ada)


def test_a_contact_that_is_only_looked_at_is_saved_before_leads_of_its_new_email_are_merged(
    played: SyncWorld,
) -> None:
    """Rule 36, where the pass begins with a look: Intercom merges no contacts of two e-mails."""
    ada = played.given_user(email="old@example.com", created_at=NOW)
    played.sync(ada)
    _a_lead(played, "ada@example.com", phone="+44 1")
    played.update_user(ada, email="ada@example.com")

    played.look(ada)
    played.run_all_due()

    assert _roles(played) == ["user"]
    assert played.app_user(ada)["phone_number"] == "+44 1"
    assert "merge refused" not in played.actions(ada)
    assert played.settles_but_for_leads(ada)


def test_all_leads_with_the_present_email_are_merged_and_no_others(played: SyncWorld) -> None:
    """Rule 37 took the first hit only (weakness 15)."""
    for _ in range(3):
        _a_lead(played, "ADA@example.com")
    _a_lead(played, "ada@example.com.au")
    ada = played.given_user(email="ada@example.com", created_at=NOW)

    played.sync(ada)

    assert _roles(played) == ["lead", "user"]
    assert played.actions(ada).count("merged") == 3


def test_what_the_lead_knew_reaches_the_app_in_the_same_pass(played: SyncWorld) -> None:
    """Rule 38 did not use the reply."""
    _a_lead(played, name="Ada L.", phone="+44 20 7946")
    ada = played.given_user(email="ada@example.com", name=None, created_at=NOW)

    played.sync(ada)

    stored = played.app_user(ada)
    assert (stored["name"], stored["phone_number"]) == ("Ada L.", "+44 20 7946")
    assert played.settles_but_for_leads(ada)


@pytest.mark.parametrize("how", ["delete_contact", "archive_contact"])
def test_a_lead_that_is_gone_by_then_holds_up_nothing(played: SyncWorld, how: str) -> None:
    """Rule 39."""
    lead = _a_lead(played)
    ada, team = played.given_user(email="ada@example.com", created_at=NOW), played.given_team()
    played.joins(ada, team)
    played.just_before(MERGE, lambda: getattr(played.intercom.by_hand, how)(lead))

    synced = played.sync(ada)

    assert synced[ada].status is Status.CHANGED
    assert played.teams_of(ada) == {str(team)}
    assert "merged" not in played.actions(ada)


def test_a_lead_that_wrote_in_while_the_user_was_away_is_merged_when_it_is_back(
    played: SyncWorld,
) -> None:
    ada = played.given_user(email="ada@example.com", created_at=NOW)
    played.sync(ada)
    played.update_user(ada, deleted_at=NOW)
    played.sync(ada)
    _a_lead(played)
    played.update_user(ada, deleted_at=None)

    played.sync(ada)

    assert _roles(played) == ["user"]
    assert played.settles(ada)


def test_a_refused_merge_is_recorded_and_does_not_fail_the_user(played: SyncWorld) -> None:
    """Rule 40 ended the job before the teams; and came back for it on each run."""
    _a_lead(played)
    refusal = {"status": 400, "code": "invalid_merge", "message": "cannot be merged"}
    played.intercom.set(faults=[{"kind": "error", "endpoint": MERGE, **refusal}])
    ada, team = played.given_user(email="ada@example.com", created_at=NOW), played.given_team()
    played.joins(ada, team)

    synced = played.sync(ada)

    assert synced[ada].status is Status.CHANGED
    assert played.teams_of(ada) == {str(team)}
    [refused] = [r.entry for r in played.journal(ada) if r.entry.action == "merge refused"]
    assert "cannot be merged" in refused.why
    assert played.sync(ada).calls == []


def test_one_refused_merge_keeps_no_other_lead_from_being_merged(played: SyncWorld) -> None:
    for _ in range(3):
        _a_lead(played)
    refusal = {"status": 400, "code": "invalid_merge", "message": "cannot be merged"}
    played.intercom.set(faults=[{"kind": "error", "endpoint": MERGE, "count": 1, **refusal}])
    ada = played.given_user(email="ada@example.com", created_at=NOW)

    played.sync(ada)

    assert _roles(played) == ["lead", "user"]
    assert played.actions(ada).count("merged") == 2


def test_merged_is_told_only_where_something_was(played: SyncWorld) -> None:
    """Rule 41 told it whenever no error came (weakness 18)."""
    lead = _a_lead(played)
    ada = played.given_user(email="ada@example.com", created_at=NOW)
    bob = played.given_user(email="bob@example.com", created_at=NOW)

    played.sync(ada, bob)

    [merged] = [row.entry for row in played.journal(ada) if row.entry.action == "merged"]
    assert lead in merged.why
    assert "merged" not in played.actions(bob)


def test_fifteen_addresses_are_searched_in_one_call(played: SyncWorld) -> None:
    users = [
        played.given_user(email=f"u{number}@example.com", created_at=NOW) for number in range(31)
    ]
    for number in (0, 14, 15, 30):
        _a_lead(played, f"u{number}@example.com")

    synced = played.sync(*users)

    assert synced.calls.count(SEARCH) == 3
    assert synced.calls.count(MERGE) == 4
    assert set(_roles(played)) == {"user"}


def test_users_whose_leads_could_not_be_searched_are_saved_and_come_again(
    played: SyncWorld,
) -> None:
    _a_lead(played)
    played.intercom.set(faults=[{"kind": "error", "endpoint": SEARCH, "status": 503, "count": 4}])
    ada = played.given_user(email="ada@example.com", created_at=NOW)

    first = played.sync(ada)

    assert first[ada].status is Status.RETRY
    assert _roles(played) == ["lead", "user"]
    played.run_all_due()
    assert _roles(played) == ["user"]


def test_a_merge_that_landed_without_an_answer_is_done(played: SyncWorld) -> None:
    _a_lead(played, phone="+44 20 7946")
    played.intercom.set(faults=[{"kind": "lost_reply", "endpoint": MERGE}])
    ada = played.given_user(email="ada@example.com", created_at=NOW)

    played.sync(ada)
    played.run_all_due()

    assert _roles(played) == ["user"]
    assert played.app_user(ada)["phone_number"] == "+44 20 7946"
    assert played.settles_but_for_leads(ada)


# --- a lead that Intercom would not merge ---------------------------------------------------------

REFUSAL = {"status": 400, "code": "invalid_merge", "message": "cannot be merged"}


def _refused(played: SyncWorld) -> tuple[int, str]:
    """A young user whose lead was refused once, by a fault that lasts."""
    lead = _a_lead(played)
    played.intercom.set(faults=[{"kind": "error", "endpoint": MERGE, "count": None, **REFUSAL}])
    ada = played.given_user(email="ada@example.com", created_at=NOW)
    played.sync(ada)
    return ada, lead


def _lead_calls(calls: Sequence[str]) -> list[str]:
    return [call for call in calls if "merge" in call or "search" in call]


def test_a_refused_lead_is_neither_searched_nor_tried_again_at_a_look(played: SyncWorld) -> None:
    ada, _ = _refused(played)

    for name in ("By Hand", "By Hand Again"):
        played.intercom.by_hand.edit_contact(str(ada), name=name)
        assert _lead_calls(played.look(ada).calls) == []
    for _ in range(3):
        feed_from_intercom(played.services)
        played.times.sleep(16 * 60)
        assert _lead_calls(played.sync_due().calls) == []
    assert played.actions(ada).count("merge refused") == 1


def test_a_refused_lead_is_tried_again_once_the_lead_has_changed(played: SyncWorld) -> None:
    feed_from_intercom(played.services)
    ada, lead = _refused(played)
    feed_from_intercom(played.services)
    played.sync_due()
    played.intercom.reset("faults")
    played.times.sleep(5)
    played.intercom.by_hand.edit_contact(lead, name="Someone")

    feed_from_intercom(played.services)
    played.sync_due()

    assert _roles(played) == ["user"]
    assert played.settles_but_for_leads(ada)


def test_a_refused_lead_is_tried_again_once_the_app_has_changed(played: SyncWorld) -> None:
    ada, _ = _refused(played)
    played.intercom.reset("faults")
    played.update_user(ada, name="Ada Byron")

    played.sync(ada)

    assert _roles(played) == ["user"]


def test_refused_again_after_a_change_it_is_remembered_again(played: SyncWorld) -> None:
    ada, _ = _refused(played)
    played.update_user(ada, name="Ada Byron")

    assert len(_lead_calls(played.sync(ada).calls)) == 2

    assert _lead_calls(played.look(ada).calls) == []
    assert played.sync(ada).calls == []


def test_another_lead_beside_a_refused_one_is_merged(played: SyncWorld) -> None:
    feed_from_intercom(played.services)
    ada, _lead = _refused(played)
    feed_from_intercom(played.services)
    played.sync_due()
    played.intercom.reset("faults")
    played.intercom.set(
        faults=[{"kind": "error", "endpoint": MERGE, "count": 1, **REFUSAL, "message": "no"}]
    )
    played.times.sleep(5)
    _a_lead(played)

    feed_from_intercom(played.services)
    played.sync_due()

    assert played.actions(ada).count("merged") == 1
