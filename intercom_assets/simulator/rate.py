"""Fixed, aligned 10-second windows with a phase, and the headers that tell of them, a bit late.

Counts calls; refuses nothing by itself. The first call of a window is told that all of it
remains (recorded), so a client never sees the last slot being taken.
"""

from collections import deque
from dataclasses import dataclass

from intercom_assets.simulator.settings import Settings


@dataclass(slots=True)
class Window:
    """`used` counts accepted calls, `refused` those answered 429. Times are Unix seconds."""

    start: int
    end: int
    used: int = 0
    refused: int = 0


class Rate:
    """`history`: the windows before the present one, latest last, at most 60."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.clear()

    def clear(self) -> None:
        self.window = Window(0, 0)
        self.history: deque[Window] = deque(maxlen=60)
        self.peak = 0

    def roll(self, now: float) -> Window:
        """The window that `now` falls into."""
        if self.window.start <= now < self.window.end:
            return self.window
        if self.window.end:
            self.history.append(self.window)
        length = self._settings.rate_window_s
        phase = self._settings.rate_window_phase % length
        start = int((now - phase) // length) * length + phase
        self.window = Window(start, start + length)
        return self.window

    def take(self, now: float) -> bool:
        """Counts the call; False if the window is full."""
        window = self.roll(now)
        fits = window.used < self._settings.rate_limit_per_window
        if fits:
            window.used += 1
        else:
            window.refused += 1
        self.peak = max(self.peak, window.used + window.refused)
        return fits

    def charge(self, now: float, more: int) -> None:
        """What a call costs beyond the one that `take` counted; it may overdraw the window."""
        window = self.roll(now)
        window.used += more
        self.peak = max(self.peak, window.used + window.refused)

    def tell(self, headers: dict[str, str], now: float, refused: bool) -> None:
        """Adds the three headers that tell of the limit."""
        window = self.roll(now)
        limit = self._settings.rate_limit_per_window
        remaining = 0 if refused else max(0, limit - max(0, window.used - 1))
        headers["X-RateLimit-Limit"] = str(limit)
        headers["X-RateLimit-Remaining"] = str(remaining)
        headers["X-RateLimit-Reset"] = str(window.end + self._settings.rate_reset_late_s)
