"""Whose contact is whose: every way in which Intercom and we can disagree about identity.

Never a duplicate, never another user's contact (docs/dev/protocol.md#landed-but-not-recorded).
"""

from datetime import UTC, datetime, timedelta

import pytest

from intercom_assets.domain.vocabulary import Action, PlannedAction, QueueKind
from intercom_assets.simulator.records import State
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.engine.plan import plan_users
from intercom_assets.sync.feeders.intercom_changes import feed_from_intercom
from intercom_assets.sync.operator.preview import previewing
from intercom_assets_tests import builders
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.world import World

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)


def test_a_contact_that_has_our_external_id_already_is_adopted(world: World) -> None:
    ada = world.given_user(email="ada@example.com", name="Ada L.", created_at=OLD)
    there = world.intercom.by_hand.create_contact(
        role="user", external_id=str(ada), email="old@example.com"
    )

    synced = world.sync(ada)

    assert synced[ada].status is Status.CHANGED
    assert world.contact(ada)["id"] == there
    assert world.contact(ada)["email"] == "ada@example.com"
    assert world.sync(ada).calls == []


def test_a_contact_with_the_same_email_and_no_external_id_is_adopted(world: World) -> None:
    there = world.intercom.by_hand.create_contact(role="user", email="ada@example.com")
    ada = world.given_user(email="Ada@Example.com", created_at=OLD)

    world.sync(ada)

    assert world.contact(ada)["id"] == there
    assert len(world.intercom.contacts()) == 1
    assert world.sync(ada).calls == []


def test_a_contact_of_another_user_is_never_taken_over(world: World) -> None:
    world.intercom.set(equal_email="always")
    other = world.given_user(email="shared@example.com", name="Other One", created_at=OLD)
    ada = world.given_user(email="shared@example.com", name="Ada L.", created_at=OLD)
    world.sync(other)

    synced = world.sync(ada)

    assert synced[ada].left_out == ("email",)
    assert world.contact(other)["name"] == "Other One"
    assert (world.contact(ada)["name"], world.contact(ada)["email"]) == ("Ada L.", None)
    assert world.sync(ada, other).calls == []


def test_an_archived_contact_of_ours_is_unarchived_and_adopted(world: World) -> None:
    ada = world.given_user(email="ada@example.com", created_at=OLD)
    there = world.intercom.by_hand.create_contact(role="user", external_id=str(ada))
    world.intercom.by_hand.archive_contact(there)

    world.sync(ada)

    assert world.contact(ada)["id"] == there
    assert world.sync(ada).calls == []


def test_an_archived_contact_of_another_user_is_archived_again(world: World) -> None:
    there = world.intercom.by_hand.create_contact(
        role="user", external_id="somebody-else", email="ada@example.com"
    )
    world.intercom.by_hand.archive_contact(there)
    world.intercom.set(equal_email="always")
    ada = world.given_user(email="ada@example.com", created_at=OLD)

    synced = world.sync(ada)

    assert synced[ada].left_out == ("email",)
    assert [c["external_id"] for c in world.intercom.contacts()] == [str(ada)]


def test_a_deleted_contact_that_still_holds_the_identity_is_waited_for(world: World) -> None:
    ada = world.given_user(email="ada@example.com", created_at=OLD)
    there = world.intercom.by_hand.create_contact(role="user", external_id=str(ada))
    world.intercom.by_hand.delete_contact(there)

    synced = world.sync(ada)

    assert synced[ada].status is Status.PARKED
    assert "deleted in Intercom" in (synced[ada].problem or "")
    assert world.sync_due().outcomes == {}


def test_a_contact_archived_by_hand_comes_back_with_the_users_next_change(world: World) -> None:
    ada = world.given_user(email="ada@example.com", created_at=OLD)
    world.sync(ada)
    first = world.contact(ada)["id"]
    world.intercom.by_hand.archive_contact(first)
    world.update_user(ada, name="Ada Lovelace")

    world.sync(ada)

    assert world.contact(ada)["id"] == first
    assert world.contact(ada)["name"] == "Ada Lovelace"
    assert world.sync(ada).calls == []


