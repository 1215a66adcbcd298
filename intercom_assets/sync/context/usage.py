"""What the sync used of Intercom's limit and how long changes waited, by the minute, for `status`.

Costs a run one small statement with each sign of life and at its end; nothing per call or user.
Figures only: a minute that cannot be stored is missing from them, and stops nobody.
"""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from threading import Lock
from typing import Self

from intercom_assets.database.store.connection import StoreUnavailable
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.sync.context.outcomes import Outcome, Status
from intercom_assets.sync.context.services import Services

CALLS, RATE_LIMITED = "calls", "rate limited"
LAG = "lag "
"""With a bound in seconds after it: changes that were done within it, and not within the last."""
BOUNDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 900, 3_600)
BEYOND = "beyond"


class UsageRecorder:
    """Counts what a client calls from now on, and what it is shown. Use in a `with`."""

    def __init__(self, services: Services) -> None:
        self._store, self._client = services.store, services.intercom
        self._lock = Lock()
        self._before = self._client.counters()
        self._limit: int | None = None
        self._lags: Counter[str] = Counter()

    def record_outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """Changes that a run took from the queue, as they ended."""
        changed = [outcome for outcome in outcomes if outcome.status is Status.CHANGED]
        with self._lock:
            self._lags.update(_name(item.waited) for item in changed if item.waited is not None)

    def note(self) -> None:
        """Stores what came together since the last time."""
        with self._lock:
            now, before = self._client.counters(), self._before
            numbers = {
                CALLS: sum(now.calls.values()) - sum(before.calls.values()),
                RATE_LIMITED: now.rate_limited - before.rate_limited,
                **self._lags,
            }
            self._store.state.count({name: number for name, number in numbers.items() if number})
            if now.limit not in (None, self._limit):
                self._store.state.put(StateKey.RATE_LIMIT, now.limit)
            self._before, self._limit, self._lags = now, now.limit, Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(StoreUnavailable):
            self.note()


def _name(waited: float) -> str:
    return LAG + next((str(bound) for bound in BOUNDS if waited <= bound), BEYOND)
