"""What we keep beside links: state, counters, the mass-delete guard, tombstones, and pruning."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from intercom_assets.database.records import Done, UserRecord
from intercom_assets.database.store.store import Store
from intercom_assets.domain.models import (
    DataAttribute,
    EdgeState,
    JournalEntry,
    Membership,
    UserLink,
)
from intercom_assets.domain.vocabulary import Action, AttributeModel, QueueKind, StateKey

USER, TEAM = QueueKind.USER, QueueKind.TEAM


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with Store(database) as store:
        yield store


def execute(store: Store, statement: str) -> None:
    with psycopg.connect(store.url) as connection:
        connection.execute(statement.encode())


# --- attributes and state -----------------------------------------------------------------------


def test_attributes_never_read_are_none_and_a_workspace_without_any_is_an_empty_list(
    store: Store,
) -> None:
    assert store.state.attributes(AttributeModel.CONTACT) is None

    store.state.put_attributes(AttributeModel.CONTACT, [])

    found = store.state.attributes(AttributeModel.CONTACT)
    assert found is not None
    assert found[1] == []
    assert store.state.attributes(AttributeModel.COMPANY) is None


def test_attributes_are_replaced_as_a_whole_and_forgotten_on_demand(store: Store) -> None:
    plan = DataAttribute("plan", "contact", "string", id=3)
    seats = DataAttribute("seats", "contact", "integer", archived=True, api_writable=False)
    store.state.put_attributes(
        AttributeModel.CONTACT, [plan, DataAttribute("old", "contact", "date")]
    )

    store.state.put_attributes(AttributeModel.CONTACT, [seats, plan])

    found = store.state.attributes(AttributeModel.CONTACT)
    assert found is not None
    assert found[1] == [plan, seats]
    assert abs(datetime.now(UTC) - found[0]) < timedelta(minutes=1)
    store.state.forget_attributes(AttributeModel.CONTACT)
    assert store.state.attributes(AttributeModel.CONTACT) is None


def test_state_is_kept_by_key(store: Store) -> None:
    store.state.put(StateKey.INTERCOM_CHANGES, {"updated_at": 1, "cursor": None})
    store.state.put(StateKey.INTERCOM_CHANGES, {"updated_at": 2, "cursor": "x"})

    assert store.state.get(StateKey.INTERCOM_CHANGES) == {"updated_at": 2, "cursor": "x"}
    assert store.state.get(StateKey.LAST_AUDIT) is None


def test_a_wish_for_a_sweep_that_came_after_the_sweep_began_stays(store: Store) -> None:
    assert store.state.sweep_wanted() is None
    store.state.put(StateKey.SWEEP_WANTED, "truncate")
    first = store.state.sweep_wanted()
    assert first is not None
    store.state.put(StateKey.SWEEP_WANTED, "truncate")

    store.state.sweep_started(first)
    second = store.state.sweep_wanted()

    assert second is not None
    assert second > first
    store.state.sweep_started(second)
    assert store.state.sweep_wanted() is None


def test_calls_are_counted_by_minute_also_by_several_at_once(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            pool.submit(store.state.count, {"calls": 2, "429": 1})

    counted = store.state.counted(datetime.now(UTC) - timedelta(minutes=5))

    assert sum(each.value for each in counted if each.name == "calls") == 40
    assert all(each.minute.second == 0 for each in counted)


def test_a_time_without_zone_is_refused(store: Store) -> None:
    naive = datetime.now(UTC).replace(tzinfo=None)
    for ask in (
        store.state.counted,
        store.journal.prune,
        store.journal.count,
        store.state.sweep_started,
    ):
        with pytest.raises(ValueError, match="no time zone"):
            ask(naive)


# --- the mass-delete guard ----------------------------------------------------------------------


def test_a_few_who_are_gone_are_admitted_and_a_crowd_is_held(store: Store) -> None:
    assert store.gone.admit(USER, ["a", "b"], most=3) == {"a", "b"}

    assert store.gone.admit(USER, ["c", "d"], most=3) == frozenset()

    held = store.gone.held()
    assert held.keys == ["c", "d"]
    assert held.since is not None
    assert store.gone.held(TEAM).keys == []


def test_who_was_admitted_stays_admitted_and_who_is_held_stays_held(store: Store) -> None:
    store.gone.admit(USER, ["a"], most=1)
    store.gone.admit(USER, ["b"], most=1)

    assert store.gone.admit(USER, ["a", "b"], most=100) == {"a"}


def test_who_was_found_yesterday_does_not_count_today_nor_ever_again(store: Store) -> None:
    store.gone.admit(USER, ["a", "b"], most=2)
    execute(store, "update intercom_sync.gone set found_at = now() - interval '25 hours'")

    assert store.gone.admit(USER, ["a", "b", "c", "d"], most=2) == {"a", "b", "c", "d"}


def test_an_operators_release_queues_the_held_and_they_are_not_held_again(store: Store) -> None:
    store.gone.admit(USER, ["a", "b"], most=1)

    assert store.gone.release() == 2

    assert store.gone.held().keys == []
    assert store.queue.due(USER).count == 2
    assert store.gone.admit(USER, ["a", "b"], most=1) == {"a", "b"}
    assert store.gone.admit(USER, ["c"], most=1) == {"c"}


def test_who_came_back_and_goes_again_is_judged_anew(store: Store) -> None:
    store.gone.admit(USER, ["a", "b"], most=1)
    store.gone.forget(USER, ["a", "b"])

    assert store.gone.held().keys == []
    assert store.gone.admit(USER, ["a"], most=1) == {"a"}


def test_runs_together_cannot_exceed_the_limit(store: Store) -> None:
    with ThreadPoolExecutor(6) as pool:
        admitted = list(
            pool.map(lambda n: store.gone.admit(USER, [f"{n}a", f"{n}b"], most=5), range(6))
        )

    assert sum(map(len, admitted)) == 4
    assert len(store.gone.held().keys) == 8


def test_nobody_gone_is_no_work(store: Store) -> None:
    assert store.gone.admit(USER, [], most=0) == frozenset()


# --- erased and pruned --------------------------------------------------------------------------


def test_an_erased_user_leaves_a_tombstone_and_nothing_else(store: Store) -> None:
    store.queue.enqueue(USER, ["7"])
    store.queue.lease(USER, "r", token=(token := uuid4()), limit=1, seconds=30)
    edge = {"t": Membership("t", "co", EdgeState.ATTACHED)}
    link = UserLink("7", "c7", edges=edge)
    entry = JournalEntry(QueueKind.USER, "7", Action.PUSHED, "email", new="a@b.example")
    store.records.record_users(token, "r", [UserRecord(link, Done(), [entry])])
    store.queue.enqueue(USER, ["7"])
    store.gone.admit(USER, ["7"], most=0)

    store.tombstones.add("7", {"asked": "today"})
    store.tombstones.forget_user("7")
    store.tombstones.add("7", {"deleted": True})

    assert store.tombstones.among(["6", "7"]) == {"7"}
    [tombstone] = store.tombstones.find()
    assert tombstone.receipt == {"asked": "today", "deleted": True}
    assert store.links.users(["7"]) == {}
    assert store.linked.members_of_teams(["t"]) == []
    assert store.journal.of_key("7") == []
    assert store.queue.due(USER).count == 0
    assert store.gone.held().keys == []


def test_a_run_that_works_on_a_user_while_it_is_erased_writes_no_link(store: Store) -> None:
    store.queue.enqueue(USER, ["7"])
    store.queue.lease(USER, "r", token=(token := uuid4()), limit=1, seconds=30)
    store.tombstones.add("7")
    store.tombstones.forget_user("7")

    recorded = store.records.record_users(token, "r", [UserRecord(UserLink("7", "c7"), Done())])

    assert recorded.lost == {"7"}
    assert store.links.users(["7"]) == {}


def test_history_is_pruned_by_age(store: Store) -> None:
    store.journal.add("r", [JournalEntry(QueueKind.USER, "7", Action.PUSHED)])
    store.queue.enqueue(USER, ["7"])
    store.queue.lease(USER, "r", token=uuid4(), limit=1, seconds=30)
    store.state.count({"calls": 1})
    before = datetime.now(UTC) - timedelta(days=30)
    for table, column in (("journal", "at"), ("run_member", "at"), ("counter", "minute")):
        execute(store, f"update intercom_sync.{table} set {column} = now() - interval '31 days'")
    store.journal.add("r", [JournalEntry(QueueKind.USER, "7", Action.PULLED)])

    assert store.journal.prune(before) == 1

    assert [row.entry.action for row in store.journal.of_key("7")] == ["pulled"]
    assert store.runs.members("r") == {}
    assert store.state.counted(before - timedelta(days=9)) == []
    assert store.journal.count(before) == {"pulled": 1}
