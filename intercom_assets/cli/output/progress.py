"""The progress bar of commands that handle users: how many, how fast, how long yet, what failed."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class RateColumn(ProgressColumn):
    """Users or teams a second, over the last half minute."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "-/s")


class Bar:
    """One bar for one kind. `failed` counts those that are not in step after their pass.

    `total`: None where nobody knows how many there are.
    """

    def __init__(self, progress: Progress, what: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=total, failed=0)

    def advance(self, handled: int, failed: int = 0) -> None:
        """`failed`: of all so far."""
        self._progress.update(self._task, advance=handled, failed=failed)


class Bars:
    """A bar for each thing that takes long, made when the first of it is there."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[str, Bar] = {}

    def expect(self, what: str, total: int) -> None:
        self._bars[what] = Bar(self._progress, what, total)

    def advance(self, what: str, count: int = 1) -> None:
        if what not in self._bars:
            self._bars[what] = Bar(self._progress, what, None)
        self._bars[what].advance(count)


@contextmanager
def progress_on(console: Console, shown: bool) -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failed]} failed"),
    )
    with Progress(*columns, console=console, disable=not shown) as progress:
        yield progress
