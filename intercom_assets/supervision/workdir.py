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

from intercom_assets.domain.errors import OperatorError


class DirectoryUnusable(OperatorError):
    """A directory can be neither made nor written to. One sentence."""


@contextmanager
def demo_place(given: Path | None = None) -> Iterator[Path]:
    """`given`, made if it is missing; without it a temporary directory, removed at the end."""
    if given is not None:
        yield _made(given.expanduser().absolute())
        return
    try:
        place = Path(tempfile.mkdtemp(prefix="intercom-assets-demo-"))
    except OSError as error:
        raise _unusable(tempfile.gettempdir(), "TMPDIR", error) from None
    try:
        place.chmod(_rights())
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _made(place: Path) -> Path:
    """Raises `DirectoryUnusable` for one that can be neither made nor written to."""
    try:
        if not place.exists():
            place.mkdir(parents=True)
            place.chmod(_rights())
        # Whether we may write there is known by writing: root may where others may not, and a
        # file system may be full or read-only.
        with tempfile.TemporaryFile(dir=place):
            return place
    except OSError as error:
        raise _unusable(str(place), "--data-dir", error) from None


def _unusable(place: str, named_by: str, error: OSError) -> DirectoryUnusable:
    why = (error.strerror or str(error)).lower()
    return DirectoryUnusable(
        f"{place} cannot be used for the demo's files: {why}; name another directory ({named_by})"
    )


def private_directory(path: Path) -> Path:
    """Makes `path` for our eyes only: logs, Dagster's files."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def _rights() -> int:
    return 0o711 if os.geteuid() == 0 else 0o700
