"""One HTTP/1.1 connection to the stand-in: requests parsed by httptools, each answered in its turn.

It writes to its transport itself. At thousands of calls a second whatever lies between costs as
much as an answer does, and what a fault asks for (a connection that ends without a byte, half a
body) has no name in ASGI. Uvicorn keeps the sockets, the signals and the end. Must not: know an
endpoint.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import httptools
import uvicorn
from uvicorn.server import ServerState

from intercom_assets.simulator.held import Held
from intercom_assets.simulator.wire import STATUS_LINES, Answer

PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
DRIPS = 10
MOST_WAITING = 64
"""Requests that a client sends without waiting for answers, before it is read no further."""

log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """One request. `path` with its query, never a whole URL; `headers` by lower-case name."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    keep_alive: bool = True


@dataclass(frozen=True, slots=True)
class Service:
    """What connections are served with. `most`: the bytes that a body of this path may have."""

    answer: Callable[[Asked], Answer | Awaitable[Answer]]
    most: Callable[[str], int]
    held: Held

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        """What uvicorn takes for its application looks like one."""
        raise NotImplementedError("connections are served without ASGI")


def plain(status: int, text: bytes) -> Answer:
    return Answer(status, PLAIN, text)


class Connection(asyncio.Protocol):
    """As uvicorn makes them, for `Service` as its application."""

    def __init__(self, config: uvicorn.Config, server_state: ServerState, **others: object) -> None:
        self._service = cast(Service, config.app)
        self._state = server_state
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._waiting: deque[Asked | Answer] = deque()
        self._under_way: asyncio.Task[None] | None = None
        self._ends = False

    # --- as asyncio tells ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._state.connections.add(self)  # type: ignore[arg-type] # uvicorn names its own

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(self)
        self._ends = True
        self._waiting.clear()
        if self._under_way is not None:
            self._under_way.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return  # to something that is not spoken here: it was answered as any other request
        except httptools.HttpParserError:
            self._take(plain(400, b"Invalid HTTP request received."))

    def pause_writing(self) -> None:
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._transport.resume_reading()

    def shutdown(self) -> None:
        """Uvicorn ends: what is under way is answered, and nothing after it."""
        self._ends = True
        if self._under_way is None:
            self._transport.close()

    # --- as the parser tells ---

    def on_message_begin(self) -> None:
        self._url, self._size = b"", 0
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._path = _path_of(self._url.decode("latin-1"))
        self._most = self._service.most(self._path)
        if self._headers.get("expect", "").lower() == "100-continue" and self._under_way is None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= self._most:
            self._parts.append(body)
        elif not self._ends:
            self._parts.clear()
            self._take(plain(413, b"The request body is too large"))

    def on_message_complete(self) -> None:
        parser = self._parser
        lasting = parser.should_keep_alive() and parser.get_http_version() != "1.0"
        method, body = parser.get_method().decode("latin-1"), b"".join(self._parts)
        self._take(Asked(method, self._path, self._headers, body, lasting))

    # --- answering ---

    def _take(self, item: Asked | Answer) -> None:
        """Answers at once where nothing is under way; an `Answer` is the connection's last."""
        self._waiting.append(item)
        if len(self._waiting) > MOST_WAITING:
            self._transport.pause_reading()
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and self._under_way is None and not self._ends:
            item = self._waiting.popleft()
            if isinstance(item, Answer):
                self._write(item, "", keep_alive=False)
            else:
                self._answer(item)

    def _answer(self, asked: Asked) -> None:
        try:
            answer = self._service.answer(asked)
        except Exception:
            log.exception("%s %s could not be answered", asked.method, asked.path)
            answer = plain(500, b"Internal Server Error")
        if isinstance(answer, Answer) and not answer.delay_s and not answer.fate:
            self._write(answer, asked.method, keep_alive=asked.keep_alive)
            return
        task = asyncio.get_running_loop().create_task(self._answer_later(asked, answer))
        self._under_way = task
        self._state.tasks.add(task)
        task.add_done_callback(self._answered)

    def _answered(self, task: "asyncio.Task[None]") -> None:
        self._state.tasks.discard(task)
        self._under_way = None
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a call could not be answered", exc_info=error)
            self._transport.close()
        elif self._ends:
            self._transport.close()
        else:
            self._transport.resume_reading()
            self._go_on()

    async def _answer_later(self, asked: Asked, coming: Answer | Awaitable[Answer]) -> None:
        answer = coming if isinstance(coming, Answer) else await coming
        in_time = answer.delay_s <= 0 or await self._service.held.wait(answer.delay_s)
        if not in_time or answer.fate in ("dropped", "lost"):
            self._end()
        elif answer.fate:
            await self._spoil(answer, asked)
        else:
            self._write(answer, asked.method, keep_alive=asked.keep_alive)

    def _write(self, answer: Answer, method: str, *, keep_alive: bool) -> None:
        lasts = keep_alive and not self._ends
        head = _head(answer, lasts=lasts)
        self._transport.write(head if method == "HEAD" else head + answer.body)
        if not lasts:
            self._end()

    def _end(self) -> None:
        self._ends = True
        self._transport.close()

    async def _spoil(self, answer: Answer, asked: Asked) -> None:
        """Sends what the fault leaves of the answer."""
        self._transport.write(_head(answer, lasts=asked.keep_alive))
        if answer.fate == "truncated":
            self._transport.write(answer.body[: len(answer.body) // 2])
            await asyncio.sleep(0.05)
            self._end()
        elif not await self._drip(answer):
            self._end()

    async def _drip(self, answer: Answer) -> bool:
        """False if the server ends meanwhile."""
        size = max(1, -(-len(answer.body) // DRIPS))
        for start in range(0, len(answer.body), size):
            if not await self._service.held.wait(answer.drip_s / DRIPS):
                return False
            self._transport.write(answer.body[start : start + size])
        return True


def _path_of(target: str) -> str:
    """A page's `next` is a whole URL, and clients send it whole (RFC 9112, 3.2.2)."""
    if target[:1] == "/" or not target.lower().startswith(("http://", "https://")):
        return target
    _, slash, path = target.partition("://")[2].partition("/")
    return slash + path


def _head(answer: Answer, *, lasts: bool) -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in answer.headers.items()]
    status = STATUS_LINES.get(answer.status) or f"{answer.status} Unknown"
    closes = "" if lasts else "Connection: close\r\n"
    length = f"Content-Length: {len(answer.body)}\r\n"
    return f"HTTP/1.1 {status}\r\n{''.join(lines)}{length}{closes}\r\n".encode("latin-1")
