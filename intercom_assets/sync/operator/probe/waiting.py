"""How a probe waits: ask again until an answer is there, or its time is over.

Clocks are handed in, so that tests skip the time; and so is who wants it to stop.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from intercom_assets.domain.errors import OperatorError

T = TypeVar("T")

POLL_INTERVAL_S = 1.0


class Stopped(OperatorError):
    """Somebody pressed Ctrl-C. One sentence."""


@dataclass(frozen=True, slots=True)
class ProbePatience:
    """`stopping`: asked before each question and each look."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    stopping: Callable[[], bool] = lambda: False

    def go_on(self) -> None:
        """Raises `Stopped`."""
        if self.stopping():
            raise Stopped("The probe was stopped, and what it had made was deleted")

    def until(self, ask: Callable[[], T | None], seconds: float) -> T | None:
        """The first answer that is not None; None if there was none within `seconds`."""
        end = self.clock() + seconds
        while (found := ask()) is None:
            self.go_on()
            if self.clock() >= end:
                return None
            self.sleep(POLL_INTERVAL_S)
        return found
