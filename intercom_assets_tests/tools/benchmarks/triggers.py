"""What change capture adds to a large statement of the app: the same UPDATE with and without it.

Each is a transaction of its own on a fresh copy of the database, after one that warms it up.
"""

import time
from collections.abc import Iterator

import psycopg

from intercom_assets.database.capture.installation import remove_capture
from intercom_assets_tests.tools.benchmarks.figures import Figure
from intercom_assets_tests.tools.benchmarks.lab import CHANGE_EVERYBODY, Lab


def measure(lab: Lab, users: int) -> Iterator[Figure]:
    with lab.app(users) as url:
        captured = _seconds(url)
    with lab.app(users) as url:
        remove_capture(url)
        plain = _seconds(url)
    yield Figure("update without triggers", plain, "s")
    yield Figure("update with triggers", captured, "s")
    yield Figure("with against without", captured / plain, "times", "under 1.5 times")


def _seconds(url: str) -> float:
    """Of the second update; its commit is part of it."""
    with psycopg.connect(url) as connection:
        connection.execute(CHANGE_EVERYBODY)
        connection.commit()
        began = time.monotonic()
        connection.execute(CHANGE_EVERYBODY)
        connection.commit()
        return time.monotonic() - began
