"""Named users whom another run has: waited for, so that whoever named them is told the end."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from uuid import uuid4

import pytest

from intercom_assets.database.store.queue import QueueStore
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.outcomes import Outcome, Status
from intercom_assets.sync.engine import chunk_source as source
from intercom_assets.sync.engine.batch import run_batch
from intercom_assets.sync.engine.chunk_source import Batch
from intercom_assets_tests.sync.sync_world import SyncWorld

USER = QueueKind.USER


@contextmanager
def _another_run_has(world: SyncWorld, user: int) -> Iterator[None]:
    store, token = world.services.store, uuid4()
    store.queue.enqueue(USER, [str(user)])
    store.queue.lease(USER, "another-run", token=token, limit=1, seconds=60, keys=[str(user)])
    yield
    store.queue.release(token)


def _run(world: SyncWorld, *users: int, stopped: Event | None = None) -> list[Outcome]:
    batch = Batch(USER, keys=tuple(str(user) for user in users))
    ended = stopped.is_set if stopped else (lambda: False)
    reports = run_batch(world.services, batch, "this-run", ended)
    return [outcome for report in reports for outcome in report.outcomes]


def test_who_is_in_another_run_is_synced_once_it_lets_go(
    played: SyncWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = played.given_user(), played.given_user()
    waiting, looked = Event(), played.services.store.queue.in_work_among

    def looks(_: QueueStore, kind: QueueKind, keys: Sequence[str]) -> set[str]:
        waiting.set()
        return looked(kind, keys)

    monkeypatch.setattr(QueueStore, "in_work_among", looks)

    with ThreadPoolExecutor(1) as thread:
        with _another_run_has(played, ada):
            run = thread.submit(_run, played, ada, bob)
            assert waiting.wait(20)
            assert not run.done()
        outcomes = {each.key: each.status for each in run.result(20)}

    assert outcomes == {str(ada): Status.CHANGED, str(bob): Status.CHANGED}
    assert played.settles(ada, bob)


def test_runs_over_the_same_users_leave_nobody_out(worlds_of_two: SyncWorld) -> None:
    world = worlds_of_two
    users = [world.given_user() for _ in range(20)]

    with ThreadPoolExecutor(2) as threads:
        runs = [threads.submit(_run, world, *order) for order in (users, users[::-1])]
        outcomes = [run.result(60) for run in runs]

    for each in outcomes:
        assert sorted(int(outcome.key) for outcome in each) == users
        assert {outcome.status for outcome in each} <= {Status.CHANGED, Status.UNCHANGED}
    assert len(world.intercom.contacts()) == 20


def test_who_never_comes_free_is_left_to_the_run_that_has_them(
    played: SyncWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "PATIENCE_IN_LEASES", 0)
    ada, bob = played.given_user(), played.given_user()

    with _another_run_has(played, ada):
        outcomes = {each.key: each.status for each in _run(played, ada, bob)}

    assert outcomes == {str(ada): Status.HELD, str(bob): Status.CHANGED}
    played.run_all_due()  # it was told to look again
    assert played.settles(ada)


def test_a_stopped_run_waits_for_nobody(played: SyncWorld) -> None:
    ada, stopped = played.given_user(), Event()

    with ThreadPoolExecutor(1) as thread, _another_run_has(played, ada):
        run = thread.submit(_run, played, ada, stopped=stopped)
        stopped.set()
        assert run.result(20) == []


def test_a_run_that_fails_waits_for_nobody(
    played: SyncWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = played.given_user(), played.given_user()

    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("intercom_assets.sync.engine.batch.sync_user_chunk", breaks)
    with (
        ThreadPoolExecutor(1) as thread,
        _another_run_has(played, ada),
        pytest.raises(ZeroDivisionError),
    ):
        thread.submit(_run, played, ada, bob).result(20)
