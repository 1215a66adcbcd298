"""Who wins, field by field, as a table for a terminal. The rows are `domain/policy_table.py`'s."""

from collections.abc import Iterable

from intercom_assets.cli.output.tables import Listing, plain
from intercom_assets.domain.policy_table import HEADINGS, Row


def as_table(title: str, rows: Iterable[Row]) -> Listing:
    listing = Listing(title, *HEADINGS)
    for row in rows:
        listing.add(*map(plain, row.cells))
    return listing
