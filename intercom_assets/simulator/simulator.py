"""The stand-in itself: one object that answers calls, can be read, and can be acted on.

`handle` takes Intercom's API, the control endpoints (`/_simulator/...`) and the page (`/`). Reads
for tests return plain documents, current and uncounted; `by_hand` is what an operator does in
Intercom's own screens. Safe to use from many threads.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from intercom_assets.simulator.answering import Answering, Request
from intercom_assets.simulator.control import Control
from intercom_assets.simulator.documents import Document
from intercom_assets.simulator.page import is_page, page_answer
from intercom_assets.simulator.stand import Stand
from intercom_assets.simulator.wire import Answer

CONTROL = "/_simulator/"


class Simulator(Stand):
    """`clock`: Unix seconds, for everything that has a time. Settings as in `settings.Settings`.

    Raises BadSetting or BadFault for knobs and faults that do not exist.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time, **settings: Any) -> None:
        super().__init__(clock, **settings)
        self.control = Control(self)
        self._answering = Answering(self.world, self.settings, self.rate, self.faults, self.journal)

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """`path` with its query string, percent-encoded as it came. Never waits."""
        with self.lock:
            if path.startswith(CONTROL):
                return self.control.answer(method, path, body)
            if method == "GET" and is_page(path):
                return page_answer()
            lower = {name.lower(): value for name, value in headers.items()}
            with self.webhooks.by_api:
                return self._answering.answer(Request(method, path, lower, body))

    def set(self, **changes: Any) -> None:
        """Settings, and faults as `fail_next` or `faults`."""
        with self.lock:
            self.control.change_settings(changes)

    def stats(self) -> Document:
        with self.lock:
            return self.control.stats()

    def stop(self) -> None:
        """Its threads, if it has any: whoever subscribed to webhooks calls it at the end."""
        self.webhooks.stop()

    def reset(self, what: str = "all") -> None:
        """`all`, or only `data`, `stats`, `faults` or `settings`."""
        with self.lock:
            self.control.reset(what)
