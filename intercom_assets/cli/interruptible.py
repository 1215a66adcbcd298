"""Ctrl-C and SIGTERM in a command that works in chunks: the chunk in work is finished first."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ending_after_the_chunk(told: Callable[[], None]) -> Iterator[Event]:
    """The event is set by the first signal, which also calls `told`; a second one ends at once."""
    stop = Event()
    before = {each: signal.getsignal(each) for each in SIGNALS}

    def arrived(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        told()

    for each in SIGNALS:
        signal.signal(each, arrived)
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
