"""Large batches by Intercom's bulk endpoints: who goes by them, what is proven, what goes alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from intercom_assets.domain.vocabulary import Action, QueueKind
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.context.probed import Probed, write_probed
from intercom_assets.sync.engine import bulk_users
from intercom_assets.sync.operator.erase import AtWork, erase_user
from intercom_assets.sync.operator.undo.engine import undo
from intercom_assets.sync.operator.undo.steps import StepState
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.small_bulk import (
    OLD,
    SMALL,
    KilledError,
    die,
    given_users,
    killed_at,
    kinds,
    sizes_of_bulk,
)
from intercom_assets_tests.sync.sync_world import SyncWorld
from intercom_assets_tests.sync.world import Synced


@pytest.fixture(autouse=True)
def small_batches_are_large() -> Iterator[None]:
    with sizes_of_bulk(SMALL):
        yield


@pytest.fixture
def world(worlds: Worlds) -> SyncWorld:
    return worlds(bulk="preview")


def writes(synced: Synced) -> dict[str, int]:
    found = kinds(synced)
    return {call: n for call, n in found.items() if not call.startswith("GET")}


def entries(world: SyncWorld, user: int, kind: QueueKind = QueueKind.USER) -> list[tuple[Any, ...]]:
    return sorted(
        (e.action, e.field or "", str(e.old), str(e.new), e.policy or "", str(e.base))
        for e in (row.entry for row in world.journal(user, kind))
    )


# --- new users ------------------------------------------------------------------------------------


def test_new_users_are_made_by_one_call_and_proven_by_one_search(world: SyncWorld) -> None:
    users = given_users(world, 7)

    synced = world.sync(*users)

    calls = kinds(synced)
    assert calls["POST /contacts/bulk"] == calls["GET /contacts/bulk/*"] == 1
    assert calls["POST /contacts"] == calls["GET /contacts/*"] == 0
    assert calls["POST /contacts/search"] == 2  # one waits for the index, one proves all
    assert all(synced[user].status is Status.CHANGED for user in users)
    assert [world.contact(user)["name"] for user in users] == [f"User {n}" for n in range(7)]
    assert world.sync(*users).calls == []
    assert world.settles(*users)


def test_what_is_remembered_of_them_is_what_the_single_way_leaves(worlds: Worlds) -> None:
    world = worlds(bulk="preview")
    team = world.given_team(domain="acme.example")
    alone = given_users(world, 1, plan="team")[0]
    world.joins(alone, team)
    world.sync(alone)
    many = [
        world.given_user(email=f"m{n}@example.com", name="User 0", created_at=OLD, plan="team")
        for n in range(3)
    ]
    for user in many:
        world.joins(user, team)

    world.sync(*many)

    def nameless(user: int) -> list[tuple[Any, ...]]:
        differ = {"email", "admin_link", "cobrowsing_link"}
        return [entry for entry in entries(world, user) if entry[1] not in differ]

    assert nameless(many[0]) == nameless(alone)
    one, other = world.link(alone), world.link(many[0])
    assert other.base.keys() == one.base.keys()
    assert other.in_flight == one.in_flight == {}
    assert other.edges.keys() == one.edges.keys() == {str(team)}
    assert other.edges[str(team)].state == one.edges[str(team)].state
    assert (other.needs_read, other.listed) == (False, False)
    assert world.app_user(many[0])["metadata"]["intercom_user_id"] == other.contact_id


def test_their_memberships_go_in_the_item(world: SyncWorld) -> None:
    teams = [world.given_team(domain=f"t{n}.example") for n in range(2)]
    users = given_users(world, 4)
    for user in users:
        for team in teams:
            world.joins(user, team)

    synced = world.sync(*users)

    assert kinds(synced)["POST /contacts/*/companies"] == 0
    assert all(world.teams_of(user) == {str(team) for team in teams} for user in users)
    assert len(world.intercom.companies()) == 2
    assert world.sync(*users).calls == []


def test_it_is_off_unless_it_is_asked_for_and_for_small_batches(worlds: Worlds) -> None:
    world = worlds()
    users = given_users(world, 4)
    assert kinds(world.sync(*users))["POST /contacts/bulk"] == 0

    world.remap(bulk="preview")
    few = [world.given_user(email=f"f{n}@example.com", created_at=OLD) for n in range(2)]

    assert kinds(world.sync(*few))["POST /contacts/bulk"] == 0


def test_a_few_changes_in_a_large_batch_wait_for_no_index(world: SyncWorld) -> None:
    users = given_users(world, 8)
    world.sync(*users)
    for user in users[:2]:
        world.update_user(user, plan="business")

    synced = world.sync(*users)

    assert kinds(synced) == {"PUT /contacts/*": 2}


def test_who_signed_up_lately_goes_alone_since_leads_are_looked_for(world: SyncWorld) -> None:
    users = given_users(world, 3)
    young = world.given_user(email="young@example.com", created_at=datetime.now(UTC))

    synced = world.sync(*users, young)

    assert kinds(synced)["POST /contacts/bulk"] == 1
    assert kinds(synced)["POST /contacts"] == 1
    assert synced[young].status is Status.CHANGED
    assert world.contact(young)["email"] == "young@example.com"


def test_who_left_before_is_not_made(world: SyncWorld) -> None:
    users = given_users(world, 3)
    left = world.given_user(email="left@example.com", created_at=OLD, deleted_at=OLD)
    gone = world.given_user(email="gone@example.com", created_at=OLD)
    world.delete_user(gone)

    world.sync(*users, left, gone)

    assert len(world.intercom.contacts()) == 3


def test_who_leaves_with_a_known_contact_is_marked_alone(world: SyncWorld) -> None:
    users = given_users(world, 4)
    world.sync(*users)
    for user in users:
        world.update_user(user, plan="business")
    world.update_user(users[0], deleted_at=OLD)

    world.sync(*users)

    assert world.contact(users[0])["custom_attributes"]["deleted"] is True
    assert world.settles(*users)


# --- what a job leaves out ------------------------------------------------------------------------


def test_who_is_refused_gets_the_answer_of_a_call_of_their_own(world: SyncWorld) -> None:
    """An e-mail that another user's contact has is left out, as ever, and shown."""
    taken = world.given_user(email="taken@example.com", created_at=OLD)
    world.sync(taken)
    users = given_users(world, 3)
    second = world.given_user(email="other@example.com", created_at=OLD)
    world.intercom.by_hand.edit_contact(str(taken), email="other@example.com")

    synced = world.sync(*users, second)

    assert all(synced[user].status is Status.CHANGED for user in users)
    assert kinds(synced)["POST /contacts"] >= 1
    assert world.contact(second)["external_id"] == str(second)


