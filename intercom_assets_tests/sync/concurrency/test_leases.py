"""Leases and the pulse: how long a run may work on its rows, and how it is seen to live."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from intercom_assets.database.records import Done, UserRecord
from intercom_assets.database.store.connection import StoreUnavailable
from intercom_assets.database.store.store import Store
from intercom_assets.domain.models import UserLink
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.mapping.load import load_mapping
from intercom_assets.sync.context.leases import Heartbeat, Lease

USER = QueueKind.USER
QUICK = load_mapping().settings.model_copy(
    update={"lease": timedelta(seconds=1), "heartbeat": timedelta(milliseconds=100)}
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with Store(database) as store:
        store.queue.enqueue(USER, ["a", "b"])
        yield store


def a_lease(store: Store, clock: Clock, limit: int = 1) -> Lease:
    lease = Lease(store, 30.0, clock)
    lease.take(USER, "run", limit, None, None)
    return lease


def wait_until(condition: Callable[[], bool]) -> None:
    patience = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < patience, "it never came about"
        time.sleep(0.02)


def others_may_take(store: Store) -> list[str]:
    return [row.key for row in store.queue.lease(USER, "other", token=uuid4(), limit=9, seconds=30)]


def run_out(store: Store) -> None:
    with psycopg.connect(store.url) as connection:
        connection.execute(
            "update intercom_sync.queue set claim_until = now() - interval '1 s'"
            " where claim_token is not null"
        )


# --- deadlines ------------------------------------------------------------------------------------


def test_a_renewal_moves_the_deadline_from_when_it_was_asked_for(store: Store) -> None:
    clock = Clock()
    lease = a_lease(store, clock)
    assert lease.deadline == 1030

    clock.now = 1020
    lease.renew()

    assert lease.deadline == 1050
    assert not lease.lost


def test_a_lease_that_waits_is_written_again_only_once_a_third_is_over(store: Store) -> None:
    clock = Clock()
    settings = QUICK.model_copy(update={"lease": timedelta(seconds=30)})
    with Heartbeat(store, "run", USER, settings, clock=clock) as pulse:
        lease = pulse.lease(USER, 1, waits=True)
        assert lease.deadline == 1090

        clock.now = 1029
        lease.renew()
        assert lease.deadline == 1090

        clock.now = 1031
        lease.renew()
        assert lease.deadline == 1121


def test_a_lease_that_ran_out_stays_lost_even_if_nobody_took_its_rows(store: Store) -> None:
    """As after SIGSTOP: a thread that wakes late must not go on because the timer woke first."""
    clock = Clock()
    lease = a_lease(store, clock)

    clock.now = 1031
    lease.renew()
    clock.now = 1000

    assert lease.lost
    assert lease.deadline == float("-inf")


def test_a_lease_that_the_database_no_longer_knows_is_lost_whatever_our_clock_says(
    store: Store,
) -> None:
    """As after a virtual machine was frozen: our clock stood still, the database's went on."""
    lease = a_lease(store, Clock(), limit=2)
    run_out(store)
    assert sorted(others_may_take(store)) == ["a", "b"]

    lease.renew()

    assert lease.lost


def test_leaving_gives_back_what_was_not_recorded(store: Store) -> None:
    with a_lease(store, Clock(), limit=2) as lease:
        assert others_may_take(store) == []
        store.records.record_users(lease.token, "run", [UserRecord(UserLink("a"), Done())])

    assert others_may_take(store) == ["b"]


def test_an_error_gives_the_rows_back_too(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), a_lease(store, Clock()):
        raise ZeroDivisionError

    assert len(others_may_take(store)) == 2


# --- the pulse ------------------------------------------------------------------------------------


def test_a_pulse_keeps_lease_and_heartbeat_alive_beyond_their_time_and_ends_both(
    store: Store,
) -> None:
    with Heartbeat(store, "run", "sync_users", QUICK) as pulse, pulse.lease(USER, 9) as lease:
        first = lease.deadline
        wait_until(lambda: lease.deadline > first + 1.2)
        assert others_may_take(store) == []
        assert [(beat.run_id, beat.kind, beat.alive) for beat in store.runs.heartbeats()] == [
            ("run", "sync_users", True)
        ]
        assert not lease.lost

    assert store.runs.heartbeats() == []
    assert others_may_take(store) == ["a", "b"]


def test_without_its_database_a_lease_runs_out_and_the_run_ends_in_peace(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise StoreUnavailable("the sync's own database did not answer")

    with Heartbeat(store, "run", "sync_users", QUICK) as pulse, pulse.lease(USER, 9) as lease:
        for name in ("renew", "release"):
            monkeypatch.setattr(store.queue, name, gone)
        for name in ("heartbeat", "end_heartbeat"):
            monkeypatch.setattr(store.runs, name, gone)
        wait_until(lambda: lease.lost)
    monkeypatch.undo()

    wait_until(
        lambda: [(beat.run_id, beat.alive) for beat in store.runs.heartbeats()] == [("run", False)]
    )
    assert others_may_take(store) == ["a", "b"]


def test_the_pulse_goes_on_once_the_database_answers_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[str] = []

    def gone(*_: object, **__: object) -> None:
        failures.append("renew")
        raise StoreUnavailable("the sync's own database did not answer")

    with Heartbeat(store, "run", "sync_users", QUICK) as pulse, pulse.lease(USER, 9) as lease:
        monkeypatch.setattr(store.queue, "renew", gone)
        wait_until(lambda: len(failures) >= 2)
        monkeypatch.undo()
        first = lease.deadline
        wait_until(lambda: lease.deadline > first)
        assert not lease.lost


def test_a_lost_chunk_does_not_come_back_with_the_next(store: Store) -> None:
    with Heartbeat(store, "run", "sync_users", QUICK) as pulse, pulse.lease(USER, 1) as old:
        run_out(store)
        store.queue.release(old.token)
        wait_until(lambda: old.lost)

        with pulse.lease(USER, 9) as new:
            assert len(new.rows) == 2
            assert not new.lost
            assert old.lost


def test_a_lease_of_nothing_is_no_harm(store: Store) -> None:
    with (
        Heartbeat(store, "run", "x", QUICK) as pulse,
        pulse.lease(USER, 9, keys=["nobody"]) as lease,
    ):
        assert lease.rows == []
