"""Tags of users: from the app's array onto the contact, and off again; what is not ours stays."""

from collections.abc import Sequence
from random import Random

import psycopg
import pytest

from intercom_assets.domain.echoes import differs
from intercom_assets.domain.models import Reason
from intercom_assets.domain.vocabulary import Action
from intercom_assets.mapping.problems import MappingError
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.context.tags import KEPT_FOR
from intercom_assets.sync.engine.plan import plan_users
from intercom_assets.sync.feeders.sweep import sweep_users
from intercom_assets.sync.operator.erase import erase_user
from intercom_assets.sync.operator.undo.engine import undo
from intercom_assets.sync.preflight.check_intercom import check_tags
from intercom_assets.sync.preflight.findings import Severity
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.recovery.test_found_done import killed_before_its_record
from intercom_assets_tests.sync.sync_world import Sql, SyncWorld
from intercom_assets_tests.sync.world import TOKEN

COLUMN = "    updated_at,                                 -- read, never sent\n"


def selecting(tags: str) -> Sql:
    return Sql(users={COLUMN: f"{COLUMN}    {tags},\n"})


@pytest.fixture(autouse=True)
def _a_column_for_it(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("alter table users add column tags text[]")


@pytest.fixture
def world(worlds: Worlds) -> SyncWorld:
    """Somebody was synced already, which made the attributes and read the tags."""
    world = worlds(selecting("tags"))
    world.sync(world.given_user(email="first@example.com"))
    return world


def tags_of(world: SyncWorld, user: int) -> set[str]:
    names = {tag.id: tag.name for tag in world.services.intercom.list_tags()}
    contact = world.contact(user)["id"]
    return {names[tag.id] for tag in world.services.intercom.contact_tags(contact)}


def methods(calls: Sequence[str]) -> list[str]:
    """`POST tag` puts one on, `DELETE tag` takes one off."""
    return [
        f"{call.split()[0]} tag" if "/contacts/" in call and "/tags" in call else call
        for call in calls
    ]


# --- on and off -----------------------------------------------------------------------------------


def test_each_tag_of_a_new_user_is_one_call_after_it_was_made_once(world: SyncWorld) -> None:
    ada, bob = world.given_user(tags=["VIP", "beta"]), world.given_user(tags=["vip"])

    first = methods(world.sync(ada).calls)
    second = methods(world.sync(bob).calls)

    assert sorted(first) == [
        "POST /contacts", "POST /tags", "POST /tags", "POST tag", "POST tag",
    ]  # fmt: skip
    assert second == ["POST /contacts", "POST tag"]
    assert (tags_of(world, ada), tags_of(world, bob)) == ({"VIP", "beta"}, {"VIP"})
    assert world.settles(ada, bob)
    assert world.sync(ada, bob).calls == []


def test_one_that_the_app_adds_and_one_that_it_drops_are_a_call_each_after_a_look(
    world: SyncWorld,
) -> None:
    ada, bob = world.given_user(tags=["a"]), world.given_user(tags=["b"])
    world.sync(ada, bob)
    world.update_user(ada, tags=["b"])

    synced = world.sync(ada)

    assert methods(synced.writes) == ["DELETE tag", "POST tag"]
    assert len(synced.calls) == 3
    assert tags_of(world, ada) == {"b"}
    told = [(r.entry.action, r.entry.old, r.entry.new) for r in world.journal(ada)[-2:]]
    assert told == [(Action.UNTAGGED, "a", None), (Action.TAGGED, None, "b")]
    assert world.settles(ada)


@pytest.mark.parametrize("nothing", [None, []])
def test_an_array_that_is_empty_or_null_takes_ours_off(
    world: SyncWorld, nothing: list[str] | None
) -> None:
    ada = world.given_user(tags=["a", "b"])
    world.sync(ada)
    world.update_user(ada, tags=nothing)

    world.sync(ada)

    assert tags_of(world, ada) == set()
    assert world.link(ada).tags == {}
    assert world.settles(ada)


def test_an_array_in_json_is_one_as_well(worlds: Worlds) -> None:
    world = worlds(selecting("to_jsonb(tags) as tags"))
    ada = world.given_user(tags=["a", "b"])

    world.sync(ada)

    assert tags_of(world, ada) == {"a", "b"}
    assert world.settles(ada)


# --- what is not ours -----------------------------------------------------------------------------


def test_a_tag_put_on_by_hand_stays_whatever_the_app_says(world: SyncWorld) -> None:
    ada = world.given_user(tags=["ours"])
    world.sync(ada)
    world.intercom.by_hand.tag_contact(str(ada), "theirs")

    world.look(ada)
    world.update_user(ada, tags=[])
    world.look(ada)

    assert tags_of(world, ada) == {"theirs"}
    assert world.settles(ada)


def test_one_that_was_there_before_the_app_wanted_it_stays_after_it_was_dropped(
    world: SyncWorld,
) -> None:
    ada = world.given_user(tags=[])
    world.sync(ada)
    world.intercom.by_hand.tag_contact(str(ada), "vip")
    world.look(ada)
    world.update_user(ada, tags=["VIP"])

    wanted = world.sync(ada)
    world.update_user(ada, tags=[])
    dropped = world.sync(ada)

    assert [c for c in methods([*wanted.calls, *dropped.calls]) if c.endswith("tag")] == []
    assert tags_of(world, ada) == {"vip"}


def test_one_that_was_put_on_by_hand_unseen_stays_after_the_app_wanted_and_dropped_it(
    world: SyncWorld,
) -> None:
    """No search shows it, since a tag that is put on by hand is no news."""
    ada = world.given_user(tags=[])
    world.sync(ada)
    world.intercom.by_hand.tag_contact(str(ada), "vip")
    world.update_user(ada, tags=["VIP"])

    wanted = world.sync(ada)
    world.update_user(ada, tags=[])
    dropped = world.sync(ada)

    assert [c for c in methods([*wanted.calls, *dropped.calls]) if c.endswith("tag")] == []
    assert tags_of(world, ada) == {"vip"}


def test_one_that_a_full_workspace_had_before_the_first_sync_stays(world: SyncWorld) -> None:
    ada = world.given_user(tags=["vip"])
    world.intercom.by_hand.create_contact(role="user", external_id=str(ada))
    world.intercom.by_hand.tag_contact(str(ada), "Vip")

    world.look(ada)
    world.update_user(ada, tags=[])
    world.sync(ada)

    assert tags_of(world, ada) == {"Vip"}


def test_one_of_ours_that_is_taken_off_by_hand_is_put_on_again(world: SyncWorld) -> None:
    ada = world.given_user(tags=["vip"])
    world.sync(ada)
    world.intercom.by_hand.untag_contact(str(ada), "vip")

    assert methods(world.look(ada).writes) == ["POST tag"]
    assert tags_of(world, ada) == {"vip"}
    assert world.settles(ada)


def test_one_of_ours_that_was_taken_off_by_hand_before_the_app_dropped_it_is_no_call(
    world: SyncWorld,
) -> None:
    ada = world.given_user(tags=["vip"])
    world.sync(ada)
    world.intercom.by_hand.untag_contact(str(ada), "vip")
    world.update_user(ada, tags=[])

    assert world.look(ada).writes == []
    assert world.link(ada).tags == {}


def test_more_than_ten_are_listed_before_one_is_put_on(world: SyncWorld) -> None:
    world.intercom.set(embedded_lists="ten")
    ada = world.given_user(tags=[])
    world.sync(ada)
    for n in range(11):
        world.intercom.by_hand.tag_contact(str(ada), f"hand{n}")
    world.look(ada)
    world.update_user(ada, tags=["hand10", "ours"], name="Ada L.")

    synced = world.sync(ada)

    assert sum(call.startswith("GET") for call in synced.calls) == 1
    assert world.link(ada).tags.keys() == {"ours"}
    assert world.settles(ada)
    world.update_user(ada, tags=[])
    assert methods(world.sync(ada).calls) == ["DELETE tag"]
    assert tags_of(world, ada) == {f"hand{n}" for n in range(11)}


# --- names ----------------------------------------------------------------------------------------


def test_names_are_trimmed_told_apart_without_case_and_wanted_once(world: SyncWorld) -> None:
    ada = world.given_user(tags=[" VIP", "vip ", "Vip"])

    assert methods(world.sync(ada).calls).count("POST tag") == 1
    assert tags_of(world, ada) == {"VIP"}
    world.update_user(ada, tags=["vip"])
    assert world.sync(ada).calls == []


@pytest.mark.parametrize("odd", [["ok", " "], ["ok", "x" * 256], ["ok", None]])
def test_a_name_that_is_none_is_left_out_in_one_sentence(
    world: SyncWorld, odd: list[str | None]
) -> None:
    ada = world.given_user(tags=odd)

    assert world.sync(ada)[ada].status is Status.CHANGED
    assert tags_of(world, ada) == {"ok"}
    left_out = world.link(ada).left_out["tags"]
    assert left_out.reason is Reason.UNFIT
    assert "blank, no text or longer than 255" in left_out.why
    assert world.settles(ada)


def test_json_that_is_no_array_says_nothing_and_takes_nothing_off(worlds: Worlds) -> None:
    column = "case when name = 'odd' then '{}'::jsonb else to_jsonb(tags) end as tags"
    world = worlds(selecting(column))
    ada = world.given_user(tags=["vip"])
    world.sync(ada)
    world.update_user(ada, name="odd")

    world.sync(ada)

    assert tags_of(world, ada) == {"vip"}
    assert world.link(ada).left_out["tags"].why == "tags is no array of texts"


@pytest.mark.parametrize("column", ["'a,b' as tags", "array[1, 2] as tags"])
def test_what_is_no_array_of_text_is_refused_by_type(worlds: Worlds, column: str) -> None:
    with pytest.raises(MappingError, match=r"users\.sql: tags is .*allowed: an array of text"):
        worlds(selecting(column)).sync()


def test_without_the_column_the_tags_stay_and_are_ours_again_when_it_is_back(
    world: SyncWorld,
) -> None:
    ada, bob = world.given_user(tags=["vip"]), world.given_user(tags=[])
    world.sync(ada, bob)
    world.remap()
    planned = list(plan_users(world.services, [str(ada), str(bob)]))
    assert [user.left for user in planned] == [("tags",), ()]
    assert [c for c in methods(world.sync(ada, bob).calls) if c.endswith("tag")] == []
    assert tags_of(world, ada) == {"vip"}

    world.remap(selecting("null::text[] as tags"))
    world.sync(ada)

    assert tags_of(world, ada) == set()


# --- the workspace's list -------------------------------------------------------------------------


def test_the_tags_are_read_once_a_run_and_once_a_day(worlds: Worlds) -> None:
    world = worlds(selecting("tags"))
    users = [world.given_user(tags=["vip"]) for _ in range(3)]

    assert world.sync(*users).calls.count("GET /tags") == 1
    world.update_user(users[0], name="Ada L.")
    assert "GET /tags" not in world.sync(users[0]).calls
    world.times.later += KEPT_FOR + 60
    world.update_user(users[0], name="Ada M.")
    assert world.sync(users[0]).calls.count("GET /tags") == 1


def test_a_list_that_cannot_be_read_keeps_nothing_back(worlds: Worlds) -> None:
    world = worlds(selecting("tags"))
    fault = {"kind": "error", "status": 500, "code": "odd", "endpoint": "GET /tags", "count": None}
    world.intercom.set(faults=[fault])
    ada = world.given_user(tags=["vip"])

    assert world.sync(ada)[ada].status is Status.CHANGED
    [finding] = check_tags(world.services.intercom, ["users.sql"])
    assert finding.verdict is Severity.BAD
    world.intercom.reset("faults")
    assert tags_of(world, ada) == {"vip"}
    [finding] = check_tags(world.services.intercom, ["users.sql"])
    assert (finding.verdict, "1 tag" in finding.sentence) == (Severity.OK, True)


def test_a_tag_that_was_deleted_in_intercom_is_made_again_once(world: SyncWorld) -> None:
    ada, bob, eve = (world.given_user(tags=tags) for tags in (["vip"], [], []))
    world.sync(ada, bob, eve)
    world.update_user(ada, tags=[])
    world.sync(ada)
    [tag] = world.services.intercom.list_tags()
    delete_tag(world, tag.id)
    for user in (bob, eve):
        world.update_user(user, tags=["vip"])

    synced = world.sync(bob, eve)

    assert synced.calls.count("POST /tags") == 1
    assert (tags_of(world, bob), tags_of(world, eve)) == ({"vip"}, {"vip"})
    assert world.settles(bob, eve)


def test_a_tag_that_was_renamed_since_the_list_was_read_is_put_on_nobody_under_its_old_name(
    world: SyncWorld,
) -> None:
    ada, bob, eve = (world.given_user(tags=tags) for tags in (["vip"], [], []))
    world.sync(ada, bob, eve)
    world.intercom.by_hand.rename_tag("vip", "do not call")
    for user in (bob, eve):
        world.update_user(user, tags=["vip"])

    synced = world.sync(bob, eve)

    assert synced.calls.count("POST /tags") == 1
    assert (tags_of(world, bob), tags_of(world, eve)) == ({"vip"}, {"vip"})
    assert tags_of(world, ada) == {"do not call"}
    assert world.settles(bob, eve)


def delete_tag(world: SyncWorld, tag_id: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Intercom-Version": "2.16"}
    answer = world.intercom.handle("DELETE", f"/tags/{tag_id}", headers, b"")
    assert answer.status == 200, answer.body


# --- around it ------------------------------------------------------------------------------------


def test_who_was_put_a_tag_on_by_a_killed_run_keeps_it_as_ours(world: SyncWorld) -> None:
    ada = world.given_user(tags=[])
    world.sync(ada)
    world.update_user(ada, tags=["vip"])
    with killed_before_its_record(world):
        world.sync(ada)

    assert world.sync(ada).writes == []
    assert world.link(ada).tags.keys() == {"vip"}
    [entry] = [r for r in world.journal(ada) if r.entry.action is Action.TAGGED]
    assert (entry.run_id, entry.entry.new) == ("test-run-3", "vip")
    world.update_user(ada, tags=[])
    world.sync(ada)
    assert tags_of(world, ada) == set()


def test_one_that_a_killed_run_took_off_is_no_longer_ours(world: SyncWorld) -> None:
    ada = world.given_user(tags=["vip"])
    world.sync(ada)
    world.update_user(ada, tags=[])
    with killed_before_its_record(world):
        world.sync(ada)
    world.intercom.by_hand.tag_contact(str(ada), "vip")

    world.sync(ada)

    assert world.settles(ada)


def test_what_a_killed_run_did_not_reach_is_done_by_the_next(
    world: SyncWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = world.given_user(tags=[])
    world.sync(ada)
    world.update_user(ada, tags=["vip"])
    with monkeypatch.context() as patch:
        patch.setattr("intercom_assets.sync.passes.users.chunk.second_calls", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            world.sync(ada)

    world.sync(ada)

    assert tags_of(world, ada) == {"vip"}
    assert world.settles(ada)


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_nothing_is_done_with_who_leaves_and_all_again_with_who_is_back(world: SyncWorld) -> None:
    ada = world.given_user(tags=["a"])
    world.sync(ada)
    world.update_user(ada, deleted_at="2026-01-01", tags=["b"])
    assert [c for c in methods(world.sync(ada).calls) if c.endswith("tag")] == []
    world.update_user(ada, deleted_at=None)

    world.sync(ada)

    assert tags_of(world, ada) == {"b"}
    assert world.settles(ada)


def test_a_plan_names_each_tag_and_counts_its_call(world: SyncWorld) -> None:
    ada, bob = world.given_user(tags=["a", "b"]), world.given_user(tags=["b"])
    world.sync(ada, bob)
    world.update_user(ada, tags=["b", "New"])

    [planned] = plan_users(world.services, [str(ada)])

    assert (planned.tag, planned.untag) == (["New"], ("a",))
    assert (planned.calls, planned.tags_to_make) == (3, ("new",))
    assert planned.calls + 1 == len(world.sync(ada).calls)
    assert not planned.may_go_by_bulk


def test_an_undo_takes_off_what_was_put_on_and_puts_back_what_was_taken_off(
    world: SyncWorld,
) -> None:
    ada = world.given_user(tags=["a"])
    world.sync(ada)
    world.update_user(ada, tags=["b"])
    world.sync(ada)
    run = world.journal(ada)[-1].run_id

    steps = [step for batch in undo(world.services, f"undo-{run}", run) for step in batch]

    assert sorted((step.what, step.state.value) for step in steps) == [
        ("a", "taken back"),
        ("b", "taken back"),
    ]
    assert tags_of(world, ada) == {"a"}
    assert world.look(ada).writes == []
    world.update_user(ada, tags=[])
    world.sync(ada)
    world.update_user(ada, tags=["b"])
    world.sync(ada)
    assert tags_of(world, ada) == {"a", "b"}


def test_a_sweep_finds_nobody_who_is_in_step(world: SyncWorld) -> None:
    users = [world.given_user(tags=tags) for tags in (None, [], ["vip"], [" "])]
    world.sync(*users)

    assert sweep_users(world.services).queued == 0


def test_an_erased_person_has_no_tags_with_us(world: SyncWorld) -> None:
    ada = world.given_user(tags=["vip"])
    world.sync(ada)

    assert erase_user(world.services, str(ada)).complete

    assert world.services.store.links.users([str(ada)]) == {}
    assert world.sync(ada).calls == []


def test_what_we_put_on_ourselves_is_no_news_and_what_is_taken_off_by_hand_is(
    world: SyncWorld,
) -> None:
    ada = world.given_user(tags=["vip"])
    world.times.sleep(5)
    world.sync(ada)
    contact, fields = world.contact(ada)["id"], world.services.user_fields
    link = world.link(ada)

    assert not differs(fields, world.services.intercom.get_contact(contact), link)
    world.times.sleep(5)
    world.intercom.by_hand.untag_contact(str(ada), "vip")
    assert differs(fields, world.services.intercom.get_contact(contact), link)


def test_one_that_was_there_before_and_is_taken_off_by_hand_while_wanted_is_put_on(
    world: SyncWorld,
) -> None:
    ada = world.given_user(tags=["vip"])
    world.intercom.by_hand.create_contact(role="user", external_id=str(ada))
    world.intercom.by_hand.tag_contact(str(ada), "vip")
    world.look(ada)
    world.times.sleep(600)
    world.intercom.by_hand.untag_contact(str(ada), "vip")
    shown = world.services.intercom.get_contact(world.contact(ada)["id"])
    assert differs(world.services.user_fields, shown, world.link(ada))

    world.look(ada)

    assert tags_of(world, ada) == {"vip"}
    assert world.link(ada).tags.keys() == {"vip"}


def test_the_tag_that_asks_for_a_sync_is_never_put_on(worlds: Worlds) -> None:
    world = worlds(selecting("tags"), sync_now_tag="sync now")
    ada = world.given_user(tags=["Sync Now", "vip"])

    world.sync(ada)

    assert tags_of(world, ada) == {"vip"}
    assert "sync_now_tag" in world.link(ada).left_out["tags"].why


def test_a_refused_tag_waits_and_all_else_of_the_user_goes_on(world: SyncWorld) -> None:
    refused = {"kind": "error", "status": 422, "code": "parameter_invalid", "count": None}
    world.intercom.set(faults=[{**refused, "endpoint": "POST /contacts/{id}/tags"}])
    team = world.given_team()
    ada = world.given_user(name="Ada", tags=["vip"])
    world.joins(ada, team)

    assert world.sync(ada)[ada].status is Status.RETRY
    assert (world.contact(ada)["name"], world.teams_of(ada)) == ("Ada", {str(team)})
    world.intercom.reset("faults")
    world.sync(ada)
    assert tags_of(world, ada) == {"vip"}
    assert world.settles(ada)


# --- whatever happens -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_sides_do_ours_follow_the_app_and_no_other_is_touched(
    world: SyncWorld, seed: int
) -> None:
    """Against what is to be expected, step by step: passes that are killed count like others."""
    chance, ada = Random(seed), world.given_user(tags=[])
    world.sync(ada)
    wanted: set[str] = set()
    carried: set[str] = set()
    ours: set[str] = set()
    was_killed = False
    for step in range(30):
        world.times.sleep(2)
        name = chance.choice("abch")
        if chance.random() < 0.5:
            wanted ^= {name} - {"h"}
            world.update_user(ada, tags=sorted(wanted))
        elif name in carried:
            world.intercom.by_hand.untag_contact(str(ada), name)
            carried -= {name}
        elif not was_killed:
            world.intercom.by_hand.tag_contact(str(ada), name)
            carried |= {name}
        put_on = wanted - carried
        was_killed = chance.random() < 0.2
        if was_killed:
            with killed_before_its_record(world):
                world.look(ada)
        else:
            world.look(ada)
        carried = (carried | wanted) - (dropped := ours - wanted)
        ours = (ours | put_on) - dropped
        assert tags_of(world, ada) == carried, (seed, step)
        assert was_killed or world.link(ada).tags.keys() == ours, (seed, step)
    world.sync(ada)
    assert world.settles(ada)
