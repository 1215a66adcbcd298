"""A listener for webhooks on a port of this machine: keeps what came, answers as it is told.

Real HTTP, since what is tested is what goes over the wire. Knows nothing of Intercom's rules.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from intercom_assets.supervision.process_groups import wait_until

PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Came:
    """One POST. `headers` by lower-case name."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Listener:
    """`answers`: the status of each POST by turns; the last one stays. 0 closes the line.

    While `hold` is cleared no POST is answered. `body`: of every answer to one.
    """

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [200])
    head: int = 200
    body: bytes = b""
    came: list[Came] = field(default_factory=list)
    hold: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.hold.set()

    def wait_for(self, count: int) -> list[Came]:
        assert wait_until(lambda: len(self.came) >= count, PATIENCE_S, 0.01), self.topics
        return self.came

    @property
    def topics(self) -> list[str]:
        return [came.json()["topic"] for came in self.came]

    def item(self, topic: str) -> Any:
        """The item of the one notification of this topic."""
        [only] = [came for came in self.came if came.json()["topic"] == topic]
        return only.json()["data"]["item"]

    def next_answer(self) -> int:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(listener.head)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = listener.next_answer()
            listener.came.append(Came(self.path, headers, body))
            listener.hold.wait()
            if status:
                self._answer(status, listener.body)
            else:
                self.close_connection = True

        def _answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        listener.url = f"http://127.0.0.1:{server.server_port}/webhooks"
        try:
            yield listener
        finally:
            server.shutdown()
