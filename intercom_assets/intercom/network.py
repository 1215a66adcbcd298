"""Bytes out, bytes in: connections, hosts, proxies, certificates, timeouts.

The environment (proxies, CA bundle) is read once, when a network is built, since reading it for
each request costs a quarter of the client's time. There is no `requests.Session`: its cookies and
redirects must not happen here (a redirected POST becomes a GET). No JSON and no retry belong here.
"""

import ipaddress
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.utils import get_environ_proxies

CHUNK = 65_536
NEVER_SENT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    ssl.SSLCertVerificationError,
)
"""Wherever one of these is the cause, no byte of the request has left."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to connect, and for all the rest of a call."""

    connect: float = 4.0
    answer: float = 14.0

    @property
    def total(self) -> float:
        return self.connect + self.answer


@dataclass(frozen=True, slots=True)
class RawAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Exception):
    """The request left no answer. `sent` is False only where it cannot have reached Intercom."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class Network:
    """One host, one token, one pool of kept-alive connections; any number of threads."""

    def __init__(
        self,
        token: str,
        base_url: str,
        version: str,
        *,
        connections: int,
        adapter: BaseAdapter | None,
        timeouts: Timeouts,
        clock: Callable[[], float],
    ) -> None:
        self.base_url = checked_url(base_url)
        self._headers = _headers(checked_token(token), version)
        self._adapter = adapter or HTTPAdapter(pool_maxsize=connections, pool_block=True)
        self._proxies = _proxies(self.base_url)
        ca_bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        self._verify = ca_bundle or True
        self._timeouts = timeouts
        self._clock = clock

    def send(self, method: str, path: str, body: bytes | None) -> RawAnswer:
        """One request, one answer, in at most `Timeouts.total` seconds. Raises `NoAnswer`."""
        request = requests.PreparedRequest()
        request.prepare(method, self.base_url + path, headers=self._headers, data=body)
        by = self._clock() + self._timeouts.total
        try:
            return self._exchange(request, by)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            # The library's own text holds the whole URL: it stays out of our errors and logs.
            failure = NoAnswer(_reason(error), sent=not _never_sent(error))
        raise failure

    def _exchange(self, request: requests.PreparedRequest, by: float) -> RawAnswer:
        response = self._adapter.send(
            request,
            stream=True,
            timeout=(self._timeouts.connect, self._timeouts.answer),
            verify=self._verify,
            proxies=self._proxies,
        )
        try:
            body = self._read(response, by)
        except BaseException:
            response.close()
            raise
        return RawAnswer(response.status_code, response.headers, body)

    def _read(self, response: requests.Response, by: float) -> bytes:
        """The whole body; a server that drips it byte by byte outruns every socket timeout."""
        raw = response.raw
        if not isinstance(raw, urllib3.HTTPResponse):
            return response.content
        parts = []
        while part := raw.read1(CHUNK, decode_content=True):
            parts.append(part)
            if self._clock() > by:
                raise requests.ReadTimeout("the answer took too long")
        return b"".join(parts)


def checked_url(base_url: str) -> str:
    """`base_url` without its last slash. Raises `ValueError` unless https, or http to loopback."""
    parts = urlsplit(base_url.strip())
    if not parts.hostname or parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("Intercom's address is a plain URL such as https://api.intercom.io")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError(
            f"Intercom's address must be https unless it is loopback: {parts.hostname}"
        )
    return base_url.strip().rstrip("/")


def checked_token(token: str) -> str:
    """Without surrounding blanks. Raises `ValueError`, which does not quote it."""
    token = token.strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("the access token holds characters that no token has")
    return token


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _proxies(base_url: str) -> dict[str, str]:
    if _is_loopback(urlsplit(base_url).hostname or ""):
        return {}
    return dict(get_environ_proxies(base_url))


def _headers(token: str, version: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Intercom-Version": version,
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Content-Type": "application/json",
        "User-Agent": "intercom-assets",
    }


def _causes(error: BaseException) -> list[BaseException]:
    """The error, then what it wraps, as far as the libraries tell."""
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo and len(found) < 10:
        one = todo.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            todo += [one.__cause__, getattr(one, "reason", None), *one.args]
    return found


def _never_sent(error: BaseException) -> bool:
    return any(isinstance(cause, NEVER_SENT) for cause in _causes(error))


def _reason(error: BaseException) -> str:
    """What happened, by the names of the exceptions: their texts hold paths and ids."""
    names = dict.fromkeys(type(cause).__name__ for cause in _causes(error))
    return f"no answer ({', '.join(names)})"
