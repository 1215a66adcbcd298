"""What was called: counts by endpoint and status, and the last 100 calls for the page.

Control calls are not in it. Bodies are never kept.
"""

from collections import Counter, deque
from typing import Any, NamedTuple

KEPT = 100


class Entry(NamedTuple):
    """`status` 0: the connection was closed without an answer. `at`: Unix seconds.

    `about`: the id of the one contact or company that was answered, if it was one.
    """

    at: float
    method: str
    path: str
    status: int
    milliseconds: float
    fault: str = ""
    about: str = ""


class Journal:
    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.calls: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.writes = 0
        self.changes = 0
        self.faults_met = 0
        self.last: deque[Entry] = deque(maxlen=KEPT)

    def note(self, name: str, entry: Entry, writes: bool, changed: bool) -> None:
        """`writes`: calls meant to change something, whatever became of them."""
        self.calls[name] += 1
        self.statuses[entry.status] += 1
        self.writes += writes
        self.changes += changed
        self.faults_met += bool(entry.fault)
        self.last.append(entry)

    def document(self) -> dict[str, Any]:
        return {
            "calls": self.calls.total(),
            "calls_by_endpoint": dict(self.calls.most_common()),
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "rate_limited": self.statuses[429],
            "writes": self.writes,
            "changes": self.changes,
            "faults_met": self.faults_met,
        }

    def recent(self) -> list[dict[str, Any]]:
        return [
            entry._replace(milliseconds=round(entry.milliseconds, 2))._asdict()
            for entry in reversed(self.last)
        ]
