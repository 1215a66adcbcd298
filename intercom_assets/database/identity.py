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
_WHOLE_IN_ANY_SPELLING = re.compile(r" *([-+]?[0-9]+)(?:\.0*)? *")


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

    `spells(text)` is True if an id of this type could be printed as this text. `plain(text)`: as
    this type prints the same value; None if it is none. `is_exact`: what it prints differently it
    takes for different.
    """

    sql_type: str
    spells: Callable[[str], bool]
    plain: Callable[[str], str | None]
    is_exact: bool = True
    padded: bool = False

    def text(self, raw: object) -> str | None:
        """The id as its key; None if it cannot be a key (null, blank, too long)."""
        text = "" if raw is None else str(raw)
        if self.padded:
            text = text.rstrip(" ")
        return text if storable(text) else None


def id_type(
    oid: int, sql_type: str, category: str, scale: int | None, *, is_exact: bool = False
) -> IdType | None:
    """How ids of this PostgreSQL type are written; None if it cannot serve as an id.

    `is_exact`: whether the database compares all text by its letters.
    """
    sql_type = sql_type.replace("%", "%%")
    if oid in _BITS:
        limit = 1 << (_BITS[oid] - 1)
        return IdType(
            sql_type, lambda text: _whole(text) and -limit <= int(text) < limit, _plain_whole
        )
    if oid == _NUMERIC and scale == 0:
        return IdType(sql_type, _whole, _plain_whole)
    if oid == _UUID:
        return IdType(sql_type, _uuid, _plain_uuid)
    if oid == _BPCHAR:
        return IdType(sql_type, storable, _unpadded, is_exact, padded=True)
    if category == "S":
        return IdType(sql_type, storable, str, is_exact and oid in _TEXTS)
    return None


_BITS = {21: 16, 23: 32, 20: 64}
_NUMERIC, _UUID, _BPCHAR = 1700, 2950, 1042
_TEXTS = (25, 1043)


def _whole(text: str) -> bool:
    return len(text) < 1_000 and _WHOLE.fullmatch(text) is not None


def _plain_whole(text: str) -> str | None:
    found = _WHOLE_IN_ANY_SPELLING.fullmatch(text) if len(text) < 1_000 else None
    return str(int(found[1])) if found else None


def _uuid(text: str) -> bool:
    return _plain_uuid(text) == text


def _plain_uuid(text: str) -> str | None:
    try:
        return str(UUID(text.strip()))
    except ValueError:
        return None


def _unpadded(text: str) -> str | None:
    return text.rstrip(" ") or None
