"""How much of Intercom's limit is left, and when the next call may go. Plain state, one thread.

Intercom counts calls in fixed windows of 10 seconds and labels every answer with the Unix second
in which its window ends (`X-RateLimit-Reset`). Its clock and ours need not agree: which label an
answer carries tells, to within the gap between two calls, where on *our* clock windows end. What
is left is what the headers say, less what is under way, so several processes share it by reading.
No lock, no sleep and no HTTP belong here: `rate.py` adds the waiting.
"""

from dataclasses import dataclass

WINDOW = 10.0
"""Seconds (docs/dev/intercom-facts.md#rate)."""
ASSUMED_LIMIT = 166
"""Calls per window to assume of answers without headers: the lowest that Intercom documents."""
DRIFT = 0.0005
"""Seconds per second by which two clocks may drift apart: what was learned fades this fast."""
PHASE_JUMP = 0.25
"""Answers that contradict the learned phase by more are believed instead of it."""
MARGIN = 0.01
"""Seconds by which the next window is taken to begin later than learned."""
INSTANT = 0.0005
PROBE_EVERY = 1.0
"""Before the first answer: one call at a time, or one a second if answers do not come."""
BURST = 8
"""Calls that may go at once after a pause; in steady work they are spread evenly."""
LONGEST_HOLD = 60.0
"""Seconds for which a 429's `Retry-After` is obeyed for all calls; what asks for more is asked."""
LONGEST_BURST = 1.0
"""Seconds' worth of calls that a burst may hold at most."""


@dataclass(frozen=True, slots=True)
class Quota:
    """The three headers of an answer, as far as they were there and numbers."""

    limit: int | None = None
    remaining: int | None = None
    reset: int | None = None


@dataclass(frozen=True, slots=True)
class ObservedResponse:
    """An answer, as far as it tells of the limit. `throttled`: it was a 429, `hold`: for so long.

    `sent`, `received`: monotonic seconds; `wall_ahead`: our wall clock less the monotonic one.
    """

    sent: float
    received: float
    wall_ahead: float
    quota: Quota
    throttled: bool = False
    hold: float | None = None


class Phase:
    """Where windows end, as the difference between Intercom's clock on arrival and ours on sending.

    `low` and `high` bound it by when calls were sent (a slow one can push `low` too far up, never
    `high` too far down); `sure` is the lower bound that even the slowest call cannot break.
    """

    def __init__(self) -> None:
        self.low = self.sure = float("-inf")
        self.high = float("inf")
        self._at = 0.0

    def learn(self, reset: float, sent: float, received: float) -> None:
        """An answer that left at `sent` and came at `received` (our clock) was labelled `reset`."""
        faded = DRIFT * max(0.0, received - self._at)
        self._at = received
        low, sure, high = reset - WINDOW - sent, reset - WINDOW - received, reset - sent
        if max(sure, self.sure - faded) > min(high, self.high + faded) + PHASE_JUMP:
            self.low, self.sure, self.high = low, sure, high
            return
        self.low = max(low, self.low - faded)
        self.sure = max(sure, self.sure - faded)
        self.high = min(high, self.high + faded)

    def end_of(self, reset: float, wall_ahead: float) -> float:
        """When, on our clock, a call sent no longer lands in the window labelled `reset`.

        The latest that is possible, until calls on both sides of an end have been seen. Our wall
        clock (`wall_ahead` of the monotonic one) only shortens that, and only while plausible.
        """
        latest = min(self.low, self.high)
        if self.sure <= wall_ahead <= self.high:
            latest = max(latest, wall_ahead - 1.0)
        return reset - latest


