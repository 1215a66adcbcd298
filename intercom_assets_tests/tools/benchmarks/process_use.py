"""What a world's processes have used so far and hold now, read from /proc once.

CPU is exact: a process that ended is counted by whoever waited for it, so runs that come and go
between two looks are included. Memory is PSS: what processes share is counted once. Must not:
which processes are watched over time (`watched.py`), judging.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
NOT_OURS = ("simulate", "lone_world", "guard", "reaper")
POSTGRES = "postgres"


@dataclass(frozen=True, slots=True)
class Use:
    """Seconds of CPU so far: of our processes, and of PostgreSQL (`server`). `memory`: MB, ours."""

    ours: float
    server: float
    memory: float
    processes: int

    def since(self, before: "Use") -> tuple[float, float]:
        """CPU seconds of ours, and of PostgreSQL."""
        return self.ours - before.ours, self.server - before.server


def use_of(place: Path) -> Use:
    """Of the demo at `place`: all but the simulator, which stands for Intercom."""
    ours = server = memory = 0.0
    count = 0
    for process in _of(place):
        with suppress(OSError):
            is_server = POSTGRES in _command(process)
            seconds = _cpu(process)
            if is_server:
                server += seconds
            else:
                ours += seconds
                memory += _pss(process)
                count += 1
    return Use(ours, server, memory, count)


def _of(place: Path) -> Iterator[Path]:
    """By a command line or an environment that names the place; PostgreSQL's children have both
    overwritten, so they are found by their parent."""
    servers: set[str] = set()
    others = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = _command(process)
            named = (
                str(place) in command or str(place).encode() in (process / "environ").read_bytes()
            )
            if named and not any(name in command for name in NOT_OURS):
                if POSTGRES in command:
                    servers.add(process.name)
                yield process
            elif not named:
                others.append(process)
    for process in others:
        with suppress(OSError):
            if _stat(process)[1] in servers:
                yield process


def _command(process: Path) -> str:
    return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def _stat(process: Path) -> list[str]:
    """From the state on: the name in parentheses before it may hold spaces."""
    return (process / "stat").read_text().rpartition(")")[2].split()


def _cpu(process: Path) -> float:
    """Own time, and that of children it has waited for."""
    return sum(map(int, _stat(process)[11:15])) / TICK


def _pss(process: Path) -> float:
    for line in (process / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
