"""The processes of a running demo, by what they are: for those who measure them.

Reads /proc, so Linux only. Must not: start or stop any.
"""

from collections.abc import Iterator
from pathlib import Path

RUN = "run"
TEMPLATE = "template"
FORKED = "warm-run"
"""How a run that was forked is called: its command line is the template's."""
ROLES = {
    "execute_run": RUN,
    "warm.template": TEMPLATE,
    "multiprocessing.spawn": RUN,  # as the code server starts it
    "simulate": "simulator",
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
        role = next((name for part, name in ROLES.items() if part in command), None)
        if role == TEMPLATE and name_of(process) == FORKED:
            role = RUN
        if ours and role:
            yield role, process


def name_of(process: Path) -> str:
    """Of its /proc directory; empty once it has ended."""
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return ""
