"""What was received and refused, counted in memory and written down every few seconds.

A flood of forged requests must not become a flood of transactions. What is counted together with
work of ours is counted in its transaction instead (`database/store/inbound.py`).
"""

from collections import Counter
from collections.abc import Mapping
from threading import Lock

from intercom_assets.domain.vocabulary import InboundCount


class Tally:
    """Counts of this process that are not written down yet. Threads may share one."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def add(self, name: InboundCount, number: int = 1) -> None:
        with self._lock:
            self._counts[name] += number

    def take(self) -> dict[str, int]:
        """All counts, which begin anew; `put_back` what could not be written."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return dict(counts)

    def put_back(self, counts: Mapping[str, int]) -> None:
        with self._lock:
            self._counts.update(counts)
