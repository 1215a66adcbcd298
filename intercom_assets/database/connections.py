"""The kinds of transaction that we open in the app's database, and its errors in one sentence.

Every setting is local to its transaction, so that a pooler in transaction mode may stand between.
No mapping and no query belongs here; connections are lent by `connection_pool`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from intercom_assets.database.connection_pool import ConnectionPool, PooledConnection
from intercom_assets.database.failures import failed, unreachable
from intercom_assets.database.loaders import guard_loaders

AppConnection: TypeAlias = PooledConnection

_DEFAULTS: dict[str, str | int] = {
    "application_name": "intercom_assets",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "tcp_user_timeout": 60_000,
}
UNHURRIED = b"""
select set_config('transaction_timeout', '0', true)
where current_setting('server_version_num')::int >= 170000;
set local idle_in_transaction_session_timeout = '60s'
"""
"""A role or database may have limits of its own, which would end a long read. Those of a
transaction are new in PostgreSQL 17."""
_READING = (
    b"""
begin isolation level repeatable read, read only;
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local lock_timeout = '2s';
set local statement_timeout = '60s';
"""
    + UNHURRIED
)
_STREAMING = (
    _READING
    + b""";
set local statement_timeout = '10min';
set local idle_in_transaction_session_timeout = '10min';
set local cursor_tuple_fraction = 1
"""
)
_WRITING = (
    b"""
begin isolation level read committed, read write;
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local lock_timeout = '500ms';
set local statement_timeout = '30s';
"""
    + UNHURRIED
    + b""";
set local idle_in_transaction_session_timeout = '10s'
"""
)
_ALTERING = (
    b"""
begin;
set local timezone = 'UTC';
set local lock_timeout = '1s';
set local statement_timeout = '60s';
"""
    + UNHURRIED
)


def encoded(connection: AppConnection, text: str) -> bytes:
    """The text as this connection sends it. Raises UnicodeEncodeError."""
    encoding = connection.info.encoding
    # psycopg calls SQL_ASCII ascii; such a database takes any bytes, and ours are UTF-8.
    return text.encode("utf-8" if encoding == "ascii" else encoding)


class Connections(ConnectionPool):
    """To the app's database, for threads: at most `most` at a time."""

    def __init__(self, url: str, most: int = 8) -> None:
        super().__init__(lambda: _connected(url), most)

    @contextmanager
    def reading(self, doing: str) -> Iterator[AppConnection]:
        """A read-only transaction in which all statements see one moment.

        Raises AppUnavailable for whatever the database refuses; `doing` opens its sentence.
        """
        with self._told(_READING, doing) as connection:
            yield connection

    @contextmanager
    def streaming(self, doing: str) -> Iterator[AppConnection]:
        """As `reading`, for a cursor that goes through everything."""
        with self._told(_STREAMING, doing) as connection:
            yield connection

    @contextmanager
    def writing(self, doing: str) -> Iterator[AppConnection]:
        """A transaction that waits for no lock longer than half a second."""
        with self._told(_WRITING, doing) as connection:
            yield connection

    @contextmanager
    def altering(self, doing: str) -> Iterator[AppConnection]:
        """A transaction for DDL: everything, or nothing."""
        with self._told(_ALTERING, doing) as connection:
            yield connection

    @contextmanager
    def _told(self, begin: bytes, doing: str) -> Iterator[AppConnection]:
        try:
            with self.transaction(begin) as connection:
                yield connection
        except psycopg.Error as error:
            raise failed(doing, error) from error


def _connected(url: str) -> AppConnection:
    try:
        chosen = conninfo_to_dict(url)
        defaults = {key: value for key, value in _DEFAULTS.items() if key not in chosen}
        # Prepared statements outlive a transaction, which transaction pooling does not allow.
        connection = psycopg.connect(
            make_conninfo(url, **defaults), autocommit=True, prepare_threshold=None
        )
    except psycopg.Error as error:
        raise unreachable(error, url) from None
    guard_loaders(connection)
    return connection
