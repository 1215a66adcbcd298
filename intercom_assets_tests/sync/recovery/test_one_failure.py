"""Weaknesses 20 to 27 of the replaced job: what one failure did to a user, or to all."""

import pytest

from intercom_assets.intercom.errors import PlanRestricted, Unauthorized, VersionUnknown
from intercom_assets.sync.context.outcomes import Status
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld


def test_a_retry_makes_only_the_calls_that_are_missing(played: SyncWorld) -> None:
    """Weakness 20: no resume point, so 8 calls and then 10 more."""
    ada = played.given_user()
    teams = [played.given_team(domain=f"t{n}.example") for n in range(3)]
    played.sync_teams(*teams)
    for team in teams:
        played.joins(ada, team)
    refusal = {"kind": "error", "endpoint": "POST /contacts/{id}/companies", "status": 422}
    played.just_after("POST /contacts/*/companies", lambda: played.intercom.set(faults=[refusal]))

    first, second = played.sync(ada), played.sync(ada)

    assert first[ada].status is Status.RETRY
    assert sum(call.endswith("/companies") for call in first.calls) == 3
    assert sum(call.endswith("/companies") for call in second.calls) == 1
    assert [call for call in second.writes if not call.endswith("/companies")] == []
    assert played.teams_of(ada) == {str(team) for team in teams}
    assert played.settles(ada)


@pytest.mark.parametrize("field", ["name", "phone_number", "time_zone", "last_request_at"])
def test_a_value_that_the_app_refuses_is_told_and_not_offered_again(
    played: SyncWorld, field: str
) -> None:
    """Weakness 21: `update` returned false in silence, `update!` killed the job."""
    seen = 1_800_000_000
    values = {"name": "Ada L.", "phone_number": "+44 2", "time_zone": "Asia/Tokyo"}
    edits = {"name": "Ada L.", "phone": "+44 2", "timezone": "Asia/Tokyo", "last_seen_at": seen}
    refuse = {
        "name": "alter table users add check (name <> 'Ada L.')",
        "phone_number": "alter table users add check (phone_number <> '+44 2')",
        "time_zone": "alter table users add check (time_zone <> 'Asia/Tokyo')",
        "last_request_at": "alter table users add check (last_request_at < '2026-01-01')",
    }
    ada = played.given_user(name=None, phone_number=None, time_zone=None)
    played.sync(ada)
    played.run(refuse[field])
    played.intercom.by_hand.edit_contact(str(ada), **edits)

    first = played.look(ada)

    assert first[ada].status is Status.CHANGED
    refused = [row.entry for row in played.journal(ada) if row.entry.action == "refused"]
    assert field in {entry.field for entry in refused}
    assert any("check constraint" in entry.why for entry in refused)
    assert played.app_user(ada)[field] is None
    others = {name: played.app_user(ada)[name] for name in values if name != field}
    assert others == {name: value for name, value in values.items() if name != field}
    assert played.settles(ada)


def test_one_refused_value_keeps_no_other_of_the_same_user_from_the_app(played: SyncWorld) -> None:
    ada = played.given_user(name=None, phone_number=None)
    played.sync(ada)
    played.run("alter table users add check (phone_number <> '+44 2')")
    played.intercom.by_hand.edit_contact(str(ada), name="Ada L.", phone="+44 2")

    played.look(ada)

    assert played.app_user(ada)["name"] == "Ada L."
    assert played.app_user(ada)["phone_number"] is None
    assert played.settles(ada)


def test_a_refused_value_is_offered_again_once_it_changed_in_intercom(played: SyncWorld) -> None:
    ada = played.given_user(phone_number=None)
    played.sync(ada)
    played.run("alter table users add check (phone_number like '+44%')")
    played.intercom.by_hand.edit_contact(str(ada), phone="020 7946")
    played.look(ada)
    assert played.app_user(ada)["phone_number"] is None

    played.intercom.by_hand.edit_contact(str(ada), phone="+44 20 7946")
    played.look(ada)

    assert played.app_user(ada)["phone_number"] == "+44 20 7946"
    assert played.settles(ada)


