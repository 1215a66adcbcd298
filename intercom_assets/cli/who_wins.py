"""Who wins, field by field, as a table for a terminal. The rows are `domain/who_wins.py`'s."""

from collections.abc import Iterable

from rich.table import Table

from intercom_assets.domain.who_wins import HEADINGS, Row


def as_table(title: str, rows: Iterable[Row]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in HEADINGS:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row.cells)
    return table
