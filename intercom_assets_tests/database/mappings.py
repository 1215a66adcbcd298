"""Mappings for tests, of a schema as small as the test needs, and SQL run as the app would."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.mapping.load import AppMapping
from intercom_assets.mapping.settings import SyncSettings

NO_TEAMS = "select null::bigint as id, null::text as name where false"
NO_MEMBERSHIPS = "select null::bigint as user_id, null::bigint as team_id where false"


def a_mapping(
    users: str = "select id, email, name from users",
    teams: str = NO_TEAMS,
    memberships: str = NO_MEMBERSHIPS,
    **settings: Any,
) -> AppMapping:
    """`settings` as in sync.yaml."""
    parsed = SyncSettings.model_validate(settings)
    return AppMapping(Path("mapping"), users, teams, memberships, parsed)


@contextmanager
def an_app(url: str, mapping: AppMapping | None = None, **parts: Any) -> Iterator[AppDatabase]:
    with AppDatabase(url, mapping or a_mapping(**parts)) as app:
        yield app


def run(url: str, statement: LiteralString, *parameters: Any) -> None:
    """One committed transaction of the app; several statements if there are no parameters."""
    with psycopg.connect(url) as connection:
        connection.execute(statement, parameters or None)


def rows(url: str, statement: LiteralString, *parameters: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement, parameters or None).fetchall()
