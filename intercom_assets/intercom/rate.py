"""The rate limiter: who may call when. One per process, token and host, shared by all its clients.

Threads pass a turnstile one by one; whoever stands in it waits for the next slot (or, after a 429,
for the next window) on behalf of all behind it. The account is `windows.WindowBudget`, fed by the
headers of every answer, so several processes on one limit need nothing but those headers.
No HTTP and no retry belong here.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from weakref import WeakKeyDictionary

from intercom_assets.intercom.http.messages import retry_after
from intercom_assets.intercom.windows import ObservedResponse, Quota, WindowBudget

SLICE = 0.25
"""Seconds after which a waiting thread looks again: an answer may have brought better news."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for one call: when it went (monotonic s) and how long the turnstile held it (s)."""

    sent: float
    waited: float


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of a client: monotonic, wall, and what sleeps."""

    clock: Clock
    wall: Clock
    sleep: Callable[[float], object]


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last moment (monotonic s) at which a call may go; None: whenever.

    `moves`: a lease that is renewed meanwhile. Such an end is no reason to give up before it has
    come: within a lease there is room for a call, and seldom for the wait for the next window.
    """

    latest: Callable[[], float | None] = lambda: None
    moves: bool = False

    def is_past(self, now: float, delay: float = 0.0) -> bool:
        """Whether a call that could go `delay` seconds from now would be too late."""
        latest = self.latest()
        return latest is not None and now + (0.0 if self.moves else max(0.0, delay)) > latest


class RateLimiter:
    """Paces calls. Every `admit` is followed by one `answered` or `lost`."""

    def __init__(self, share: float, clocks: Clocks) -> None:
        if not 0 < share <= 1:
            raise ValueError(
                f"rate_share is a part of the limit, above 0 and at most 1, not {share}"
            )
        self._budget = WindowBudget(share)
        self._clocks = clocks
        self._turnstile = threading.Lock()
        self._state = threading.Lock()

    def share(self, share: float) -> None:
        """Live on this part of the limit from now on."""
        with self._state:
            self._budget.share = share

    @property
    def limit(self) -> int | None:
        """Calls per window as last told; None before the first answer."""
        return self._budget.limit

    @property
    def remaining(self) -> int | None:
        return None if self._budget.limit is None else max(0, self._budget.remaining)

    def admit(self, deadline: Deadline | None = None) -> Permit | None:
        """Wait for leave to call. None if that comes too late: at once where that is known."""
        deadline = deadline or Deadline()
        while not self._turnstile.acquire(timeout=SLICE):
            if deadline.is_past(self._clocks.clock()):
                return None
        try:
            return self._wait(deadline)
        finally:
            self._turnstile.release()

    def answered(self, permit: Permit, headers: Mapping[str, str], *, throttled: bool) -> None:
        """An answer came; `throttled` if it was a 429: everybody waits for the next window."""
        quota = quota_of(headers)
        with self._state:
            now, wall = self._clocks.clock(), self._clocks.wall()
            hold = retry_after(headers) if throttled else None
            self._budget.answered(
                ObservedResponse(permit.sent, now, wall - now, quota, throttled, hold)
            )

    def lost(self) -> None:
        """No answer came; the call may have been counted."""
        with self._state:
            self._budget.lost()

    def _wait(self, deadline: Deadline) -> Permit | None:
        waited = 0.0
        while True:
            now = self._clocks.clock()
            with self._state:
                delay = self._budget.delay(now)
                if deadline.is_past(now, delay):
                    return None
                if delay <= 0:
                    self._budget.sent(now)
                    return Permit(now, waited)
            self._clocks.sleep(min(delay, SLICE))
            waited += self._clocks.clock() - now


def quota_of(headers: Mapping[str, str]) -> Quota:
    """The rate headers (by lower-case name); what is missing or no number is None."""
    return Quota(
        limit=_number(headers.get("x-ratelimit-limit")) or None,
        remaining=_number(headers.get("x-ratelimit-remaining")),
        reset=_number(headers.get("x-ratelimit-reset")),
    )


def _number(text: str | None) -> int | None:
    if text is None or not (digits := text.strip()).isascii() or not digits.isdigit():
        return None
    return int(digits) if len(digits) < 16 else None


_lock = threading.Lock()
_by_transport: WeakKeyDictionary[object, dict[object, RateLimiter]] = WeakKeyDictionary()
_by_network: dict[object, RateLimiter] = {}


def limiter_of(
    token: str, base_url: str, share: float, clocks: Clocks, transport: object | None = None
) -> RateLimiter:
    """The process's rate limiter of this token and host, told its `share`.

    A transport of the caller's own (`transport`) is a limit of its own, for as long as it lives.
    """
    key = (blake2b(token.encode()).digest(), base_url, clocks)
    with _lock:
        known = _by_network if transport is None else _by_transport.setdefault(transport, {})
        limiter = known.get(key)
        if limiter is None:
            limiter = known[key] = RateLimiter(share, clocks)
    limiter.share(share)
    return limiter
