"""Weaknesses 11 to 19 of the replaced job: who leaves, who owns, and leads that were missed."""

from datetime import UTC, datetime, timedelta

import pytest

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.simulator.records import State
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.feeders.intercom_changes import feed_from_intercom
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld

NOW = datetime.now(UTC).replace(microsecond=0)
OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)
SEARCH, MERGE = "POST /contacts/search", "POST /contacts/merge"


# --- deletes --------------------------------------------------------------------------------------


def test_deleted_users_and_teams_and_those_who_left_are_told_to_intercom(played: SyncWorld) -> None:
    """Weakness 11: `deleted` was only ever false."""
    ada, bob = played.given_user(email="a@example.com"), played.given_user(email="b@example.com")
    kept, gone = played.given_team(domain="kept.example"), played.given_team(domain="gone.example")
    for user in (ada, bob):
        played.joins(user, kept)
    played.run_all_due()

    played.delete_user(ada)
    played.leaves(bob, kept)
    played.delete_team(gone)
    played.run_all_due()

    assert played.contact(ada)["custom_attributes"]["deleted"] is True
    assert played.teams_of(bob) == set()
    assert played.company(gone)["custom_attributes"]["company_deleted"] is True
    assert played.company(kept)["custom_attributes"]["company_deleted"] is False


def test_a_gone_user_keeps_what_intercom_knows_of_it(played: SyncWorld) -> None:
    """Marked, and nothing else: history is what support teams keep a contact for."""
    ada = played.given_user(name="Ada Lovelace", phone_number="+44 1", plan="team")
    played.sync(ada)
    before = played.contact(ada)
    played.delete_user(ada)

    played.sync(ada)

    after = played.contact(ada)
    assert (after["name"], after["phone"]) == ("Ada Lovelace", "+441")
    assert after["custom_attributes"] == before["custom_attributes"] | {"deleted": True}


def test_on_delete_archive_archives_and_the_way_back_unarchives(worlds: Worlds) -> None:
    world = worlds(on_delete="archive")
    ada = world.given_user(name="Ada")
    world.sync(ada)
    before = world.contact(ada)["id"]

    world.update_user(ada, deleted_at=OLD)
    world.sync(ada)
    archived = world.intercom.contact(id=before)
    assert archived is not None
    assert archived["state"] == "archived"
    assert archived["custom_attributes"]["deleted"] is True
    assert world.sync(ada).calls == []

    world.update_user(ada, deleted_at=None, name="Ada Lovelace")
    world.sync(ada)
    assert world.contact(ada)["id"] == before
    assert world.contact(ada)["name"] == "Ada Lovelace"
    assert world.contact(ada)["custom_attributes"]["deleted"] is False
    assert world.settles(ada)


def test_an_archived_user_who_logs_in_again_is_not_archived_for_ever(worlds: Worlds) -> None:
    """At most once for each change of the app: Intercom brings a person back at a login."""
    world = worlds(on_delete="archive")
    ada = world.given_user()
    world.sync(ada)
    contact = world.contact(ada)["id"]
    world.update_user(ada, deleted_at=OLD)
    world.sync(ada)
    world.intercom.by_hand.unarchive_contact(contact)

    for _ in range(3):
        world.look(ada)

    assert world.contact(ada)["id"] == contact
    assert world.contact(ada)["custom_attributes"]["deleted"] is True
    assert world.sync(ada).calls == []


def _left_and_archived(world: SyncWorld) -> tuple[int, str]:
    """A user who left, and whose contact we archived."""
    ada = world.given_user(email="ada@example.com", name="Ada")
    world.sync(ada)
    contact = world.contact(ada)["id"]
    world.update_user(ada, deleted_at=OLD)
    world.sync(ada)
    return ada, contact


def test_a_user_whose_archived_contact_was_deleted_for_good_is_waited_for(worlds: Worlds) -> None:
    world = worlds(on_delete="archive", lease="30d")
    ada, contact = _left_and_archived(world)
    world.intercom.by_hand.delete_contact(contact)
    world.update_user(ada, deleted_at=None)

    synced = world.sync(ada)

    assert synced[ada].status is Status.PARKED
    assert "deleted in Intercom and still holds this identity" in (synced[ada].problem or "")
    world.times.sleep(8 * 86_400)
    assert world.sync(ada, by_hand=True)[ada].status is Status.CHANGED
    assert world.contact(ada)["name"] == "Ada"
    assert world.settles(ada)


def test_a_user_who_is_back_and_has_another_contact_by_now_gets_that_one(worlds: Worlds) -> None:
    """The Messenger made it while ours was archived; two live ones cannot hold one external id."""
    world = worlds(on_delete="archive")
    ada, _ = _left_and_archived(world)
    made = world.intercom.by_hand.create_contact(role="user", external_id=str(ada))
    world.update_user(ada, deleted_at=None)

    world.sync(ada)

    assert world.contact(ada)["id"] == made
    assert world.contact(ada)["name"] == "Ada"
    assert world.app_user(ada)["metadata"]["intercom_user_id"] == made
    assert world.settles(ada)


