"""The simulator on a port of this machine, for demo, load and clients of other languages.

Uvicorn, async handlers only, bound to loopback and answering to loopback names
only. Delays pass here and never block another call; a connection that must not be answered is
closed under uvicorn's feet.
"""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from socket import AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from intercom_assets.simulator.held import Held
from intercom_assets.simulator.simulator import CONTROL, Simulator
from intercom_assets.simulator.wire import Answer

HOST = "127.0.0.1"
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
DRIPS = 10
INBOX = f"{CONTROL}inbox/"
LARGEST_BODY = 16_777_216
MOST_SEEDS = 1_073_741_824
"""Bytes of a call's body, and of a control call's: a workspace can be seeded with millions."""


COLLECTED = (50_000, 20, 100)
"""What a process that only serves sets for the garbage collector: a workspace is no garbage."""


class Endpoint:
    """Every path and method, answered by the simulator's `handle`.

    Speaks ASGI by itself: at thousands of calls a second a framework's request and response cost
    as much as the answer does.
    """

    def __init__(self, simulator: Simulator, held: Held) -> None:
        self._simulator = simulator
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        if headers.get("host", "").partition(":")[0] not in (HOST, "localhost"):
            await _send(send, 400, PLAIN, b"Invalid host header")
            return
        path = scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            path = f"{path}?{scope['query_string'].decode('latin-1')}"
        try:
            body = await _body(receive, MOST_SEEDS if path.startswith(CONTROL) else LARGEST_BODY)
        except ClientGone:
            return
        if body is None:
            await _send(send, 413, PLAIN, b"The request body is too large")
            return
        answer = await self._answered(scope["method"], path, headers, body)
        ended = answer.delay_s > 0 and not await self._held.wait(answer.delay_s)
        if ended or answer.fate in ("dropped", "lost"):
            scope["intercom.abort"]()
        elif answer.fate:
            await _spoil(answer, self._held, scope["intercom.abort"], send)
        else:
            await _send(send, answer.status, answer.headers, answer.body)

    async def _answered(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> Answer:
        """What asks an app of the inbox waits for it, in a thread: nobody else does."""
        if method == "POST" and path.startswith(INBOX):
            return await asyncio.to_thread(
                self._simulator.inbox.ask, path.removeprefix(INBOX), body
            )
        return self._simulator.handle(method, path, headers, body)


class ClientGone(Exception):
    """The caller went before its body was here."""


async def _body(receive: Receive, most: int) -> bytes | None:
    """None if it is larger than `most`. Raises `ClientGone`."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            return None
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


@lru_cache(maxsize=256)
def _name(name: str) -> bytes:
    return name.lower().encode("latin-1")


async def _start(send: Send, status: int, headers: Mapping[str, str], size: int) -> None:
    written = [(_name(name), value.encode("latin-1")) for name, value in headers.items()]
    written.append((b"content-length", str(size).encode()))
    await send({"type": "http.response.start", "status": status, "headers": written})


async def _send(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    await _start(send, status, headers, len(body))
    await send({"type": "http.response.body", "body": body})


async def _spoil(answer: Answer, held: Held, abort: Callable[[], None], send: Send) -> None:
    """Sends what the fault leaves of the answer."""
    await _start(send, answer.status, answer.headers, len(answer.body))
    if answer.fate == "truncated":
        half = answer.body[: len(answer.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await asyncio.sleep(0.05)
        abort()
    elif not await _drip(answer, held, send):
        abort()


async def _drip(answer: Answer, held: Held, send: Send) -> bool:
    """False if the server ends meanwhile."""
    size = max(1, -(-len(answer.body) // DRIPS))
    for start in range(0, len(answer.body), size):
        if not await held.wait(answer.drip_s / DRIPS):
            return False
        piece = answer.body[start : start + size]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
    return True


class Abortable:
    """Gives each call a way to close its connection without a byte.

    ASGI has none, so this reaches for the transport behind uvicorn's `send`; it must therefore be
    the outermost layer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cycle: Any = getattr(send, "__self__", None)

        def abort() -> None:
            # As if the client had gone: uvicorn then expects no answer and logs no error.
            cycle.disconnected = True
            cycle.message_event.set()
            cycle.transport.close()

        scope["intercom.abort"] = abort
        await self._app(scope, receive, send)


def create_app(simulator: Simulator, held: Held | None = None) -> ASGIApp:
    """No router of Starlette's: every path is the simulator's, whatever characters it holds."""
    endpoint = Endpoint(simulator, held or Held())
    return Abortable(endpoint)


class Server(uvicorn.Server):
    """Ends within a second or two, whatever is held back and whoever has not finished asking."""

    def __init__(self, simulator: Simulator) -> None:
        self._held = Held()
        super().__init__(_config(create_app(simulator, self._held)))

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._held.let_go()
        await super().shutdown(sockets)


def _config(app: ASGIApp) -> uvicorn.Config:
    """The simulator's answers carry a Date of their own: of its clock."""
    return uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        lifespan="off",
        date_header=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=1,
    )


def listen(port: int) -> socket:
    """A listening socket on loopback; port 0 takes a free one. Raises OSError if it is taken."""
    listening = socket(AF_INET, SOCK_STREAM)
    listening.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError:
        listening.close()
        raise
    listening.listen(2048)
    return listening


def serve(
    simulator: Simulator, port: int, announce: Callable[[str], None] = lambda url: None
) -> None:
    """Serves until SIGINT or SIGTERM; `announce` is told the address once it listens.

    Raises OSError if the port is taken.
    """
    gc.set_threshold(*COLLECTED)
    with listen(port) as listening, suppress(KeyboardInterrupt):
        announce(address(listening))
        try:
            Server(simulator).run(sockets=[listening])
        finally:
            simulator.stop()


def address(listening: socket) -> str:
    return f"http://{HOST}:{listening.getsockname()[1]}"


@contextmanager
def serving(simulator: Simulator, port: int = 0) -> Iterator[str]:
    """The simulator in a thread of this process; yields its address, `http://127.0.0.1:PORT`."""
    with listen(port) as listening:
        server = Server(simulator)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield address(listening)
        finally:
            server.should_exit = True
            thread.join()
            simulator.stop()
