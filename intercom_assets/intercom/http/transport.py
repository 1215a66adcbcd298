"""The network as an `HttpTransport`: kept-alive connections of urllib3's to one host.

urllib3's pool is not used: it writes every path, with the ids in it, to its log; it tells a request
that never left from one whose fate is unknown by exceptions that both can raise; and its timeouts
are for phases. Here a connection is open before a request is sent on it, so the line between the
two is a line of code. What a response's bytes mean is `connection.py`'s.
"""

import http.client
import os
import socket
import ssl
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from urllib3 import ProxyManager
from urllib3.exceptions import HTTPError
from urllib3.util import make_headers

from intercom_assets.intercom.http.addresses import ca_bundle, proxy_of
from intercom_assets.intercom.http.connection import Connection, Malformed, TlsConnection
from intercom_assets.intercom.http.messages import HttpRequest, HttpResponse, NoResponse, Timeouts

IDLE = 4.0
"""Seconds after which a connection is not used again. Servers close idle ones after 5 to 60; a
request that meets the close gets no answer, and a create would be in doubt for nothing."""
PORTS = {"http": 80, "https": 443}
FAILURES = (
    HTTPError,
    http.client.HTTPException,
    OSError,
    UnicodeError,
    MemoryError,
    OverflowError,
)
"""What connecting, sending or reading may raise: the last two for a length beyond all memory."""


class Urllib3Transport:
    """At most `connections` at once; a thread beyond them waits for one to be free.

    Proxy and certificates are the environment's when this is built, and never asked for again.
    Raises `ValueError` for a proxy that cannot be used. `base_url` is a checked one.
    """

    def __init__(self, base_url: str, *, connections: int, clock: Callable[[], float]) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        self._tls = _tls_context(ca_bundle()) if parts.scheme == "https" else None
        proxy = proxy_of(base_url)
        self._proxy = None if proxy is None else _as_proxy(proxy, self._tls)
        self._clock = clock
        self._slots = threading.BoundedSemaphore(connections)
        self._idle: list[Connection] = []
        weakref.finalize(self, _close_all, self._idle)

    def send(self, request: HttpRequest, timeouts: Timeouts) -> HttpResponse:
        """The response, whatever its status. Raises `NoResponse`."""
        leave_by = self._clock() + timeouts.connect
        if not self._slots.acquire(timeout=timeouts.connect):
            raise NoResponse("no connection (all are in use)", sent=False)
        try:
            connection = self._kept() or self._opened(leave_by)
            return self._exchange(connection, request, self._clock() + timeouts.answer)
        finally:
            self._slots.release()

    def close(self) -> None:
        """Close idle connections; sending again opens new ones."""
        _close_all(self._idle)

    def _exchange(self, connection: Connection, request: HttpRequest, by: float) -> HttpResponse:
        is_reusable = False
        try:
            response = connection.exchange(request, by)
            is_reusable = connection.reusable
            return response
        except FAILURES as error:
            failure = NoResponse(f"no answer ({kind_of(error)})", sent=True)
        finally:
            self._put_back(connection) if is_reusable else connection.close()
        raise failure

    # --- connections ------------------------------------------------------------------------------

    def _put_back(self, connection: Connection) -> None:
        connection.idle_since = self._clock()
        self._idle.append(connection)

    def _kept(self) -> Connection | None:
        """The connection used last that is still open: readable without a request means closed."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if self._clock() - connection.idle_since < IDLE and connection.is_connected:
                return connection
            connection.close()
        return None

    def _opened(self, leave_by: float) -> Connection:
        """Raises `NoResponse`: also if it took so long that the request would leave too late."""
        connection = self._new()
        try:
            connection.open(leave_by)
            if self._clock() <= leave_by:
                return connection
            failure = NoResponse("no connection (TimeoutError)", sent=False)
        except FAILURES as error:
            failure = NoResponse(_why_unconnected(connection, error), sent=False)
        except BaseException:
            connection.close()
            raise
        connection.close()
        raise failure

    def _new(self) -> Connection:
        if self._tls is None:
            return Connection(self._host, self._port, clock=self._clock)
        if self._proxy is None:
            return TlsConnection(self._host, self._port, clock=self._clock, ssl_context=self._tls)
        proxy = self._proxy
        connection = TlsConnection(
            proxy.host,
            proxy.port,
            clock=self._clock,
            ssl_context=self._tls,
            proxy=proxy.url,
            proxy_config=proxy.config,
        )
        connection.set_tunnel(self._host, self._port, proxy.headers, proxy.scheme)
        return connection


@dataclass(frozen=True, slots=True, repr=False)
class _Proxy:
    """As urllib3's connections want it. `headers` may hold its password."""

    scheme: str
    host: str
    port: int
    headers: Mapping[str, str]
    url: Any
    config: Any


def kind_of(error: BaseException) -> str:
    """What went wrong, for people: the class, and what to do where only a person can do something.

    Of a certificate, OpenSSL's own words are told too: they name no more than the host.
    """
    while error.__cause__ is not None:
        error = error.__cause__
    kind = type(error).__name__
    if isinstance(error, Malformed):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"{kind}: the host's certificate cannot be trusted, {error.verify_message}; "
            "REQUESTS_CA_BUNDLE names the certificates to trust, if it is a company's own"
        )
    return f"{kind}: the host's name is not known" if isinstance(error, socket.gaierror) else kind


def _why_unconnected(connection: Connection, error: BaseException) -> str:
    if connection.proxy is not None and not connection.has_connected_to_proxy:
        return f"the proxy that the environment names let nothing through ({kind_of(error)})"
    return f"no connection ({kind_of(error)})"


def _tls_context(bundle: str) -> ssl.SSLContext:
    is_folder = os.path.isdir(bundle)
    return ssl.create_default_context(
        cafile=None if is_folder else bundle, capath=bundle if is_folder else None
    )


def _as_proxy(address: str, tls: ssl.SSLContext | None) -> _Proxy:
    """`ProxyManager` is not asked for connections: it makes the configuration of one."""
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    headers = make_headers(proxy_basic_auth=login) if parts.username else {}
    netloc = parts.netloc.rpartition("@")[2]
    manager = ProxyManager(f"{parts.scheme}://{netloc}", proxy_ssl_context=tls)
    return _Proxy(parts.scheme, host, port, headers, manager.proxy, manager.proxy_config)


def _close_all(idle: list[Connection]) -> None:
    while idle:
        idle.pop().close()
