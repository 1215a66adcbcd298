"""What a template is made of: code, files and environment, as a value that differs if they do.

Asked before each fork, so it only looks at names, sizes and times. Must not: read a file.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

LEFT_OUT = frozenset({"__pycache__", ".git"})
PACKAGES = "-packages"
"""How a folder of installed packages ends; in any other, files come and go."""


def state_of(folders: Iterable[Path]) -> object:
    """Of the environment, of all files below `folders`, and of the packages that are installed."""
    installed = tuple(_changed_at(entry) for entry in sys.path if entry.endswith(PACKAGES))
    files = tuple(entry for folder in folders for entry in sorted(_files(str(folder))))
    return hash((tuple(sorted(os.environ.items())), installed, files))


def _changed_at(folder: str) -> int:
    """An installation, or a removal, changes which names are in it."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


def _files(folder: str) -> Iterator[tuple[str, int, int]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in LEFT_OUT:
                yield from _files(entry.path)
            continue
        try:
            found = entry.stat()
        except OSError:
            continue
        yield entry.path, found.st_mtime_ns, found.st_size
