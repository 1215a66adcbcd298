"""What the process says while it listens: sentences for an operator, none of them in a flood.

Nothing of a body, a header or an address of a sender is ever logged.
"""

import logging
import time
from collections.abc import Callable
from threading import Lock

LOGGER = "intercom_assets.inbound"
SAME_EVERY_S = 60.0
MOST_SENTENCES = 100


class RareLog:
    """Warns; of the same sentence once a minute. Threads may share one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}
        self._lock = Lock()
        self._logger = logging.getLogger(LOGGER)

    def warn(self, sentence: str) -> None:
        with self._lock:
            now = self._clock()
            if now - self._last.get(sentence, -SAME_EVERY_S) < SAME_EVERY_S:
                return
            if len(self._last) >= MOST_SENTENCES:
                self._last.clear()
            self._last[sentence] = now
        self._logger.warning(sentence)
