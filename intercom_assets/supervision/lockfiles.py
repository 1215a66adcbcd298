"""Who holds a directory: our own lock on it, and what a PostgreSQL server left in it.

Belongs here: locks that end with their process, and the reading of `postmaster.pid`.
Must not: acting on what is found (`supervision/postgres.py`).
"""

import fcntl
import subprocess
import time
from pathlib import Path
from typing import IO

from intercom_assets.supervision.binaries import PostgresUnavailable

LOCK_NAME = "supervisor.lock"


def exclusive(home: Path) -> IO[str]:
    """The lock on `home`, held until it is closed or its process ends, in whatever way."""
    try:
        return locked(home / LOCK_NAME)
    except PermissionError as error:
        raise PostgresUnavailable(
            f"{home} belongs to another user; choose another directory."
        ) from error
    except BlockingIOError as error:
        raise PostgresUnavailable(
            f"Another process runs the PostgreSQL server in {home}; stop it, or choose another "
            "directory."
        ) from error


def locked(file: Path) -> IO[str]:
    """`file`, made if it is missing, as a lock. Raises `BlockingIOError` if a process holds it."""
    lock = file.open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise
    return lock


def age_of_lock(home: Path) -> float:
    """Seconds since the first supervisor took `home`; 0 if none did, or it is not ours to see."""
    try:
        return time.time() - (home / LOCK_NAME).stat().st_mtime
    except OSError:
        return 0.0


def postmaster(data: Path) -> tuple[int, int] | None:
    """Process id and port of the server that last started on `data` and did not stop in order."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return int(lines[0]), int(lines[3])
    except FileNotFoundError:
        return None
    except (IndexError, ValueError):
        return 0, 0


def serves(found: tuple[int, int] | None, data: Path) -> bool:
    """Whether `found`, an answer of `postmaster`, is a living server on `data`.

    A signal 0 does not tell: it succeeds for a killed server that nobody reaped (a zombie), and for
    a stranger who got the number since. Neither has our directory in its command line.
    """
    return found is not None and found[0] > 0 and str(data) in _command_line(found[0])


def _command_line(pid: int) -> str:
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
        except OSError:
            return ""
    found = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout
