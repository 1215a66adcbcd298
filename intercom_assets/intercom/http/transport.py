"""Kept-alive connections straight to one host, over sockets of our own.

At a call every six milliseconds, most of a call's CPU is its HTTP library: this takes a third of
what requests takes, measured by the benchmark. It can also tell a request that never left (no
connection) from one whose fate is unknown, without guessing by exception, and it keeps to a time
for the whole of a call. What an answer's bytes mean is `connection.py`'s. Proxies: `adapted.py`.
"""

import os
import socket
import ssl
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from urllib3.util import wait_for_read

from intercom_assets.intercom.http.connection import Incoming, Malformed
from intercom_assets.intercom.http.messages import (
    NoAnswer,
    RawAnswer,
    RawRequest,
    Timeouts,
    kind_of,
)

CHUNK = 65_536
IDLE = 4.0
"""Seconds after which a connection is not used again. Servers close idle ones after 5 to 60; a
request that meets the close gets no answer, and a create would be in doubt for nothing."""
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class _Kept:
    connection: socket.socket
    since: float


class Direct:
    """At most `connections` at once; a thread beyond them waits for one to be free."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        connections: int,
        ca_bundle: str,
        timeouts: Timeouts,
        clock: Callable[[], float],
    ) -> None:
        parts = urlsplit(base_url)
        self._host = parts.hostname or ""
        self._port = parts.port or PORTS[parts.scheme]
        self._prefix = parts.path
        lines = [f"Host: {parts.netloc}", *(f"{name}: {value}" for name, value in headers.items())]
        self._head = "\r\n".join(lines)
        self._tls = _tls(ca_bundle) if parts.scheme == "https" else None
        self._timeouts = timeouts
        self._clock = clock
        self._slots = threading.BoundedSemaphore(connections)
        self._idle: list[_Kept] = []
        weakref.finalize(self, _close_all, self._idle)

    def exchange(self, request: RawRequest) -> RawAnswer:
        start = self._clock()
        leave_by, by = start + self._timeouts.connect, start + self._timeouts.total
        if not self._slots.acquire(timeout=self._timeouts.connect):
            raise NoAnswer("no connection (all are in use)", sent=False)
        try:
            return self._with_slot(request, leave_by, by)
        finally:
            self._slots.release()

    def close(self) -> None:
        _close_all(self._idle)

    def _with_slot(self, request: RawRequest, leave_by: float, by: float) -> RawAnswer:
        connection = self._kept() or self._connected(leave_by)
        try:
            incoming = self._over(connection, request, by)
            answer = incoming.answer()
        except Malformed as malformed:
            connection.close()
            failure = NoAnswer(f"no answer ({malformed})", sent=True)
        except OSError as error:
            connection.close()
            failure = NoAnswer(f"no answer ({kind_of(error)})", sent=True)
        except BaseException:
            connection.close()
            raise
        else:
            if incoming.reusable:
                self._idle.append(_Kept(connection, self._clock()))
            else:
                connection.close()
            return answer
        raise failure

    def _kept(self) -> socket.socket | None:
        """The connection used last that is still open: readable without a request means closed."""
        while self._idle:
            try:
                kept = self._idle.pop()
            except IndexError:
                return None
            fresh = self._clock() - kept.since < IDLE
            if fresh and not wait_for_read(kept.connection, 0.0):
                return kept.connection
            kept.connection.close()
        return None

    # --- a new connection -------------------------------------------------------------------------

    def _connected(self, leave_by: float) -> socket.socket:
        """Raises `NoAnswer`: also if it took so long that the request would leave too late."""
        try:
            connection = self._dialled(leave_by)
            if self._clock() <= leave_by:
                return connection
            connection.close()
            failure = NoAnswer("no connection (TimeoutError)", sent=False)
        except (OSError, UnicodeError) as error:
            failure = NoAnswer(f"no connection ({kind_of(error)})", sent=False)
        raise failure

    def _dialled(self, leave_by: float) -> socket.socket:
        """To the first address that takes it; those that remain share the time that remains."""
        found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        refusal: OSError = OSError("the host has no address")
        for tried, (family, kind, protocol, _, address) in enumerate(found):
            dialling = socket.socket(family, kind, protocol)
            try:
                dialling.settimeout(self._share(leave_by, len(found) - tried))
                dialling.connect(address)
                return self._secured(dialling, leave_by)
            except OSError as error:
                dialling.close()
                refusal = error
        raise refusal

    def _share(self, leave_by: float, among: int) -> float:
        return max(0.01, (leave_by - self._clock()) / among)

    def _secured(self, dialling: socket.socket, leave_by: float) -> socket.socket:
        dialling.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is None:
            return dialling
        dialling.settimeout(self._share(leave_by, 1))
        return self._tls.wrap_socket(dialling, server_hostname=self._host)

    # --- a request, an answer ---------------------------------------------------------------------

    def _over(self, connection: socket.socket, request: RawRequest, by: float) -> Incoming:
        """The complete answer. Raises `OSError` or `Malformed`."""
        if connection.gettimeout() != self._timeouts.answer:
            connection.settimeout(self._timeouts.answer)
        connection.sendall(self._written(request))
        incoming = Incoming()
        while not incoming.complete:
            self._keep_time(connection, by)
            data = connection.recv(CHUNK)
            if data:
                incoming.feed(data)
            else:
                incoming.end()
        return incoming

    def _keep_time(self, connection: socket.socket, by: float) -> None:
        """A server that drips outruns every socket timeout: what is left of the call is the next.

        Raises `TimeoutError` when nothing is.
        """
        left = by - self._clock()
        if left <= 0:
            raise TimeoutError
        if left < self._timeouts.answer:
            connection.settimeout(left)

    def _written(self, request: RawRequest) -> bytes:
        """Head and body together: one packet, where two would wake the other side twice."""
        body = request.body
        announced = body is not None or request.method in ("POST", "PUT")
        length = f"\r\nContent-Length: {len(body or b'')}" if announced else ""
        line = f"{request.method} {self._prefix}{request.path} HTTP/1.1"
        return f"{line}\r\n{self._head}{length}\r\n\r\n".encode("ascii") + (body or b"")


def _tls(ca_bundle: str) -> ssl.SSLContext:
    is_folder = os.path.isdir(ca_bundle)
    context = ssl.create_default_context(
        cafile=None if is_folder else ca_bundle, capath=ca_bundle if is_folder else None
    )
    context.set_alpn_protocols(["http/1.1"])
    return context


def _close_all(idle: list[_Kept]) -> None:
    while idle:
        idle.pop().connection.close()
