"""The processes of a running demo, by what they are: for those who measure them.

Reads /proc, so Linux only. Must not: start or stop any.
"""

from collections.abc import Iterator
from pathlib import Path

RUN = "run"
TEMPLATE = "template"
BY_NAME = {"warm-run": RUN, "warm-template": TEMPLATE}
"""How a run that was forked is called, and what it was forked from: their command lines are those
of their code server, or of a program of its own."""
ROLES = {
    "execute_run": RUN,
    "multiprocessing.spawn": RUN,  # as the code server starts it
    "simulate": "simulator",
    "cli.main listen": "listener",
    "dagster._daemon": "daemon",
    "dagster_webserver": "webserver",
    "api grpc": "code server",
    "postgres": "PostgreSQL",
}
"""Part of a command line -> what the process is."""


def processes_of(place: Path) -> Iterator[tuple[str, Path]]:
    """Role and /proc directory of each process that has the demo's directory in its command or
    its environment. A process may end while it is looked at."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            ours = (
                str(place) in command or str(place).encode() in (process / "environ").read_bytes()
            )
        except OSError:
            continue
        role = BY_NAME.get(name_of(process)) or next(
            (name for part, name in ROLES.items() if part in command), None
        )
        if ours and role:
            yield role, process


def name_of(process: Path) -> str:
    """Of its /proc directory; empty once it has ended."""
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return ""
