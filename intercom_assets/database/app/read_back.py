"""Whether a flag that was just stored is read as it was stored, by the mapping's own query.

A column that means the opposite (`not wants_mail as unsubscribed_from_emails`) takes every value
without complaint, and would opt people in who opted out. Must not: write, or decide what is.
"""

from collections.abc import Mapping
from typing import TypeVar

from intercom_assets.database.app.reads import Source, read_some
from intercom_assets.database.connections import AppConnection
from intercom_assets.domain.models import AppTeam, AppUser, Values

T = TypeVar("T", AppUser, AppTeam)
READS_OPPOSITE = "the query then reads the opposite of what was stored, so nothing was stored"


class ReadsOppositeError(Exception):
    """What was stored is not to stay."""


def require_same_flags(
    connection: AppConnection,
    source: Source[T],
    stored: Mapping[str, Values],
) -> None:
    """`stored`: by the row's id. In the caller's transaction. Raises ReadsOppositeError."""
    flags = {
        key: {name: value for name, value in values.items() if isinstance(value, bool)}
        for key, values in stored.items()
    }
    keys = [key for key, values in flags.items() if values]
    rows = read_some(connection, source, keys) if keys else {}
    for key, row in rows.items():
        if isinstance(row, AppUser | AppTeam):
            for name, value in flags[key].items():
                if row.values.get(name) is (not value):
                    raise ReadsOppositeError
