"""What a carrier does: one request out, one answer in, or the reason why none came.

Two carry: `transport.py` (kept-alive connections of our own) and `adapted.py` (a requests adapter:
for proxies, and where a caller brings its own transport). Nothing here knows Intercom.
"""

import socket
import ssl
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


@dataclass(frozen=True, slots=True)
class RawRequest:
    """`path` begins with a slash and is quoted; it may have a query."""

    method: str
    path: str
    body: bytes | None


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """`headers` by lower-case name; `body` decoded (gzip) and whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def retry_after(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds. As a date it counts from the answer's own `Date`, not our clock."""
    told = headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit():
        return float(told[:15])
    try:
        until, now = parsedate_to_datetime(told), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, until.timestamp() - now.timestamp())
    except ValueError:
        return None


class NoAnswer(Exception):
    """The request left no answer. `sent` is False only where it cannot have reached Intercom.

    The reason is made of `kind_of` an error: the text of one may hold the path and what is in it.
    """

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class Carrier(Protocol):
    """Carries requests from any number of threads."""

    def exchange(self, request: RawRequest) -> RawAnswer:
        """Raises `NoAnswer`. Takes `Timeouts.total` seconds at most, however the answer drips."""

    def close(self) -> None:
        """Close idle connections."""


def kind_of(error: BaseException) -> str:
    """What went wrong, for people: the class, and what to do where only a person can do something.

    Of a certificate, OpenSSL's own words are told too: they name no more than the host.
    """
    kind = type(error).__name__
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"{kind}: the host's certificate cannot be trusted, {error.verify_message}; "
            "REQUESTS_CA_BUNDLE names the certificates to trust, if it is a company's own"
        )
    return f"{kind}: the host's name is not known" if isinstance(error, socket.gaierror) else kind
