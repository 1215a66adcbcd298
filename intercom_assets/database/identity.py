"""Ids of the app, as text: one spelling per id, and no text that could upset a query.

Keys of the queue, Dagster's partition keys and Intercom's `external_id` are this text. It is what
PostgreSQL prints for the value, so that the triggers' `id::text` is the same.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

MOST_BYTES = 2_000
"""Keys stand in indexes, ours and Dagster's, whose entries hold some 2,700 bytes in all."""
_WHOLE = re.compile(r"0|-?[1-9][0-9]*")


def storable(text: str) -> bool:
    """Whether this text can be a key at all, in our tables and as a partition of Dagster's."""
    try:
        length = len(text.encode())
    except UnicodeEncodeError:
        return False
    return 0 < length <= MOST_BYTES and "\x00" not in text and not text.isspace()


@dataclass(frozen=True, slots=True)
class IdType:
    """`sql_type`: what an array of ids is cast to, so that the app's index is used; its percent
    signs are doubled, since such statements have parameters.

    `spells(text)` is True if an id of this type could be printed as this text.
    """

    sql_type: str
    spells: Callable[[str], bool]
    padded: bool = False

    def text(self, raw: object) -> str | None:
        """The id as its key; None if it cannot be a key (null, blank, too long)."""
        text = "" if raw is None else str(raw)
        if self.padded:
            text = text.rstrip(" ")
        return text if storable(text) else None


def id_type(oid: int, sql_type: str, category: str, scale: int | None) -> IdType | None:
    """How ids of this PostgreSQL type are written; None if it cannot serve as an id."""
    sql_type = sql_type.replace("%", "%%")
    if oid in _BITS:
        limit = 1 << (_BITS[oid] - 1)
        return IdType(sql_type, lambda text: _whole(text) and -limit <= int(text) < limit)
    if oid == _NUMERIC and scale == 0:
        return IdType(sql_type, _whole)
    if oid == _UUID:
        return IdType(sql_type, _uuid)
    if category == "S":
        return IdType(sql_type, storable, padded=oid == _BPCHAR)
    return None


_BITS = {21: 16, 23: 32, 20: 64}
_NUMERIC, _UUID, _BPCHAR = 1700, 2950, 1042


def _whole(text: str) -> bool:
    return len(text) < 1_000 and _WHOLE.fullmatch(text) is not None


def _uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