def test_an_archived_contact_with_the_same_id_is_brought_back(world: SyncWorld) -> None:
    users = given_users(world, 4)
    [contact] = world.intercom.seed([{"external_id": str(users[2]), "email": "u2@example.com"}])
    world.intercom.by_hand.archive_contact(contact)

    synced = world.sync(*users)

    assert world.contact(users[2])["id"] == contact
    assert all(synced[user].status is Status.CHANGED for user in users)
    assert world.sync(*users).calls == []


def test_what_a_job_lost_without_a_word_is_made_the_single_way(world: SyncWorld) -> None:
    world.intercom.set(bulk_lose_every=3)
    users = given_users(world, 9)

    synced = world.sync(*users)

    assert kinds(synced)["POST /contacts"] == 3
    assert sorted(world.contact(user)["name"] for user in users) == [f"User {n}" for n in range(9)]
    assert all(entry.count("created") == 1 for entry in (world.actions(u) for u in users))
    assert world.sync(*users).calls == []


# --- changes --------------------------------------------------------------------------------------


def test_one_attribute_of_everybody_is_one_call_a_hundred(world: SyncWorld) -> None:
    users = given_users(world, 6)
    world.sync(*users)
    for user in users:
        world.update_user(user, plan="business")

    synced = world.sync(*users)

    calls = kinds(synced)
    assert calls["PUT /contacts/bulk"] == 1
    assert calls["PUT /contacts/*"] == calls["GET /contacts/*"] == 0
    plans = {world.contact(user)["custom_attributes"]["subscription_plan"] for user in users}
    assert plans == {"business"}
    [last] = [entry for entry in entries(world, users[0]) if entry[3] == "business"]
    assert last[:2] == (Action.PUSHED, "subscription_plan")
    assert world.sync(*users).calls == []
    assert world.settles(*users)


