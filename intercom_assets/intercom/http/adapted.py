"""A requests adapter as carrier: through proxies, or the transport that a caller brings.

Without a `requests.Session`, whose cookies and redirects must not happen here (a redirected POST
becomes a GET) and which reads the environment for each request.
"""

import ssl
from collections.abc import Callable, Mapping

import requests
import urllib3
from requests.adapters import BaseAdapter

from intercom_assets.intercom.http.messages import (
    NoAnswer,
    RawAnswer,
    RawRequest,
    Timeouts,
    kind_of,
)

CHUNK = 65_536
NEVER_SENT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
    ssl.SSLCertVerificationError,
)
"""Wherever one of these is the cause, no byte of the request has left."""


class Adapted:
    """`proxies` as requests takes them; `ca_bundle` a file or folder of certificates."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        adapter: BaseAdapter,
        proxies: Mapping[str, str],
        ca_bundle: str,
        timeouts: Timeouts,
        clock: Callable[[], float],
    ) -> None:
        self._base_url = base_url
        self._headers = dict(headers)
        self._adapter = adapter
        self._proxies = dict(proxies)
        self._ca_bundle = ca_bundle
        self._timeouts = timeouts
        self._clock = clock

    def exchange(self, request: RawRequest) -> RawAnswer:
        prepared = requests.PreparedRequest()
        prepared.prepare(
            request.method, self._base_url + request.path, self._headers, data=request.body
        )
        by = self._clock() + self._timeouts.total
        try:
            return self._send(prepared, by)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            failure = NoAnswer(_reason(error), sent=not _never_sent(error))
        raise failure

    def close(self) -> None:
        self._adapter.close()

    def _send(self, prepared: requests.PreparedRequest, by: float) -> RawAnswer:
        response = self._adapter.send(
            prepared,
            stream=True,
            timeout=(self._timeouts.connect, self._timeouts.answer),
            verify=self._ca_bundle,
            proxies=self._proxies,
        )
        try:
            body = self._read(response, by)
        except BaseException:
            response.close()
            raise
        headers = {name.lower(): value for name, value in response.headers.items()}
        return RawAnswer(response.status_code, headers, body)

    def _read(self, response: requests.Response, by: float) -> bytes:
        """The whole body. A server that drips it outruns every socket timeout, so time is kept."""
        raw = response.raw
        if not isinstance(raw, urllib3.HTTPResponse):
            return response.content
        parts = []
        while part := raw.read1(CHUNK, decode_content=True):
            parts.append(part)
            if self._clock() > by:
                raise requests.ReadTimeout
        return b"".join(parts)


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
    causes = _causes(error)
    kinds = ", ".join(dict.fromkeys(kind_of(cause) for cause in causes))
    if any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes):
        return f"the proxy that the environment names let nothing through ({kinds})"
    return f"no answer ({kinds})"
