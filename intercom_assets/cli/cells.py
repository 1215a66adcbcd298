"""How a value stands in a table or a line, the same in every command.

What is printed may come from the app: it is shown as it is, never read as markup, and no character
of it moves the rest.
"""

from rich.console import Console

from intercom_assets.domain.models import Value
from intercom_assets.domain.values import shown


def cell(value: Value) -> str:
    """`-` for nothing: an empty cell would look like something left out."""
    return "-" if value is None else shown(str(value))


def a_console(*, stderr: bool = False) -> Console:
    return Console(stderr=stderr, markup=False, emoji=False)
