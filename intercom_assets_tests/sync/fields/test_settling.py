"""A further pass has nothing to do: values that one side keeps in another form, or keeps changing.

The rules are the domain's (and its tests are many); here they are played through both sides.
"""

import json
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from intercom_assets.domain.fields import Policy
from intercom_assets.sync.context.outcomes import Status
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld

NOW = datetime.now(UTC).replace(microsecond=0)
NAMES = (None, "Ada L.", "Lady A.")
OF_TEXTS = [p for p in Policy if not (p.traits.of_times or p.traits.of_flags)]


# --- Intercom stores another form of what it was sent ---------------------------------------------


def _normalising(body: bytes) -> bytes:
    """An Intercom that writes phone numbers its own way."""
    sent: dict[str, Any] = json.loads(body) if body else {}
    if isinstance(sent.get("phone"), str):
        sent["phone"] = sent["phone"].replace(" ", "")
    return json.dumps(sent).encode() if body else body


def test_a_form_of_intercoms_own_is_accepted_and_not_sent_again(played: SyncWorld) -> None:
    played.wire.stores = _normalising
    ada = played.given_user(phone_number="+44 20 7946")

    played.sync(ada)

    assert played.contact(ada)["phone"] == "+44207946"
    assert played.app_user(ada)["phone_number"] == "+44 20 7946"
    assert played.settles(ada)


def test_a_new_value_is_sent_although_an_older_form_was_accepted(played: SyncWorld) -> None:
    played.wire.stores = _normalising
    ada = played.given_user(phone_number="+44 20 7946")
    played.sync(ada)

    played.update_user(ada, phone_number="+44 20 7947")
    synced = played.sync(ada)

    assert len(synced.calls) == 1
    assert synced[ada].overruled == ()
    assert played.contact(ada)["phone"] == "+44207947"
    assert played.settles(ada)


def test_a_cleared_value_is_cleared_although_a_form_of_it_was_accepted(played: SyncWorld) -> None:
    played.wire.stores = _normalising
    ada = played.given_user(phone_number="+44 20 7946")
    played.sync(ada)

    played.update_user(ada, phone_number=None)
    played.sync(ada)

    assert played.contact(ada)["phone"] is None
    assert played.app_user(ada)["phone_number"] is None
    assert played.settles(ada)


def test_an_edit_of_an_accepted_form_is_an_edit(worlds: Worlds) -> None:
    world = worlds(fields={"phone_number": "last_writer"})
    world.wire.stores = _normalising
    ada = world.given_user(phone_number="+44 20 7946")
    world.sync(ada)
    world.intercom.by_hand.edit_contact(str(ada), phone="+49301234")

    world.look(ada)

    assert world.app_user(ada)["phone_number"] == "+49301234"
    assert world.settles(ada)


# --- somebody else writes, too --------------------------------------------------------------------


def test_a_field_that_another_integration_keeps_overwriting_is_left_out(played: SyncWorld) -> None:
    ada = played.given_user(plan="team")
    played.sync(ada)
    statuses = []
    for number in range(5):
        attributes = {"subscription_plan": f"theirs {number}"}
        played.intercom.by_hand.edit_contact(str(ada), custom_attributes=attributes)
        statuses.append(played.look(ada)[ada])

    assert [outcome.status for outcome in statuses[:3]] == [
        Status.CHANGED,
        Status.CHANGED,
        Status.CHANGED,
    ]
    assert [outcome.left_out for outcome in statuses[1:]] == [
        (),
        ("subscription_plan",),
        ("subscription_plan",),
        ("subscription_plan",),
    ]
    why = played.link(ada).left_out["subscription_plan"].why
    assert why == "another integration keeps writing subscription_plan in Intercom"
    assert played.contact(ada)["custom_attributes"]["subscription_plan"] == "theirs 4"
    assert played.services.store.queue.parked() == []
    assert played.settles(ada)
    played.update_user(ada, name="Ada L.", email="new@example.com")
    played.sync(ada)
    assert played.contact(ada)["email"] == "new@example.com"
    assert played.contact(ada)["custom_attributes"]["subscription_plan"] == "theirs 4"


def test_an_overwritten_field_is_written_again_once_its_user_changes_or_an_operator_says_so(
    played: SyncWorld,
) -> None:
    ada = played.given_user(plan="team")
    played.sync(ada)
    for number in range(3):
        attributes = {"subscription_plan": f"theirs {number}"}
        played.intercom.by_hand.edit_contact(str(ada), custom_attributes=attributes)
        played.look(ada)

    played.times.later += 25 * 3600
    played.update_user(ada, plan="business")
    played.run_all_due()

    assert played.contact(ada)["custom_attributes"]["subscription_plan"] == "business"
    assert played.settles(ada)


def test_one_edit_whose_write_fails_again_and_again_is_one_edit(played: SyncWorld) -> None:
    ada = played.given_user(plan="team")
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), custom_attributes={"subscription_plan": "gold"})
    played.intercom.set(
        faults=[{"kind": "error", "status": 503, "endpoint": "PUT /contacts/*", "count": None}]
    )
    statuses = [played.look(ada)[ada].status for _ in range(4)]
    played.intercom.reset("faults")

    assert statuses == [Status.RETRY] * 4
    played.run_all_due()
    assert played.contact(ada)["custom_attributes"]["subscription_plan"] == "team"
    assert played.settles(ada)


