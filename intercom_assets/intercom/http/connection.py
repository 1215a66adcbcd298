"""One connection of urllib3's, with one deadline for all of a call, and no response by halves.

Left to themselves, urllib3 and http.client give each `recv` the whole time, take the end of a
connection for the end of headers or of the last chunk, and hand interim responses out as final.
Which connection is used, and what a failure means for the request, is `transport.py`'s.
"""

import http.client
import io
import socket
import zlib
from collections.abc import Callable
from email.message import Message
from functools import partial
from typing import Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

from intercom_assets.intercom.http.messages import HttpRequest, HttpResponse

LARGEST_HEAD = 262_144
LARGEST_BODY = 134_217_728
"""Bytes, unpacked. A page of 150 contacts with 250 long attributes each takes a tenth of it."""
INTERIM = range(100, 200)
GZIP = 16 + zlib.MAX_WBITS
SHORTEST_TRY = 0.01

Clock = Callable[[], float]


class Malformed(http.client.HTTPException):
    """The bytes that came are no whole response. The text names what is wrong, and no content."""


class Inflow:
    """What may still be read of the present response, and what was noticed while reading it.

    `ended`: the other side closed. `surplus`: more came than the response, unasked for.
    """

    __slots__ = ("by", "clock", "closing", "ended", "size", "surplus")

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.restart(0.0)

    def restart(self, by: float) -> None:
        self.by, self.size = by, LARGEST_HEAD
        self.ended = self.surplus = self.closing = False

    def take(self, received: int) -> int:
        self.size -= received
        if self.size < 0:
            raise Malformed("too large an answer")
        self.ended = self.ended or not received
        return received


class _Raw(io.RawIOBase):
    """A socket's bytes, until the deadline. Reads nothing once its buffer is closing."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, inflow: Inflow) -> None:
        self._raw, self._sock, self._inflow = raw, sock, inflow

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        inflow = self._inflow
        if inflow.closing:
            return None
        left = inflow.by - inflow.clock()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return inflow.take(self._raw.readinto(buffer) or 0)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Buffered(io.BufferedReader):
    """Notices when it is closed before all of it was read."""

    def __init__(self, raw: _Raw, inflow: Inflow) -> None:
        super().__init__(raw)
        self._inflow = inflow

    def close(self) -> None:
        if not self.closed:
            self._inflow.closing = True
            self._inflow.surplus = bool(self.peek())
        super().close()


class StrictResponse(http.client.HTTPResponse):
    """Raises `Malformed` where http.client would guess what was meant."""

    def __init__(self, inflow: Inflow, sock: socket.socket, *args: Any, **settings: Any) -> None:
        super().__init__(sock, *args, **settings)
        self._inflow = inflow
        self.fp = _Buffered(_Raw(self.fp.detach(), sock, inflow), inflow)

    def begin(self) -> None:
        """Read the head, past any number of interim responses; http.client knows 100 only."""
        super().begin()
        while self.status in INTERIM:
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()
        if self._inflow.ended:
            raise Malformed("an answer that breaks off")
        if self.msg.defects:
            raise Malformed("headers that are none")
        self.by_name = _by_lower_case_name(self.msg)
        self._check_length(self.by_name.get("content-length"))
        self._inflow.size = LARGEST_BODY

    def whole(self) -> HttpResponse:
        """With its body, unpacked."""
        ends_with_connection = self.length is None and not self.chunked
        body = self.read()
        if self._inflow.ended and not ends_with_connection:
            raise Malformed("an answer that breaks off")
        if self.by_name.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip"):
            body = unpacked(body)
        return HttpResponse(self.status, self.by_name, body)

    def _check_length(self, announced: str | None) -> None:
        if announced is None:
            return
        if self.chunked:
            raise Malformed("two lengths of one answer")
        if not (announced.isascii() and announced.strip().isdigit()):
            raise Malformed("a length that is no number")
        if int(announced) > LARGEST_BODY:
            raise Malformed("too large an answer")


def _by_lower_case_name(message: Message) -> dict[str, str]:
    """What comes more than once, together."""
    headers: dict[str, str] = {}
    for name, value in message.raw_items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


class Connection(HTTPConnection):
    """To one host, for one request after the other. Not over TLS.

    `reusable`: it can carry another request; `idle_since`: for how long it has not.
    """

    def __init__(self, host: str, port: int, *, clock: Clock, **settings: Any) -> None:
        super().__init__(host, port, **settings)
        self.idle_since = 0.0
        self._inflow = Inflow(clock)
        self._body_follows, self._head = False, b""
        self.response_class = partial(StrictResponse, self._inflow)  # type: ignore[assignment]

    @property
    def reusable(self) -> bool:
        return not self.is_closed and not self._inflow.surplus

    def open(self, by: float) -> None:
        """Connect, through the proxy's tunnel and with TLS where there are such, until `by`."""
        self._inflow.restart(by)
        self.timeout = max(SHORTEST_TRY, by - self._inflow.clock())
        self.connect()

    def exchange(self, request: HttpRequest, by: float) -> HttpResponse:
        """The whole response. Raises `HTTPException`, of which `Malformed`, and `OSError`."""
        self._inflow.restart(by)
        self.timeout = max(SHORTEST_TRY, by - self._inflow.clock())
        self._body_follows = bool(request.body)
        self.request(request.method, request.path, body=request.body, headers=request.headers)
        return self.getresponse().whole()

    def getresponse(self) -> StrictResponse:  # type: ignore[override]
        """http.client's own: what urllib3 wraps it in adds nothing here but time."""
        return cast(StrictResponse, http.client.HTTPConnection.getresponse(self))

    def send(self, data: Any) -> None:
        """Head and body together: one packet, where two would wake the other side twice."""
        if self._body_follows:
            self._body_follows, self._head = False, data
            return
        head, self._head = self._head, b""
        super().send(head + data)

    def _new_conn(self) -> socket.socket:
        """To the first address that takes it; urllib3 would give each of them all of the time."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        refusal = OSError("the host has no address")
        for tried, (*_, address) in enumerate(found):
            try:
                connected = self._dial(address, len(found) - tried)
                connected.settimeout(self._share(1))
                return connected
            except OSError as error:
                refusal = error
        raise refusal

    def _dial(self, address: tuple[Any, ...], among: int) -> socket.socket:
        return create_connection(
            (address[0], address[1]), self._share(among), socket_options=self.socket_options
        )

    def _share(self, among: int) -> float:
        return max(SHORTEST_TRY, (self._inflow.by - self._inflow.clock()) / among)


class TlsConnection(Connection, HTTPSConnection):
    """The same over TLS, by the `ssl_context` it is given."""


def unpacked(body: bytes) -> bytes:
    """Raises `Malformed` for what is not gzip, breaks off, or is larger than anything asked for."""
    unpacker = zlib.decompressobj(GZIP)
    try:
        plain = unpacker.decompress(body, LARGEST_BODY)
    except zlib.error:
        raise Malformed("a body that is not compressed as it says") from None
    if unpacker.unconsumed_tail:
        raise Malformed("too large an answer")
    if not unpacker.eof:
        raise Malformed("a compressed body that breaks off")
    return plain