def test_what_the_app_cleared_stays_cleared_when_its_contact_comes_back_from_the_archive(
    world: World,
) -> None:
    """What both sides agreed on is not forgotten with an id that only seemed to lead nowhere."""
    ada = world.given_user(email="ada@example.com", phone_number="+14155550108", created_at=OLD)
    world.sync(ada)
    world.intercom.by_hand.archive_contact(world.contact(ada)["id"])
    world.update_user(ada, phone_number=None)

    world.sync(ada)

    assert world.app_user(ada)["phone_number"] is None
    assert world.contact(ada)["phone"] is None
    assert world.sync(ada).calls == []


def test_what_the_app_cleared_stays_cleared_when_an_archived_contact_comes_back(
    world: World,
) -> None:
    """It is the contact that we knew: what both sides agreed on is still known."""
    ada = world.given_user(email="ada@example.com", phone_number="+44 1", created_at=OLD)
    world.sync(ada)
    world.intercom.by_hand.archive_contact(world.contact(ada)["id"])
    world.update_user(ada, phone_number=None)

    world.sync(ada)

    assert world.app_user(ada)["phone_number"] is None
    assert world.contact(ada)["phone"] is None
    assert world.sync(ada).calls == []


def test_a_contact_that_lost_its_external_id_to_another_one_is_left_to_it(world: World) -> None:
    """Stripped by hand; then the Messenger made a contact for the user."""
    ada = world.given_user(email="ada@example.com", name="Ada L.", created_at=OLD)
    world.sync(ada)
    stripped = world.contact(ada)["id"]
    world.intercom.by_hand.edit_contact(stripped, external_id=None)
    made = world.intercom.by_hand.create_contact(role="user", external_id=str(ada))
    world.services.store.queue.enqueue(QueueKind.USER, [str(ada)], needs_read=True)

    world.sync_due()
    world.sync(ada, by_hand=True)

    assert world.contact(ada)["id"] == made
    assert world.contact(ada)["name"] == "Ada L."
    assert world.intercom.contact(id=stripped) is not None
    assert world.app_user(ada)["metadata"]["intercom_user_id"] == made
    assert world.sync(ada).calls == []


def test_a_contact_without_external_id_becomes_one_users_of_two_with_its_email(
    world: World,
) -> None:
    """Both are new, and Intercom names the same contact to both."""
    there = world.intercom.by_hand.create_contact(role="user", email="shared@example.com")
    one = world.given_user(email="shared@example.com", name="One", created_at=OLD)
    two = world.given_user(email="shared@example.com", name="Two", created_at=OLD)

    first = world.sync(one, two)
    world.sync(one, two, by_hand=True)

    assert first[one].status is Status.CHANGED
    assert (world.contact(one)["id"], world.contact(one)["name"]) == (there, "One")
    assert world.contact(two)["name"] == "Two"
    assert world.sync(one, two).calls == []


def test_a_contact_that_lost_its_external_id_is_still_its_users_and_nobody_elses(
    world: World,
) -> None:
    """Intercom names it to a new user of the same address, who must not get it."""
    ada = world.given_user(email="shared@example.com", name="Ada L.", created_at=OLD)
    world.sync(ada)
    contact = world.contact(ada)["id"]
    world.intercom.by_hand.edit_contact(contact, external_id=None)
    bob = world.given_user(email="shared@example.com", name="Bob", created_at=OLD)

    synced = world.sync(bob)

    assert synced[bob].status is Status.RETRY
    assert f"linked to user {ada}" in (synced[bob].problem or "")
    held = world.intercom.contact(id=contact)
    assert held is not None
    assert (held["external_id"], held["name"]) == (None, "Ada L.")
    world.services.store.queue.enqueue(QueueKind.USER, [str(ada)], needs_read=True)
    world.sync(ada)
    world.sync(bob, by_hand=True)
    assert world.contact(ada)["id"] == contact
    assert world.contact(bob)["name"] == "Bob"
    assert world.sync(ada, bob).calls == []


