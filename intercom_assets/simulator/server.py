"""The simulator on a port of this machine, for demo, load and clients of other languages.

Uvicorn with connections of our own, bound to loopback and answering to loopback names only. Delays
never block another call.
"""

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from socket import AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket

import uvicorn

from intercom_assets.simulator.connection import Asked, Connection, Service, plain
from intercom_assets.simulator.held import Held
from intercom_assets.simulator.simulator import CONTROL, Simulator
from intercom_assets.simulator.wire import Answer

HOST = "127.0.0.1"
INBOX = f"{CONTROL}inbox/"
LARGEST_BODY = 16_777_216
MOST_SEEDS = 1_073_741_824
"""Bytes of a call's body, and of a control call's: a workspace can be seeded with millions."""


COLLECTED = (50_000, 20, 100)
"""What a process that only serves sets for the garbage collector: a workspace is no garbage."""


class Endpoint:
    """Every path and method, answered by the simulator's `handle`; to loopback names only."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def answer(self, asked: Asked) -> Answer | Awaitable[Answer]:
        """What asks an app of the inbox waits for it, in a thread: nobody else does."""
        if asked.headers.get("host", "").partition(":")[0] not in (HOST, "localhost"):
            return plain(400, b"Invalid host header")
        path = asked.path
        if asked.method == "POST" and path.startswith(INBOX):
            return asyncio.to_thread(
                self._simulator.inbox.ask, path.removeprefix(INBOX), asked.body
            )
        return self._simulator.handle(asked.method, path, asked.headers, asked.body)


def _most(path: str) -> int:
    return MOST_SEEDS if path.startswith(CONTROL) else LARGEST_BODY


class Server(uvicorn.Server):
    """Ends within a second or two, whatever is held back and whoever has not finished asking."""

    def __init__(self, simulator: Simulator) -> None:
        self._held = Held()
        super().__init__(_config(Service(Endpoint(simulator).answer, _most, self._held)))

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._held.let_go()
        await super().shutdown(sockets)


def _config(service: Service) -> uvicorn.Config:
    return uvicorn.Config(
        service,
        http=Connection,
        interface="asgi3",
        log_level="warning",
        lifespan="off",
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