def test_who_has_something_cleared_or_seen_goes_alone_in_the_same_batch(world: SyncWorld) -> None:
    users = given_users(world, 5, plan="team", billing_period="month")
    world.sync(*users)
    for user in users:
        world.update_user(user, plan="business")
    world.update_user(users[0], billing_period=None)
    world.update_user(users[1], last_request_at=datetime.now(UTC) - timedelta(hours=3))

    synced = world.sync(*users)

    assert kinds(synced)["PUT /contacts/bulk"] == 1
    assert 1 <= kinds(synced)["PUT /contacts/*"] <= 3
    assert "billing_period" not in {
        n for n, v in world.contact(users[0])["custom_attributes"].items() if v is not None
    }
    assert world.contact(users[1])["last_seen_at"] is not None
    assert world.settles(*users)


def test_memberships_of_known_users_begin_and_end_by_bulk(world: SyncWorld) -> None:
    team, other = (world.given_team(domain=f"t{n}.example") for n in range(2))
    users = given_users(world, 4)
    world.joins(users[3], other)
    world.sync(*users)
    world.sync_teams(team, other)
    for user in users:
        world.joins(user, team)
    world.leaves(users[3], other)

    synced = world.sync(*users)

    assert writes(synced) == {"PUT /contacts/bulk": 1, "POST /contacts/search": 2}
    assert all(world.teams_of(user) == {str(team)} for user in users)
    assert world.actions(users[3]).count(Action.DETACHED) == 1
    assert world.link(users[3]).edges.keys() == {str(team)}
    assert world.sync(*users).calls == []
    assert world.settles(*users)


def test_a_company_that_is_no_team_is_left_alone(worlds: Worlds) -> None:
    """Only `mirror` takes somebody out of it, and an item has no name for it."""
    world = worlds(bulk="preview", memberships="mirror")
    team = world.given_team(domain="t.example")
    users = given_users(world, 4)
    world.sync(*users)
    by_hand = world.intercom.by_hand.create_company("by hand")
    world.intercom.by_hand.attach_company(str(users[0]), by_hand)
    for user in users:
        world.joins(user, team)

    world.look(*users)

    assert all(world.teams_of(user) == {str(team)} for user in users)
    assert len(world.intercom.companies()) == 2
    assert world.settles(*users)


def given_users_who_left_their_team(world: SyncWorld) -> list[int]:
    team = world.given_team(domain="t.example")
    users = given_users(world, 4)
    for user in users:
        world.joins(user, team)
    world.sync(*users)
    for user in users:
        world.leaves(user, team)
    return users


def test_a_kill_while_a_team_is_left_by_bulk_is_cleared_up(world: SyncWorld) -> None:
    users = given_users_who_left_their_team(world)
    killed_at(world, "after", "PUT /contacts/bulk", *users)

    world.sync(*users)
    world.times.later += 700
    world.sync(*users)

    for user in users:
        assert world.teams_of(user) == set()
        assert world.actions(user).count(Action.DETACHED) == 1
        assert world.link(user).edges == {}
    assert world.sync(*users).calls == []


def test_who_a_job_did_not_take_out_is_taken_out_alone(world: SyncWorld) -> None:
    users = given_users_who_left_their_team(world)
    world.intercom.set(bulk_lose_every=2)

    synced = world.sync(*users)

    assert kinds(synced)["DELETE /contacts/*/companies/*"] == 2
    assert all(world.teams_of(user) == set() for user in users)
    assert all(world.actions(user).count(Action.DETACHED) == 1 for user in users)
    assert world.settles(*users)


def test_an_edit_in_intercom_is_not_lost_while_a_job_is_at_work(world: SyncWorld) -> None:
    """The index shows the job's work and not yet the edit: the next look has it."""
    users = given_users(world, 3)
    world.sync(*users)
    for user in users:
        world.update_user(user, plan="business")
    world.just_after(
        "GET /contacts/bulk/*",
        lambda: world.intercom.by_hand.edit_contact(str(users[0]), phone="+441632960001"),
    )

    world.sync(*users)
    world.look(*users)

    assert world.app_user(users[0])["phone_number"] == "+441632960001"
    assert world.settles(*users)


