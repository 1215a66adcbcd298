"""A failed statement or connection as one sentence for an operator.

`AppUnavailable` is "could not read", which is never "empty". The sentences hold names of files,
tables and columns, and neither a password nor a value of a person: what PostgreSQL quotes from a
row is blotted out.
"""

import re
from collections.abc import Iterable

import psycopg
from psycopg import errors

from intercom_assets.domain.errors import OperatorError

_LONGEST = 300
_QUOTED = re.compile(r'"[^"]*"')
_DATA_EXCEPTION = "22"
_SHORTEST_SECRET = 3
_ENCODED = r"(?:[^@/%\s]|%[0-9A-Fa-f]{2})*"
_ADDRESS = re.compile(rf"postgres(?:ql)?://(?:{_ENCODED}@)?[^@/?#\s]*(?:/[^?#@]*)?(?:\?.*)?$")
_FORMS = (
    (re.compile(r"[\"'`]"), "it begins with a quotation mark, which is no part of it"),
    (re.compile(r"postgres(?:ql)?\+\w+://"), "it names a driver, as SQLAlchemy's addresses do"),
    (re.compile(r"jdbc:"), "it is an address of Java's"),
    (re.compile(r"[\w ]+=[^;]*;"), "it is a connection string of .NET's"),
    (re.compile(r"(?!postgres)\w+(?:\+\w+)?://"), "it is no address of PostgreSQL's"),
)
_NO_SCHEMA = "options=-csearch_path%3DNAME makes NAME the schema"
_FOREIGN_PARAMETERS = {
    "schema": _NO_SCHEMA, "currentSchema": _NO_SCHEMA, "search_path": _NO_SCHEMA,
    "ssl": "sslmode=require asks for SSL",
    **dict.fromkeys((
        "pgbouncer", "connection_limit", "pool", "pool_size", "pool_timeout", "max_overflow",
        "encoding", "charset", "serverVersion", "adapter", "prepareThreshold", "conn_max_age",
        "statement_cache_size", "socket_timeout", "reconnect", "timeout", "prepared_statements",
        "variables", "sslaccept", "async_fallback",
    ), ""),
}  # fmt: skip
"""Of Prisma, Rails, Symfony, SQLAlchemy, JDBC and node; nothing else is quoted of an address."""
_LOGIN = re.compile(r"postgres(?:ql)?://[^/@]*:.*@", re.DOTALL)


class AppUnavailable(OperatorError):
    """The app's database could not be reached, read or written; one sentence, safe to show."""

    @property
    def advice(self) -> str:
        if "APP_DATABASE_URL" in str(self):
            return ""
        return "nothing is lost, changes wait until it can be read again"


class Refused(OperatorError):
    """What was asked for would do harm; one sentence, with what to do instead."""


class LockedOut(AppUnavailable):
    """Another session held a lock for longer than we wait; a later try may help."""


def address_problem(url: str) -> str | None:
    """What keeps an address from being read as it is meant; says no piece of it."""
    if foreign := _foreign(url):
        return foreign
    if _ADDRESS.match(url) or not _LOGIN.match(url):
        return None
    return (
        "the user name or password holds a character that an address cannot hold as it is: "
        "percent-encode it (@ is %40, / is %2F, # is %23, ? is %3F, : is %3A, % is %25, a space "
        "is %20)"
    )


def _foreign(url: str) -> str | None:
    """What another program's form of an address has that PostgreSQL's own lacks."""
    for form, advice in _FORMS:
        if form.match(url):
            return f"{advice}: write it as postgresql://user:password@host:5432/name"
    names = [part.partition("=")[0] for part in url.rpartition("?")[2].split("&")]
    strange = [name for name in names if name in _FOREIGN_PARAMETERS]
    if not url.startswith("postgres") or not strange:
        return None
    instead = "; ".join(filter(None, (_FOREIGN_PARAMETERS[name] for name in strange)))
    return (
        f"{' and '.join(strange)}, after the question mark, is for another program and none of "
        f"PostgreSQL's parameters: leave it out{f' ({instead})' if instead else ''}"
    )


def unreachable(error: psycopg.Error, url: str) -> AppUnavailable:
    """Why no connection came about. `url` only serves to blot out its password."""
    if problem := address_problem(url):
        return AppUnavailable(f"APP_DATABASE_URL: {problem}")
    if isinstance(error, psycopg.ProgrammingError):
        return AppUnavailable(
            "APP_DATABASE_URL is not the address of a PostgreSQL database, which looks like "
            "postgresql://user:password@host:5432/name"
        )
    return AppUnavailable(f"the app's database cannot be reached: {line_without(error, url)}")


def failed(doing: str, error: psycopg.Error) -> AppUnavailable:
    """Why a statement failed. `doing` opens the sentence, as in `users.sql, line 3`."""
    if isinstance(error, errors.QueryCanceled):
        return AppUnavailable(f"{doing}: the app's database took too long and was stopped")
    if isinstance(error, errors.LockNotAvailable):
        return LockedOut(f"{doing}: waited too long for a lock that another session holds")
    if error.sqlstate is None:
        return AppUnavailable(f"{doing}: the connection to the app's database broke")
    return AppUnavailable(f"{doing}: {message_of(error)}")


def message_of(error: Exception, secrets: Iterable[object] = ()) -> str:
    """PostgreSQL's own words, less the values that it quotes and less `secrets`."""
    if isinstance(error, UnicodeError):
        return "the app's database cannot hold a character of the value in its encoding"
    diag = getattr(error, "diag", None)
    text = (diag.message_primary if diag else None) or _line(error)
    state = getattr(error, "sqlstate", None) or _DATA_EXCEPTION
    if state.startswith(_DATA_EXCEPTION):
        text = _QUOTED.sub('"..."', text)
    if diag and diag.message_hint and not state.startswith(_DATA_EXCEPTION):
        text = f"{text} ({diag.message_hint.rstrip('.')})"
    for secret in secrets:
        if isinstance(secret, str) and len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "...")
    return text[:_LONGEST]


def line_of(error: psycopg.Error, sql: str, before: int) -> str:
    """`, line 3` where PostgreSQL names the place; `before`: characters in front of `sql`."""
    position = error.diag.statement_position
    if position is None or not 0 <= int(position) - 1 - before <= len(sql):
        return ""
    return f", line {sql[: int(position) - 1 - before].count(chr(10)) + 1}"


def line_without(error: Exception, url: str) -> str:
    """The error as one line, without the url's password."""
    return _redacted(_line(error), url)[:_LONGEST]


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text.replace(" Is the server running on that host and accepting TCP/IP connections?", "")


def _redacted(text: str, url: str) -> str:
    """Without the password, nor parts of one whose special characters were not escaped."""
    found = re.search(r"//[^:/?#]*:(.*)@", url) or re.search(r"password=(\S+)", url)
    secret = found.group(1) if found else ""
    parts = [secret, *re.split(r"[@:/?#]", secret)]
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _SHORTEST_SECRET:
            text = text.replace(part, "...")
    return text
