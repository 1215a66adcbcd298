"""Ctrl-C while modules are loaded: an end in one word, where Python would print a traceback.

Imports next to nothing itself: it is there before anything else is. Must not: know a command.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPED = b"\nAborted!\n"
"""As click says it of a command that has begun."""


@contextmanager
def ending_at_once() -> Iterator[None]:
    """While modules are loaded: nothing has been done yet, so there is nothing to tidy up."""
    before = signal.getsignal(signal.SIGINT)
    ours = threading.current_thread() is threading.main_thread()
    if not ours or before is not signal.default_int_handler:
        # Ignored by a shell's background job, or somebody's who knows better.
        yield
        return
    signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(number: int, frame: FrameType | None) -> None:
    os.write(2, STOPPED)
    os._exit(1)