def test_what_the_app_changes_meanwhile_is_sent_too(world: SyncWorld) -> None:
    users = given_users(world, 3)
    world.just_after(
        "POST /contacts/bulk", lambda: world.update_user(users[1], name="Another Name")
    )

    world.sync(*users)
    world.sync(*users)

    assert world.contact(users[1])["name"] == "Another Name"
    assert world.settles(*users)


# --- the index, the limits, and what is not as documented -----------------------------------------


@pytest.mark.parametrize("lag", [20, 120])
def test_the_index_is_waited_for_as_long_as_it_takes(world: SyncWorld, lag: int) -> None:
    world.intercom.set(index_delay_s=lag)
    users = given_users(world, 6)
    before = world.times.skipped

    synced = world.sync(*users)

    assert kinds(synced)["GET /contacts/find_by_external_id/*"] == 1  # the one that is waited for
    assert kinds(synced)["POST /contacts"] == 0
    assert lag <= world.times.skipped - before <= lag + 15
    assert kinds(synced)["POST /contacts/search"] <= 28
    assert all(synced[user].status is Status.CHANGED for user in users)


def test_an_index_that_stands_still_is_not_waited_for_for_ever(world: SyncWorld) -> None:
    world.intercom.set(index_delay_s=100_000)
    users = given_users(world, 4)

    synced = world.sync(*users)

    assert kinds(synced)["POST /contacts"] == 0  # all are found by id, and none is made twice
    assert all(synced[user].status is Status.CHANGED for user in users)
    assert all(world.contact(user) for user in users)
    assert world.sync(*users).calls == []


def test_a_job_that_takes_its_time_is_waited_for(world: SyncWorld) -> None:
    world.intercom.set(bulk_job_delay_s=30)
    users = given_users(world, 4)

    synced = world.sync(*users)

    assert 2 <= kinds(synced)["GET /contacts/bulk/*"] <= 20
    assert kinds(synced)["POST /contacts"] == 0
    assert world.sync(*users).calls == []


def test_a_job_that_never_ends_writes_nothing_over_what_comes_later(world: SyncWorld) -> None:
    """Nothing is sent to its users before it is too old to be at work; then they go alone."""
    users = given_users(world, 3)
    world.sync(*users)
    world.intercom.set(bulk_job_delay_s=100_000)
    for user in users:
        world.update_user(user, plan="business")

    first = world.sync(*users)
    world.times.later += 700
    second = world.sync(*users)

    assert kinds(first)["PUT /contacts/*"] == kinds(first)["GET /contacts/*"] == 0
    assert all(first[user].status is Status.RETRY for user in users)
    assert all("may still be at work" in (first[user].problem or "") for user in users)
    assert all(second[user].status is Status.CHANGED for user in users)
    assert world.contact(users[0])["custom_attributes"]["subscription_plan"] == "business"


def test_the_number_of_items_is_what_intercom_says_it_is(world: SyncWorld) -> None:
    world.intercom.set(bulk_item_limit=4)
    users = given_users(world, 10)

    synced = world.sync(*users)

    assert kinds(synced)["POST /contacts/bulk"] == 1 + 3  # one that was refused
    assert kinds(synced)["POST /contacts"] == 0
    assert world.sync(*users).calls == []


