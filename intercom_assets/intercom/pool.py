"""Many calls at once: one function over the items of a batch, on one bounded set of threads.

Several callers (chunk workers) may share a pool; each gets its own results, in the order of its
items. One item's error is that item's; a fatal one (token, plan, version) stops the whole pool at
once and leaves the rest undone. How fast calls go is the rate limiter's business, not the pool's.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from intercom_assets.intercom.errors import IntercomError

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Answered(Generic[T, R]):
    item: T
    value: R


@dataclass(frozen=True, slots=True)
class Failed(Generic[T]):
    """This item's own error, of whatever kind."""

    item: T
    error: Exception


@dataclass(frozen=True, slots=True)
class Undone(Generic[T]):
    """Not begun, because a fatal error stopped the pool."""

    item: T


Outcome: TypeAlias = Answered[T, R] | Failed[T] | Undone[T]


class Pool:
    """At most `threads` at once: as many as latency x rate needs (150 ms x 167/s: 25)."""

    def __init__(self, threads: int = 32) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="intercom")
        self._stopped = threading.Event()
        self._fatal: IntercomError | None = None

    @property
    def fatal(self) -> IntercomError | None:
        """What stopped the pool; the caller raises it once what was done is durable."""
        return self._fatal

    def run(self, function: Callable[[T], R], items: Iterable[T]) -> list[Outcome[T, R]]:
        """`function(item)` for every item; returns when none is under way any more.

        Interrupted (Ctrl-C, a terminated run), it begins no further item and lets it through.
        """
        futures: list[tuple[T, Future[Outcome[T, R]]]] = []
        try:
            for item in items:
                futures.append((item, self._executor.submit(self._one, function, item)))
            return [future.result() for _, future in futures]
        except BaseException:
            for _, future in futures:
                future.cancel()
            raise

    def close(self) -> None:
        """Wait for what is under way; begin nothing else."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _one(self, function: Callable[[T], R], item: T) -> Outcome[T, R]:
        if self._stopped.is_set():
            return Undone(item)
        try:
            return Answered(item, function(item))
        except Exception as error:
            if isinstance(error, IntercomError) and error.fatal:
                self._fatal = self._fatal or error
                self._stopped.set()
            return Failed(item, error)
