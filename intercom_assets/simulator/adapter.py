"""A requests adapter that answers from a simulator in the same process, without a socket.

    session.mount(base_url, InProcess(simulator.handle))

Turns an answer's fate into what requests raises: a dropped connection is a ConnectionError, a
lost reply or more delay than the timeout a ReadTimeout. The only module here that knows requests.
"""

import time
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3.response import HTTPResponse

from intercom_assets.simulator.wire import Answer

Handle: TypeAlias = Callable[[str, str, Mapping[str, str], bytes], Answer]


class InProcess(BaseAdapter):
    """`sleep`: how a scripted delay passes; tests hand in one that does not wait."""

    def __init__(self, handle: Handle, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__()
        self._handle = handle
        self._sleep = sleep

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        url = urlsplit(request.url or "")
        path = url.path + (f"?{url.query}" if url.query else "")
        headers = {"Host": url.netloc, **request.headers}
        answer = self._handle(request.method or "GET", path, headers, _bytes(request.body))
        self._deliver(request, answer, _read_timeout(timeout))
        return _response(request, answer)

    def _deliver(
        self, request: requests.PreparedRequest, answer: Answer, timeout: float | None
    ) -> None:
        delay = answer.delay_s + answer.drip_s
        late = timeout is not None and delay > timeout
        if delay:
            self._sleep(min(delay, timeout) if timeout is not None else delay)
        if answer.fate == "dropped":
            raise requests.ConnectionError("Remote end closed connection", request=request)
        if answer.fate == "lost" or late:
            raise requests.ReadTimeout("Read timed out.", request=request)

    def close(self) -> None:
        pass


def _read_timeout(timeout: Any) -> float | None:
    value = timeout[1] if isinstance(timeout, tuple) else timeout
    return float(value) if isinstance(value, int | float) else None


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body or b"")


def _response(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    body = answer.body[: len(answer.body) // 2] if answer.fate == "truncated" else answer.body
    response = requests.Response()
    response.status_code = answer.status
    response.headers.update(answer.headers)
    response.encoding = "utf-8"
    response.raw = HTTPResponse(BytesIO(body), preload_content=False, status=answer.status)
    response.request = request
    response.url = request.url or ""
    response.reason = answer.headers.get("Status", "").partition(" ")[2]
    return response
