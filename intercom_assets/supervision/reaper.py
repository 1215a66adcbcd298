"""A process that outlives the demo by a moment, to clean up after one that was killed.

Belongs here: being told what there is to end, and ending it when the other end of the pipe closes.
A demo that ends in order has ended everything itself, and takes each thing back before.
Must not: anything while the demo lives.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

from intercom_assets.supervision.binaries import PostgresUnavailable
from intercom_assets.supervision.postgres import EmbeddedPostgres
from intercom_assets.supervision.process_groups import end_group, group_is_empty


class Guard:
    """The demo's end of the pipe, as a context manager; `environment` as for the demo's children.

    Things are ended in reverse order of their watching.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "intercom_assets.supervision.reaper"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd="/", env=environment, start_new_session=True, text=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def watch_group(self, group: int) -> None:
        """A process group of ours, by its leader."""
        self._send("+", "group", group)

    def watch_server(self, home: Path) -> None:
        """A server of `EmbeddedPostgres`."""
        self._send("+", "server", home)

    def watch_place(self, place: Path) -> None:
        """A directory that goes with the demo."""
        self._send("+", "place", place)

    def forget_group(self, group: int) -> None:
        """It has ended; its number may soon be another's."""
        self._send("-", "group", group)

    def close(self) -> None:
        """Everything has ended: the guard forgets it and goes."""
        self._send("-", "all", "")
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()

    def _send(self, sign: str, kind: str, name: object) -> None:
        """A guard that was killed is not worth stopping for."""
        if self._process.stdin and self._process.poll() is None:
            self._process.stdin.write(f"{sign} {kind} {name}\n")
            self._process.stdin.flush()


def things_left(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Kind and name of what was watched and not forgotten when `lines` ended; the latest first."""
    watched: dict[tuple[str, str], None] = {}
    for line in lines:
        sign, kind, name = line.rstrip("\n").split(" ", 2)
        if kind == "all":
            watched.clear()
        elif sign == "+":
            watched[kind, name] = None
        else:
            watched.pop((kind, name), None)
    return list(reversed(watched))


def end(kind: str, name: str) -> None:
    if kind == "group":
        end_group(int(name), lambda: not group_is_empty(int(name)))
    elif kind == "server":
        EmbeddedPostgres(Path(name)).end()
    elif kind == "place":
        shutil.rmtree(name, ignore_errors=True)


def main() -> None:
    for kind, name in things_left(sys.stdin):
        try:
            end(kind, name)
        except (OSError, PostgresUnavailable):
            continue


if __name__ == "__main__":
    main()
