"""The simulator on a port of this machine, for demo, load and clients of other languages.

Starlette and uvicorn, async handlers only, bound to loopback and answering to loopback names
only. Delays pass here and never block another call; a connection that must not be answered is
closed under uvicorn's feet.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socket import AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket
from typing import Any

import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from intercom_assets.simulator.simulator import CONTROL, Simulator
from intercom_assets.simulator.wire import Answer

HOST = "127.0.0.1"
DRIPS = 10
INBOX = f"{CONTROL}inbox/"
LARGEST_BODY = 16_777_216
MOST_SEEDS = 1_073_741_824
"""Bytes of a call's body, and of a control call's: a workspace can be seeded with millions."""


class Held:
    """Answers that are held back. They are let go when the server ends, so none holds it up."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[bool]] = set()
        self._over = False

    async def wait(self, seconds: float) -> bool:
        """False if the server ends meanwhile."""
        if self._over:
            return False
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        timer = loop.call_later(seconds, self._settle, future, True)
        self._waiting.add(future)
        try:
            return await future
        finally:
            timer.cancel()
            self._waiting.discard(future)

    def let_go(self) -> None:
        self._over = True
        for future in self._waiting:
            self._settle(future, False)

    def _settle(self, future: "asyncio.Future[bool]", waited: bool) -> None:
        if not future.done():
            future.set_result(waited)


class Endpoint:
    """Every path and method, answered by the simulator's `handle`."""

    def __init__(self, simulator: Simulator, held: Held) -> None:
        self._simulator = simulator
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            path = f"{path}?{scope['query_string'].decode('latin-1')}"
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        try:
            body = await _body(request, MOST_SEEDS if path.startswith(CONTROL) else LARGEST_BODY)
        except ClientDisconnect:
            return
        if body is None:
            await Response("The request body is too large", 413)(scope, receive, send)
            return
        answer = await self._answered(scope["method"], path, headers, body)
        ended = answer.delay_s > 0 and not await self._held.wait(answer.delay_s)
        if ended or answer.fate in ("dropped", "lost"):
            scope["intercom.abort"]()
            return
        await _deliver(answer, self._held, scope, receive, send)

    async def _answered(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> Answer:
        """What asks an app of the inbox waits for it, in a thread: nobody else does."""
        if method == "POST" and path.startswith(INBOX):
            return await asyncio.to_thread(
                self._simulator.inbox.ask, path.removeprefix(INBOX), body
            )
        return self._simulator.handle(method, path, headers, body)


async def _body(request: Request, most: int) -> bytes | None:
    """None if it is larger than `most`. Raises `ClientDisconnect`."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            return None
        parts.append(part)
    return b"".join(parts)


async def _deliver(answer: Answer, held: Held, scope: Scope, receive: Receive, send: Send) -> None:
    if not answer.fate:
        response = Response(answer.body, answer.status, dict(answer.headers))
        await response(scope, receive, send)
        return
    headers = [(k.lower().encode(), v.encode("latin-1")) for k, v in answer.headers.items()]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.fate == "truncated":
        half = answer.body[: len(answer.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await asyncio.sleep(0.05)
        scope["intercom.abort"]()
        return
    if not await _drip(answer, held, send):
        scope["intercom.abort"]()


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
    return Abortable(TrustedHostMiddleware(endpoint, [HOST, "localhost"]))


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