@pytest.mark.parametrize("seen_gone", [True, False])
def test_an_id_that_is_used_again_keeps_its_contact_and_gets_to_know_it(
    world: World, seen_gone: bool
) -> None:
    """A row restored, or another person under the same id: the new row wants Intercom's id too."""
    ada = world.given_user(email="ada@example.com", name="Ada", created_at=OLD)
    team = world.given_team(domain="one.example", created_at=OLD)
    world.sync(ada)
    world.sync_teams(team)
    contact, company = world.contact(ada)["id"], world.intercom.company(company_id=str(team))
    world.delete_user(ada)
    world.delete_team(team)
    if seen_gone:
        world.sync(ada)
        world.sync_teams(team)
    later = OLD if seen_gone else OLD + timedelta(days=3)
    world.given_user(id=ada, email="bob@example.com", name=None, created_at=later)
    world.given_team(id=team, domain="two.example", created_at=later)

    world.sync(ada)
    world.sync_teams(team)

    there = world.contact(ada)
    assert (there["id"], there["email"], there["name"]) == (contact, "bob@example.com", None)
    assert there["custom_attributes"]["deleted"] is False
    assert world.app_user(ada)["metadata"]["intercom_user_id"] == contact
    row = builders.read_row(world.url, "teams", team)
    assert row is not None
    assert company is not None
    assert row["metadata"]["intercom_company_id"] == company["id"]
    assert world.sync(ada).calls == world.sync_teams(team).calls == []


def test_a_contact_archived_by_hand_is_not_read_twice(world: World) -> None:
    ada = world.given_user(email="ada@example.com", created_at=OLD)
    world.sync(ada)
    contact = world.contact(ada)["id"]
    world.intercom.by_hand.archive_contact(contact)
    world.services.store.queue.enqueue(QueueKind.USER, [str(ada)], needs_read=True)

    calls = world.sync_due().calls

    one = f"/contacts/{contact}"
    assert calls == [f"GET {one}", "POST /contacts", f"POST {one}/unarchive", f"GET {one}"]


def test_a_contact_merged_away_by_hand_is_followed(world: World) -> None:
    ada = world.given_user(email="ada@example.com", name="Ada L.", created_at=OLD)
    world.sync(ada)
    into = world.intercom.by_hand.create_contact(role="user", email="ada2@example.com")
    _merge_users(world, world.contact(ada)["id"], into)
    world.update_user(ada, name="Ada Lovelace")

    world.sync(ada)

    assert world.contact(ada)["id"] == into
    assert world.sync(ada).calls == []


def _merge_users(world: World, gone: str, into: str) -> None:
    """Intercom is beginning to merge users by hand; its stable API cannot, so the row is set."""
    contact = world.intercom.world.contacts[gone]
    merged = contact._replace(state=State.MERGED, merged_into=into, external_id=None)
    world.intercom.world.commit_contact(merged)


def test_a_contact_merged_into_another_users_is_not_followed(world: World) -> None:
    ada = world.given_user(email="ada@example.com", name="Ada L.", created_at=OLD)
    bob = world.given_user(email="bob@example.com", name="Bob", created_at=OLD)
    world.sync(ada, bob)
    _merge_users(world, world.contact(ada)["id"], world.contact(bob)["id"])
    world.update_user(ada, name="Ada Lovelace")

    synced = world.sync(ada)

    assert synced[ada].status is Status.PARKED
    assert world.contact(bob)["name"] == "Bob"
    [parked] = world.services.store.queue.parked()
    survivor = world.contact(bob)["id"]
    assert parked.error is not None
    assert parked.error.message == (
        f"its contact was merged by hand into contact {survivor}, user {bob}'s"
    )


