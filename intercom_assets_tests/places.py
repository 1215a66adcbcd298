"""Where tests keep a server's files: in memory where there is room, else on disk."""

import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM_NEEDED = 512 * 1024 * 1024
"""Containers often have 64 MB there, which one database fills."""


def roomy_place() -> Path:
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM_NEEDED:
        return MEMORY
    return Path(tempfile.gettempdir())
