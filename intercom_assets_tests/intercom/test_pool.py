"""The pool: order, one item's error, a fatal one, several callers on one set of threads."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from intercom_assets.intercom.errors import NotFound, Unauthorized
from intercom_assets.intercom.pool import Answered, Failed, Pool, Undone


def test_results_come_in_the_order_of_the_items() -> None:
    last = threading.Event()

    def work(item: int) -> int:
        if item == 9:
            last.set()
        elif item == 0:
            assert last.wait(10), "the first item waits for the last"
        return item * item

    with Pool(10) as pool:
        outcomes = pool.run(work, range(10))

    assert outcomes == [Answered(item, item * item) for item in range(10)]


def test_one_items_error_is_that_items() -> None:
    missing = NotFound("no such contact")

    def work(item: int) -> int:
        if item == 1:
            raise missing
        if item == 2:
            raise ZeroDivisionError
        return item

    with Pool(2) as pool:
        first, second, third, fourth = pool.run(work, range(4))

    assert (first, second, fourth) == (Answered(0, 0), Failed(1, missing), Answered(3, 3))
    assert isinstance(third, Failed)
    assert isinstance(third.error, ZeroDivisionError)
    assert pool.fatal is None


def test_a_fatal_error_leaves_the_rest_undone() -> None:
    def work(item: int) -> int:
        if item == 3:
            raise Unauthorized("Access Token Invalid")
        return item

    with Pool(1) as pool:
        outcomes = pool.run(work, range(10))
        later = pool.run(work, [99])

    assert outcomes[:3] == [Answered(0, 0), Answered(1, 1), Answered(2, 2)]
    assert isinstance(outcomes[3], Failed)
    assert outcomes[4:] == [Undone(item) for item in range(4, 10)]
    assert later == [Undone(99)]
    assert isinstance(pool.fatal, Unauthorized)


def test_no_more_run_at_once_than_there_are_threads() -> None:
    running, most, lock = 0, 0, threading.Lock()
    full = threading.Barrier(4)

    def work(item: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        full.wait(10)
        with lock:
            running -= 1

    with Pool(4) as pool:
        outcomes = pool.run(work, range(40))

    assert all(isinstance(outcome, Answered) for outcome in outcomes)
    assert most == 4


def test_chunks_share_the_threads_and_each_gets_its_own_results() -> None:
    with Pool(4) as pool, ThreadPoolExecutor(3) as chunks:
        results = list(
            chunks.map(lambda chunk: pool.run(str, range(chunk, chunk + 50)), (0, 50, 100))
        )

    for chunk, outcomes in zip((0, 50, 100), results, strict=True):
        assert outcomes == [Answered(item, str(item)) for item in range(chunk, chunk + 50)]


def test_an_interruption_begins_nothing_more_and_is_let_through() -> None:
    begun: list[int] = []
    release = threading.Event()

    def work(item: int) -> None:
        begun.append(item)
        release.wait(10)

    def items() -> object:
        yield from range(5)
        raise KeyboardInterrupt

    with Pool(1) as pool:
        with pytest.raises(KeyboardInterrupt):
            pool.run(work, items())  # type: ignore[arg-type]
        release.set()

    assert len(begun) <= 1


def test_no_items_are_no_results() -> None:
    with Pool(1) as pool:
        assert pool.run(str, []) == []
