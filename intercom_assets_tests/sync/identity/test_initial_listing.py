"""The first sync onto a workspace that is not empty; and the audit that lists it later."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.intercom.errors import Unauthorized
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.engine.batch import prepare
from intercom_assets.sync.engine.chunk_source import Batch
from intercom_assets.sync.engine.initial_listing import is_due, list_workspace
from intercom_assets.sync.feeders.audit import audit
from intercom_assets_tests.sync.sync_world import SyncWorld
from intercom_assets_tests.sync.world import World

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)


def _forget_everything(world: World) -> None:
    """As after a change of the sync database: Intercom has everything, we remember nothing."""

    def work(cursor) -> None:  # type: ignore[no-untyped-def]
        for table in ("user_link", "team_link", "edge", "queue"):
            cursor.execute(f"delete from intercom_sync.{table}")

    world.services.store.pool.transact(work)


@pytest.fixture
def known(world: World) -> list[int]:
    """Ten users, two of them in a team, all of it in Intercom for long; our tables are empty."""
    users = [world.given_user(email=f"u{n}@example.com", created_at=OLD) for n in range(10)]
    team = world.given_team(domain="t.example")
    world.joins(users[0], team)
    world.joins(users[1], team)
    world.sync_teams(team)
    world.sync(*users)
    for contact in world.intercom.contacts():
        long_ago = int((datetime.now(UTC) - timedelta(days=1)).timestamp())
        world.intercom.by_hand.edit_contact(contact["id"], updated_at=long_ago)
    _forget_everything(world)
    return users


def test_a_workspace_that_agrees_costs_only_its_listing(world: World, known: list[int]) -> None:
    list_workspace(world.services)

    synced = world.sync(*known)

    assert synced.calls == []
    assert world.sync(*known).calls == []


def test_where_everybody_is_paired_nothing_is_listed(world: World) -> None:
    user, team = world.given_user(), world.given_team(domain="t.example")
    world.sync_teams(team)
    world.sync(user)
    before = world.intercom.stats()["calls"]
    batches = [Batch(QueueKind.TEAM, keys=(str(team),)), Batch(QueueKind.USER, keys=(str(user),))]

    prepare(world.services, batches, listing=True)

    assert world.intercom.stats()["calls"] == before
    assert not is_due(world.services)


def test_the_app_gets_the_ids_of_what_was_listed(world: World, known: list[int]) -> None:
    for table in (sql.SQL("users"), sql.SQL("teams")):
        _run(world, sql.SQL("update {} set metadata = '{{}}'").format(table))
    list_workspace(world.services)
    [[team]] = _run(world, sql.SQL("select id from teams")) or []

    world.sync(*known)
    world.sync_teams(team)

    for user in known:
        metadata = world.app_user(user)["metadata"]
        assert metadata["intercom_user_id"] == world.contact(user)["id"]
    [[metadata]] = _run(world, sql.SQL("select metadata from teams")) or []
    company = world.intercom.company(company_id=str(team))
    assert company is not None
    assert metadata["intercom_company_id"] == company["id"]


def _run(world: World, statement: sql.SQL | sql.Composed) -> list[tuple[Any, ...]] | None:
    with psycopg.connect(world.url) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else None


def test_only_differences_are_sent(world: World, known: list[int]) -> None:
    list_workspace(world.services)
    world.update_user(known[3], name="Changed Meanwhile")

    synced = world.sync(*known)

    assert len(synced.calls) == 1
    assert world.contact(known[3])["name"] == "Changed Meanwhile"


def test_a_clearing_is_never_justified_by_a_listing(world: World, known: list[int]) -> None:
    """The app has no billing period; the listing shows one, and it may be minutes old."""
    contact = world.contact(known[3])["id"]
    custom = {"billing_period": "month"}
    world.intercom.by_hand.edit_contact(contact, custom_attributes=custom, updated_at=1)
    list_workspace(world.services)

    synced = world.sync(known[3])

    assert [call.split(" ")[0] for call in synced.calls] == ["GET", "PUT"]
    assert world.contact(known[3])["custom_attributes"]["billing_period"] is None


def test_a_contact_without_external_id_is_found_by_its_email(world: World) -> None:
    there = world.intercom.by_hand.create_contact(role="user", email="Ada@example.com")
    ada = world.given_user(email="ada@example.com", created_at=OLD)

    list_workspace(world.services)
    world.sync(ada)

    assert world.contact(ada)["id"] == there
    assert len(world.intercom.contacts()) == 1


def test_the_audit_finds_an_edit_that_no_search_showed(world: World) -> None:
    ada = world.given_user(name=None, created_at=OLD)
    world.sync(ada)
    world.intercom.by_hand.edit_contact(str(ada), name="Ada L.")

    audited = audit(world.services)
    world.sync_due()

    assert (audited.looked, audited.queued, audited.missing, audited.calls) == (1, 1, 0, 1)
    assert world.app_user(ada)["name"] == "Ada L."
    assert audit(world.services).queued == 0


def test_the_audit_finds_a_contact_that_was_archived_by_hand(world: World) -> None:
    ada = world.given_user(created_at=OLD)
    world.sync(ada)
    world.intercom.by_hand.archive_contact(str(ada))

    assert audit(world.services).missing == 1
    world.sync_due()

    assert world.contact(ada)["email"] == "someone@example.com"


# --- listings that fail ---------------------------------------------------------------------------

LISTINGS = ("GET /companies/scroll", "GET /contacts")


@pytest.mark.parametrize("endpoint", LISTINGS)
@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_a_listing_that_is_refused_stops_no_sync(
    played: SyncWorld, endpoint: str, status: int
) -> None:
    users = [played.given_user(email=f"u{n}@example.com") for n in range(3)]
    refusal = {"kind": "error", "endpoint": endpoint, "status": status, "code": "no_such_thing"}
    played.intercom.set(faults=[{**refusal, "count": None}])

    prepare(played.services, [_everybody(users)], listing=True)
    synced = played.sync(*users)

    assert {synced[user].status for user in users} == {Status.CHANGED}
    assert played.services.store.queue.parked() == []


@pytest.mark.parametrize("endpoint", LISTINGS)
@pytest.mark.parametrize("kind", ["lost_reply", "wrong_content_type", "error", "truncated_json"])
def test_a_listing_that_is_away_stops_no_sync_and_is_not_taken_for_complete(
    played: SyncWorld, endpoint: str, kind: str
) -> None:
    users = [played.given_user(email=f"u{n}@example.com") for n in range(3)]
    played.intercom.set(faults=[{"kind": kind, "endpoint": endpoint, "count": None}])

    prepare(played.services, [_everybody(users)], listing=True)

    assert not is_due(played.services), "not at once"
    played.intercom.reset("faults")
    played.times.later += 601
    assert is_due(played.services)
    list_workspace(played.services)
    assert not is_due(played.services)


def test_contacts_are_listed_also_where_companies_cannot_be(played: SyncWorld) -> None:
    ada = played.given_user(email="ada@example.com")
    played.intercom.by_hand.create_contact(role="user", external_id=str(ada), updated_at=1)
    forbidden = {"kind": "error", "endpoint": LISTINGS[0], "status": 403, "code": "forbidden"}
    played.intercom.set(faults=[{**forbidden, "count": None}])

    assert list_workspace(played.services) == (1, 0)


def test_a_refused_token_stops_the_listing_and_the_sync(played: SyncWorld) -> None:
    ada = played.given_user()
    played.intercom.set(faults=[{"kind": "error", "endpoint": LISTINGS[0], "status": 401}])

    with pytest.raises(Unauthorized):
        prepare(played.services, [_everybody([ada])], listing=True)


def _everybody(users: list[int]) -> Batch:
    return Batch(QueueKind.USER, keys=tuple(map(str, users)))
