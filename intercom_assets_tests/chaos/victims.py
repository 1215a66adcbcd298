"""Who is killed and how: `kill -9`, or a pause from which a process wakes after its lease.

Belongs here: finding a process, ending it, having it started again, as systemd would.
Must not: choosing when (`battle.py`), or starting a whole world (`worlds.py`).
"""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Event, Lock

from intercom_assets.demo.groups import wait_until
from intercom_assets.demo.lockfiles import postmaster
from intercom_assets.demo.postgres import EmbeddedPostgres
from intercom_assets.demo.processes import Child, Processes
from intercom_assets_tests.chaos.misfortune import in_turn
from intercom_assets_tests.chaos.tally import Tally

Strike = Callable[[Event], bool]
"""Whether there was somebody to strike; returns when the victim is back."""


class MortalPostgres(EmbeddedPostgres):
    """A server that can be killed and comes back at the same address."""

    def kill(self) -> None:
        found = postmaster(self.home / "data")
        if found:
            os.kill(found[0], signal.SIGKILL)

    def revive(self) -> None:
        self._port = self._adopted() or self._launched()


class Keeper:
    """Starts services by name, and again when they were killed."""

    def __init__(self, processes: Processes, commands: Mapping[str, Sequence[str]]) -> None:
        self._processes, self._commands = processes, commands
        self._children: dict[str, Child] = {}
        self._lock = Lock()

    def start(self, name: str) -> Child:
        with self._lock:
            child = self._processes.start(name, self._commands[name])
            self._children[name] = child
            return child

    def child(self, name: str) -> Child:
        return self._children[name]

    def kill(self, name: str, *, alone: bool = True) -> None:
        """The process itself, or its whole group; then it is started again."""
        child = self._children[name]
        with suppress(ProcessLookupError):
            (os.kill if alone else os.killpg)(child.popen.pid, signal.SIGKILL)
        child.popen.wait()
        self.start(name)


def pause(pid: int, seconds: float, stop: Event) -> bool:
    """SIGSTOP, and SIGCONT so much later; always continued."""
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError:
        return False
    try:
        stop.wait(seconds)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    return True


def kill_database(server: MortalPostgres, stop: Event) -> bool:
    server.kill()
    stop.wait(0.3)
    server.revive()
    return True


def runs_of(group: int) -> list[int]:
    """Processes in which Dagster executes runs: what a code server spawned, itself left out."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            command = (process / "cmdline").read_bytes()
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and b"spawn_main" in command and fields[0] not in "ZX":
                found.append(int(process.name))
    return found


def a_run(group: Callable[[], int], random: Random, seconds: float) -> int | None:
    """One that is there within so many seconds."""
    found: list[int] = []

    def look() -> bool:
        found[:] = runs_of(group())
        return bool(found)

    wait_until(look, seconds, every=0.05)
    return random.choice(found) if found else None


class Executioner:
    """`gap`: seconds between two strikes, from the end of one to the next."""

    def __init__(self, strikes: Mapping[str, Strike], seed: int, tally: Tally, gap: float) -> None:
        self._strikes, self._tally, self._gap = strikes, tally, gap
        self._random = Random(seed)

    def strike_until(self, stop: Event) -> None:
        for victim in in_turn(list(self._strikes), self._random):
            if stop.wait(self._gap * self._random.uniform(0.5, 1.5)):
                return
            try:
                if self._strikes[victim](stop):
                    self._tally.count(self._tally.kills, victim)
            except Exception as error:
                self._tally.broken(f"{victim} did not come back: {error}")
                raise