def test_without_the_endpoint_each_goes_alone_after_one_sentence(
    world: SyncWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world.intercom.set(bulk_since="2.17")
    world.wire.refuses = lambda request, _body: request.endswith("/contacts/bulk")
    users = given_users(world, 5)

    synced = world.sync(*users)

    assert kinds(synced)["POST /contacts/bulk"] == 1
    assert kinds(synced)["POST /contacts"] == 5
    assert all(synced[user].status is Status.CHANGED for user in users)
    assert caplog.text.count("bulk is left out") == 1


@pytest.mark.parametrize("probed", [Probed(items_count_as_calls=True), Probed(bulk_offered=False)])
def test_what_a_probe_found_leaves_bulk_out(
    world: SyncWorld, caplog: pytest.LogCaptureFixture, probed: Probed
) -> None:
    write_probed(world.services.store, probed)
    users = given_users(world, 4)

    synced = world.sync(*users)

    assert kinds(synced)["POST /contacts"] == 4
    assert caplog.text.count("bulk is left out") == 1


# --- kills ----------------------------------------------------------------------------------------

POINTS = [
    ("before", "POST /contacts/bulk"),
    ("after", "POST /contacts/bulk"),
    ("before", "GET /contacts/bulk/*"),
    ("after", "GET /contacts/bulk/*"),
    ("before", "POST /contacts/search"),
    ("after", "POST /contacts/search"),
]


@pytest.mark.parametrize(("when", "request_"), POINTS)
@pytest.mark.parametrize("lag", [0, 60])
def test_a_kill_makes_nobody_twice_and_loses_nobody(
    world: SyncWorld, when: str, request_: str, lag: int
) -> None:
    world.intercom.set(index_delay_s=lag)
    team = world.given_team(domain="acme.example")
    users = given_users(world, 4)
    for user in users:
        world.joins(user, team)
    killed_at(world, when, request_, *users)

    synced = world.sync(*users)

    assert all(synced[user].status is Status.CHANGED for user in users)
    for user in users:
        assert world.contact(user)["email"]
        assert world.teams_of(user) == {str(team)}
        assert world.actions(user).count(Action.CREATED) == 1
        assert world.actions(user).count(Action.ATTACHED) == 1
    assert world.sync(*users).calls == []


@pytest.mark.parametrize(
    ("when", "request_"),
    [(w, r.replace("POST /contacts/bulk", "PUT /contacts/bulk")) for w, r in POINTS],
)
def test_a_kill_during_a_mass_change_loses_no_change(
    world: SyncWorld, when: str, request_: str
) -> None:
    users = given_users(world, 4)
    world.sync(*users)
    for user in users:
        world.update_user(user, plan="business")
    killed_at(world, when, request_, *users)

    world.sync(*users)
    world.times.later += 700
    world.sync(*users)

    for user in users:
        assert world.contact(user)["custom_attributes"]["subscription_plan"] == "business"
        pushed = [e for e in entries(world, user) if e[3] == "business"]
        assert [entry[0] for entry in pushed] == [Action.PUSHED]
    assert world.settles(*users)


def test_a_kill_before_the_record_is_cleared_up_without_a_read_each(world: SyncWorld) -> None:
    users = given_users(world, 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.services.store.records, "record_users", lambda *_a, **_k: die())
        with pytest.raises(KilledError):
            world.sync(*users)

    synced = world.sync(*users)

    assert kinds(synced) == {"POST /contacts/search": 1}
    assert all(world.actions(user).count(Action.CREATED) == 1 for user in users)


def test_nobody_is_erased_while_a_killed_runs_job_may_make_them_again(world: SyncWorld) -> None:
    users = given_users(world, 3)
    world.intercom.set(bulk_job_delay_s=120)
    killed_at(world, "after", "POST /contacts/bulk", *users)

    with pytest.raises(AtWork, match="run erase again in 10 minutes"):
        erase_user(world.services, str(users[0]))
    world.times.skipped += 700
    erase_user(world.services, str(users[0]))

    assert len(world.intercom.contacts()) == 2
    assert world.sync(*users)[users[0]].status is Status.ERASED


# --- undo -----------------------------------------------------------------------------------------


def test_a_mass_change_can_be_taken_back(world: SyncWorld) -> None:
    users = given_users(world, 3, plan="team")
    world.sync(*users)
    for user in users:
        world.update_user(user, plan="business")
    world.sync(*users)
    run = world.journal(users[0])[-1].run_id

    steps = [step for batch in undo(world.services, "undo", run) for step in batch]

    assert [step.state for step in steps] == [StepState.DONE] * 3
    assert world.contact(users[0])["custom_attributes"]["subscription_plan"] == "team"
    assert world.sync(*users).calls == []


# --- teams ----------------------------------------------------------------------------------------


@pytest.fixture
def members(world: SyncWorld) -> tuple[list[int], list[int]]:
    """Users and teams that Intercom does not know: eight users in eight teams, and all in one."""
    teams = [world.given_team(domain=f"t{n}.example") for n in range(9)]
    users = given_users(world, 8)
    for user, team in zip(users, teams, strict=False):
        world.joins(user, team)
        world.joins(user, teams[8])
    return users, teams


def test_companies_are_made_before_their_users_and_found_once_they_have_some(
    world: SyncWorld, members: tuple[list[int], list[int]]
) -> None:
    users, teams = members

    synced = world.sync(*users)

    calls = kinds(synced)
    assert calls["POST /companies/bulk"] == calls["GET /companies/bulk/*"] == 1
    assert calls["POST /companies"] == calls["POST /contacts/*/companies"] == 0
    assert calls["GET /companies"] == 1  # the one that the list is waited for with
    assert all(synced[user].status is Status.CHANGED for user in users)
    assert [world.company(team)["name"] for team in teams] == [f"t{n}.example" for n in range(9)]
    assert world.teams_of(users[3]) == {str(teams[3]), str(teams[8])}
    assert world.app_team(teams[0])["metadata"]["intercom_company_id"]
    assert world.actions(teams[0], QueueKind.TEAM).count(Action.CREATED) == 1
    assert world.actions(users[0]).count(Action.ATTACHED) == 2
    assert world.link(users[0]).edges.keys() == {str(teams[0]), str(teams[8])}
    assert world.sync(*users).calls == []
    assert world.sync_teams(*teams).calls == []
    assert world.settles(*users)


def test_companies_of_one_round_are_made_once_however_its_users_are_sent(
    worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_users, "AT_ONCE", 4)
    world = worlds(bulk="preview", chunk_size=2)
    teams = [world.given_team(domain=f"t{n}.example") for n in range(7)]
    users = given_users(world, 8)
    for user in users:
        for team in teams:
            world.joins(user, team)

    synced = world.sync(*users)

    assert kinds(synced)["POST /companies/bulk"] == 1
    assert kinds(synced)["POST /contacts"] == kinds(synced)["POST /contacts/*/companies"] == 0
    assert all(len(world.teams_of(user)) == 7 for user in users)
    assert world.sync(*users).calls == []


def test_no_attach_makes_a_company_that_a_job_did_not_make(
    world: SyncWorld, members: tuple[list[int], list[int]]
) -> None:
    users, teams = members
    world.intercom.set(bulk_lose_every=4)

    synced = world.sync(*users)

    assert all(synced[user].status is Status.CHANGED for user in users)
    assert [world.company(team)["name"] for team in teams] == [f"t{n}.example" for n in range(9)]
    assert len(world.intercom.companies()) == 9
    assert world.sync(*users).calls == []
    assert world.sync_teams(*teams).calls == []


@pytest.mark.parametrize("lag", [0, 60])
def test_companies_that_change_go_by_bulk_too(world: SyncWorld, lag: int) -> None:
    teams = [world.given_team(domain=f"t{n}.example") for n in range(4)]
    users = given_users(world, 4)
    for user, team in zip(users, teams, strict=True):
        world.joins(user, team)
    world.sync(*users)
    world.intercom.set(index_delay_s=lag)
    for team in teams:
        world.update_team(team, domain=f"new{team}.example")

    synced = world.sync_teams(*teams)

    assert writes(synced) == {"POST /companies/bulk": 1}
    assert {world.company(team)["name"] for team in teams} == {f"new{t}.example" for t in teams}
    assert world.sync_teams(*teams).calls == []


@pytest.mark.parametrize(
    ("when", "request_"),
    [
        ("before", "POST /companies/bulk"),
        ("after", "POST /companies/bulk"),
        ("after", "POST /contacts/bulk"),
        ("before", "GET /companies/scroll*"),
        ("after", "GET /companies/scroll*"),
    ],
)
def test_a_kill_makes_no_company_twice(
    world: SyncWorld, members: tuple[list[int], list[int]], when: str, request_: str
) -> None:
    users, teams = members
    killed_at(world, when, request_, *users)

    world.sync(*users)
    world.run("update intercom_sync.queue set due_at = now()")
    world.sync(*users)

    assert len(world.intercom.companies()) == 9
    for team in teams:
        assert world.actions(team, QueueKind.TEAM).count(Action.CREATED) == 1
    for user in users:
        assert world.contact(user)["email"]
        assert len(world.teams_of(user)) == 2
        assert world.actions(user).count(Action.CREATED) == 1
        assert world.actions(user).count(Action.ATTACHED) == 2
    assert world.sync(*users).calls == []
    assert world.sync_teams(*teams).calls == []
