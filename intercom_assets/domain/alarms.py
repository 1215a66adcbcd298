"""What of the sync may be watched, by name, and above which limit it is an alarm.

Belongs here: names and limits, since an operator may name them (`status --fail-if`). Must not: how
a figure is read (`sync/status/overview.py`).
"""

STUCK_AFTER = 600.0
"""Seconds that a change may wait in the queue: far more than a batch takes."""
LIMITS: dict[str, float] = {
    "off": 0,
    "stopped": 0,
    "waiting": STUCK_AFTER,
    "parked": 0,
    "leftout": 0,
    "held": 0,
    "capture": 0,
    "lag": 60,
    "overruled": 100,
    "sweep": 2 * 86_400,
    "audit": 15 * 86_400,
    "duplicates": 0,
    "webhooks": 0,
}