@pytest.mark.parametrize("equal_email", ["unless_both_have_external_ids", "always"])
def test_with_separate_who_was_merged_into_anothers_gets_a_contact_of_their_own(
    worlds: Worlds, equal_email: str
) -> None:
    """With its own values only; and the other's contact is not written to."""
    world = worlds(merged_users="separate")
    world.intercom.set(equal_email=equal_email)
    ada = world.given_user(email="ada@example.com", name="Ada L.", created_at=OLD)
    bob = world.given_user(email="bob@example.com", name="Bob", created_at=OLD)
    world.sync(ada, bob)
    gone, survivor = world.contact(ada)["id"], world.contact(bob)
    _merge_users(world, gone, survivor["id"])
    world.update_user(ada, name="Ada Lovelace")

    synced = world.sync(ada)

    own = world.contact(ada)
    assert synced[ada].status is Status.CHANGED
    assert own["id"] not in (gone, survivor["id"])
    assert (own["name"], own["email"]) == ("Ada Lovelace", "ada@example.com")
    assert world.contact(bob) == survivor
    let_go = [row.entry for row in world.journal(ada) if row.entry.action is Action.CONTACT_LET_GO]
    assert [entry.old for entry in let_go] == [gone]
    assert let_go[0].why.endswith(f"user {bob}'s; it gets one of its own")
    assert world.settles(ada, bob)


@pytest.mark.parametrize(
    ("policy", "action", "calls"),
    [("park", PlannedAction.PARK, 0), ("separate", PlannedAction.CREATE, 1)],
)
def test_a_plan_says_what_becomes_of_who_was_merged_into_anothers(
    worlds: Worlds, policy: str, action: PlannedAction, calls: int
) -> None:
    world = worlds(merged_users=policy)
    ada = world.given_user(email="ada@example.com", created_at=OLD)
    bob = world.given_user(email="bob@example.com", created_at=OLD)
    world.sync(ada, bob)
    _merge_users(world, world.contact(ada)["id"], world.contact(bob)["id"])

    with previewing(world.services, [str(ada)], ask=True) as seen:
        [planned] = plan_users(seen.services, [str(ada)], contacts_now=seen.contacts_now)

    assert (planned.action, planned.calls) == (action, calls)
    survivor = world.contact(bob)["id"]
    parked = f"its contact was merged by hand into contact {survivor}, user {bob}'s"
    assert planned.problem == (parked if policy == "park" else None)
    outcome = world.look(ada)[ada]
    assert (outcome.status is Status.PARKED) is (policy == "park")


def test_a_contact_merged_into_one_that_was_deleted_since_is_made_anew(world: World) -> None:
    """Found by a walk: the user was tried eight times, and parked."""
    ada = world.given_user(email="ada@example.com", name="Ada L.", created_at=OLD)
    world.sync(ada)
    into = world.intercom.by_hand.create_contact(role="user", email="ada2@example.com")
    _merge_users(world, world.contact(ada)["id"], into)
    world.intercom.by_hand.delete_contact(into)
    world.update_user(ada, name="Ada Lovelace")

    synced = world.sync(ada)

    assert synced[ada].status is Status.CHANGED
    assert world.contact(ada)["name"] == "Ada Lovelace"
    assert world.sync(ada).calls == []


def test_a_contact_merged_and_merged_again_is_followed_to_the_end(world: World) -> None:
    ada = world.given_user(email="ada@example.com", name="Ada L.", created_at=OLD)
    world.sync(ada)
    second, last = (
        world.intercom.by_hand.create_contact(role="user", email=f"ada{n}@example.com")
        for n in (2, 3)
    )
    _merge_users(world, world.contact(ada)["id"], second)
    _merge_users(world, second, last)
    world.update_user(ada, name="Ada Lovelace")

    world.sync(ada)

    assert world.contact(ada)["id"] == last
    assert world.sync(ada).calls == []


def test_contacts_merged_in_a_circle_stop_nobody(world: World) -> None:
    """Nobody can do that in Intercom; a pass must end all the same, so it is made anew."""
    ada = world.given_user(email="ada@example.com", created_at=OLD)
    world.sync(ada)
    contact = world.contact(ada)["id"]
    into = world.intercom.by_hand.create_contact(role="user", email="ada2@example.com")
    _merge_users(world, contact, into)
    _merge_users(world, into, contact)
    world.update_user(ada, name="Ada Lovelace")

    world.sync(ada)

    assert world.contact(ada)["name"] == "Ada Lovelace"
    assert world.sync(ada).calls == []


def test_a_changed_email_updates_the_same_contact(world: World) -> None:
    ada = world.given_user(email="ada@example.com", created_at=OLD)
    world.sync(ada)
    before = world.contact(ada)["id"]
    world.update_user(ada, email="lovelace@example.com")

    synced = world.sync(ada)

    assert len(synced.calls) == 1
    assert world.contact(ada)["id"] == before
    assert world.contact(ada)["email"] == "lovelace@example.com"


