"""Canonical forms: what a raw value of a declared type is, so that comparing is `==`.

Two values that Intercom or the app would show as the same must be equal here, or the sync
oscillates; two that differ must not be. Conversions that lose what the app meant (a time without
its zone, a number that JSON cannot carry) are refused with a reason, never guessed.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

from intercom_assets.domain.models import Kind, Value

MAX_TEXT = 255
"""Characters that a string attribute of Intercom holds.

docs/dev/intercom-facts.md#custom-attributes
"""
MAX_SPEND = 2**31 - 1
"""What a company's monthly_spend may be at most (docs/dev/intercom-facts.md#companies)."""
MAX_EXACT = 2**53
"""Integers above are not carried exactly by JSON numbers."""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class InvalidValue(ValueError):
    """A raw value has no canonical form of its declared type; the text says why, without it."""


_MANY = (Mapping, list, tuple, set, frozenset, bytes, memoryview)


def canonical(kind: Kind, raw: object) -> Value:
    """The one form of `raw` as a `kind`; blank and null are None. Raises `InvalidValue`."""
    if raw is None:
        return None
    return _CANONICAL[kind](raw)


def canonical_email(raw: object) -> Value:
    """E-mail addresses are compared without case, as Intercom matches them."""
    text = canonical(Kind.STRING, raw)
    return text.lower() if isinstance(text, str) else None


_DIALLED = re.compile(r"\+?[\d\s().\-/\u2010-\u2015]+")


def dialled(number: str) -> str:
    """A phone number as it is dialled: digits, and the plus before them. Intercom leaves out what
    else people write between them; what is no number (an extension, a word) is itself."""
    digits = "".join(filter(str.isdecimal, number))
    if not digits or not _DIALLED.fullmatch(number):
        return number
    return f"+{digits}" if number.startswith("+") else digits


def _text(raw: object) -> Value:
    # A string is most of what comes, and to ask whether it is a Mapping is slow.
    if not isinstance(raw, str) and isinstance(raw, _MANY):
        raise InvalidValue(f"is {_named(raw)}, and Intercom holds single values only")
    text = str(raw).strip()
    if "\x00" in text:
        raise InvalidValue("holds a NUL character")
    return text or None


def _integer(raw: object) -> Value:
    if type(raw) is int and abs(raw) <= MAX_EXACT:  # as most are
        return raw
    number = _number(raw)
    if number is None:
        return None
    if number != int(number):
        raise InvalidValue("is not a whole number")
    return int(number)


def _float(raw: object) -> Value:
    if type(raw) is float and abs(raw) <= MAX_EXACT:  # as most are; NaN and infinity are not
        return raw + 0.0
    number = _number(raw)
    # Adding zero: 0 and -0 are one value, and must have one digest.
    return None if number is None else float(number) + 0.0


def _number(raw: object) -> Decimal | None:
    """Exact: `Decimal` holds integers and floats alike without rounding."""
    if isinstance(raw, bool):
        raise InvalidValue("is true or false, not a number")
    if isinstance(raw, str) and not raw.strip():
        return None
    if not isinstance(raw, int | float | Decimal | str):
        raise InvalidValue(f"is {_named(raw)}, not a number")
    try:
        number = Decimal(raw)
    except ArithmeticError as error:
        raise InvalidValue("is text that is not a number") from error
    if not number.is_finite():
        raise InvalidValue("is not a finite number (NaN or infinity), which JSON cannot carry")
    if abs(number) > MAX_EXACT:
        raise InvalidValue("is above 2^53, which JSON does not carry exactly")
    return number


def _boolean(raw: object) -> Value:
    if not isinstance(raw, bool):
        raise InvalidValue(f"is {_named(raw)}, not true or false")
    return raw


def _seconds(raw: object) -> Value:
    """Whole Unix seconds, rounded down. A bare date is its midnight in UTC."""
    if isinstance(raw, datetime):
        if raw.tzinfo is None:
            raise InvalidValue("is a time without time zone; cast it, as in: at time zone 'UTC'")
        return (raw - _EPOCH) // timedelta(seconds=1)
    if isinstance(raw, date):
        return (raw - _EPOCH.date()).days * 86_400
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    raise InvalidValue(f"is {_named(raw)}, not a time")


def _named(raw: object) -> str:
    if isinstance(raw, Mapping):
        return "an object"
    if isinstance(raw, list | tuple | set | frozenset):
        return "an array"
    if isinstance(raw, bytes | memoryview):
        return "binary data"
    if isinstance(raw, UUID):
        return "a uuid"
    return f"a value of type {type(raw).__name__}"


_CANONICAL = {
    Kind.STRING: _text,
    Kind.INTEGER: _integer,
    Kind.FLOAT: _float,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _seconds,
}


_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def shown(text: str) -> str:
    """On one line, with no character that moves what is around it: those are told as `\\n`."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def count_of(number: int, noun: str) -> str:
    """`1 user`, `2,000 users`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def digest(*parts: object) -> str:
    """A hash over typed canonical values: `1`, `1.0`, `True` and `"1"` all differ.

    Takes values, mappings, sequences and sets of them; the order of keys and of sets is of no
    account.
    """
    hasher = blake2b(digest_size=16)
    for part in parts:
        hasher.update(_typed(part))
    return hasher.hexdigest()


def _typed(part: object) -> bytes:
    """Every synced row goes through here each night: what is most frequent is looked at first."""
    name = _LEAVES.get(type(part))
    if name is not None:
        return _leaf(name, part)
    if isinstance(part, Mapping):
        items = sorted((_key(key), _typed(value)) for key, value in part.items())
        return b"{" + b"".join([key + b":" + value for key, value in items]) + b"}"
    if isinstance(part, set | frozenset):
        return b"(" + b"".join(sorted(_typed(item) for item in part)) + b")"
    if isinstance(part, list | tuple):
        return b"[" + b"".join([_typed(item) for item in part]) + b"]"
    return _leaf(type(part).__name__, part)


_LEAVES: Mapping[type, str] = {kind: kind.__name__ for kind in (str, int, float, bool, type(None))}


def _leaf(name: str, part: object) -> bytes:
    text = repr(part)
    if text.isascii():
        return f"{name}/{len(text)}/{text}".encode()
    encoded = text.encode()
    return f"{name}/{len(encoded)}/".encode() + encoded


def _key(key: object) -> bytes:
    return _name(key) if type(key) is str else _typed(key)


@lru_cache(maxsize=1_000)
def _name(key: str) -> bytes:
    """Keys are names of fields: a few, again and again."""
    return _leaf("str", key)
