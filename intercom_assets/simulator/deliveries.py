"""Notifications on their way: what is due, what became of it, and when Intercom gives up.

The documented rules: five seconds to answer, one retry a minute later, 410 ends the subscription,
429 slows it, more than 1,000 errors in a row within 15 minutes pause it, seven days of errors
suspend a private app's. By the simulator's clock. Sends nothing itself (`sender`); not
thread-safe: the caller holds the lock.
"""

from collections import Counter, deque
from collections.abc import Iterable
from heapq import heappop, heappush
from random import Random
from typing import Any
from uuid import uuid4

from intercom_assets.simulator.envelope import Delivery, Job, write_job
from intercom_assets.simulator.notifications import PING, Notice
from intercom_assets.simulator.subscription import Subscription
from intercom_assets.simulator.telling import Telling

RETRY_S = 60
ERRORS, WITHIN_S, PAUSE_S = 1_000, 900, 900
SUSPENDED_AFTER_S = 7 * 86_400
THROTTLE_S, LONGEST_THROTTLE_S = 60, 7_200
KEPT = 100


class Deliveries:
    """Of one subscription, from its beginning. `state` is one of the words below it."""

    def __init__(self, subscription: Subscription, telling: Telling) -> None:
        self.subscription = subscription
        self.state = "unchecked"  # then live, refused, paused, throttled, suspended or ended
        self.counts: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.last: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._telling = telling
        self._random = Random(telling.settings.seed)
        self._waiting: list[tuple[float, int, Delivery]] = []
        self._number = 0
        self._until = 0.0
        self._errors: deque[float] = deque(maxlen=ERRORS + 1)
        self._failing_since: float | None = None
        self._throttle = THROTTLE_S

    @property
    def now(self) -> float:
        return self._telling.world.clock()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    # --- what is to be sent ---

    def tell(self, notices: Iterable[Notice]) -> None:
        """Queues what is subscribed to; drops it while paused, suspended or ended (documented)."""
        self._resume()
        for notice in notices:
            if notice.topic == PING or notice.topic in self.subscription.topics:
                self._tell(notice)

    def _tell(self, notice: Notice) -> None:
        self.counts["notified"] += 1
        if self.state in ("refused", "paused", "suspended", "ended"):
            self.counts["dropped"] += 1
        elif self._random.random() < self.subscription.lose_share:
            self.counts["lost"] += 1
        else:
            name = f"notif_{uuid4()}"  # not by the seed: no id comes again after a restart
            delivery = Delivery(name, notice, int(self.now))
            self._queue(delivery, self._delay())
            if self._random.random() < self.subscription.duplicate_share:
                self.counts["duplicates"] += 1
                self._queue(Delivery(name, notice, int(self.now)), self._delay())

    def _delay(self) -> float:
        return self.subscription.delay_ms / 1000 + self._random.random() * self.subscription.shuffle

    def _queue(self, delivery: Delivery, delay: float) -> None:
        self._number += 1
        heappush(self._waiting, (self.now + delay, self._number, delivery))

    def next_job(self) -> Job | None:
        """Taken out: whoever takes it reports by `checked` or `answered`."""
        self._resume()
        if self.state == "unchecked":
            self.state = "checking"
            return Job(self.subscription, None, {}, b"")
        if self.state != "live" or not self._waiting or self._waiting[0][0] > self.now:
            return None
        delivery = heappop(self._waiting)[2]
        delivery.attempts += 1
        delivery.first_sent_at = delivery.first_sent_at or int(self.now)
        self.counts["sent"] += 1
        return write_job(self.subscription, delivery, self._telling)

    # --- what became of it ---

    def checked(self, status: int) -> None:
        """The address must answer HEAD with 2xx, else nothing is ever sent there."""
        self.state = "live" if 200 <= status < 300 else "refused"
        self.statuses[status] += 1
        if self.state == "refused":
            self._drop_waiting()

    def answered(self, delivery: Delivery, status: int, milliseconds: float) -> None:
        """`status` 0: no answer within the time."""
        self.statuses[status] += 1
        self.last.append(
            {
                "at": self.now,
                "id": delivery.id,
                "topic": self._telling.topic(delivery.notice.topic),
                "about": delivery.notice.about,
                "attempt": delivery.attempts,
                "status": status,
                "milliseconds": round(milliseconds, 1),
            }
        )
        if 200 <= status < 300:
            self._succeeded()
        elif status == 410:
            self.state = "ended"
            self.counts["failed"] += 1
            self._drop_waiting()
        elif status == 429:
            self._slow_down(delivery)
        else:
            self._failed(delivery)

    def _succeeded(self) -> None:
        self.counts["delivered"] += 1
        self._errors.clear()
        self._failing_since = None
        self._throttle = THROTTLE_S

    def _slow_down(self, delivery: Delivery) -> None:
        if self.now - delivery.created_at > LONGEST_THROTTLE_S:
            self.counts["dropped"] += 1
        else:
            self._queue(delivery, self._throttle)
        if self.state == "live":
            self.state, self._until = "throttled", self.now + self._throttle
            self._throttle = min(2 * self._throttle, LONGEST_THROTTLE_S)

    def _failed(self, delivery: Delivery) -> None:
        if delivery.attempts > 1:
            self.counts["failed"] += 1
        else:
            self.counts["retried"] += 1
            self._queue(delivery, RETRY_S)
        self._errors.append(self.now)
        if self._failing_since is None:
            self._failing_since = self.now
        if self.state != "live":
            return
        if self.subscription.private and self.now - self._failing_since >= SUSPENDED_AFTER_S:
            self.state = "suspended"
            self._drop_waiting()
        elif len(self._errors) > ERRORS and self.now - self._errors[0] <= WITHIN_S:
            self.state, self._until = "paused", self.now + PAUSE_S
            self._errors.clear()

    def _drop_waiting(self) -> None:
        self.counts["dropped"] += len(self._waiting)
        self._waiting.clear()

    def _resume(self) -> None:
        if self.state in ("paused", "throttled") and self.now >= self._until:
            self.state = "live"

    def set_live(self) -> None:
        """What a person presses in the Developer Hub once the errors are mended."""
        self._failing_since = None
        self._errors.clear()
        self.state = "unchecked"

    def numbers(self) -> dict[str, Any]:
        self._resume()
        counts = {name: self.counts[name] for name in COUNTED}
        return {"state": self.state, "waiting": self.waiting, **counts}

    def document(self) -> dict[str, Any]:
        return {
            **self.subscription.document(),
            **self.numbers(),
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "last": list(reversed(self.last)),
        }


COUNTED = (
    "notified",
    "sent",
    "delivered",
    "duplicates",
    "retried",
    "failed",
    "lost",
    "dropped",
)
