"""Dagster's daemon begins sensors' ticks every second; by itself it looks every five.

A tick that asked for a run ends, and whoever changes before the next one begins waits for that
too. Where Dagster keeps its interval elsewhere, or this is no daemon, nothing is changed.
"""

import sys

INTERVAL_S = 1
_LOOP, _INTERVAL = "dagster._daemon.sensor", "MIN_INTERVAL_LOOP_TIME"


def begin_ticks_promptly() -> None:
    loop = sys.modules.get(_LOOP)
    interval = getattr(loop, _INTERVAL, None)
    if isinstance(interval, int) and interval > INTERVAL_S:
        setattr(loop, _INTERVAL, INTERVAL_S)
