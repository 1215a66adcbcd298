"""Durations as an operator writes them (`24h`, `1h30m`, `30d`), as timedeltas.

A bare number is refused: nobody should have to know whether it means seconds or hours.
"""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_WHOLE = re.compile(rf"(?:{_PART.pattern}\s*)+")
_LONGEST = timedelta(days=36_500)


def parse_duration(raw: object) -> timedelta:
    """`"1h30m"` -> 90 minutes. Raises ValueError for anything that is not a number with a unit."""
    if isinstance(raw, timedelta):
        return raw
    text = raw.strip().lower() if isinstance(raw, str) else ""
    if not _WHOLE.fullmatch(text):
        raise ValueError("a number with a unit, as in 30s, 5m, 24h or 30d")
    try:
        total = sum(
            (timedelta(**{_UNITS[unit]: float(number)}) for number, unit in _PART.findall(text)),
            timedelta(),
        )
    except OverflowError:
        total = timedelta.max
    if total > _LONGEST:
        raise ValueError("at most 36500d")
    return total


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
