"""Who is killed and how: `kill -9`, or a pause from which a process wakes after its lease.

Belongs here: finding a process, ending it, having it started again, as systemd would.
Must not: choosing when (`run.py`), or starting a whole world (`worlds.py`).
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from random import Random
from threading import Event, RLock, Thread

import psycopg

from intercom_assets.supervision.binaries import PostgresUnavailable
from intercom_assets.supervision.lockfiles import postmaster
from intercom_assets.supervision.postgres import EmbeddedPostgres
from intercom_assets.supervision.processes import Child, Processes
from intercom_assets_tests.tools.chaos.faults import in_turn
from intercom_assets_tests.tools.chaos.tally import Tally

RESTART_SECONDS = 1.0
RECOVERY_SECONDS = 60.0
"""The most that is waited for it; a sync that does not recover at all is struck all the same."""
Strike = Callable[[Event], bool]
"""Whether there was somebody to strike; returns when the target is back."""


class MortalPostgres(EmbeddedPostgres):
    """A server that can be killed and comes back at the same address."""

    def kill(self) -> None:
        found = postmaster(self.home / "data")
        if found:
            os.kill(found[0], signal.SIGKILL)

    def revive(self) -> None:
        self._port = self._adopted() or self._launched()


class Keeper:
    """Starts services by name, and again when they ended. `ended`: by themselves, by name."""

    def __init__(self, processes: Processes, commands: Mapping[str, Sequence[str]]) -> None:
        self._processes, self._commands = processes, commands
        self._children: dict[str, Child] = {}
        self._lock = RLock()
        self.ended: Counter[str] = Counter()

    def start(self, name: str) -> Child:
        with self._lock:
            child = self._processes.start(name, self._commands[name])
            self._children[name] = child
            return child

    def child(self, name: str) -> Child:
        return self._children[name]

    def kill(self, name: str, *, alone: bool = True) -> None:
        """The process itself, or its whole group; then it is started again."""
        with self._lock:
            child = self._children[name]
            with suppress(ProcessLookupError):
                (os.kill if alone else os.killpg)(child.popen.pid, signal.SIGKILL)
            child.popen.wait()
            self.start(name)

    @contextmanager
    def restarting(self) -> Iterator[None]:
        """Meanwhile whatever ends by itself is started again, a second later."""
        stop = Event()
        watcher = Thread(target=self._watch_until, args=(stop,), name="keeper", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()

    def _watch_until(self, stop: Event) -> None:
        while not stop.wait(RESTART_SECONDS):
            with self._lock:
                for name, child in list(self._children.items()):
                    if not child.runs:
                        self.ended[name] += 1
                        self.start(name)


def pause(
    pid: int, seconds: float, stop: Event, worth_it: Callable[[], bool] = lambda: True
) -> bool:
    """SIGSTOP, and SIGCONT so much later, or at once; whether it stood for as long.

    `worth_it` is asked once it stands.
    """
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError:
        return False
    try:
        return worth_it() and not stop.wait(seconds)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def kill_database(server: MortalPostgres, stop: Event) -> bool:
    server.kill()
    stop.wait(0.3)
    server.revive()
    return True


class Executioner:
    """`gap`: mean seconds between two strikes. `recovered`: whether the sync did anything since a
    time (Unix s); to strike before would only keep it down, and prove nothing."""

    def __init__(
        self, strikes: Mapping[str, Strike], recovered: Callable[[float], bool], seed: int,
        tally: Tally, gap: float,
    ) -> None:  # fmt: skip
        self._strikes, self._recovered = strikes, recovered
        self._tally, self._gap, self._random = tally, gap, Random(seed)

    def strike_until(self, stop: Event) -> None:
        for target in in_turn(list(self._strikes), self._random):
            if stop.wait(self._gap * self._random.uniform(0.5, 1.5)):
                return
            try:
                if self._strikes[target](stop):
                    self._tally.count(self._tally.kills, target)
            except (OSError, psycopg.Error, PostgresUnavailable) as error:
                self._tally.broken(f"{target} could not be struck, or did not come back: {error}")
            self._let_recover(stop)

    def _let_recover(self, stop: Event) -> None:
        since = time.time()
        while time.time() < since + RECOVERY_SECONDS and not self._recovered(since):
            if stop.wait(0.5):
                return