def test_edits_of_days_apart_are_people_and_no_integration(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada Lovelace")
    played.sync(ada)
    for number in range(5):
        played.intercom.by_hand.edit_contact(str(ada), name=f"Lady {number}")
        assert played.look(ada)[ada].status is Status.CHANGED
        played.times.later += 20 * 3600

    assert played.contact(ada)["name"] == "Ada Lovelace"
    assert played.settles(ada)


def test_a_pass_makes_two_writes_at_most_and_what_is_left_comes_later(played: SyncWorld) -> None:
    """An Intercom that is edited under each of our writes never makes a pass run on."""
    ada = played.given_user(name="Ada Lovelace", plan="free")
    played.sync(ada)
    played.update_user(ada, plan="team")
    edits = iter(range(100))
    for _ in range(4):
        played.just_before(
            "PUT /contacts/*",
            lambda: played.intercom.by_hand.edit_contact(str(ada), name=f"Lady {next(edits)}"),
        )

    synced = played.sync(ada)

    assert sum(call.startswith("PUT") for call in synced.calls) <= 2
    assert synced[ada].status in (Status.CHANGED, Status.RETRY)
    played.wire.forget()
    played.run_all_due()
    assert played.contact(ada)["name"] == "Ada Lovelace"
    assert played.settles(ada)


# --- what must be looked at first -----------------------------------------------------------------


def test_a_newest_field_that_the_app_changed_is_decided_on_a_look(worlds: Worlds) -> None:
    world = worlds(fields={"name": "last_writer"})
    ada = world.given_user(name="Ada")
    world.sync(ada)
    world.update_user(ada, name="Ada Lovelace")

    synced = world.sync(ada)

    assert [call.split()[0] for call in synced.calls] == ["GET", "PUT"]
    assert world.contact(ada)["name"] == "Ada Lovelace"
    assert world.settles(ada)


def test_a_newest_field_rides_with_a_change_that_needs_no_look(worlds: Worlds) -> None:
    world = worlds(fields={"name": "last_writer"})
    ada = world.given_user(name="Ada", plan="free")
    world.sync(ada)
    world.update_user(ada, name="Ada Lovelace", plan="team")

    synced = world.sync(ada)

    assert [call.split()[0] for call in synced.calls] == ["PUT", "PUT"]
    assert world.contact(ada)["name"] == "Ada Lovelace"
    assert world.settles(ada)


def test_a_last_request_never_moves_backwards_in_intercom(played: SyncWorld) -> None:
    """The shadow is an hour old, and the Messenger was later than the app."""
    ada = played.given_user(last_request_at=NOW - timedelta(days=2))
    played.sync(ada)
    played.run("update intercom_sync.user_link set shadow_read_at = now() - interval '1 hour'")
    seen = int((NOW - timedelta(hours=1)).timestamp())
    played.intercom.by_hand.edit_contact(str(ada), last_seen_at=seen)
    played.update_user(ada, last_request_at=NOW - timedelta(hours=2))

    played.sync(ada)

    assert played.contact(ada)["last_seen_at"] == seen
    assert int(played.app_user(ada)["last_request_at"].timestamp()) == seen
    assert played.settles(ada)


def test_a_last_request_is_sent_after_a_look_of_the_same_pass(played: SyncWorld) -> None:
    ada = played.given_user(last_request_at=NOW - timedelta(days=2))
    played.sync(ada)
    played.update_user(ada, last_request_at=NOW)

    synced = played.sync(ada)

    assert [call.split()[0] for call in synced.calls] == ["GET", "PUT"]
    assert played.contact(ada)["last_seen_at"] == int(NOW.timestamp())
    assert played.settles(ada)


# --- every combination ----------------------------------------------------------------------------


@pytest.mark.parametrize("policy", OF_TEXTS)
def test_every_combination_of_a_name_settles_in_one_pass(worlds: Worlds, policy: Policy) -> None:
    """Base, app and Intercom each have none, one or another: 27 users, looked at once."""
    world = worlds(fields={"name": policy.value})
    cases = list(product(NAMES, repeat=3))
    users = list(range(1, len(cases) + 1))
    given = "insert into users (email, name) select i || '@example.com', n from unnest"
    world.run(f"{given}(%s::int[], %s::text[]) as g (i, n)", users, [base for base, _, _ in cases])
    world.sync(*users)
    edit = "update users set name = n from unnest(%s::int[], %s::text[]) as g (i, n) where id = i"
    world.run(edit, users, [app for _, app, _ in cases])
    for user, (_, _, intercom) in zip(users, cases, strict=True):
        world.intercom.by_hand.edit_contact(str(user), name=intercom)

    synced = world.look(*users)

    assert {o.status for o in synced.outcomes.values()} <= {Status.CHANGED, Status.UNCHANGED}
    in_app = dict(world.rows("select id::text, name from users"))
    in_intercom = {c["external_id"]: c["name"] for c in world.intercom.contacts()}
    assert in_app == in_intercom
    for user, case in zip(users, cases, strict=True):
        assert in_app[str(user)] == _who_wins(policy, *case), f"{policy}: {case}"
    assert world.settles(*users)


def _who_wins(
    policy: Policy, base: str | None, app: str | None, intercom: str | None
) -> str | None:
    """Said anew, in other words than the code's, so that the table is not its own witness."""
    if policy is Policy.APP:
        return app
    if policy is Policy.INTERCOM:
        return app if intercom is None and base is None else intercom
    if policy is Policy.FILL:
        return app or (intercom if intercom != base else None)
    return intercom if app == base else app
