"""Ctrl-C and SIGTERM as one thing that happens at a moment of our choosing.

Belongs here: turning both into one KeyboardInterrupt, and putting it off while a process is being
started (or it would run on unknown) or stopped.
Must not: what is to be stopped (`supervision/processes.py`).
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """The handler of both signals, in the main thread, while `listening`.

    Only the first one raises: what follows it is stopping, and impatience must not leave anything
    running.
    """

    def __init__(self) -> None:
        self._holding = 0
        self._came = False
        self._raised = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """The first signal raises KeyboardInterrupt, also where a shell had SIGINT ignored."""
        before = {item: signal.signal(item, self._arrived) for item in SIGNALS}
        try:
            yield
        finally:
            for entry, handler in before.items():
                signal.signal(entry, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """What comes meanwhile is raised at the end."""
        self._holding += 1
        try:
            yield
        finally:
            self._holding -= 1
        self._raise_what_came()

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        self._came = True
        self._raise_what_came()

    def _raise_what_came(self) -> None:
        if self._came and not self._raised and not self._holding:
            self._raised = True
            raise KeyboardInterrupt


@contextmanager
def none_ignored() -> Iterator[None]:
    """Processes that are started here take both signals.

    A background job of a shell has SIGINT ignored, which children inherit; Dagster's services then
    ignore SIGTERM as well. A handler of ours is reset in them. Other threads cannot set one.
    """
    ignored = [element for element in SIGNALS if signal.getsignal(element) is signal.SIG_IGN]
    if threading.current_thread() is not threading.main_thread():
        ignored = []
    for item in ignored:
        signal.signal(item, _do_nothing)
    try:
        yield
    finally:
        for entry in ignored:
            signal.signal(entry, signal.SIG_IGN)


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """As good as ignoring, and not inherited."""
