"""A role of a test's own, with the rights that it is given and no others.

Roles belong to the whole server, so each has a name of its own and is dropped in the end.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


@contextmanager
def a_role(url: str, *grants: str) -> Iterator[str]:
    """The address of `url`'s database for a new role. A grant: `select on users`."""

    def script(role: str) -> str:
        rights = [f"grant {grant} to {role}" for grant in grants]
        return ";".join([f"create role {role} login", *rights])

    with a_role_made_by(url, script) as address:
        yield address


@contextmanager
def a_role_made_by(url: str, script: Callable[[str], str]) -> Iterator[str]:
    """The same for a role that is made by SQL: `script` gets the role's name."""
    role, password = f"intercom_assets_test_{secrets.token_hex(4)}", secrets.token_hex(8)
    name = sql.Identifier(role)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(script(role).encode())
        try:
            connection.execute(
                sql.SQL("alter role {} password {}").format(name, sql.Literal(password))
            )
            yield _as_role(url, role, password)
        finally:
            connection.execute(sql.SQL("drop owned by {}").format(name))
            connection.execute(sql.SQL("drop role {}").format(name))


def _as_role(url: str, role: str, password: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{password}@{host}"))
