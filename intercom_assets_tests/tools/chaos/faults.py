"""Intercom on a bad day: faults of every kind, one after the other, through the control endpoints.

Belongs here: which kinds there are, how they are asked for, and that each one comes.
Must not: killing processes (`kills.py`).
"""

import time
from collections.abc import Iterator, Mapping
from random import Random
from threading import Event
from typing import Any, TypeVar

import requests

from intercom_assets_tests.tools.chaos.histories import Bystander
from intercom_assets_tests.tools.chaos.tally import Tally

WRITES = "P* /contacts*"
INDEX_LAG, LATE_WRITE = "index_lag", "late_write"
WAIT_TIMEOUT_S, POLL_INTERVAL_S = 8.0, 0.2
"""Seconds for which a fault waits for its first call, and between two looks."""
KINDS: Mapping[str, Mapping[str, Any]] = {
    "rate_limit": {"count": 12},
    "error before": {"status": 503, "count": 5, "probability": 0.7},
    "error after": {"status": 502, "count": 4, "when": "after", "endpoint": WRITES},
    "lost_reply": {"count": 4, "endpoint": WRITES},
    "dropped_connection": {"count": 5},
    "latency": {"count": 20, "seconds": 0.6, "probability": 0.5},
    "truncated_json": {"count": 3, "endpoint": WRITES},
    "wrong_content_type": {"count": 3, "when": "after"},
    "slow_body": {"count": 4, "seconds": 0.8},
    LATE_WRITE: {"count": 2},
    INDEX_LAG: {},
}
"""Fault by the name under which the recorder counts it."""
T = TypeVar("T")


def in_turn(kinds: list[T], random: Random) -> Iterator[T]:
    """Each of them in a random order, then again in another, for ever."""
    while True:
        yield from random.sample(kinds, len(kinds))


class Faults:
    """`pause`: mean seconds for which a fault reigns, and again until the next one.

    What is left of it is then taken back, or a slow day would be nothing but faults; only one that
    has met no call yet is given some more time.
    """

    def __init__(self, bystander: Bystander, seed: int, tally: Tally, pause: float) -> None:
        self._side, self._tally, self._pause = bystander, tally, pause
        self._random = Random(seed)

    def strike_until(self, stop: Event) -> None:
        try:
            for kind in in_turn(list(KINDS), self._random):
                if self._waited(stop):
                    break
                self._strike(kind)
                self._reign(kind, stop)
                self._recover()
        except requests.RequestException as error:
            self._tally.broken(f"no fault could be scripted: {error}")

    def end(self) -> None:
        """Intercom is well again, once what is late has landed."""
        self._recover()
        while self._side.on_the_way():
            time.sleep(POLL_INTERVAL_S)
        self._tally.count(self._tally.scripted, "all over")

    def _reign(self, kind: str, stop: Event) -> None:
        before, until = self._side.faults(), time.monotonic() + WAIT_TIMEOUT_S
        self._waited(stop)
        while kind != INDEX_LAG and self._side.faults() == before and time.monotonic() < until:
            if stop.wait(POLL_INTERVAL_S):
                return

    def _waited(self, stop: Event) -> bool:
        """True if there is no time left."""
        return stop.wait(self._random.expovariate(1 / self._pause))

    def _recover(self) -> None:
        self._side.tell("faults", [])
        self._side.tell("late", {"count": 0})
        self._side.tell("settings", {"index_delay_s": 0})

    def _strike(self, kind: str) -> None:
        if kind == INDEX_LAG:
            self._side.tell("settings", {"index_delay_s": self._random.choice((3, 8))})
        elif kind == LATE_WRITE:
            self._side.tell("late", KINDS[kind])
        else:
            answer = {"kind": kind.partition(" ")[0], **KINDS[kind]}
            self._side.tell("faults", answer)
        self._tally.count(self._tally.scripted, kind)
