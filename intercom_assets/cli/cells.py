"""How a value stands in a cell of a table, the same in every command."""

from intercom_assets.domain.models import Value


def cell(value: Value) -> str:
    """`-` for nothing: an empty cell would look like something left out."""
    return "-" if value is None else str(value)
