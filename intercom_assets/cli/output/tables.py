"""How values stand in cells and cells in a listing, the same in every command.

What is shown was typed by strangers: names, e-mails, what an API said of them. None of it may reach
a terminal as a command, turn the text around it, or push a table apart. Must not: any wording.
"""

import os
import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from intercom_assets.domain.models import Kind, Value
from intercom_assets.domain.values import shown

LONGEST = 160
"""Characters of a value that are shown; `--json` has it whole."""
ROOM = 14
"""Columns of the screen that a column of a table needs, or its rows stand one below the other."""

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_LEFT_TO_RIGHT_AGAIN = "\u200e"
WIDTH = 110
"""Of what is not printed to a terminal, so that it looks the same everywhere."""


def cell(value: Value, kind: Kind | None = None) -> str:
    """`-` for nothing: an empty cell would look like something left out.

    `kind`: of the field, where it is known; a date is then a date, not seconds.
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind is Kind.DATE and isinstance(value, int) and abs(value) < _LAST_MOMENT:
        return _moment(value)
    return plain(shortened(str(value)))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MOMENT = 253_402_300_800
"""The year 10,000, which `datetime` does not have."""


def _moment(seconds: int) -> str:
    """`2026-03-05`, with the time of day where there is one."""
    at = _EPOCH + timedelta(seconds=seconds)
    return f"{at:%Y-%m-%d}" if seconds % 86_400 == 0 else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def a_console(*, stderr: bool = False) -> Console:
    """Into a file or a pipe it is as wide as a table needs; COLUMNS says otherwise."""
    console = Console(stderr=stderr, markup=False, emoji=False)
    if not console.is_terminal and not os.environ.get("COLUMNS"):
        console.width = WIDTH
    return console


def shortened(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}... ({len(text):,} characters)"


def plain(text: str) -> str:
    """With what a terminal would obey made visible: an escape is shown as `\\x1b`."""
    text = shown(text)
    return text + _LEFT_TO_RIGHT_AGAIN if _RIGHT_TO_LEFT.search(text) else text


class Listing:
    """Rows under a title: a table, or on a screen too narrow for it each row as a few lines.

    `numbers`: the columns that stand to the right.
    """

    def __init__(self, title: str, *columns: str, numbers: Collection[str] = ()) -> None:
        self._title, self._columns, self._numbers = title, columns, numbers
        self._rows: list[tuple[tuple[str, ...], str]] = []

    def add(self, *cells: str, style: str = "") -> None:
        """Cells as `cell` or `plain` made them, or in words of ours."""
        self._rows.append((cells, style))

    @property
    def row_count(self) -> int:
        return len(self._rows)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = self._as_table()
        unbounded = options.update(max_width=100_000)
        needed = Measurement.get(console, unbounded, table).maximum
        if needed <= options.max_width or options.max_width >= ROOM * len(self._columns):
            yield table
        else:
            yield from self._one_below_the_other()

    def _as_table(self) -> Table:
        table = Table(
            title=Text(self._title) if self._title else None,
            title_justify="left",
            show_header=any(self._columns),
        )
        for name in self._columns:
            right = name in self._numbers
            table.add_column(Text(name), justify="right" if right else "left", overflow="fold")
        for cells, style in self._rows:
            table.add_row(*map(Text, cells), style=style or None)
        return table

    def _one_below_the_other(self) -> RenderResult:
        if self._title:
            yield Text(self._title, style="italic")
        for cells, style in self._rows:
            yield Text(f"{self._columns[0]} {cells[0]}".strip(), style=f"bold {style}")
            rest = Table.grid(padding=(0, 2, 0, 0))
            rest.add_column(no_wrap=True)
            rest.add_column(overflow="fold")
            for name, text in zip(self._columns[1:], cells[1:], strict=True):
                if text:
                    rest.add_row(Text(name), Text(text), style=style or None)
            yield Padding(rest, (0, 0, 0, 2))