def test_a_trigger_that_passes_the_row_over_is_a_refusal(played: SyncWorld) -> None:
    ada = played.given_user(name=None)
    played.sync(ada)
    played.run(
        "create function stay() returns trigger language plpgsql as 'begin return null; end';"
        "create trigger stay before update on users for each row execute function stay()"
    )
    played.intercom.by_hand.edit_contact(str(ada), name="Ada L.")

    played.look(ada)

    assert played.app_user(ada)["name"] is None
    assert "refused" in played.actions(ada)
    assert played.settles(ada)


def test_a_trigger_that_stores_another_form_settles(played: SyncWorld) -> None:
    ada = played.given_user(name=None, phone_number=None)
    played.sync(ada)
    played.run(
        "create function tidy() returns trigger language plpgsql as"
        " 'begin new.name = initcap(new.name); new.phone_number = null; return new; end';"
        "create trigger tidy before update on users for each row execute function tidy()"
    )
    played.intercom.by_hand.edit_contact(str(ada), name="ada lovelace", phone="+44 2")

    played.look(ada)

    assert played.app_user(ada)["name"] == "Ada Lovelace"
    assert played.contact(ada)["name"] == "Ada Lovelace"
    assert played.app_user(ada)["phone_number"] is None
    assert played.contact(ada)["phone"] == "+44 2"
    assert played.settles(ada)


def test_two_contacts_that_have_nothing_but_the_email_do_not_stop_its_user(
    played: SyncWorld,
) -> None:
    """Weakness 22: `MultipleMatchingUsersError`, on each retry."""
    played.intercom.seed([{"role": "user", "email": "ada@example.com"} for _ in range(2)])
    ada = played.given_user(email="ada@example.com")

    synced = played.sync(ada)

    assert synced[ada].status is Status.CHANGED
    assert played.contact(ada)["email"] == "ada@example.com"
    assert played.settles(ada)


def test_a_blocked_contact_parks_its_user_with_that_reason(played: SyncWorld) -> None:
    """Weakness 22: `BlockedUserError`, on each retry."""
    contact = played.intercom.by_hand.create_contact(role="user", email="ada@example.com")
    played.intercom.by_hand.block_contact(contact)
    ada, bob = played.given_user(email="ada@example.com"), played.given_user(email="b@example.com")

    synced = played.sync(ada, bob)

    assert synced[ada].status is Status.PARKED
    assert "blocked in Intercom" in (synced[ada].problem or "")
    assert synced[bob].status is Status.CHANGED
    assert played.sync(ada).calls == []


def test_one_users_refusal_stops_no_other_and_counts_up_to_parking(worlds: Worlds) -> None:
    """Weakness 22: poison users."""
    world = worlds(max_attempts=3)
    ada, bob = world.given_user(email="a@example.com"), world.given_user(email="b@example.com")
    world.sync(ada, bob)
    path = f"PUT /contacts/{world.contact(ada)['id']}"
    world.intercom.set(faults=[{"kind": "error", "endpoint": path, "status": 400, "count": None}])
    world.update_user(ada, name="Ada L.")

    outcomes = []
    for number in range(3):
        world.update_user(bob, name=f"Bob {number}")
        outcomes.append(world.sync(ada, bob))

    assert [synced[ada].status for synced in outcomes] == [
        Status.RETRY,
        Status.RETRY,
        Status.PARKED,
    ]
    assert world.contact(bob)["name"] == "Bob 2"
    assert world.sync(ada).calls == []
    world.intercom.reset("faults")
    world.update_user(ada, name="Ada Lovelace")
    assert world.sync(ada)[ada].status is Status.CHANGED


def test_an_attribute_archived_in_intercom_is_nobodys_fault(played: SyncWorld) -> None:
    """A 400 for everyone would have been everyone's retries."""
    users = [played.given_user(email=f"u{n}@example.com", plan="free") for n in range(3)]
    played.sync(*users)
    played.intercom.by_hand.archive_attribute("subscription_plan")
    for user in users:
        played.update_user(user, plan="team", name="Somebody Else")

    played.sync(*users)
    played.run_all_due()

    for user in users:
        assert played.contact(user)["name"] == "Somebody Else"
        assert played.contact(user)["custom_attributes"]["subscription_plan"] == "free"
    assert played.services.store.queue.parked() == []
    assert played.sync(*users).calls == []


