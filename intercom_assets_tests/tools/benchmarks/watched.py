"""CPU and memory of a demo's processes while something happens, runs that come and go included.

Read from /proc a few times a second, so the last moment of a run is missing. Must not: judge.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from intercom_assets_tests.processes import RUN, TEMPLATE, processes_of

POLL_INTERVAL_S = 0.3
TICK = os.sysconf("SC_CLK_TCK")
OWN = frozenset({RUN, TEMPLATE, "daemon", "code server", "webserver"})


@dataclass
class Watched:
    """By process: seconds of CPU since it is watched, and its largest memory in MB."""

    cpu: dict[Path, float] = field(default_factory=dict)
    memory: dict[Path, float] = field(default_factory=dict)
    roles: dict[Path, str] = field(default_factory=dict)
    _before: dict[Path, float] = field(default_factory=dict)

    def cpu_by_role(self) -> dict[str, float]:
        sums: dict[str, float] = defaultdict(float)
        for process, seconds in self.cpu.items():
            sums[self.roles[process]] += seconds
        return dict(sums)

    def largest(self, role: str) -> float:
        return max(self.memory[process] for process, its in self.roles.items() if its == role)

    def look(self, place: Path) -> None:
        for role, process in processes_of(place):
            if role in OWN:
                with suppress(OSError):
                    self._note(role, process)

    def _note(self, role: str, process: Path) -> None:
        # The name in parentheses may hold spaces; user and system time are the 12th and 13th after.
        times = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
        status = (process / "status").read_text()
        seconds = sum(map(int, times)) / TICK
        known_from_its_start = role == RUN
        before = self._before.setdefault(process, 0.0 if known_from_its_start else seconds)
        self.roles[process], self.cpu[process] = role, seconds - before
        if "VmHWM:" in status:
            self.memory[process] = int(status.split("VmHWM:")[1].split()[0]) / 1024


@contextmanager
def watching(place: Path) -> Iterator[Watched]:
    watched, ended = Watched(), Event()

    def look_until() -> None:
        while not ended.wait(POLL_INTERVAL_S):
            watched.look(place)

    watched.look(place)
    thread = Thread(target=look_until, name="watching")
    thread.start()
    try:
        yield watched
    finally:
        ended.set()
        thread.join()
