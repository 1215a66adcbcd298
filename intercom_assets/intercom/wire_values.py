"""Single values of Intercom's JSON in the one form that this project compares.

Tolerant where Intercom is known to be of two minds (numbers as text, milliseconds, ISO times, a
plan as object or name), strict where a guess would change a meaning: then a `ValueError` says what
the value is not, never what it is. Objects and lists of values are `wire.py`'s.
"""

import html
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeAlias
from urllib.parse import parse_qs, urlsplit

from pydantic import BeforeValidator

from intercom_assets.domain.models import Kind, Value
from intercom_assets.domain.values import canonical, canonical_email

MILLISECONDS_FROM = 10**11
"""As seconds, a date in the year 5138: such numbers are milliseconds."""

_CODE = r"amp|lt|gt|quot|apos|#0*(?:34|38|39|60|62)|#x0*(?:22|26|27|3c|3e)"
_ESCAPED = re.compile(f"&(?:{_CODE});", re.IGNORECASE)
_NEVER_ESCAPED = re.compile(f"[<>\"']|&(?!(?:{_CODE});)", re.IGNORECASE)


def text_of(raw: object) -> Value:
    """Stripped, blank is None. PostgreSQL cannot hold a NUL, so none comes in."""
    if raw is None:
        return None
    return canonical(Kind.STRING, raw.replace("\x00", "") if isinstance(raw, str) else raw)


def name_of(raw: object) -> Value:
    """A name as it is kept: answers carry those of contacts and companies HTML-escaped, once.

    A text that no escaping could have made is one already: what it holds is what was meant.
    """
    return text_of(_unescaped(raw) if isinstance(raw, str) else raw)


def _unescaped(text: str) -> str:
    if _NEVER_ESCAPED.search(text):
        return text
    return _ESCAPED.sub(lambda found: html.unescape(found[0]), text)


def id_of(raw: object) -> Value:
    """An id of the app as Intercom keeps it, blanks included: it is compared letter by letter."""
    return text_of(raw) and (raw.replace("\x00", "") if isinstance(raw, str) else text_of(raw))


def email_of(raw: object) -> Value:
    return canonical_email(text_of(raw))


def seconds_of(raw: object) -> int | None:
    """Unix seconds of a number (seconds, or milliseconds), a number in a string, or an ISO time."""
    if raw is None:
        return None
    number = _number(raw, _iso_seconds)
    if number is None:
        return None
    return math.floor(number / 1000 if number >= MILLISECONDS_FROM else number)


def whole_of(raw: object) -> int | None:
    """A whole number; fractions are cut off, as Intercom does (monthly_spend)."""
    number = _number(raw, float)
    return None if number is None else math.trunc(number)


def _number(raw: object, read: Callable[[str], float]) -> int | float | None:
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise ValueError("is not a number")
    number = read(raw) if isinstance(raw, str) else raw
    if not math.isfinite(number):
        raise ValueError("is not a finite number")
    return number


def _iso_seconds(raw: str) -> float:
    try:
        return float(raw)
    except ValueError:
        moment = datetime.fromisoformat(raw)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def scalars_of(raw: object) -> dict[str, Value]:
    """Custom attributes as canonical values; references to custom objects are left out."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise ValueError("is not an object")
    return {str(key): _scalar(value) for key, value in raw.items() if not _is_nested(value)}


def _is_nested(value: object) -> bool:
    return isinstance(value, dict | list)


def _scalar(value: object) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float):
        return value
    return text_of(value)


def plan_name_of(raw: object) -> Value:
    """`{}`, `{"type": "plan", "id", "name"}`, null, or a bare name."""
    return text_of(raw.get("name") if isinstance(raw, dict) else raw)


def picture_of(raw: object) -> Value:
    """The address of an avatar, which is an object, a string or null."""
    address = raw.get("image_url") if isinstance(raw, dict) else raw
    return text_of(address) if isinstance(address, str) else None


def object_or_nothing(raw: object) -> object:
    return raw if isinstance(raw, dict) else None


def cursor_of(raw: object) -> object:
    """`starting_after` of `pages.next`, which is an object, a URL, null or absent."""
    if isinstance(raw, dict):
        return raw.get("starting_after")
    if isinstance(raw, str):
        return parse_qs(urlsplit(raw).query).get("starting_after", [None])[0]
    return None


def is_true(raw: object) -> bool:
    """For flags that are false unless told otherwise."""
    return raw is True


def flag_of(raw: object) -> bool | None:
    """None where it is told neither way, which is no "false"."""
    return raw if isinstance(raw, bool) else None


def is_not_false(raw: object) -> bool:
    """For flags that are true unless told otherwise."""
    return raw is not False


Text: TypeAlias = Annotated[str | None, BeforeValidator(text_of)]
Picture: TypeAlias = Annotated[str | None, BeforeValidator(picture_of)]
Name: TypeAlias = Annotated[str | None, BeforeValidator(name_of)]
AppId: TypeAlias = Annotated[str | None, BeforeValidator(id_of)]
Email: TypeAlias = Annotated[str | None, BeforeValidator(email_of)]
Seconds: TypeAlias = Annotated[int | None, BeforeValidator(seconds_of)]
Whole: TypeAlias = Annotated[int | None, BeforeValidator(whole_of)]
Scalars: TypeAlias = Annotated[dict[str, Value], BeforeValidator(scalars_of)]
PlanName: TypeAlias = Annotated[str | None, BeforeValidator(plan_name_of)]
Cursor: TypeAlias = Annotated[str | None, BeforeValidator(cursor_of)]
Flag: TypeAlias = Annotated[bool, BeforeValidator(is_true)]
FlagOrNothing: TypeAlias = Annotated[bool | None, BeforeValidator(flag_of)]
FlagUnlessFalse: TypeAlias = Annotated[bool, BeforeValidator(is_not_false)]
