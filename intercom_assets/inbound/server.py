"""The port that Intercom's requests come to, by way of a proxy with TLS.

    create_app   the routes over a store and settings, as an ASGI app
    serve        that on a listening socket, until SIGINT or SIGTERM

What is in hand when it ends is answered first. Must not: know what a route does (`routes`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from intercom_assets.database.store.connection import StoreNotReady, StoreUnavailable
from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.inbound.connections import PunctualConnection
from intercom_assets.inbound.routes import ROUTES
from intercom_assets.inbound.settings import InboundSettings
from intercom_assets.inbound.signed import Inbound, SignedEndpoint, SignedRoute

HEALTH = "/healthz"
HEALTH_WITHIN_S = 2.0
COUNTS_EVERY_S = 5.0
WORKERS = 6
MOST_CONNECTIONS = 1_000
LARGEST_HEAD = 16_384
"""Bytes of a request's line and headers."""
KEPT_ALIVE_S = 75
"""Longer than proxies keep a connection, so that none is closed under a request."""


def create_app(inbound: Inbound, routes: Sequence[SignedRoute] = ROUTES) -> Starlette:
    """Routes over a store and settings. Its lifespan writes down what was counted."""
    paths = [
        Route(HEALTH, partial(_health, inbound), methods=["GET"]),
        *(Route(route.path, _endpoint(inbound, route)) for route in routes),
    ]
    return Starlette(routes=paths, lifespan=lambda app: _counting(inbound))


def _endpoint(inbound: Inbound, route: SignedRoute) -> SignedEndpoint:
    return SignedEndpoint(inbound, route)


async def _health(inbound: Inbound, request: Request) -> Response:
    asked = asyncio.get_running_loop().run_in_executor(
        inbound.workers, inbound.store.state.get, StateKey.WORKSPACE
    )
    try:
        await asyncio.wait_for(asked, HEALTH_WITHIN_S)
    except (StoreUnavailable, StoreNotReady) as error:
        inbound.log.warn(error.sentence)
        return PlainTextResponse("our own tables do not answer", 503)
    except TimeoutError:
        return PlainTextResponse("our own tables do not answer in time", 503)
    return PlainTextResponse("ok")


@asynccontextmanager
async def _counting(inbound: Inbound) -> AsyncIterator[None]:
    task = asyncio.create_task(_count_for_ever(inbound))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await _write_counts(inbound)


async def _count_for_ever(inbound: Inbound) -> None:
    while True:
        await asyncio.sleep(COUNTS_EVERY_S)
        await _write_counts(inbound)


async def _write_counts(inbound: Inbound) -> None:
    counts = inbound.tally.take()
    loop = asyncio.get_running_loop()
    try:
        await loop.run_in_executor(inbound.workers, inbound.store.state.count, counts)
    except (StoreUnavailable, StoreNotReady) as error:
        inbound.tally.put_back(counts)
        inbound.log.warn(error.sentence)


class ListeningServer(uvicorn.Server):
    """One app on one socket, within bounds that a stranger cannot stretch."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=PunctualConnection,
                ws="none",
                lifespan="on",
                access_log=False,
                log_config=None,
                log_level="error",
                server_header=False,
                proxy_headers=False,
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=KEPT_ALIVE_S,
                timeout_graceful_shutdown=5,
                h11_max_incomplete_event_size=LARGEST_HEAD,
            )
        )


def listening_on(host: str, port: int) -> socket:
    """A listening socket; port 0 takes a free one. Raises OSError."""
    listening = socket(AF_INET6 if ":" in host else AF_INET, SOCK_STREAM)
    listening.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    listening.listen(2048)
    return listening


def serve(
    store: Store,
    settings: InboundSettings,
    host: str,
    port: int,
    announce: Callable[[str], None] = lambda url: None,
) -> None:
    """Serves until SIGINT or SIGTERM; `announce` is told the address once the port is taken.

    Raises OSError if the port cannot be had.
    """
    with (
        listening_on(host, port) as listening,
        ThreadPoolExecutor(WORKERS, "inbound") as workers,
        suppress(KeyboardInterrupt),
    ):
        announce(address(listening))
        ListeningServer(create_app(Inbound(store, settings, workers))).run(sockets=[listening])


def address(listening: socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
