"""Weaknesses 33 to 40 of the replaced job: what it cost, and what it told."""

from asyncio import BaseTransport

import pytest

from intercom_assets.intercom.client import IntercomClient
from intercom_assets.simulator.connection import Connection
from intercom_assets.simulator.server import serving
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.feeders.app_changes import feed_from_app
from intercom_assets.sync.feeders.sweep import sweep_teams, sweep_users
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld
from intercom_assets_tests.sync.world import TOKEN


def _a_small_company(world: SyncWorld, users: int = 6, teams: int = 2) -> list[int]:
    """Users, each in every team."""
    people = [world.given_user(email=f"u{n}@example.com") for n in range(users)]
    for number in range(teams):
        team = world.given_team(domain=f"t{number}.example")
        for person in people:
            world.joins(person, team)
    return people


def test_a_pass_over_what_did_not_change_makes_no_call_and_no_write(played: SyncWorld) -> None:
    """Weakness 33: 667 of 667 writes of an unchanged pass changed nothing."""
    users = _a_small_company(played)
    played.run_all_due()
    before = [played.app_user(user) for user in users]
    feed_from_app(played.services)

    by_name, swept = played.sync(*users), sweep_users(played.services)

    assert by_name.calls == []
    assert swept.queued == sweep_teams(played.services).queued == 0
    assert [played.app_user(user) for user in users] == before
    assert played.services.app.read_log(10) == []


def test_a_first_sync_costs_one_call_for_each_user_team_and_membership(played: SyncWorld) -> None:
    """Weaknesses 34 to 36: find, create and save for each user; two calls for each owned team."""
    _a_small_company(played, users=6, teams=2)

    played.run_all_due()

    calls = played.intercom.stats()["calls_by_endpoint"]
    assert calls["POST /contacts"] == 6
    assert calls["POST /companies"] == 2
    assert calls["POST /contacts/{id}/companies"] == 12
    reads = {"GET /data_attributes": 4, "GET /me": 1}
    assert {name: calls[name] for name in calls if name.startswith("GET")} == reads
    assert not {name for name in calls if name.startswith("PUT")}


def test_a_changed_user_costs_one_call(played: SyncWorld) -> None:
    users = _a_small_company(played)
    played.run_all_due()
    before = played.intercom.stats()["calls"]
    for user in users[:3]:
        played.update_user(user, plan="business", billing_period="month", name="Some Body")

    played.run_all_due()

    assert played.intercom.stats()["calls"] - before == 3


def test_ten_edits_of_one_user_are_one_call(played: SyncWorld) -> None:
    ada = played.given_user()
    played.run_all_due()
    before = played.intercom.stats()["calls"]
    for number in range(10):
        played.update_user(ada, name=f"Ada the {number}.")
        feed_from_app(played.services)

    played.run_all_due()

    assert played.intercom.stats()["calls"] - before == 1
    assert played.contact(ada)["name"] == "Ada the 9."


def test_connections_are_kept_over_calls(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weakness 37: a new connection, with TLS, for each call."""
    world = worlds(threads=2)
    connections: list[Connection] = []
    made = Connection.connection_made

    def made_and_kept(self: Connection, transport: BaseTransport) -> None:
        connections.append(self)
        made(self, transport)

    monkeypatch.setattr(Connection, "connection_made", made_and_kept)
    users = _a_small_company(world, users=10, teams=1)
    with serving(world.intercom) as url:
        client = IntercomClient(TOKEN, url, connections=2)
        real = Services(world.services.app, world.services.store, client)
        world.services, before = real, world.services
        world.sync(*users)
        world.services = before

    assert world.intercom.stats()["calls"] >= 20
    assert len(connections) <= 4


def test_threads_share_one_idea_of_the_rate_limit(worlds: Worlds) -> None:
    """Weakness 38: each thread found it out anew; 6 to 12 % wasted calls, and dying jobs."""
    world = worlds(threads=16)
    world.intercom.set(rate_limit_per_window=20)
    users = [world.given_user(email=f"u{n}@example.com") for n in range(50)]

    synced = world.sync(*users)

    assert {(o.status, o.problem) for o in synced.outcomes.values()} == {(Status.CHANGED, None)}
    stats = world.intercom.stats()
    assert stats["rate_limited"] <= 3
    assert len(world.intercom.contacts()) == 50


def test_a_run_tells_what_it_did_to_whom_and_what_it_cost(played: SyncWorld) -> None:
    """Weakness 39: a run that does nothing looked like one that does everything."""
    ada, bob = played.given_user(email="a@example.com"), played.given_user(email="b@example.com")
    refusal = {"kind": "error", "endpoint": "POST /contacts", "status": 403, "code": "no"}
    played.intercom.set(faults=[refusal])

    first = played.totals(played.sync(ada, bob))
    [failed] = first.failing
    second = played.totals(played.sync({str(ada): bob, str(bob): ada}[failed.key]))

    assert first.statuses == {Status.CHANGED: 1, Status.RETRY: 1}
    assert first.fields["email"] == 1
    assert first.calls >= 2
    assert second.statuses == {Status.UNCHANGED: 1}
    assert second.calls == 0


def test_the_journal_tells_what_was_written_where_and_why(played: SyncWorld) -> None:
    """Weakness 39: one poor log line."""
    ada = played.given_user(plan="free")
    played.sync(ada)
    played.update_user(ada, plan="team")

    played.sync(ada)

    last = played.journal(ada)[-1]
    assert (last.entry.field, last.entry.old, last.entry.new) == (
        "subscription_plan",
        "free",
        "team",
    )
    assert last.entry.why == "the app owns it"
    assert last.entry.request_id
    assert last.run_id == "test-run-2"


def test_every_call_names_the_version_of_the_api_that_it_was_written_for(played: SyncWorld) -> None:
    """Weakness 40: what `contacts` means changed under the job with the next gem."""
    _a_small_company(played, users=2, teams=1)

    played.run_all_due()

    assert {headers["Intercom-Version"] for headers in played.wire.headers} == {"2.16"}


def test_an_archived_attribute_costs_an_unchanged_user_no_call(played: SyncWorld) -> None:
    """Also when the list of attributes is a day old, and nobody knows which may be written."""
    ada, bob = played.given_user(plan="team"), played.given_user(plan="team")
    played.sync(ada, bob)
    played.intercom.by_hand.archive_attribute("subscription_plan")
    played.update_user(ada, plan="business")
    played.update_user(bob, plan="business")
    played.run_all_due()
    played.times.later += 25 * 3600

    calls = played.sync(ada, bob).calls

    assert [c for c in calls if "data_attributes" not in c and c != "GET /me"] == []
