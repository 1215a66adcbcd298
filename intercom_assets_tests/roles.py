"""A role of a test's own, with the rights that it is given and no others.

Roles belong to the whole server, so each has a name of its own and is dropped in the end.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


@contextmanager
def a_role(url: str, *grants: str) -> Iterator[str]:
    """The address of `url`'s database for a new role. A grant: `select on users`."""
    role = f"intercom_assets_test_{secrets.token_hex(4)}"
    with role_made(url, role) as address:
        with psycopg.connect(url) as connection:
            for grant in grants:
                connection.execute(f"grant {grant} to {role}".encode())
        yield address


@contextmanager
def role_made(url: str, role: str) -> Iterator[str]:
    """The address for `role`, which is made by nobody else, or by a script before it is used."""
    password = secrets.token_hex(8)
    name = sql.Identifier(role)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create role {} login password {}").format(name, sql.Literal(password))
        )
        try:
            yield _as_role(url, role, password)
        finally:
            connection.execute(sql.SQL("drop owned by {}").format(name))
            connection.execute(sql.SQL("drop role {}").format(name))


def _as_role(url: str, role: str, password: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{password}@{host}"))
