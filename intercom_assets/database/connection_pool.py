"""A small pool of connections to one database, lent for one transaction at a time.

A connection is made when it is needed, so a database that is down is told at once and with its
cause (psycopg_pool retries in threads and reports a timeout). What a transaction may do, and what
its errors mean, is the caller's.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Self, TypeAlias

import psycopg
from psycopg.rows import TupleRow

PooledConnection: TypeAlias = psycopg.Connection[TupleRow]


class ConnectionPool:
    """Lends connections to threads, at most `most` at a time; keeps idle ones for the next.

    `connect` gives one in autocommit mode. Closing closes what is idle; it can be used again.
    """

    def __init__(self, connect: Callable[[], PooledConnection], most: int = 8) -> None:
        self._connect = connect
        self._places = BoundedSemaphore(most)
        self._lock = Lock()
        self._idle: list[PooledConnection] = []

    @contextmanager
    def transaction(self, begin: bytes) -> Iterator[PooledConnection]:
        """The transaction that `begin` opens: committed at the end, rolled back by an error."""
        with self._places:
            connection = self._begun(begin)
            try:
                yield connection
                connection.commit()
            except BaseException:
                _roll_back(connection)
                raise
            finally:
                self._give_back(connection)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begun(self, begin: bytes) -> PooledConnection:
        """A connection inside a new transaction; idle ones that broke meanwhile are dropped."""
        while idle := self._take():
            try:
                idle.execute(begin)
                return idle
            except psycopg.OperationalError:
                idle.close()
            except BaseException:
                idle.close()
                raise
        connection = self._connect()
        try:
            connection.execute(begin)
        except BaseException:
            connection.close()
            raise
        return connection

    def _take(self) -> PooledConnection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: PooledConnection) -> None:
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)


def _roll_back(connection: PooledConnection) -> None:
    try:
        connection.rollback()
    except psycopg.Error:
        connection.close()
