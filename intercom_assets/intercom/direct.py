"""Kept-alive connections straight to one host, on the standard library's HTTP client.

At a call every six milliseconds, most of a call's CPU is its HTTP library: this takes half of what
requests takes, measured by the benchmark. It can also tell a request that never left (no
connection) from one whose fate is unknown, without guessing by exception. Proxies: `adapted.py`.
"""

import gzip
import http.client
import os
import socket
import ssl
import threading
import weakref
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from urllib3.util import wait_for_read

from intercom_assets.intercom.exchange import NoAnswer, RawAnswer, RawRequest, Timeouts

CHUNK = 65_536
IDLE = 4.0
"""Seconds after which a connection is not used again. Servers close idle ones after 5 to 60; a
request that meets the close gets no answer, and a create would be in doubt for nothing."""


@dataclass(frozen=True, slots=True)
class _Kept:
    connection: http.client.HTTPConnection
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
        self._host, self._port = parts.hostname or "", parts.port
        self._prefix = parts.path
        self._headers = dict(headers)
        self._tls = _tls(ca_bundle) if parts.scheme == "https" else None
        self._timeouts = timeouts
        self._clock = clock
        self._slots = threading.BoundedSemaphore(connections)
        self._idle: list[_Kept] = []
        weakref.finalize(self, _close_all, self._idle)

    def exchange(self, request: RawRequest) -> RawAnswer:
        with self._slots:
            by = self._clock() + self._timeouts.total
            connection = self._kept() or self._connected()
            try:
                answer, reusable = self._over(connection, request, by)
            except (http.client.HTTPException, OSError, EOFError, zlib.error) as error:
                connection.close()
                failure = NoAnswer(f"no answer ({type(error).__name__})", sent=True)
            except BaseException:
                connection.close()
                raise
            else:
                if reusable:
                    self._idle.append(_Kept(connection, self._clock()))
                return answer
            raise failure

    def close(self) -> None:
        _close_all(self._idle)

    def _kept(self) -> http.client.HTTPConnection | None:
        """The connection used last that is still open: readable without a request means closed."""
        while self._idle:
            try:
                kept = self._idle.pop()
            except IndexError:
                return None
            fresh = self._clock() - kept.since < IDLE
            if fresh and kept.connection.sock and not wait_for_read(kept.connection.sock, 0.0):
                return kept.connection
            kept.connection.close()
        return None

    def _connected(self) -> http.client.HTTPConnection:
        connection = self._new()
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            failure = NoAnswer(f"no connection ({type(error).__name__})", sent=False)
        else:
            return connection
        raise failure

    def _new(self) -> http.client.HTTPConnection:
        timeout = self._timeouts.connect
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=timeout, context=self._tls
        )

    def _over(
        self, connection: http.client.HTTPConnection, request: RawRequest, by: float
    ) -> tuple[RawAnswer, bool]:
        """The answer, and whether the connection can carry another request."""
        sock = connection.sock
        sock.settimeout(self._timeouts.answer)
        connection.request(request.method, self._prefix + request.path, request.body, self._headers)
        response = connection.getresponse()
        with response:
            body = self._read(response, sock, by)
        headers = {name.lower(): value for name, value in response.headers.raw_items()}
        if headers.get("content-encoding", "").lower() == "gzip":
            body = gzip.decompress(body)
        return RawAnswer(response.status, headers, body), not response.will_close

    def _read(self, response: http.client.HTTPResponse, sock: socket.socket, by: float) -> bytes:
        """The whole body. A server that drips it outruns every socket timeout, so time is kept."""
        parts = []
        while part := response.read1(CHUNK):
            parts.append(part)
            left = by - self._clock()
            if left <= 0:
                raise TimeoutError
            sock.settimeout(left)
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        return b"".join(parts)


def _tls(ca_bundle: str) -> ssl.SSLContext:
    if os.path.isdir(ca_bundle):
        return ssl.create_default_context(capath=ca_bundle)
    return ssl.create_default_context(cafile=ca_bundle)


def _close_all(idle: list[_Kept]) -> None:
    while idle:
        idle.pop().connection.close()