def test_two_users_with_one_email_are_two_contacts(world: World) -> None:
    one = world.given_user(email="shared@example.com", created_at=OLD)
    two = world.given_user(email="shared@example.com", created_at=OLD)

    world.sync(one, two)

    assert world.contact(one)["id"] != world.contact(two)["id"]
    assert world.sync(one, two).calls == []


def test_a_contact_that_lost_its_external_id_gets_it_again(world: World) -> None:
    ada = world.given_user(email="ada@example.com", created_at=OLD)
    world.sync(ada)
    contact = world.contact(ada)["id"]
    world.intercom.by_hand.edit_contact(contact, external_id=None)
    world.services.store.queue.enqueue(QueueKind.USER, [str(ada)], needs_read=True)

    world.sync_due()

    assert world.contact(ada)["id"] == contact
    assert world.sync(ada).calls == []


def test_a_user_deleted_before_intercom_ever_knew_it_is_not_created(world: World) -> None:
    ada = world.given_user(deleted_at=OLD)

    synced = world.sync(ada)

    assert world.intercom.contacts() == []
    assert synced.writes == [] or all("data_attributes" in call for call in synced.writes)
    assert world.sync(ada).calls == []


@pytest.mark.parametrize("leave", ["deleted_at", "row"])
@pytest.mark.parametrize("taken", ["external id", "merged"])
def test_a_gone_user_lets_go_of_a_contact_that_is_somebody_elses_by_now(
    world: World, taken: str, leave: str
) -> None:
    """Found by a walk: it stayed linked, and every pass read it again."""
    ada = world.given_user(email="ada@example.com", created_at=OLD)
    bob = world.given_user(email="bob@example.com", created_at=OLD)
    world.sync(ada, bob)
    contact = world.contact(ada)["id"]
    if taken == "merged":
        _merge_users(world, contact, world.contact(bob)["id"])
    else:
        world.intercom.by_hand.edit_contact(contact, external_id="of somebody else")
    world.services.store.queue.enqueue(QueueKind.USER, [str(ada)], needs_read=True)
    if taken == "merged":
        assert world.sync_due()[ada].status is Status.PARKED
    theirs = world.intercom.contacts()
    if leave == "row":
        world.delete_user(ada)
    else:
        world.update_user(ada, deleted_at=OLD)

    synced = world.sync(ada)

    assert synced[ada].status is not Status.PARKED
    assert world.intercom.contacts() == theirs
    assert world.services.store.queue.parked() == []
    assert world.sync(ada).calls == []


def test_a_contact_that_turns_up_for_a_user_who_had_left_is_marked(world: World) -> None:
    """Found by a walk: somebody who is still logged in opens the Messenger."""
    ada = world.given_user(email="ada@example.com", deleted_at=OLD, created_at=OLD)
    feed_from_intercom(world.services)
    world.sync(ada)
    world.intercom.by_hand.create_contact(role="user", external_id=str(ada), phone="+44 9")

    fed = feed_from_intercom(world.services)
    world.sync_due()

    assert fed.users == 1
    assert world.contact(ada)["custom_attributes"]["deleted"] is True
    assert world.contact(ada)["email"] == "ada@example.com"
    assert world.sync(ada).calls == []
    assert feed_from_intercom(world.services).users == 0


def test_a_contact_of_nobodys_wakes_nobody(world: World) -> None:
    feed_from_intercom(world.services)
    world.sync(404)
    world.intercom.by_hand.create_contact(role="user", external_id="405")

    assert feed_from_intercom(world.services).users == 0


def test_a_user_that_comes_back_is_unmarked(world: World) -> None:
    ada = world.given_user()
    world.sync(ada)
    world.update_user(ada, deleted_at=OLD)
    world.sync(ada)
    assert world.contact(ada)["custom_attributes"]["deleted"] is True

    world.update_user(ada, deleted_at=None)
    world.sync(ada)

    assert world.contact(ada)["custom_attributes"]["deleted"] is False
    assert world.sync(ada).calls == []
