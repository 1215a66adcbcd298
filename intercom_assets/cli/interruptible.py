"""Ctrl-C and SIGTERM in a command that works in chunks: the chunk in work is finished first."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ending_after_the_chunk(on_signal: Callable[[], None]) -> Iterator[Event]:
    """The event is set by the first signal, which also calls `told`; a second one ends at once."""
    stop = Event()
    before = {signal_number: signal.getsignal(signal_number) for signal_number in SIGNALS}

    def arrived(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        on_signal()

    for signal_number in SIGNALS:
        signal.signal(signal_number, arrived)
    try:
        yield stop
    finally:
        for signal_number, handler in before.items():
            signal.signal(signal_number, handler)
