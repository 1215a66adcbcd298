"""Dagster's own database: its address where none is set, whether it is there, and making it.

Names nothing but a server that the operator named. Must not: any table in it, which Dagster makes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from intercom_assets.database.failures import line_without
from intercom_assets.sync.environment import ConfigurationError

DAGSTER_DATABASE_URL = "DAGSTER_DATABASE_URL"
_SUFFIX = "_dagster"
_LONGEST_NAME = 63
_HOLDER = "intercom-assets up"
_CONNECT_SECONDS = 10
_ADMINISTRATIVE = ("postgres", "template1")
_IN_THE_ADDRESS = ("user", "password", "host", "port", "dbname")


class DatabaseState(Enum):
    THERE = "is there"
    TO_BE_MADE = "is missing, and this role may make it"
    NOT_ALLOWED = "is missing, and this role may not make it"


def address_of(url: str, name: str = "") -> str:
    """`url`, in any form that libpq takes, as SQLAlchemy takes it; with `name` as the database."""
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    name = name or parts.get("dbname", "")
    login = quote(parts.get("user", ""), safe="")
    if "password" in parts:
        login += f":{quote(parts['password'], safe='')}"
    host, port = parts.get("host", ""), parts.get("port", "")
    rest = {key: value for key, value in parts.items() if key not in _IN_THE_ADDRESS}
    if host.startswith("/") or "," in host:
        rest |= {"host": host} | ({"port": port} if port else {})
        host = port = ""
    bracketed = f"[{host}]" if ":" in host else host
    place = f"{login}@" if login else ""
    place += bracketed + (f":{port}" if port else "")
    return f"postgresql://{place}/{quote(name, safe='')}" + (f"?{urlencode(rest)}" if rest else "")


def name_of(url: str) -> str:
    return str(conninfo_to_dict(url).get("dbname", ""))


def default_name(beside: str) -> str:
    """One for each database of our tables: two workspaces on one server share no Dagster."""
    name = name_of(beside) or "intercom_assets"
    return name.encode()[: _LONGEST_NAME - len(_SUFFIX)].decode(errors="ignore") + _SUFFIX


def same(url: str, other: str) -> bool:
    """Whether two addresses name one database by the same words."""
    left, right = conninfo_to_dict(url), conninfo_to_dict(other)
    return all(left.get(key) == right.get(key) for key in ("host", "port", "dbname"))


@contextmanager
def held(url: str) -> Iterator[None]:
    """Raises `ConfigurationError` while another `up` works on this database.

    A session that stays open says so, and ends with its process in whatever way. It is no lock:
    a pooler in transaction mode would keep that for ever.
    """
    try:
        connection = psycopg.connect(
            url, autocommit=True, connect_timeout=_CONNECT_SECONDS, application_name=_HOLDER
        )
    except psycopg.OperationalError as error:
        raise _unreachable(url, error) from None
    with connection:
        others = connection.execute(
            "select from pg_stat_activity where application_name = %s"
            " and datname = current_database() and pid <> pg_backend_pid()",
            (_HOLDER,),
        ).fetchall()
        if others:
            raise ConfigurationError(
                f"another `intercom-assets up` runs on Dagster's database {name_of(url)}: end that "
                f"one first, or set {DAGSTER_DATABASE_URL} to another database, one for each "
                "workspace"
            )
        yield


def state_of(url: str, beside: str) -> DatabaseState:
    """`beside`: the address of another database, which may be on the same server.

    Raises `ConfigurationError` if its server cannot be asked.
    """
    try:
        _connected(url).close()
    except psycopg.OperationalError as error:
        found = _asked_elsewhere(url, beside)
        if found is None:
            raise _unreachable(url, error) from None
        return found
    return DatabaseState.THERE


def _unreachable(url: str, error: psycopg.Error) -> ConfigurationError:
    return ConfigurationError(
        f"{DAGSTER_DATABASE_URL}: Dagster's database {name_of(url)} cannot be reached: "
        f"{line_without(error, url)}"
    )


def create(url: str, beside: str) -> None:
    """An empty database. Raises `ConfigurationError` where the server refuses."""
    connection = _elsewhere(url, beside)
    statement = sql.SQL("create database {} template template0 encoding 'UTF8'")
    try:
        if connection is None:
            raise psycopg.OperationalError("no other database of its server can be reached")
        with connection:
            connection.execute(statement.format(sql.Identifier(name_of(url))))
    except psycopg.errors.DuplicateDatabase:
        return
    except psycopg.Error as error:
        raise ConfigurationError(
            f"Dagster's database {name_of(url)} could not be made: {line_without(error, url)}; "
            f"{by_hand(url)}"
        ) from None


def by_hand(url: str) -> str:
    return (
        f"make it as a role that may (`createdb {name_of(url)}`), or set {DAGSTER_DATABASE_URL} "
        "to one that is there"
    )


def _asked_elsewhere(url: str, beside: str) -> DatabaseState | None:
    connection = _elsewhere(url, beside)
    if connection is None:
        return None
    with connection:
        there, may = connection.execute(
            "select exists (select from pg_database where datname = %s),"
            " (select rolcreatedb or rolsuper from pg_roles where rolname = current_user)",
            (name_of(url),),
        ).fetchone() or (False, False)
    if there:
        return None
    return DatabaseState.TO_BE_MADE if may else DatabaseState.NOT_ALLOWED


def _elsewhere(url: str, beside: str) -> psycopg.Connection | None:
    """A connection to another database of the same server, as the same role."""
    names = dict.fromkeys((name_of(beside), *_ADMINISTRATIVE))
    for name in names:
        if name:
            try:
                return _connected(address_of(url, name))
            except psycopg.Error:
                continue
    return None


def _connected(url: str) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS)