def test_a_user_who_is_back_and_whose_archived_contact_was_merged_follows_it(
    worlds: Worlds,
) -> None:
    world = worlds(on_delete="archive")
    ada, contact = _left_and_archived(world)
    into = world.intercom.by_hand.create_contact(role="user", email="ada2@example.com")
    merged = world.intercom.world.contacts[contact]._replace(
        state=State.MERGED, merged_into=into, external_id=None
    )
    world.intercom.world.commit_contact(merged)
    world.update_user(ada, deleted_at=None)

    world.sync(ada)

    assert world.contact(ada)["id"] == into
    assert world.settles(ada)


# --- owners ---------------------------------------------------------------------------------------


def test_a_team_with_a_silent_owner_is_synced_when_it_changes(played: SyncWorld) -> None:
    """Weakness 12."""
    ada = played.given_user()
    team = played.given_team(domain="one.example", owner_id=ada)
    played.run_all_due()

    played.update_team(team, monthly_spend=49)
    synced = played.sync_teams(team)

    assert played.company(team)["monthly_spend"] == 49
    assert synced.calls == ["POST /companies"]


def test_a_change_of_owner_is_seen_on_the_company_and_costs_one_call(played: SyncWorld) -> None:
    """Weakness 13: nothing marked the old owner, and two co-owners pushed a team twice."""
    ada, bob = played.given_user(email="a@example.com"), played.given_user(email="b@example.com")
    team = played.given_team(owner_id=ada)
    played.run_all_due()

    played.update_team(team, owner_id=bob)
    synced = played.sync_teams(team)

    assert synced.calls == ["POST /companies"]
    owner = played.company(team)["custom_attributes"]["owner_admin_link"]
    assert owner.endswith(f"/users/{bob}")


def test_a_team_without_an_owner_any_more_says_so(played: SyncWorld) -> None:
    ada = played.given_user()
    team = played.given_team(owner_id=ada)
    played.run_all_due()

    played.delete_user(ada)
    played.sync_teams(team)

    assert played.company(team)["custom_attributes"]["owner_admin_link"] is None


# --- leads ----------------------------------------------------------------------------------------


def _a_lead(world: SyncWorld, email: str = "ada@example.com") -> str:
    [lead] = world.intercom.seed([{"role": "lead", "email": email}])
    return lead


def _roles(world: SyncWorld) -> list[str]:
    return sorted(contact["role"] for contact in world.intercom.contacts())


def test_a_lead_is_merged_also_where_the_sync_was_away_for_longer_than_the_window(
    played: SyncWorld,
) -> None:
    """Weakness 14: the window is that of the change, not of the day we got round to it."""
    _a_lead(played)
    ada = played.given_user(email="ada@example.com", created_at=NOW - timedelta(hours=30))
    keys = [str(ada)]
    played.services.store.queue.enqueue(QueueKind.USER, keys)
    played.run(
        "update intercom_sync.queue"
        " set first_at = now() - interval '29 hours', due_at = now() - interval '29 hours'"
    )

    played.sync_due()

    assert _roles(played) == ["user"]


def test_a_lead_that_writes_in_later_within_the_window_is_merged(played: SyncWorld) -> None:
    """Weakness 14."""
    ada = played.given_user(email="ada@example.com", created_at=NOW)
    feed_from_intercom(played.services)
    played.run_all_due()
    played.intercom.by_hand.create_contact(role="lead", email="ada@example.com")

    feed_from_intercom(played.services)
    played.run_all_due()

    assert _roles(played) == ["user"]
    assert played.actions(ada).count("merged") == 1


def test_leads_are_searched_once_and_not_on_each_run_within_the_window(played: SyncWorld) -> None:
    """Weakness 16."""
    ada = played.given_user(email="ada@example.com", created_at=NOW)
    assert SEARCH in played.sync(ada).calls
    played.update_user(ada, plan="business")

    synced = played.sync(ada)

    assert synced[ada].changed == ("subscription_plan",)
    assert SEARCH not in synced.calls


@pytest.mark.parametrize("email", [None, "", "  "])
def test_a_user_without_email_never_asks_for_leads(played: SyncWorld, email: str | None) -> None:
    """Weakness 17: `/contacts?email=` may mean everybody's."""
    _a_lead(played, "stranger@example.com")
    ada = played.given_user(email=email, created_at=NOW)

    synced = played.sync(ada)

    assert not {SEARCH, MERGE} & set(synced.calls)
    assert _roles(played) == ["lead", "user"]


def test_leads_of_the_old_and_of_the_new_address_are_merged(played: SyncWorld) -> None:
    """Weakness 19: each address is searched while it is the user's."""
    _a_lead(played, "old@example.com")
    _a_lead(played, "new@example.com")
    ada = played.given_user(email="old@example.com", created_at=NOW)
    played.sync(ada)
    played.update_user(ada, email="new@example.com")

    played.sync(ada)

    assert _roles(played) == ["user"]
    assert played.contact(ada)["email"] == "new@example.com"


def test_a_deleted_user_looks_for_no_leads(played: SyncWorld) -> None:
    _a_lead(played)
    ada = played.given_user(email="ada@example.com", created_at=NOW, deleted_at=NOW)

    synced = played.sync(ada)

    assert synced[ada].status is not Status.PARKED
    assert SEARCH not in synced.calls
    assert _roles(played) == ["lead"]
