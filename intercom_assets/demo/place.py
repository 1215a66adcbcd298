"""The directory that a demo lives in: given and kept, or made for the occasion and removed.

Belongs here: its rights. PostgreSQL's account must be able to pass through it where we are root,
and nobody else reads what is in it.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def demo_place(given: Path | None = None) -> Iterator[Path]:
    """`given`, made if it is missing; without it a temporary directory, removed at the end."""
    if given is not None:
        given = given.expanduser().absolute()
        if not given.exists():
            given.mkdir(parents=True)
            given.chmod(_rights())
        yield given
        return
    place = Path(tempfile.mkdtemp(prefix="intercom-assets-demo-"))
    try:
        place.chmod(_rights())
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def private_directory(path: Path) -> Path:
    """Makes `path` for our eyes only: logs, Dagster's files."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def _rights() -> int:
    return 0o711 if os.geteuid() == 0 else 0o700
