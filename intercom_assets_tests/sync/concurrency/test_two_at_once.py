"""Weaknesses 28 to 32 of the replaced job: two at once, and what happens in mid-pass."""

from threading import Barrier, Thread

import pytest

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.outcomes import Outcome, Status
from intercom_assets.sync.engine.batch import run_batch
from intercom_assets.sync.engine.chunk_source import Batch
from intercom_assets.sync.feeders.app_changes import feed_from_app
from intercom_assets_tests.sync.sync_world import SyncWorld


def _at_once(world: SyncWorld, runs: int, *users: int) -> list[Outcome]:
    """So many runs over the same users, begun together."""
    barrier, outcomes = Barrier(runs), list[Outcome]()
    batch = Batch(QueueKind.USER, keys=tuple(str(user) for user in users))

    def one(number: int) -> None:
        barrier.wait()
        for report in run_batch(world.services, batch, f"at-once-{number}"):
            outcomes.extend(report.outcomes)

    threads = [Thread(target=one, args=(number,)) for number in range(runs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_runs_at_once_for_new_users_make_one_contact_each(played: SyncWorld) -> None:
    """Weakness 28: both found 404, both created."""
    users = [played.given_user(email=f"u{n}@example.com") for n in range(5)]

    outcomes = _at_once(played, 3, *users)

    assert len(outcomes) == 15
    assert len(played.intercom.contacts(state=None)) == 5
    assert played.intercom.stats()["calls_by_endpoint"]["POST /contacts"] == 5
    played.run_all_due()
    assert played.settles(*users)


def test_users_saved_at_once_with_a_new_team_make_one_company(played: SyncWorld) -> None:
    """Weakness 29: `unique_company_constraint`, for which the gem has no class."""
    users = [played.given_user(email=f"u{n}@example.com") for n in range(8)]
    team = played.given_team(domain="one.example")
    for user in users:
        played.joins(user, team)

    synced = played.sync(*users)

    assert synced.calls.count("POST /companies") == 1
    assert all(played.teams_of(user) == {str(team)} for user in users)
    assert {outcome.status for outcome in synced.outcomes.values()} == {Status.CHANGED}


def test_chunks_at_once_with_a_new_team_make_one_company(worlds_of_two: SyncWorld) -> None:
    world = worlds_of_two
    users = [world.given_user(email=f"u{n}@example.com") for n in range(6)]
    team = world.given_team(domain="one.example")
    for user in users:
        world.joins(user, team)

    synced = world.sync(*users)

    assert synced.calls.count("POST /companies") == 1
    assert all(world.teams_of(user) == {str(team)} for user in users)


def test_a_change_during_a_pass_is_done_by_the_next(played: SyncWorld) -> None:
    """Weakness 30: an older team list in memory put the old teams back."""
    ada, old, new = played.given_user(), played.given_team(), played.given_team()
    played.joins(ada, old)
    played.run_all_due()

    def move() -> None:
        played.leaves(ada, old)
        played.joins(ada, new)
        played.update_user(ada, name="Ada Lovelace")

    played.update_user(ada, name="Ada L.")
    feed_from_app(played.services)
    played.just_before("PUT /contacts/*", move)
    played.sync_due()
    assert played.contact(ada)["name"] == "Ada L."

    played.run_all_due()

    assert played.contact(ada)["name"] == "Ada Lovelace"
    assert played.teams_of(ada) == {str(new)}
    assert played.settles(ada)


def test_a_change_drained_during_a_pass_keeps_its_user_in_the_queue(played: SyncWorld) -> None:
    """The row's number has moved, so the pass that ends does not delete it."""
    ada = played.given_user(name="Ada")
    played.run_all_due()

    def rename_and_drain() -> None:
        played.update_user(ada, name="Ada Lovelace")
        feed_from_app(played.services)

    played.update_user(ada, name="Ada L.")
    feed_from_app(played.services)
    played.just_after("PUT /contacts/*", rename_and_drain)

    played.sync_due()
    played.sync_due()

    assert played.contact(ada)["name"] == "Ada Lovelace"
    assert played.sync_due().outcomes == {}


def test_an_operators_edit_between_look_and_save_is_not_overwritten(played: SyncWorld) -> None:
    """Weakness 31: only what changed is sent, and the answer is decided on again."""
    ada = played.given_user(name=None, phone_number=None, plan="free")
    played.sync(ada)
    played.update_user(ada, plan="team")
    played.just_before(
        "PUT /contacts/*",
        lambda: played.intercom.by_hand.edit_contact(str(ada), name="Ada L.", phone="+44 2"),
    )

    played.sync(ada)

    assert (played.contact(ada)["name"], played.contact(ada)["phone"]) == ("Ada L.", "+44 2")
    stored = played.app_user(ada)
    assert (stored["name"], stored["phone_number"]) == ("Ada L.", "+44 2")
    assert played.settles(ada)


def test_an_apps_edit_between_look_and_write_back_is_not_overwritten(played: SyncWorld) -> None:
    """The same on the other side: write-backs are compare-and-set."""
    ada = played.given_user(name=None, phone_number=None)
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), name="Ada L.", phone="+44 2")
    played.just_after(
        "GET /contacts/*", lambda: played.update_user(ada, name="Ada Lovelace", plan="team")
    )

    played.look(ada)
    played.run_all_due()

    stored = played.app_user(ada)
    assert (stored["name"], stored["phone_number"]) == ("Ada Lovelace", "+44 2")
    assert played.contact(ada)["name"] == "Ada Lovelace"
    assert played.settles(ada)


@pytest.mark.parametrize("known", [False, True])
def test_what_the_app_cleared_while_it_was_being_sent_stays_cleared(
    played: SyncWorld, known: bool
) -> None:
    """The pass reads the row again for its write-back, and finds none of what it has just sent."""
    ada = played.given_user(name=None, phone_number=None if known else "+44 1")
    if known:
        played.sync(ada)
        played.update_user(ada, phone_number="+44 1")
        played.intercom.by_hand.edit_contact(str(ada), name="Ada L.")  # to be pulled
    played.just_before(
        "PUT /contacts/*" if known else "POST /contacts",
        lambda: played.update_user(ada, phone_number=None),
    )

    played.sync(ada)
    played.run_all_due()

    assert played.app_user(ada)["phone_number"] is None
    assert played.contact(ada)["phone"] is None
    assert played.settles(ada)


def test_our_own_write_backs_wake_nobody(played: SyncWorld) -> None:
    """Weakness 32: the job's own `update`s would have enqueued it again."""
    ada = played.given_user(name=None, phone_number=None)
    played.run_all_due()
    played.intercom.by_hand.edit_contact(str(ada), name="Ada L.", phone="+44 2")

    played.look(ada)

    assert played.app_user(ada)["name"] == "Ada L."
    assert feed_from_app(played.services).users == 0
    assert played.sync_due().outcomes == {}
