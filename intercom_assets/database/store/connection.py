"""How our own tables are reached: short READ COMMITTED transactions, errors in one sentence.

Belongs here: what every statement on `intercom_sync` has in common. Must not: any statement of a
table. A transaction is opened for one piece of work and never held during a call to Intercom. All
settings are local to it, so a pooler in transaction mode may stand between.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import psycopg
from psycopg import Cursor, errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from psycopg.sql import Identifier

from intercom_assets.database.connection_pool import ConnectionPool, PooledConnection
from intercom_assets.database.failures import address_problem, line_without, message_of
from intercom_assets.database.loaders import guard_loaders
from intercom_assets.database.queries import query
from intercom_assets.domain.errors import OperatorError

T = TypeVar("T")
Work: TypeAlias = Callable[[Cursor[TupleRow]], T]

MOST_TRIES = 6
_LOST_WITHIN_SECONDS: dict[str, str | int] = {
    "application_name": "intercom_assets",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_BEGIN = b"""
    begin isolation level read committed, read write;
    set local timezone = 'UTC';
    set local datestyle = 'ISO, YMD';
    set local lock_timeout = '10s';
    set local statement_timeout = '60s';
    select set_config('transaction_timeout', '0', true)
    where current_setting('server_version_num')::int >= 170000;
    set local idle_in_transaction_session_timeout = '10s'
"""
"""A stopped process (SIGSTOP, a frozen machine) must not keep rows locked for longer than this."""
_BEGIN_READING = _BEGIN.replace(b"read write", b"read only")


_RACES = (errors.DeadlockDetected, errors.SerializationFailure, errors.UniqueViolation)
_MISSING = (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName)


_GRANTS = (
    "grant usage on schema intercom_sync to {role}; grant select, insert, update, delete on all "
    "tables in schema intercom_sync to {role}; grant usage on all sequences in schema "
    "intercom_sync to {role}"
)


class StoreUnavailable(OperatorError):
    """Our own tables could not be reached or read. One sentence; trying again may help."""


class StoreNotReady(OperatorError):
    """Our own tables are missing or of another version. One sentence that says what to do."""


class StorePool(ConnectionPool):
    """Connections to our own tables, for threads: at most `max_connections` at a time."""

    def __init__(self, url: str, *, max_connections: int = 8) -> None:
        super().__init__(lambda: connect(url), max_connections)
        self.url = url

    def transact(self, work: Work[T]) -> T:
        """Runs `work` in one transaction; again if it lost a race that a second try wins.

        A unique violation is such a race: the second try sees the row that came in between.
        """
        for attempt in range(1, MOST_TRIES):
            try:
                return self._once(work)
            except _RACES:
                time.sleep(random.uniform(0, 0.01) * 2**attempt)
        return self._once(work)

    def run(self, name: str, **params: object) -> int:
        """One statement in a transaction of its own; the number of rows that it touched."""
        return self.transact(lambda cursor: run(cursor, name, **params))

    def rows(self, name: str, **params: object) -> list[TupleRow]:
        return self.transact(lambda cursor: rows(cursor, name, **params))

    def dicts(self, name: str, **params: object) -> list[dict[str, Any]]:
        return self.transact(lambda cursor: dicts(cursor, name, **params))

    def value(self, name: str, **params: object) -> Any:
        """The first column of the only row."""
        return self.rows(name, **params)[0][0]

    def _once(self, work: Work[T]) -> T:
        """On a replica, in a transaction that only reads: a command that shows works there."""
        with _translated(self.url):
            try:
                return self._in_transaction(_BEGIN, work)
            except errors.FeatureNotSupported:
                if not self._is_replica():
                    raise
            return self._in_transaction(_BEGIN_READING, work)

    def _in_transaction(self, begin: bytes, work: Work[T]) -> T:
        with self.transaction(begin) as connection, connection.cursor() as cursor:
            return work(cursor)

    def _is_replica(self) -> bool:
        with self.transaction(b"begin read only") as connection:
            return connection.execute("select pg_is_in_recovery()").fetchone() == (True,)


def connect(url: str) -> PooledConnection:
    """With time-outs, where the url states none, by which a lost server is noticed."""
    if problem := address_problem(url):
        raise StoreUnavailable(f"SYNC_DATABASE_URL (or APP_DATABASE_URL, its default): {problem}")
    given = conninfo_to_dict(url)
    defaults = {key: value for key, value in _LOST_WITHIN_SECONDS.items() if key not in given}
    # Prepared statements outlive a transaction, which transaction pooling does not allow.
    address = make_conninfo(url, **defaults)
    connection = psycopg.connect(address, autocommit=True, prepare_threshold=None)
    guard_loaders(connection)
    return connection


def run(cursor: Cursor[TupleRow], name: str, **params: object) -> int:
    return cursor.execute(query(name), params or None).rowcount


def rows(cursor: Cursor[TupleRow], name: str, **params: object) -> list[TupleRow]:
    return cursor.execute(query(name), params or None).fetchall()


def dicts(cursor: Cursor[TupleRow], name: str, **params: object) -> list[dict[str, Any]]:
    found = rows(cursor, name, **params)
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found]


def aware(at: datetime) -> datetime:
    """The time as given. One without zone is a ValueError: clocks decide what is due."""
    if at.utcoffset() is None:
        raise ValueError(f"{at!r} has no time zone")
    return at


class StorePart:
    """Some of the store's tables. All parts of one store share its connections."""

    def __init__(self, pool: StorePool) -> None:
        self._pool = pool


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except _RACES:
        raise
    except _MISSING as error:
        raise StoreNotReady(
            f"the sync's own tables are missing or older than this program ({_cause(error, url)}): "
            "run `intercom-assets init-db`"
        ) from error
    except errors.InsufficientPrivilege as error:
        raise StoreNotReady(
            f"this role may not use the sync's own tables ({_cause(error, url)}): as the role that "
            f"ran init-db, {_GRANTS.format(role=_role(url))}"
        ) from error
    except psycopg.ProgrammingError as error:
        if error.sqlstate is not None:
            raise StoreUnavailable(
                f"the sync's own database refused: {_cause(error, url)}"
            ) from error
        raise StoreUnavailable(
            "SYNC_DATABASE_URL (or APP_DATABASE_URL, its default) is not the address of a "
            "PostgreSQL database, which looks like postgresql://user:password@host:5432/name"
        ) from None
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise StoreUnavailable(
            f"the sync's own database did not answer: {_cause(error, url)}"
        ) from error
    except errors.ReadOnlySqlTransaction as error:
        raise StoreUnavailable(
            f"the sync's own database takes no writes ({_cause(error, url)}): set "
            "SYNC_DATABASE_URL (or APP_DATABASE_URL, its default) to the primary, as a role that "
            "may write"
        ) from error
    except psycopg.Error as error:
        # Whatever it is: a replica, a feature that is missing, a trigger of somebody else's.
        raise StoreUnavailable(f"the sync's own database refused: {_cause(error, url)}") from error


def _role(url: str) -> str:
    """As a statement names it."""
    return Identifier(str(conninfo_to_dict(url).get("user") or "ROLE")).as_string(None)


def _cause(error: psycopg.Error, url: str) -> str:
    if error.diag.message_primary:
        return message_of(error)
    return line_without(error, url) or type(error).__name__
