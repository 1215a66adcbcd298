"""Tags of teams: from the app's array onto the company, and off again; what is not ours stays."""

from collections.abc import Sequence
from random import Random

import psycopg
import pytest

from intercom_assets.domain.echoes import company_differs
from intercom_assets.domain.models import Reason, TeamLink
from intercom_assets.domain.vocabulary import Action, Cause, QueueKind
from intercom_assets.mapping.problems import MappingError
from intercom_assets.simulator.company_documents import company_document
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.engine import bulk
from intercom_assets.sync.engine.plan import plan_teams
from intercom_assets.sync.feeders.sweep import sweep_teams
from intercom_assets.sync.operator.undo.engine import plan_undo, undo
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.recovery.test_found_done import killed_before_its_record
from intercom_assets_tests.sync.sync_world import Sql, SyncWorld
from intercom_assets_tests.sync.world import Synced

COLUMN = "    updated_at,                                 -- read, never sent\n"


def selecting(tags: str) -> Sql:
    return Sql(teams={COLUMN: f"{COLUMN}    {tags},\n"})


@pytest.fixture(autouse=True)
def _a_column_for_it(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("alter table teams add column tags text[]")


@pytest.fixture
def world(worlds: Worlds) -> SyncWorld:
    """Some team was synced already, which made the attributes."""
    world = worlds(selecting("tags"))
    world.sync_teams(world.given_team())
    return world


def tags_of(world: SyncWorld, team: int) -> set[str]:
    held = world.services.intercom.get_company(world.company(team)["id"]).tags
    assert held is not None
    return set(held)


def link(world: SyncWorld, team: int) -> TeamLink:
    return world.services.store.links.teams([str(team)])[str(team)]


def reread(world: SyncWorld, team: int) -> Synced:
    """A pass over a team whose company is said to have moved in Intercom."""
    world.services.store.queue.enqueue(
        QueueKind.TEAM, [str(team)], cause=Cause.WEBHOOK, needs_read=True
    )
    return world.sync_teams(team)


def settles(world: SyncWorld, *teams: int) -> bool:
    return all(
        reread(world, team).writes == [] and world.sync_teams(team).calls == [] for team in teams
    )


def kinds(calls: Sequence[str]) -> list[str]:
    """Without ids."""
    return [
        "GET company" if call.startswith("GET /companies") else call.partition("?")[0]
        for call in calls
    ]


def told(world: SyncWorld, team: int) -> list[tuple[str, object, object]]:
    rows = world.journal(team, QueueKind.TEAM)
    return [(r.entry.action, r.entry.old, r.entry.new) for r in rows if r.entry.field is None]


# --- on and off -----------------------------------------------------------------------------------


def test_each_tag_of_a_new_team_is_one_call_and_is_made_by_it(world: SyncWorld) -> None:
    one, two = world.given_team(tags=["VIP", "beta"]), world.given_team(tags=["vip"])

    first, second = world.sync_teams(one), world.sync_teams(two)

    assert kinds(first.calls) == ["POST /companies", "POST /tags", "POST /tags"]
    assert kinds(second.calls) == ["POST /companies", "POST /tags"]
    assert (tags_of(world, one), tags_of(world, two)) == ({"VIP", "beta"}, {"VIP"})
    assert world.sync_teams(one, two).calls == []
    assert settles(world, one, two)


def test_what_the_app_adds_and_drops_is_a_call_each_after_one_look(world: SyncWorld) -> None:
    team = world.given_team(tags=["a"])
    world.sync_teams(team)
    world.update_team(team, tags=["b"])

    synced = world.sync_teams(team)

    assert kinds(synced.calls) == ["GET company", "POST /tags", "POST /tags"]
    assert synced[team].status is Status.CHANGED
    assert tags_of(world, team) == {"b"}
    assert told(world, team)[-2:] == [(Action.UNTAGGED, "a", None), (Action.TAGGED, None, "b")]
    assert settles(world, team)


def test_a_team_that_changes_otherwise_too_needs_no_look(world: SyncWorld) -> None:
    team = world.given_team(domain="one.example", tags=["a"])
    world.sync_teams(team)
    world.update_team(team, domain="two.example", tags=["b"])

    assert kinds(world.sync_teams(team).calls) == ["POST /companies", "POST /tags", "POST /tags"]
    assert tags_of(world, team) == {"b"}
    assert settles(world, team)


@pytest.mark.parametrize("nothing", [None, []])
def test_an_array_that_is_empty_or_null_takes_ours_off(
    world: SyncWorld, nothing: list[str] | None
) -> None:
    team = world.given_team(tags=["a", "b"])
    world.sync_teams(team)
    world.update_team(team, tags=nothing)

    world.sync_teams(team)

    assert tags_of(world, team) == set()
    assert link(world, team).tags == {}
    assert settles(world, team)


def test_an_array_in_json_is_one_as_well(worlds: Worlds) -> None:
    world = worlds(selecting("to_jsonb(tags) as tags"))
    team = world.given_team(tags=["a", "b"])

    world.sync_teams(team)

    assert tags_of(world, team) == {"a", "b"}
    assert settles(world, team)


def test_users_and_teams_may_both_have_tags(worlds: Worlds, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("alter table users add column tags text[]")
    both = {COLUMN: f"{COLUMN}    tags,\n"}
    world = worlds(Sql(users=both, teams=both))
    team, ada = world.given_team(tags=["whale"]), world.given_user(tags=["whale"])
    world.joins(ada, team)

    world.sync(ada)

    [tag] = world.services.intercom.list_tags()
    carried = world.services.intercom.contact_tags(world.contact(ada)["id"])
    assert (tags_of(world, team), carried) == ({"whale"}, [tag])
    assert world.settles(ada)


# --- what is not ours -----------------------------------------------------------------------------


def test_a_tag_put_on_by_hand_stays_whatever_the_app_says(world: SyncWorld) -> None:
    team = world.given_team(tags=["ours"])
    world.sync_teams(team)
    world.intercom.by_hand.tag_company(str(team), "theirs")
    world.update_team(team, tags=[])

    world.sync_teams(team)

    assert tags_of(world, team) == {"theirs"}
    assert settles(world, team)


def test_one_that_was_there_before_the_app_wanted_it_stays_after_it_was_dropped(
    world: SyncWorld,
) -> None:
    """Nothing tells of it before: no search shows companies that somebody edited."""
    team = world.given_team(tags=[])
    world.sync_teams(team)
    world.intercom.by_hand.tag_company(str(team), "vip")
    world.update_team(team, tags=["VIP"])

    wanted = world.sync_teams(team)
    world.update_team(team, tags=[])
    dropped = world.sync_teams(team)

    assert (kinds(wanted.calls), dropped.calls) == (["GET company"], [])
    assert tags_of(world, team) == {"vip"}


def test_one_that_a_full_workspace_had_before_the_first_sync_stays(worlds: Worlds) -> None:
    world = worlds(selecting("tags"))
    team = world.given_team(tags=["vip"])
    world.intercom.by_hand.create_company(str(team), "Full")
    world.intercom.by_hand.tag_company(str(team), "Vip")

    world.sync_teams(team)
    world.update_team(team, tags=[])
    world.sync_teams(team)

    assert tags_of(world, team) == {"Vip"}


def test_one_of_ours_that_is_taken_off_by_hand_is_put_on_again(world: SyncWorld) -> None:
    team = world.given_team(tags=["vip"])
    world.sync_teams(team)
    world.intercom.by_hand.untag_company(str(team), "vip")

    assert kinds(reread(world, team).writes) == ["POST /tags"]
    assert tags_of(world, team) == {"vip"}
    assert settles(world, team)


def test_one_of_ours_that_was_taken_off_by_hand_before_the_app_dropped_it_is_no_write(
    world: SyncWorld,
) -> None:
    team = world.given_team(tags=["vip"])
    world.sync_teams(team)
    world.intercom.by_hand.untag_company(str(team), "vip")
    world.update_team(team, tags=[])

    assert world.sync_teams(team).writes == []
    assert link(world, team).tags == {}
    assert settles(world, team)


def test_one_of_ours_that_was_renamed_in_intercom_is_taken_off_by_its_new_name(
    world: SyncWorld,
) -> None:
    team = world.given_team(tags=["vip"])
    world.sync_teams(team)
    world.intercom.by_hand.rename_tag("vip", "Very Important")
    assert settles(world, team)
    world.update_team(team, tags=[])

    world.sync_teams(team)

    assert tags_of(world, team) == set()
    assert [tag.name for tag in world.services.intercom.list_tags()] == ["Very Important"]


def test_one_that_was_deleted_in_intercom_is_made_again_once(world: SyncWorld) -> None:
    teams = [world.given_team(tags=["vip"]) for _ in range(2)]
    world.sync_teams(*teams)
    world.intercom.by_hand.delete_tag("vip")

    for team in teams:
        assert kinds(reread(world, team).writes) == ["POST /tags"]

    assert [tag.name for tag in world.services.intercom.list_tags()] == ["vip"]
    assert settles(world, *teams)


def test_on_a_company_that_is_made_again_nothing_is_ours_but_what_is_put_on_anew(
    world: SyncWorld,
) -> None:
    team = world.given_team(tags=["a", "b"])
    world.sync_teams(team)
    old = link(world, team).company_id
    world.intercom.by_hand.delete_company(str(team))
    world.intercom.by_hand.create_company(str(team), "Anew")
    world.intercom.by_hand.tag_company(str(team), "a")
    world.update_team(team, tags=["a", "b", "c"])

    world.sync_teams(team)

    assert link(world, team).company_id != old
    assert tags_of(world, team) == {"a", "b", "c"}
    assert link(world, team).tags.keys() == {"b", "c"}
    assert settles(world, team)


# --- names ----------------------------------------------------------------------------------------


def test_names_are_trimmed_told_apart_without_case_and_wanted_once(world: SyncWorld) -> None:
    team = world.given_team(tags=[" VIP", "vip ", "Vip"])

    assert kinds(world.sync_teams(team).calls).count("POST /tags") == 1
    assert tags_of(world, team) == {"VIP"}
    world.update_team(team, tags=["vip"])
    assert world.sync_teams(team).calls == []


@pytest.mark.parametrize("odd", [["ok", " "], ["ok", "x" * 256], ["ok", None]])
def test_a_name_that_is_none_is_left_out_in_one_sentence(
    world: SyncWorld, odd: list[str | None]
) -> None:
    team = world.given_team(tags=odd)

    assert world.sync_teams(team)[team].left_out == ("tags",)
    assert tags_of(world, team) == {"ok"}
    left_out = link(world, team).left_out["tags"]
    assert left_out.reason is Reason.UNFIT
    assert "blank, no text or longer than 255" in left_out.why
    assert settles(world, team)


def test_json_that_is_no_array_says_nothing_and_takes_nothing_off(worlds: Worlds) -> None:
    column = "case when domain = 'odd' then '{}'::jsonb else to_jsonb(tags) end as tags"
    world = worlds(selecting(column))
    team = world.given_team(tags=["vip"])
    world.sync_teams(team)
    world.update_team(team, domain="odd")

    world.sync_teams(team)

    assert tags_of(world, team) == {"vip"}
    assert link(world, team).left_out["tags"].why == "tags is no array of texts"


@pytest.mark.parametrize("column", ["'a,b' as tags", "array[1, 2] as tags"])
def test_what_is_no_array_of_text_is_refused_by_type(worlds: Worlds, column: str) -> None:
    with pytest.raises(MappingError, match=r"teams\.sql: tags is .*allowed: an array of text"):
        worlds(selecting(column)).sync_teams()


def test_the_tag_that_asks_for_a_sync_of_a_user_is_one_like_others_of_a_team(
    worlds: Worlds,
) -> None:
    world = worlds(selecting("tags"), sync_now_tag="sync now")
    team = world.given_team(tags=["Sync Now"])

    world.sync_teams(team)

    assert tags_of(world, team) == {"Sync Now"}


# --- passes that end badly ------------------------------------------------------------------------


def test_what_a_killed_run_put_on_stays_ours_and_is_that_runs(world: SyncWorld) -> None:
    team = world.given_team(tags=[])
    world.sync_teams(team)
    world.update_team(team, tags=["vip"])
    with killed_before_its_record(world, "record_teams"):
        world.sync_teams(team)

    assert world.sync_teams(team).writes == []
    assert link(world, team).tags.keys() == {"vip"}
    rows = world.journal(team, QueueKind.TEAM)
    [entry] = [r for r in rows if r.entry.action is Action.TAGGED]
    assert (entry.run_id, entry.entry.new) == ("test-run-3", "vip")
    world.update_team(team, tags=[])
    world.sync_teams(team)
    assert tags_of(world, team) == set()


def test_what_a_killed_run_put_on_a_company_that_it_made_stays_ours(world: SyncWorld) -> None:
    team = world.given_team(domain="one.example", tags=["vip"])
    with killed_before_its_record(world, "record_teams"):
        world.sync_teams(team)

    assert world.sync_teams(team).writes == []
    assert {entry[0] for entry in told(world, team)} == {Action.CREATED, Action.TAGGED}
    world.update_team(team, tags=[])
    world.sync_teams(team)
    assert tags_of(world, team) == set()
    assert settles(world, team)


def test_what_a_killed_run_took_off_is_no_longer_ours(world: SyncWorld) -> None:
    team = world.given_team(tags=["vip"])
    world.sync_teams(team)
    world.update_team(team, tags=[])
    with killed_before_its_record(world, "record_teams"):
        world.sync_teams(team)

    assert world.sync_teams(team).writes == []
    assert link(world, team).tags == {}
    assert (Action.UNTAGGED, "vip", None) in told(world, team)
    world.intercom.by_hand.tag_company(str(team), "vip")
    assert settles(world, team)
    assert tags_of(world, team) == {"vip"}


def test_what_a_killed_run_did_not_reach_is_done_by_the_next(
    world: SyncWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = world.given_team(tags=[])
    world.sync_teams(team)
    world.update_team(team, tags=["a", "b"])
    with monkeypatch.context() as patch:
        patch.setattr("intercom_assets.sync.passes.teams.tag_calls._move", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            world.sync_teams(team)

    world.sync_teams(team)

    assert tags_of(world, team) == {"a", "b"}
    assert [entry[0] for entry in told(world, team)].count(Action.TAGGED) == 2
    assert settles(world, team)


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_call_whose_answer_is_lost_for_good_is_found_done(world: SyncWorld) -> None:
    team = world.given_team(tags=[])
    world.sync_teams(team)
    world.update_team(team, tags=["vip"])
    world.intercom.set(faults=[{"kind": "lost_reply", "endpoint": "POST /tags", "count": None}])
    assert world.sync_teams(team)[team].status is Status.RETRY
    world.intercom.reset("faults")

    assert world.sync_teams(team).writes == []
    assert link(world, team).tags.keys() == {"vip"}
    assert [entry[0] for entry in told(world, team)].count(Action.TAGGED) == 1
    world.update_team(team, tags=[])
    world.sync_teams(team)
    assert tags_of(world, team) == set()


def test_a_refused_tag_waits_and_all_else_of_the_team_goes_on(world: SyncWorld) -> None:
    refused = {"kind": "error", "status": 422, "code": "parameter_invalid", "count": None}
    world.intercom.set(faults=[{**refused, "endpoint": "POST /tags"}])
    team = world.given_team(domain="one.example", tags=["vip"])

    assert world.sync_teams(team)[team].status is Status.RETRY
    assert world.company(team)["name"] == "one.example"
    world.intercom.reset("faults")
    assert kinds(world.sync_teams(team).calls) == ["GET company", "POST /tags"]
    assert tags_of(world, team) == {"vip"}
    assert settles(world, team)


def test_a_company_whose_tags_are_not_told_has_none_taken_for_ours(
    world: SyncWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = world.given_team(tags=[])
    world.sync_teams(team)
    world.update_team(team, tags=["vip"])
    told = "intercom_assets.simulator.companies.company_document"
    with monkeypatch.context() as patch:
        patch.setattr(told, lambda *given: {**company_document(*given), "tags": None})
        synced = world.sync_teams(team)

    assert synced.writes == []
    problem = "Intercom does not tell which tags its company has"
    assert (synced[team].status, synced[team].problem) == (Status.RETRY, problem)
    world.sync_teams(team)
    assert tags_of(world, team) == {"vip"}


def test_a_company_that_cannot_be_read_waits_and_nothing_is_put_on(world: SyncWorld) -> None:
    team = world.given_team(tags=[])
    world.sync_teams(team)
    world.update_team(team, tags=["vip"])
    fault = {"kind": "error", "status": 503, "endpoint": "GET /companies/{id}", "count": None}
    world.intercom.set(faults=[fault])

    synced = world.sync_teams(team)

    assert (synced[team].status, synced.writes) == (Status.RETRY, [])
    world.intercom.reset("faults")
    world.sync_teams(team)
    assert link(world, team).tags.keys() == {"vip"}


# --- around it ------------------------------------------------------------------------------------


def test_nothing_is_done_with_a_team_that_leaves_and_all_again_when_it_is_back(
    worlds: Worlds, database: str
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("alter table teams add column deleted_at timestamptz")
    world = worlds(selecting("deleted_at, tags"))
    team = world.given_team(tags=["a"])
    world.sync_teams(team)
    world.update_team(team, deleted_at="2026-01-01", tags=["b"])
    assert kinds(world.sync_teams(team).writes) == ["POST /companies"]
    assert tags_of(world, team) == {"a"}
    world.update_team(team, deleted_at=None)

    world.sync_teams(team)

    assert tags_of(world, team) == {"b"}
    assert settles(world, team)


def test_a_mapping_that_selects_tags_from_now_on_looks_at_each_team_that_has_some(
    worlds: Worlds,
) -> None:
    """A company as an earlier version remembered it has no word of tags."""
    world = worlds()
    one, two = world.given_team(tags=["vip"]), world.given_team(tags=[])
    world.sync_teams(one, two)
    world.intercom.by_hand.tag_company(str(one), "vip")
    world.run("update intercom_sync.team_link set shadow = shadow - 'tags'")
    world.remap(selecting("tags"))

    synced = world.sync_teams(one, two)

    assert kinds(synced.calls) == ["GET company"]
    assert link(world, one).tags == {}
    assert settles(world, one, two)


def test_without_the_column_the_tags_stay_and_are_ours_again_when_it_is_back(
    world: SyncWorld,
) -> None:
    team = world.given_team(tags=["vip"])
    world.sync_teams(team)
    world.remap()

    [planned] = plan_teams(world.services, [str(team)])
    assert planned.left == ("tags",)
    assert world.sync_teams(team).writes == []
    assert tags_of(world, team) == {"vip"}
    world.remap(selecting("null::text[] as tags"))
    assert world.sync_teams(team)[team].status is Status.CHANGED
    assert tags_of(world, team) == set()


def test_a_plan_names_each_tag_and_counts_its_call(world: SyncWorld) -> None:
    team, new = world.given_team(tags=["a", "b"]), world.given_team(tags=["b"])
    world.sync_teams(team)
    world.update_team(team, tags=["b", "New"])

    planned, made = plan_teams(world.services, [str(team), str(new)])

    assert (planned.action, planned.tag, planned.untag) == ("update", ["New"], ("a",))
    assert (made.action, made.tag, made.untag) == ("create", ["b"], ())
    assert planned.calls == len(world.sync_teams(team).calls) == 3
    assert made.calls == len(world.sync_teams(new).calls) == 2
    [settled] = plan_teams(world.services, [str(team)])
    assert (settled.action, settled.calls) == ("none", 0)


def test_an_undo_takes_off_what_was_put_on_and_puts_back_what_was_taken_off(
    world: SyncWorld,
) -> None:
    team = world.given_team(tags=["a"])
    world.sync_teams(team)
    world.update_team(team, tags=["b"])
    world.sync_teams(team)
    run = world.journal(team, QueueKind.TEAM)[-1].run_id
    assert {step.state.value for step in plan_undo(world.services, run)} == {"due"}

    steps = [step for batch in undo(world.services, f"undo-{run}", run) for step in batch]

    assert sorted((step.what, step.state.value) for step in steps) == [
        ("a", "taken back"),
        ("b", "taken back"),
    ]
    assert tags_of(world, team) == {"a"}
    assert reread(world, team).writes == []
    world.update_team(team, tags=[])
    world.sync_teams(team)
    world.update_team(team, tags=["b"])
    world.sync_teams(team)
    assert tags_of(world, team) == {"a", "b"}


def test_an_undo_whose_tag_cannot_be_taken_off_says_so_and_may_be_repeated(
    world: SyncWorld,
) -> None:
    team = world.given_team(tags=[])
    world.sync_teams(team)
    world.update_team(team, tags=["b"])
    world.sync_teams(team)
    run = world.journal(team, QueueKind.TEAM)[-1].run_id
    fault = {"kind": "error", "status": 500, "code": "odd", "endpoint": "POST /tags", "count": None}
    world.intercom.set(faults=[fault])

    [[failed]] = undo(world.services, f"undo-{run}", run)
    world.intercom.reset("faults")
    [[done]] = undo(world.services, f"undo-{run}-again", run)

    assert (failed.state.value, done.state.value) == ("failed", "taken back")
    assert tags_of(world, team) == set()


def test_a_sweep_finds_no_team_that_is_in_step(world: SyncWorld) -> None:
    teams = [world.given_team(tags=tags) for tags in (None, [], ["vip"], [" "])]
    world.sync_teams(*teams)

    assert sweep_teams(world.services).queued == 0


def test_what_we_put_on_ourselves_is_no_news_and_what_is_taken_off_by_hand_is(
    world: SyncWorld,
) -> None:
    team = world.given_team(tags=["vip", "before"])
    world.intercom.by_hand.create_company(str(team), "Full")
    world.intercom.by_hand.tag_company(str(team), "before")
    world.sync_teams(team)
    fields, known = world.services.team_fields, link(world, team)

    def shown() -> bool:
        found = world.services.intercom.get_company(world.company(team)["id"])
        return company_differs(fields, found, known)

    assert not shown()
    world.intercom.by_hand.tag_company(str(team), "theirs")
    assert not shown()
    world.intercom.by_hand.untag_company(str(team), "before")
    assert shown()
    world.intercom.by_hand.tag_company(str(team), "before")
    world.intercom.by_hand.untag_company(str(team), "vip")
    assert shown()


def test_teams_with_tags_to_move_go_the_single_way(
    worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "LEAST_TEAMS", 3)
    world = worlds(selecting("tags"), bulk="preview")
    teams = [world.given_team(domain=f"{n}.example", tags=[]) for n in range(5)]
    for n, team in enumerate(teams):
        ada = world.given_user(email=f"u{n}@example.com")
        world.joins(ada, team)
        world.sync(ada)
    for n, team in enumerate(teams):
        world.update_team(team, domain=f"{n}.other", tags=["vip"] if n == 0 else [])

    synced = world.sync_teams(*teams)

    assert kinds(synced.writes).count("POST /companies") == 1
    assert kinds(synced.writes).count("POST /tags") == 1
    assert kinds(synced.writes).count("POST /companies/bulk") == 1
    assert tags_of(world, teams[0]) == {"vip"}
    assert all(world.company(team)["name"] == f"{n}.other" for n, team in enumerate(teams))


# --- whatever happens -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_sides_do_ours_follow_the_app_and_no_other_is_touched(
    world: SyncWorld, seed: int
) -> None:
    """Against what is to be expected, step by step: passes that are killed count like others."""
    chance, team = Random(seed), world.given_team(tags=[])
    world.sync_teams(team)
    wanted: set[str] = set()
    carried: set[str] = set()
    ours: set[str] = set()
    was_killed = False
    for step in range(30):
        name = chance.choice("abch")
        if chance.random() < 0.5:
            wanted ^= {name} - {"h"}
            world.update_team(team, tags=sorted(wanted))
        elif name in carried:
            world.intercom.by_hand.untag_company(str(team), name)
            carried -= {name}
        elif not was_killed:
            world.intercom.by_hand.tag_company(str(team), name)
            carried |= {name}
        if chance.random() < 0.2:
            world.update_team(team, domain=f"{step}.example")
        put_on = wanted - carried
        was_killed = chance.random() < 0.2
        if was_killed:
            with killed_before_its_record(world, "record_teams"):
                reread(world, team)
        else:
            reread(world, team)
        carried = (carried | wanted) - (dropped := ours - wanted)
        ours = (ours | put_on) - dropped
        assert tags_of(world, team) == carried, (seed, step)
        assert was_killed or link(world, team).tags.keys() == ours, (seed, step)
    world.sync_teams(team)
    assert settles(world, team)
