"""The server in a thread of the test's process, and requests to it as Intercom would sign them."""

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from intercom_assets.database.store.store import Store
from intercom_assets.inbound.routes import ROUTES
from intercom_assets.inbound.server import (
    WORKERS,
    ListeningServer,
    address,
    create_app,
    listening_on,
)
from intercom_assets.inbound.settings import InboundSettings
from intercom_assets.inbound.signatures import INBOX, WEBHOOK, SignatureScheme
from intercom_assets.inbound.signed import Inbound, SignedRoute

SECRET = b"the-secret-of-the-app"


@dataclass(frozen=True)
class Listener:
    """`url`: where it answers."""

    url: str
    inbound: Inbound

    def post(
        self,
        path: str,
        body: object,
        *,
        scheme: SignatureScheme = WEBHOOK,
        secret: bytes = SECRET,
        **headers: str,
    ) -> requests.Response:
        """A signed POST; `body` is sent as JSON unless it is bytes already."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        signed = {scheme.header: scheme.sign(raw, secret), **headers}
        return requests.post(self.url + path, raw, headers=signed, timeout=30)

    def inbox(self, path: str, body: object) -> requests.Response:
        return self.post(path, body, scheme=INBOX)


@contextmanager
def listening(
    store: Store,
    *secrets: bytes,
    dagster_url: str = "",
    routes: Sequence[SignedRoute] = ROUTES,
) -> Iterator[Listener]:
    """Takes `SECRET` unless told otherwise."""
    settings = InboundSettings(secrets or (SECRET,), dagster_url)
    with listening_on("127.0.0.1", 0) as port, ThreadPoolExecutor(WORKERS) as workers:
        inbound = Inbound(store, settings, workers)
        server = ListeningServer(create_app(inbound, routes))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [port]}, daemon=True)
        thread.start()
        try:
            yield Listener(address(port), inbound)
        finally:
            server.should_exit = True
            thread.join()
