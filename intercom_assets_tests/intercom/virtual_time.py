"""Processes that call a limited server, in virtual time: minutes of traffic in a blink.

Belongs here: the fixed windows as recorded, the delays of a network, and the ways in which headers
can be wrong. The pacing under test is the real `WindowBudget`; nothing of it is repeated here.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from intercom_assets.intercom.windows import ObservedResponse, Quota, WindowBudget

SERVER_START = 1_800_000_003.3
PHASE = 2
Headers = Callable[[float, Quota], Quota]


@dataclass
class Traffic:
    """What happened: calls accepted and refused by window (named by its end, server seconds)."""

    accepted: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    sent: list[float] = field(default_factory=list)

    def whole_windows(self) -> list[int]:
        """Accepted calls of the windows that were wholly observed."""
        return [self.accepted[end] for end in sorted(self.accepted)][1:-1]

    @property
    def share_refused(self) -> float:
        return self.refused.total() / (self.accepted.total() + self.refused.total())


@dataclass
class VirtualIntercom:
    """`limit` may depend on the time; `headers` may distort what is told; times in seconds.

    `others`: calls a second of an app that is not ours. `wall_off`: error of our wall clock.
    """

    limit: Callable[[float], int] = lambda now: 1666
    headers: Headers = lambda now, quota: quota
    latency: float = 0.15
    jitter: float = 0.01
    wall_off: float = 0.0
    others: float = 0.0
    phase: Callable[[float], float] = lambda now: PHASE
    seed: int = 1

    def run(
        self, seconds: float, *, processes: int = 1, threads: int = 32, share: float = 1.0
    ) -> Traffic:
        self._random = random.Random(self.seed)
        self._budgets = [WindowBudget(share) for _ in range(processes)]
        self._idle = [threads] * processes
        self._asking = [False] * processes
        self._used: Counter[int] = Counter()
        self._traffic = Traffic()
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = count()
        for process in range(processes):
            self._ask(self._random.random() / 100, process)
        if self.others:
            self._at(0.0, self._other)
        self._until(seconds)
        return self._traffic

    def _until(self, seconds: float) -> None:
        while self._events:
            now, _, event = heapq.heappop(self._events)
            if now > seconds:
                return
            event(now)

    def _at(self, when: float, event: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), event))

    def _ask(self, when: float, process: int) -> None:
        if not self._asking[process]:
            self._asking[process] = True
            self._at(when, lambda now: self._turnstile(now, process))

    def _turnstile(self, now: float, process: int) -> None:
        self._asking[process] = False
        if not self._idle[process]:
            return
        delay = self._budgets[process].delay(now)
        if delay > 0:
            late = self._random.random() * 0.002
            self._ask(now + min(delay, 0.25) + late, process)
            return
        self._budgets[process].sent(now)
        self._traffic.sent.append(now)
        self._idle[process] -= 1
        there = self.latency / 2 + self._random.expovariate(2 / self.jitter)
        self._at(now + there, lambda arrived: self._arrive(arrived, process, now))
        self._ask(now, process)

    def _arrive(self, now: float, process: int, sent: float) -> None:
        end = self._window(now)
        refused = self._used[end] >= self.limit(now)
        quota = Quota(self.limit(now), max(0, self.limit(now) - self._used[end]), end)
        (self._traffic.refused if refused else self._traffic.accepted)[end] += 1
        self._used[end] += not refused
        announced = self.headers(now, quota)
        back = self.latency / 2 + self._random.expovariate(2 / self.jitter)
        self._at(now + back, lambda then: self._answer(then, process, sent, announced, refused))

    def _answer(self, now: float, process: int, sent: float, quota: Quota, refused: bool) -> None:
        wall_ahead = SERVER_START + self.wall_off
        self._budgets[process].answered(ObservedResponse(sent, now, wall_ahead, quota, refused))
        self._idle[process] += 1
        self._ask(now, process)

    def _other(self, now: float) -> None:
        end = self._window(now)
        self._used[end] += self._used[end] < self.limit(now)
        self._at(now + 1 / self.others, self._other)

    def _window(self, now: float) -> int:
        phase = self.phase(now)
        return int((SERVER_START + now - phase) // 10 * 10 + phase + 10)
