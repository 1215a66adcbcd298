"""Child processes of the demo and of `up`: started, waited for, and all stopped.

Belongs here: environment, logs, process groups, waiting for an address, stopping in order.
Must not: what the processes are.

No address or token of the caller reaches a child of the demo, whatever is exported. One in an .env
file reaches none at all: Dagster loads that of its working directory over its environment, so
children work in a directory of ours.
"""

import os
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import requests

from intercom_assets.domain.errors import OperatorError
from intercom_assets.supervision.interrupts import Interrupts, none_ignored
from intercom_assets.supervision.process_groups import end_group, wait_until
from intercom_assets.supervision.reaper import Guard
from intercom_assets.supervision.workdir import private_directory

FOREIGN_PREFIXES = ("DAGSTER_", "INTERCOM_", "PG")
FOREIGN_SUFFIXES = ("DATABASE_URL",)
PACKAGES = Path(__file__).parents[2]
LOG_END_BYTES = 8_192
ON_THIS_MACHINE = "127.0.0.1,localhost"


class ProcessFailed(OperatorError):
    """A child ended, or did not answer in time. One sentence, with the end of its log."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process that leads a group of its own. `log` has what it and its own children print."""

    name: str
    popen: "subprocess.Popen[bytes]"
    log: Path

    @property
    def runs(self) -> bool:
        return self.popen.poll() is None

    def last_lines(self, lines: int = 5) -> str:
        """The end of its log in one line."""
        if not self.log.exists():
            return "(it is gone)"
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_END_BYTES))
            text = log.read().decode(errors="replace").splitlines()
        return " | ".join(text[-lines:]) or "(nothing)"


class Processes:
    """Children in `home`, with `environment` and what is harmless of ours. A context manager.

    `inherit`: with the whole of our environment instead. Their names are those of their logs. They
    are stopped in reverse order of their start; a `guard` does it if we are killed.
    """

    def __init__(
        self,
        home: Path,
        environment: Mapping[str, str],
        interrupts: Interrupts | None = None,
        guard: Guard | None = None,
        *,
        inherit: bool = False,
    ) -> None:
        self.home = private_directory(home)
        own = inherited_environment if inherit else clean_environment
        self.environment = own(environment)
        self._interrupts = interrupts or Interrupts()
        self._guard = guard
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()

    @property
    def children(self) -> tuple[Child, ...]:
        return tuple(self._children)

    def start(self, name: str, command: Sequence[str]) -> Child:
        """Starts it, and returns at once. Its standard input is empty."""
        log = self.home / f"{name}.log"
        with self._interrupts.held(), none_ignored(), log.open("ab") as output:
            popen = subprocess.Popen(
                command, cwd=self.home, env=self.environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
            child = Child(name, popen, log)
            self._children.append(child)
            if self._guard:
                self._guard.watch_group(popen.pid)
        return child

    def restart(self, child: Child, command: Sequence[str]) -> Child:
        """In place of one that has ended, and of whatever that left behind."""
        self.stop(child)
        return self.start(child.name, command)

    def wait_for_http(self, child: Child, url: str, seconds: float) -> None:
        """Until `url` answers with anything but a server's error. Raises `ProcessFailed`."""

        self._wait(child, lambda: answers_http(url), url, seconds)

    def wait_for_port(self, child: Child, host: str, port: int, seconds: float) -> None:
        """Until it takes connections. Raises `ProcessFailed`."""
        self._wait(child, lambda: takes_connections(host, port), f"{host}:{port}", seconds)

    def _wait(
        self, child: Child, answers: Callable[[], bool], address: str, seconds: float
    ) -> None:
        def ready() -> bool:
            if not child.runs:
                raise ProcessFailed(
                    f"The {child.name} ended with code {child.popen.returncode} before it "
                    f"answered; its log ends: {child.last_lines()}"
                )
            return answers()

        if not wait_until(ready, seconds):
            raise ProcessFailed(
                f"The {child.name} did not answer at {address} within {seconds:.0f} s; its log "
                f"ends: {child.last_lines()}"
            )

    def require_all(self) -> None:
        """Raises `ProcessFailed` if a child is no longer there."""
        for child in self._children:
            if not child.runs:
                raise ProcessFailed(
                    f"The {child.name} ended by itself with code {child.popen.returncode}; its log "
                    f"ends: {child.last_lines()}"
                )

    def stop(self, child: Child) -> None:
        """Interrupts it, and then ends whatever is left of its group."""
        with self._interrupts.held():
            self._end(child)

    def stop_all(self) -> None:
        """Returns when none of their groups has a living process."""
        with self._interrupts.held():
            for child in reversed(self._children.copy()):
                self._end(child)

    def _end(self, child: Child) -> None:
        end_group(child.popen.pid, lambda: child.runs)
        child.popen.wait()
        if self._guard:
            self._guard.forget_group(child.popen.pid)
        self._children.remove(child)


def clean_environment(own: Mapping[str, str]) -> dict[str, str]:
    """Ours without any address or token of a database, Dagster or Intercom, plus `own`.

    Children find this package as we did, whatever their working directory.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FOREIGN_PREFIXES) and not name.endswith(FOREIGN_SUFFIXES)
    }
    local = dict.fromkeys(("NO_PROXY", "no_proxy"), ON_THIS_MACHINE)
    return kept | _where_we_are() | local | dict(own)


def inherited_environment(own: Mapping[str, str]) -> dict[str, str]:
    """All of ours, plus `own`. No proxy stands between processes of this machine."""
    beyond = os.environ.get("NO_PROXY") or os.environ.get("no_proxy")
    direct = ",".join(filter(None, [beyond, ON_THIS_MACHINE]))
    local = dict.fromkeys(("NO_PROXY", "no_proxy"), direct)
    return dict(os.environ) | _where_we_are() | local | dict(own)


def _where_we_are() -> dict[str, str]:
    packages = [str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(packages), "PYTHONUNBUFFERED": "1"}


def takes_connections(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def answers_http(url: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url, timeout=2).status_code < 500
        except requests.RequestException:
            return False
