"""A transport that a simulator in the same process answers, without a socket.

An answer's fate becomes what it is over a network: a dropped connection, a lost reply, or more
delay than there is time for are no response to a request that was sent.
"""

import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

from intercom_assets.intercom.http.messages import HttpRequest, HttpResponse, NoResponse, Timeouts
from intercom_assets.simulator.wire import Answer

Handle: TypeAlias = Callable[[str, str, Mapping[str, str], bytes], Answer]


class InProcess:
    """`sleep`: how a scripted delay passes; tests hand in one that does not wait."""

    def __init__(self, handle: Handle, sleep: Callable[[float], object] = time.sleep) -> None:
        self._handle = handle
        self._sleep = sleep

    def send(self, request: HttpRequest, timeouts: Timeouts) -> HttpResponse:
        headers = {"Host": "api.test", **request.headers}
        answer = self._handle(request.method, request.path, headers, request.body or b"")
        self._deliver(answer, timeouts.answer)
        body = answer.body[: len(answer.body) // 2] if answer.fate == "truncated" else answer.body
        names = {name.lower(): value for name, value in answer.headers.items()}
        return HttpResponse(answer.status, names, body)

    def close(self) -> None:
        """There is nothing to close."""

    def _deliver(self, answer: Answer, timeout: float) -> None:
        delay = answer.delay_s + answer.drip_s
        if delay:
            self._sleep(min(delay, timeout))
        if answer.fate == "dropped":
            raise NoResponse("no answer (RemoteDisconnected)", sent=True)
        if answer.fate == "lost" or delay > timeout:
            raise NoResponse("no answer (TimeoutError)", sent=True)
