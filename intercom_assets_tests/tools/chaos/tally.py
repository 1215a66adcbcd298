"""What was done to the world, counted from many threads.

Belongs here: counters and the times that matter. Must not: doing any of it, nor judging.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock


@dataclass
class Tally:
    """Counters go by kind. `failed`: app transactions that failed because of us."""

    changes: Counter[str] = field(default_factory=Counter)
    edits: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    scripted: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    longest_wait: float = 0.0
    failed: list[str] = field(default_factory=list)
    broke: list[str] = field(default_factory=list)
    last_disturbed: float = field(default_factory=time.monotonic)
    _lock: Lock = field(default_factory=Lock)

    def count(self, counter: Counter[str], what: str) -> None:
        with self._lock:
            counter[what] += 1
            self.last_disturbed = time.monotonic()

    def fail(self, sentence: str) -> None:
        with self._lock:
            self.failed.append(sentence)

    def broken(self, sentence: str) -> None:
        """The harness itself did not work as meant."""
        with self._lock:
            self.broke.append(sentence)

    def waited(self, what: str, seconds: float) -> None:
        with self._lock:
            self.waits[what] += 1
            self.longest_wait = max(self.longest_wait, seconds)
