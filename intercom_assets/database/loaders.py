"""Loaders that never raise: a value that Python cannot hold costs its own row, not the chunk.

psycopg raises while it fetches, where one infinite timestamp among thousands would end the read.
Here such a value arrives as `Unreadable`, and `rows` makes its user `InvalidRow`. The loaders
expect the DateStyle that `connections` sets.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader

_TEXT_TYPES = ("text", "varchar", "bpchar", "name", 0)
_Connection: TypeAlias = "psycopg.Connection[Any]"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """`reason` continues a sentence that begins with the column's name."""

    reason: str


_NO_DATE = Unreadable("is infinite or not within the years 1 to 9999")
_NO_TEXT = Unreadable("holds bytes that are no UTF-8")


class _SafeTimestamptz(Loader):
    def load(self, data: Buffer) -> datetime | Unreadable:
        try:
            return datetime.fromisoformat(bytes(data).decode())
        except ValueError:
            return _NO_DATE


class _SafeDate(Loader):
    def load(self, data: Buffer) -> date | Unreadable:
        try:
            return date.fromisoformat(bytes(data).decode())
        except ValueError:
            return _NO_DATE


class _Utf8(Loader):
    def load(self, data: Buffer) -> str | Unreadable:
        try:
            return bytes(data).decode("utf-8")
        except UnicodeDecodeError:
            return _NO_TEXT


def guard_loaders(connection: _Connection) -> None:
    connection.adapters.register_loader("timestamptz", _SafeTimestamptz)
    connection.adapters.register_loader("date", _SafeDate)
    if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
        # Such a database holds any bytes, which psycopg hands over undecoded.
        for name in _TEXT_TYPES:
            connection.adapters.register_loader(name, _Utf8)
