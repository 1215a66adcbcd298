"""Databases that we make on a server, which may be somebody's own, and take away again.

Belongs here: creating, copying and dropping databases whose names begin with a given prefix. No
statement of the demo or the tests drops anything else on a server that they were given.
Must not: knowing what is in them.
"""

import re
from typing import LiteralString, Self
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from intercom_assets.supervision.binaries import PostgresUnavailable

DEMO_PREFIX = "intercom_assets_demo_"
LONGEST_NAME = 63


class Databases:
    """The databases of one prefix on the server of `server_url` (postgresql://...).

    Keeps one connection to the database that `server_url` names, whose role needs CREATEDB.
    Raises `PostgresUnavailable` if it cannot connect, `ValueError` for a name that is not ours.
    """

    def __init__(self, server_url: str, prefix: str = DEMO_PREFIX) -> None:
        self.server_url = server_url
        self.prefix = prefix
        self._connection = _connected(server_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def url(self, name: str) -> str:
        return database_url(self.server_url, self._ours(name))

    def create(self, name: str) -> str:
        """An empty database; returns its address. It must not exist."""
        self._do("create database {} template template0 encoding 'UTF8'", name)
        return self.url(name)

    def copy(self, template: str, name: str) -> str:
        """A copy of a database that nobody is connected to; returns its address."""
        strategy: LiteralString = " strategy file_copy" if self._version >= 15 else ""
        self._do("create database {} template {}" + strategy, name, template)
        return self.url(name)

    def freeze(self, name: str) -> None:
        """Nobody can connect to it any more, so that it can always be copied."""
        self._do("alter database {} with allow_connections false", name)

    def drop(self, name: str) -> None:
        """Ends its connections and drops it; harmless if it is missing."""
        self._do("drop database if exists {} with (force)", name)

    def names(self) -> list[str]:
        """The databases of our prefix that exist now."""
        found = self._connection.execute(
            "select datname from pg_database where starts_with(datname, %s) order by 1",
            [self.prefix],
        )
        return [str(name) for (name,) in found]

    @property
    def _version(self) -> int:
        return self._connection.info.server_version // 10000

    def _do(self, statement: LiteralString, *names: str) -> None:
        quoted = [sql.Identifier(self._ours(name)) for name in names]
        self._connection.execute(sql.SQL(statement).format(*quoted))

    def _ours(self, name: str) -> str:
        fits = name.startswith(self.prefix) and len(name) <= LONGEST_NAME
        if not fits or not re.fullmatch(r"[a-z0-9_]+", name):
            raise ValueError(
                f"{name!r} is not a database of ours: names are {self.prefix}* in lower case, "
                f"{LONGEST_NAME} characters at most."
            )
        return name


def database_url(server_url: str, name: str) -> str:
    """`server_url` with another database in it; its parameters (sslmode ...) are kept."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{quote(name, safe='')}"))


def _connected(server_url: str) -> psycopg.Connection:
    if urlsplit(server_url).scheme not in ("postgresql", "postgres"):
        raise PostgresUnavailable(
            "The database server's address must look like postgresql://user:password@host:5432/"
            "database."
        )
    try:
        return psycopg.connect(server_url, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        raise PostgresUnavailable(
            f"The database server does not answer at {_without_password(server_url)}: "
            f"{' '.join(str(error).split())}"
        ) from error


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname or 'its socket'}:{parts.port or 5432}{parts.path}"
