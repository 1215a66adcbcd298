"""Connections to the app's database, and the two kinds of transaction that we open there.

A small pool of its own: a connection is made when it is needed, so a database that is down is told
at once and with its cause (psycopg_pool retries in threads and reports a timeout). Every setting
is local to its transaction, so that a pooler in transaction mode may stand between. No mapping and
no query belongs here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from types import TracebackType
from typing import Any, Self, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from intercom_assets.database.failures import failed, unreachable
from intercom_assets.database.loaders import guard_loaders

AppConnection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

_DEFAULTS: dict[str, str | int] = {
    "application_name": "intercom_assets",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "tcp_user_timeout": 60_000,
}
_READING = """
set transaction isolation level repeatable read, read only;
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local lock_timeout = '2s';
set local statement_timeout = '60s'
"""
_STREAMING = f"""
{_READING};
set local statement_timeout = '10min';
set local idle_in_transaction_session_timeout = '10min';
set local cursor_tuple_fraction = 1
"""
_WRITING = """
set transaction isolation level read committed, read write;
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local lock_timeout = '500ms';
set local idle_in_transaction_session_timeout = '10s';
set local statement_timeout = '30s'
"""
_ALTERING = """
set local timezone = 'UTC';
set local lock_timeout = '1s';
set local statement_timeout = '60s'
"""


def encoded(connection: AppConnection, text: str) -> bytes:
    """The text as this connection sends it. Raises UnicodeEncodeError."""
    encoding = connection.info.encoding
    # psycopg calls SQL_ASCII ascii; such a database takes any bytes, and ours are UTF-8.
    return text.encode("utf-8" if encoding == "ascii" else encoding)


class Connections:
    """Lends connections to threads, at most `most` at a time; keeps idle ones for the next."""

    def __init__(self, url: str, most: int = 8) -> None:
        self._url = url
        self._places = BoundedSemaphore(most)
        self._lock = Lock()
        self._idle: list[AppConnection] = []

    @contextmanager
    def reading(self, doing: str) -> Iterator[AppConnection]:
        """A read-only transaction in which all statements see one moment.

        Raises AppUnavailable for whatever the database refuses; `doing` opens its sentence.
        """
        with self._transaction(_READING, doing) as connection:
            yield connection

    @contextmanager
    def streaming(self, doing: str) -> Iterator[AppConnection]:
        """As `reading`, for a cursor that goes through everything."""
        with self._transaction(_STREAMING, doing) as connection:
            yield connection

    @contextmanager
    def writing(self, doing: str) -> Iterator[AppConnection]:
        """A transaction that waits for no lock longer than half a second."""
        with self._transaction(_WRITING, doing) as connection:
            yield connection

    @contextmanager
    def altering(self, doing: str) -> Iterator[AppConnection]:
        """A transaction for DDL: everything, or nothing."""
        with self._transaction(_ALTERING, doing) as connection:
            yield connection

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _transaction(self, settings: str, doing: str) -> Iterator[AppConnection]:
        with self._places:
            connection = self._take()
            try:
                with connection.transaction():
                    connection.execute(settings)
                    yield connection
            except psycopg.Error as error:
                raise failed(doing, error) from error
            finally:
                self._give_back(connection)

    def _take(self) -> AppConnection:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if _alive(connection):
                return connection

    def _give_back(self, connection: AppConnection) -> None:
        if connection.closed or connection.broken:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)

    def _connect(self) -> AppConnection:
        try:
            chosen = conninfo_to_dict(self._url)
            defaults = {key: value for key, value in _DEFAULTS.items() if key not in chosen}
            address = make_conninfo(self._url, **defaults)
            # Prepared statements outlive a transaction, which transaction pooling does not allow.
            connection = psycopg.connect(address, autocommit=True, prepare_threshold=None)
        except psycopg.Error as error:
            raise unreachable(error, self._url) from None
        guard_loaders(connection)
        return connection


def _alive(connection: AppConnection) -> bool:
    try:
        connection.execute("")
    except psycopg.Error:
        connection.close()
        return False
    return True
