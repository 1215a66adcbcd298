"""How a value stands in a table or a line, the same in every command.

What is printed may come from the app: it is shown as it is, never read as markup, and no character
of it moves the rest.
"""

import os
from datetime import UTC, datetime, timedelta

from rich.console import Console

from intercom_assets.domain.models import Kind, Value
from intercom_assets.domain.values import shown

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
    return shown(str(value))


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