class WindowBudget:
    """The account of the present window. Times are seconds of our monotonic clock.

    `share`: the part of the limit to live on; what lies above is left for other apps. One call in
    100 (at least one) is left in any case, for calls that land on the far side of an end. Where
    other apps take more than was left to them, a trickle of one call in 50 still goes.
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self.limit: int | None = None
        self.remaining = 0
        self._phase = Phase()
        self._label: int | None = None
        self._confirmed = False
        self._ends_at = 0.0
        self._in_flight = 0
        self._ours = self._answers = 0
        self._last_slot = float("-inf")
        self._last_sent = float("-inf")
        self._held_until = float("-inf")

    def delay(self, now: float) -> float:
        """Seconds until the next call may go, as far as is known now; 0 means now."""
        if now < self._held_until:
            return self._held_until - now
        if self.limit is None:
            waited = now - self._last_sent
            return 0.0 if not self._in_flight else max(0.0, min(0.02, PROBE_EVERY - waited))
        self._roll(now)
        usable = self._usable()
        if usable < 1:
            return max(INSTANT, self._ends_at + MARGIN - now)
        early = self._slot(now, usable) - now
        return early if early > INSTANT else 0.0

    def sent(self, now: float) -> None:
        """A call goes out now."""
        if self.limit is not None:
            self._last_slot = self._slot(now, max(1, self._usable()))
        self._last_sent = now
        self._in_flight += 1
        self._ours += 1

    def lost(self) -> None:
        """A call came back without an answer: it may have been counted."""
        self._in_flight = max(0, self._in_flight - 1)
        self.remaining -= 1

    def answered(self, response: ObservedResponse) -> None:
        """Take in what the answer to one call tells."""
        self._in_flight = max(0, self._in_flight - 1)
        limit = response.quota.limit
        if response.hold is not None:
            held_until = response.received + min(response.hold, LONGEST_HOLD)
            self._held_until = max(self._held_until, held_until)
        if self.limit is None:
            self._open(response.received + WINDOW, None, limit or ASSUMED_LIMIT, response.received)
        changed = limit is not None and limit != self.limit
        self.limit = limit or self.limit
        present = response.quota.reset is None or self._place(response, response.quota.reset)
        if present:
            self._count(response, afresh=changed or self._answers == 0)
        if present and response.throttled:
            self.remaining = 0

    def _place(self, response: ObservedResponse, reset: int) -> bool:
        """Learn from the label `reset`. False if that window is over."""
        self._phase.learn(reset, response.sent, response.received)
        if (
            self._label is None
            or reset > self._label
            or self._misplaced(response, reset, self._label)
        ):
            self._open(0.0, reset, self.limit or ASSUMED_LIMIT, response.received)
            self._label = reset
        present = reset == self._label
        self._confirmed = self._confirmed or present
        self._ends_at = self._phase.end_of(self._label, response.wall_ahead)
        return present

    def _misplaced(self, response: ObservedResponse, reset: int, label: int) -> bool:
        """An older label that is right: a window foretold too early, or clocks set back."""
        foretold = not self._confirmed and response.sent >= self._ends_at - WINDOW
        set_back = reset <= label - 2 * WINDOW and response.received - response.sent < WINDOW
        return reset < label and (foretold or set_back)

    def _count(self, response: ObservedResponse, *, afresh: bool) -> None:
        """What is left: the lowest figure told in this window, else one less for each answer."""
        left = response.quota.remaining
        if left is None:
            self.remaining -= 1
        elif response.quota.reset is None and left > self.remaining:
            self._open(response.sent + WINDOW, None, left, response.received)
        else:
            self.remaining = left if afresh else min(self.remaining, left)
        self._answers += 1
        # The first answer of a window tells that all of it is left, itself not taken off.
        self.remaining = min(self.remaining, (self.limit or self.remaining) - self._answers)

    def _open(self, ends_at: float, label: int | None, remaining: int, now: float) -> None:
        self.limit = self.limit or remaining
        self._ends_at, self._label, self.remaining = ends_at, label, remaining
        self._confirmed = False
        self._ours = self._answers = 0
        self._last_slot = min(self._last_slot, now)

    def _roll(self, now: float) -> None:
        """Past the end of the window: foretell the next, of which nobody has told us yet."""
        if now < self._ends_at + MARGIN:
            return
        windows = int((now - MARGIN - self._ends_at) // WINDOW) + 1
        label = None if self._label is None else self._label + int(windows * WINDOW)
        self._open(self._ends_at + windows * WINDOW, label, self.limit or ASSUMED_LIMIT, now)

    def _usable(self) -> int:
        """Calls that may still be sent in this window."""
        limit = self.limit or ASSUMED_LIMIT
        left = self.remaining - self._in_flight
        spare = min(limit - 1, 1 + limit // 100)
        kept = max(spare, min(limit - 1, limit - int(limit * self.share)))
        if left > kept:
            return left - kept
        trickle = max(1, limit // 50) - self._ours
        return max(0, min(trickle, left - spare))

    def _slot(self, now: float, usable: int) -> float:
        """When the next call is due if the rest of the window is spread evenly over it."""
        interval = max(0.0, self._ends_at + MARGIN - now) / usable
        credit = min(LONGEST_BURST, BURST * interval)
        return max(self._last_slot + interval, now - credit)
