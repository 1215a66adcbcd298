"""Where the parts of a demo are: chosen, written down for the other commands, found again.

Must not: starting anything there.
"""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from intercom_assets.demo.probes import AppSide, DagsterSide, IntercomSide, Sides
from intercom_assets.supervision.processes import ProcessFailed

HOST = "127.0.0.1"
_FILE = "addresses.json"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a demo is, passwords included."""

    app_database: str
    dagster_database: str
    simulator: str
    webserver: str
    code_port: int
    listener: str

    def sides(self) -> Sides:
        return Sides(
            AppSide(self.app_database),
            IntercomSide(self.simulator),
            DagsterSide(self.dagster_database),
        )


@contextmanager
def written_down(addresses: Addresses, data_dir: Path) -> Iterator[None]:
    """For `addresses_of`, as long as the demo runs; nobody else may read it."""
    file = data_dir / _FILE
    file.touch(mode=0o600)
    file.write_text(json.dumps(asdict(addresses)))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def addresses_of(data_dir: Path) -> Addresses:
    """Where the demo that runs in `data_dir` is. Raises `ProcessFailed` if none does."""
    try:
        return Addresses(**json.loads((data_dir / _FILE).read_text()))
    except (FileNotFoundError, NotADirectoryError):
        raise ProcessFailed(
            f"No demo is running in {data_dir}; start one with `intercom-assets demo --data-dir "
            f"{data_dir}`."
        ) from None
    except OSError as error:
        raise ProcessFailed(f"{data_dir} cannot be read: {error.strerror}.") from None


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for entry in sockets:
            entry.bind((HOST, 0))
        return [item.getsockname()[1] for item in sockets]
