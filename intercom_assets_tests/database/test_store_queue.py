"""The queue: coalescing, leases and when rows are due. Time is the database's, moved by SQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from intercom_assets.database.records import (
    Done,
    Failure,
    Lane,
    Leased,
    Parked,
    RetryIn,
    UserRecord,
)
from intercom_assets.database.reports import Depth
from intercom_assets.database.store.store import Store
from intercom_assets.domain.models import UserLink
from intercom_assets.domain.vocabulary import Cause, QueueKind

USER, TEAM = QueueKind.USER, QueueKind.TEAM


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with Store(database) as store:
        yield store


def take(store: Store, token: UUID | None = None, **asked: object) -> list[Leased]:
    usual = {"limit": 10, "seconds": 30.0, "token": token or uuid4()}
    return store.queue.lease(USER, "run", **{**usual, **asked})  # type: ignore[arg-type]


def keys(leased: list[Leased]) -> list[str]:
    return [row.key for row in leased]


def end(
    store: Store, token: UUID, key: str, outcome: Done | RetryIn | Parked, *, hash: str = "h"
) -> None:
    store.records.record_users(token, "run", [UserRecord(UserLink(key, row_hash=hash), outcome)])


CLOCKS = ("first_at", "due_at", "again_at", "claim_until", "parked_at", "parked_until")


def pass_time(store: Store, seconds: float) -> None:
    """Everything in the queue becomes so many seconds older."""
    with psycopg.connect(store.url) as connection:
        for column in CLOCKS:
            connection.execute(
                f"update intercom_sync.queue set {column} = {column} - %s".encode(),
                (timedelta(seconds=seconds),),
            )


def column(store: Store, name: str, key: str = "a") -> object:
    with psycopg.connect(store.url) as connection:
        row = connection.execute(
            f"select {name} from intercom_sync.queue where key = %s".encode(), (key,)
        ).fetchone()
    return row[0] if row else "no row"


def test_ten_edits_are_one_row_that_counts_each_of_them(store: Store) -> None:
    for _ in range(10):
        store.queue.enqueue(USER, ["a", "a"], cause=Cause.APP)

    [leased] = take(store)

    assert (leased.key, leased.cause, leased.lane) == ("a", Cause.APP, Lane.LIVE)
    assert leased.seq > 9
    depth = store.queue.depth()[USER]
    assert depth == Depth(leased=1, oldest_seconds=depth.oldest_seconds)
    assert depth.oldest_seconds < 5
    assert store.queue.depth()[TEAM] == Depth()


def test_users_and_teams_of_the_same_id_are_different_rows(store: Store) -> None:
    store.queue.enqueue(USER, ["1"])
    store.queue.enqueue(TEAM, ["1"])

    assert keys(take(store)) == ["1"]
    assert store.queue.due(TEAM).sole_key == "1"


def test_a_leased_row_is_nobody_elses_until_its_lease_runs_out(store: Store) -> None:
    store.queue.enqueue(USER, ["a"])
    [first] = take(store)

    assert take(store) == []
    pass_time(store, 31)

    assert keys(take(store)) == [first.key]


def test_a_renewed_lease_goes_on_and_one_that_ran_out_is_never_revived(store: Store) -> None:
    store.queue.enqueue(USER, ["a"])
    token = uuid4()
    take(store, token)

    pass_time(store, 20)
    assert store.queue.renew(token, 30) == 1
    pass_time(store, 20)
    assert take(store) == []
    pass_time(store, 20)

    assert store.queue.renew(token, 30) == 0
    assert keys(take(store)) == ["a"]


def test_rows_that_are_given_back_are_due_at_once(store: Store) -> None:
    store.queue.enqueue(USER, ["a", "b"])
    token = uuid4()
    take(store, token)
    end(store, token, "a", Done())

    assert store.queue.release(token) == 1
    assert store.queue.due(USER).sole_key == "b"


def test_a_change_during_the_pass_keeps_the_row(store: Store) -> None:
    store.queue.enqueue(USER, ["a"], cause=Cause.APP)
    token = uuid4()
    [before] = take(store, token)
    store.queue.enqueue(USER, ["a"])

    end(store, token, "a", Done())

    [after] = take(store)
    assert after.seq > before.seq
    assert after.first_at > before.first_at


@pytest.mark.parametrize(
    "outcome",
    [Done(), RetryIn(3600, Failure("x")), Parked(Failure("x"), "h")],
)
def test_a_change_during_the_pass_is_due_now_however_the_pass_ended(
    store: Store, outcome: Done | RetryIn | Parked
) -> None:
    store.queue.enqueue(USER, ["a"])
    token = uuid4()
    take(store, token)
    store.queue.enqueue(USER, ["a"])

    end(store, token, "a", outcome)

    assert store.queue.due(USER).sole_key == "a"


def test_a_postponed_change_during_the_pass_stays_postponed(store: Store) -> None:
    """A page view while its user is being synced must not cost another pass at once."""
    store.queue.enqueue(USER, ["a"])
    token = uuid4()
    take(store, token)
    store.queue.enqueue(USER, ["a"], delay=3600)

    end(store, token, "a", Done())

    assert store.queue.due(USER).count == 0
    pass_time(store, 3601)
    assert store.queue.due(USER).sole_key == "a"


def test_a_postponed_change_does_not_put_off_an_earlier_one_whose_run_died(store: Store) -> None:
    store.queue.enqueue(USER, ["a"])
    take(store)
    store.queue.enqueue(USER, ["a"], delay=3600)

    pass_time(store, 31)

    assert keys(take(store)) == ["a"]


def test_a_real_change_makes_a_postponed_row_due(store: Store) -> None:
    store.queue.enqueue(USER, ["a"], delay=3600)
    assert store.queue.due(USER).count == 0

    store.queue.enqueue(USER, ["a"])

    assert store.queue.due(USER).count == 1


def test_live_changes_go_before_bulk_and_a_bulk_row_that_changes_becomes_live(
    store: Store,
) -> None:
    store.queue.enqueue(USER, ["old", "swept"], lane=Lane.BULK, cause=Cause.SWEEP)
    store.queue.enqueue(USER, ["new"], cause=Cause.APP)
    store.queue.enqueue(USER, ["swept"], cause=Cause.APP)

    leased = take(store)

    assert [(row.key, row.lane, row.cause) for row in leased] == [
        ("swept", Lane.LIVE, Cause.APP),
        ("new", Lane.LIVE, Cause.APP),
        ("old", Lane.BULK, "sweep"),
    ]


def test_a_run_can_take_only_its_lane(store: Store) -> None:
    store.queue.enqueue(USER, ["bulk"], lane=Lane.BULK)
    store.queue.enqueue(USER, ["live"])

    assert store.queue.due(USER, lanes={Lane.LIVE}).count == 1
    assert keys(take(store, lanes={Lane.LIVE})) == ["live"]
    assert store.queue.due_keys(USER, 10, lanes=[Lane.BULK]).keys() == {"bulk"}
    assert keys(take(store, lanes={Lane.BULK})) == ["bulk"]


def test_a_sensor_learns_how_many_are_due_and_the_key_if_it_is_one(store: Store) -> None:
    assert store.queue.due(USER).count == 0
    assert store.queue.due(USER).sole_key is None
    store.queue.enqueue(USER, ["a"])
    pass_time(store, 60)
    assert store.queue.due(USER).sole_key == "a"
    assert store.queue.due(USER).oldest_seconds == pytest.approx(60, abs=5)

    store.queue.enqueue(USER, ["b", "c"])

    assert store.queue.due(USER).sole_key is None
    assert store.queue.due(USER).count == 3
    assert store.queue.due(USER, at_most=2).count == 2
    assert list(store.queue.due_keys(USER, 2)) == ["a", "b"]


def test_a_retry_waits_and_remembers_why(store: Store) -> None:
    store.queue.enqueue(USER, ["a"])
    token = uuid4()
    take(store, token)
    error = Failure("Intercom refused: no", "email", "parameter_invalid", "req-1")

    end(store, token, "a", RetryIn(60, error, attempts=2, hash="h2"))

    assert store.queue.due(USER).count == 0
    assert store.queue.depth()[USER].later == 1
    pass_time(store, 61)
    [leased] = take(store)
    assert (leased.attempts, leased.failed_hash, leased.error) == (2, "h2", error)
    assert not leased.parked


def test_a_parked_row_sleeps_until_something_changes_and_says_that_it_was_parked(
    store: Store,
) -> None:
    store.queue.enqueue(USER, ["a"])
    token = uuid4()
    take(store, token)
    end(store, token, "a", Parked(Failure("no"), hash="h9", attempts=8))
    pass_time(store, 10_000_000)
    assert store.queue.due(USER).count == 0
    [parked] = store.queue.parked()
    assert (parked.kind, parked.key, parked.error) == (USER, "a", Failure("no"))

    store.queue.enqueue(USER, ["a"])

    [leased] = take(store)
    assert (leased.parked, leased.failed_hash, leased.attempts) == (True, "h9", 8)


def test_a_row_parked_again_keeps_since_when_and_one_that_is_done_is_gone(store: Store) -> None:
    store.queue.enqueue(USER, ["a"])
    token = uuid4()
    take(store, token)
    end(store, token, "a", Parked(Failure("no")))
    pass_time(store, 100)
    [before] = store.queue.parked()

    store.queue.enqueue(USER, ["a"])
    take(store, token := uuid4())
    end(store, token, "a", Parked(Failure("still no")))

    [after] = store.queue.parked(USER)
    assert after.parked_at == before.parked_at
    assert after.error == Failure("still no")
    assert len(store.queue.retry(USER)) == 1
    take(store, token := uuid4())
    end(store, token, "a", Done())
    assert column(store, "key") == "no row"


def test_parked_for_a_known_time_comes_back_by_itself(store: Store) -> None:
    """A contact that Intercom will not restore frees its identity after a week."""
    store.queue.enqueue(USER, ["a"])
    token = uuid4()
    take(store, token)

    end(store, token, "a", Parked(Failure("not restorable"), seconds=8 * 86_400))

    assert store.queue.depth()[USER].parked == 1
    pass_time(store, 8 * 86_400 + 1)
    [leased] = take(store)
    assert leased.parked
    assert leased.wait_is_over


def test_a_change_in_the_wait_is_no_end_of_it_and_leaves_it_as_long(store: Store) -> None:
    store.queue.enqueue(USER, ["a"])
    take(store, token := uuid4())
    end(store, token, "a", Parked(Failure("not restorable"), seconds=8 * 86_400))
    [before] = store.queue.parked()
    pass_time(store, 3 * 86_400)

    store.queue.enqueue(USER, ["a"])
    [leased] = take(store, token := uuid4())
    assert not leased.wait_is_over
    end(store, token, "a", Parked(Failure("not restorable"), until=leased.parked_until))

    [after] = store.queue.parked()
    assert before.parked_until
    assert after.parked_until
    assert before.parked_until - after.parked_until == timedelta(days=3)
    assert take(store) == []
    [named] = take(store, token := uuid4(), keys=["a"])
    assert not named.wait_is_over
    end(store, token, "a", Parked(Failure("not restorable"), until=named.parked_until))
    pass_time(store, 5 * 86_400 + 1)
    [leased] = take(store)
    assert leased.wait_is_over


def test_an_operators_retry_ends_a_wait(store: Store) -> None:
    store.queue.enqueue(USER, ["a"])
    take(store, token := uuid4())
    end(store, token, "a", Parked(Failure("not restorable"), seconds=8 * 86_400))

    store.queue.retry(USER)

    [leased] = take(store)
    assert not leased.parked
    assert leased.parked_until is None


def test_an_operators_retry_starts_anew_and_leaves_who_is_not_parked(store: Store) -> None:
    store.queue.enqueue(USER, ["a", "b", "c"])
    token = uuid4()
    take(store, token)
    for key in "ab":
        end(store, token, key, Parked(Failure("no"), "h", attempts=8))
    end(store, token, "c", RetryIn(60, Failure("later"), attempts=3))

    assert len(store.queue.retry(USER, ["b", "c", "nobody"])) == 1

    [leased] = take(store)
    assert (leased.key, leased.attempts, leased.failed_hash, leased.parked) == ("b", 0, None, False)
    assert [row.key for row in store.queue.parked()] == ["a"]


def test_named_keys_are_leased_also_while_they_wait_or_are_parked(store: Store) -> None:
    store.queue.enqueue(USER, ["parked", "held"])
    store.queue.enqueue(USER, ["waiting"], delay=3600)
    token = uuid4()
    take(store, token, keys=["parked"])
    end(store, token, "parked", Parked(Failure("no")))
    take(store, keys=["held"])

    leased = take(store, keys=["parked", "held", "waiting", "nobody"])

    assert sorted(keys(leased)) == ["parked", "waiting"]


def test_keys_that_a_run_was_told_are_put_into_the_queue_only_if_they_are_missing(
    store: Store,
) -> None:
    store.queue.enqueue(USER, ["waits"], delay=3600, cause=Cause.APP)
    store.queue.enqueue(USER, ["held"])
    token = uuid4()
    take(store, token, keys=["held"])
    before = column(store, "seq", "waits")

    store.queue.enqueue_missing(USER, ["new", "waits", "held", "new"], Lane.BULK, Cause.PARTITION)

    assert column(store, "seq", "waits") == before
    assert sorted(keys(take(store, keys=["new", "waits", "held"]))) == ["new", "waits"]
    end(store, token, "held", Done())
    assert store.queue.due(USER).sole_key == "held"  # told to look again


def test_a_wish_to_read_intercom_survives_a_pass_that_began_before_it(store: Store) -> None:
    """The holder recorded its link without knowing of the wish; nothing but the row carries it."""
    store.queue.enqueue(USER, ["a"])
    token = uuid4()
    assert not take(store, token)[0].needs_read
    store.queue.enqueue(USER, ["a"], needs_read=True, cause=Cause.INTERCOM)

    end(store, token, "a", Done())

    assert store.links.users(["a"])["a"].needs_read
    take(store, token := uuid4())
    store.queue.enqueue(USER, ["a"])
    end(store, token, "a", Done())
    [leased] = take(store)
    assert not leased.needs_read
    assert not store.links.users(["a"])["a"].needs_read


def test_a_wish_to_read_intercom_survives_a_failed_pass(store: Store) -> None:
    store.queue.enqueue(USER, ["a"], needs_read=True)
    token = uuid4()
    take(store, token)

    end(store, token, "a", RetryIn(0, Failure("Intercom is unavailable")))

    assert take(store)[0].needs_read


def test_who_is_left_for_a_while_on_purpose_is_not_late(store: Store) -> None:
    """Found by the soak: a page view that waits its hour looked like a change an hour late."""
    store.queue.enqueue(USER, ["viewed"], delay=3600)
    pass_time(store, 3000)
    store.queue.enqueue(USER, ["viewed"])

    assert store.queue.due(USER).oldest_seconds < 60
    assert store.queue.depth()[USER].oldest_seconds < 60
    [row] = take(store)
    assert (datetime.now(UTC) - row.first_at).total_seconds() < 60


def test_who_failed_waits_since_then(store: Store) -> None:
    store.queue.enqueue(USER, ["failing"])
    token = uuid4()
    take(store, token)
    end(store, token, "failing", RetryIn(0, Failure("Intercom is unavailable"), attempts=1))
    pass_time(store, 3000)
    store.queue.enqueue(USER, ["failing"])

    assert store.queue.due(USER).oldest_seconds >= 3000


def test_a_run_remembers_whom_it_leased(store: Store) -> None:
    store.queue.enqueue(USER, ["a", "b"])
    store.queue.enqueue(TEAM, ["t"])
    token = uuid4()
    store.queue.lease(USER, "r1", token=token, limit=1, seconds=30)
    store.queue.lease(USER, "r1", token=token, limit=1, seconds=30)
    store.queue.lease(USER, "r1", token=token, limit=1, seconds=30)
    store.queue.lease(TEAM, "r1", token=token, limit=1, seconds=30)

    assert store.runs.members("r1") == {TEAM: ["t"], USER: ["a", "b"]}
    assert store.runs.members("another") == {}


def test_a_run_that_is_not_heard_of_in_time_is_dead_and_one_that_ended_is_forgotten(
    store: Store,
) -> None:
    store.runs.heartbeat("alive", "sync_users", 20)
    store.runs.heartbeat("dead", "sync_users", 20)
    store.runs.heartbeat("dead", "sync_users", -1)
    store.runs.heartbeat("ended", "sync_users", 20)
    store.runs.end_heartbeat("ended")

    assert [(beat.run_id, beat.alive) for beat in store.runs.heartbeats()] == [
        ("alive", True),
        ("dead", False),
    ]


def test_many_workers_share_the_queue_without_handing_out_a_row_twice(store: Store) -> None:
    everybody = [f"u{n}" for n in range(400)]
    store.queue.enqueue(USER, everybody)

    def work(_: int) -> list[str]:
        taken: list[str] = []
        while leased := keys(take(store, limit=25)):
            taken += leased
        return taken

    with ThreadPoolExecutor(6) as pool:
        taken = [key for batch in pool.map(work, range(6)) for key in batch]

    assert sorted(taken) == sorted(everybody)


def test_more_keys_than_fit_one_transaction_are_queued_in_several(store: Store) -> None:
    assert store.queue.enqueue(USER, [f"u{n}" for n in range(10_500)], lane=Lane.BULK) == 10_500
    assert store.queue.depth()[USER].due == 10_500
