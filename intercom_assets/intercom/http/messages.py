"""What goes out and what comes in: a request, a response, the time for both, or why none came.

`HttpTransport` is the seam: `transport.py` sends over the network, a test may answer by itself.
Nothing here knows Intercom, a socket or a library.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to connect, and for all the rest of a call."""

    connect: float = 4.0
    answer: float = 14.0

    @property
    def total(self) -> float:
        return self.connect + self.answer


@dataclass(frozen=True, slots=True, repr=False)
class HttpRequest:
    """`path` begins with a slash and is quoted; it may have a query. `headers` hold the token."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """`headers` by lower-case name; `body` decoded (gzip) and whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoResponse(Exception):
    """None came, for this `reason`. `sent` is False only where the request cannot have left.

    The reason names the kind of an error, never its text, which may hold the path and ids in it.
    """

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class HttpTransport(Protocol):
    """Sends requests of any number of threads."""

    def send(self, request: HttpRequest, timeouts: Timeouts) -> HttpResponse:
        """Raises `NoResponse`. Takes `timeouts.total` at most, however the response drips."""

    def close(self) -> None:
        """Close idle connections."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds. As a date it counts from the `Date` beside it, not our clock."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:15])
    try:
        until, now = parsedate_to_datetime(value), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, until.timestamp() - now.timestamp())
    except ValueError:
        return None