def test_a_create_that_answers_nothing_readable_makes_no_second_contact(played: SyncWorld) -> None:
    """Weakness 23: a 202 with an empty body was a NoMethodError."""
    gateway = {"kind": "wrong_content_type", "endpoint": "POST /contacts", "when": "after"}
    played.intercom.set(faults=[gateway])
    ada = played.given_user(email="ada@example.com")

    first = played.sync(ada)
    played.run_all_due()

    assert first[ada].status is Status.RETRY
    assert len(played.intercom.contacts(state=None)) == 1
    assert played.link(ada).contact_id == played.contact(ada)["id"]
    assert played.settles(ada)


def test_a_contact_archived_between_two_calls_of_a_pass_comes_back(played: SyncWorld) -> None:
    """Weakness 24: `ResourceNotFound` at the save was not handled."""
    ada = played.given_user(name="Ada")
    played.sync(ada)
    contact = played.contact(ada)["id"]
    played.intercom.by_hand.edit_contact(contact, name="Lady A.")
    played.just_before(
        f"PUT /contacts/{contact}", lambda: played.intercom.by_hand.archive_contact(contact)
    )

    first = played.look(ada)
    played.run_all_due()

    assert first[ada].status in (Status.RETRY, Status.CHANGED)
    assert played.contact(ada)["id"] == contact
    assert played.contact(ada)["name"] == "Ada"
    assert played.settles(ada)


def test_a_429_without_the_headers_that_say_how_long_is_waited_out(played: SyncWorld) -> None:
    """Weakness 25: a NoMethodError out of the gem."""
    played.wire.lost_headers = {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
    played.intercom.set(faults=[{"kind": "rate_limit", "endpoint": "POST /contacts", "count": 2}])
    ada = played.given_user()

    synced = played.sync(ada)

    assert synced[ada].status is Status.CHANGED
    assert len(played.intercom.contacts()) == 1


@pytest.mark.parametrize("ahead", [120.0, -120.0])
def test_a_clock_that_differs_from_intercoms_uses_up_no_retries(
    worlds: Worlds, ahead: float
) -> None:
    """Weakness 26: all three retries at once, where the clock was ahead."""
    world = worlds(ahead=ahead)
    world.intercom.set(rate_limit_per_window=5)
    users = [world.given_user(email=f"u{n}@example.com") for n in range(6)]

    synced = world.sync(*users)

    assert {outcome.status for outcome in synced.outcomes.values()} == {Status.CHANGED}
    assert len(world.intercom.contacts()) == 6
    assert world.intercom.stats()["rate_limited"] <= 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 401}, Unauthorized),
        ({"status": 403, "code": "api_plan_restricted"}, PlanRestricted),
        ({"status": 400, "code": "intercom_version_invalid"}, VersionUnknown),
    ],
)
def test_what_is_nobodys_fault_stops_the_run_at_once_and_blames_nobody(
    worlds: Worlds, fault: dict[str, object], error: type[Exception]
) -> None:
    world = worlds(chunk_size=2, threads=1)
    users = [world.given_user(email=f"u{n}@example.com", name="Ada") for n in range(6)]
    world.sync(*users)
    for user in users:
        world.update_user(user, name="Ada L.")
    before = len(world.wire.requests)
    world.intercom.set(
        faults=[{"kind": "error", "endpoint": "PUT /contacts/{id}", "count": None, **fault}]
    )

    with pytest.raises(error):
        world.sync(*users)

    assert len(world.wire.requests) - before <= 4
    assert world.services.store.queue.parked() == []
    assert {row[0] for row in world.rows("select attempts from intercom_sync.queue")} == {0}
    world.intercom.reset("faults")
    world.run_all_due()
    assert {world.contact(user)["name"] for user in users} == {"Ada L."}
