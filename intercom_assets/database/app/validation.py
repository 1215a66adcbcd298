"""Everything that is wrong with a mapping, told at once, where a sync stops at the first mistake.

Asks the app's database to describe the three queries and to look up the tables of `sync.yaml`. What
the queries cost and depend on is `inspection`; what the role may do is `rights`.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from intercom_assets.database.app.columns import Shape, examine
from intercom_assets.database.app.write_target import team_target, user_target
from intercom_assets.database.capture.watches import wanted
from intercom_assets.database.connections import AppConnection
from intercom_assets.database.failures import AppUnavailable
from intercom_assets.domain.models import Column
from intercom_assets.mapping.combined import problems_together
from intercom_assets.mapping.load import AppMapping
from intercom_assets.mapping.problems import MappingError
from intercom_assets.mapping.queries import Query, queries
from intercom_assets.mapping.settings import Watch

T = TypeVar("T")


def mapping_problems(connection: AppConnection, mapping: AppMapping) -> list[str]:
    """One sentence each, with file, line or key, what was found and what is allowed."""
    found: list[str] = []

    def attempt(work: Callable[[], T]) -> T | None:
        try:
            with connection.transaction():
                return work()
        except (MappingError, AppUnavailable) as error:
            found.append(str(error))
            return None

    def shape(query: Query) -> Shape | None:
        examined = attempt(partial(examine, connection, query))
        if examined is None:
            return None
        found.extend(examined[1])
        return None if examined[1] else examined[0]

    users, teams, _ = (shape(query) for query in queries(mapping))
    found += problems_together(mapping, _columns(users), _columns(teams))
    for look in _lookups(connection, mapping, users):
        attempt(look)
    return list(dict.fromkeys(found))


def _columns(shape: Shape | None) -> tuple[Column, ...] | None:
    return None if shape is None else shape.columns


def _lookups(
    connection: AppConnection, mapping: AppMapping, users: Shape | None
) -> Iterator[Callable[[], object]]:
    """The tables and columns that `sync.yaml` names."""
    settings = mapping.settings
    known = {column.name for column in users.columns} if users else set()
    if users and known >= set(settings.write_back.columns):
        yield lambda: user_target(connection, settings.write_back, users)
    yield lambda: team_target(connection, settings.write_back.teams)
    if settings.capture == "triggers":
        yield from _watching(connection, settings.watch)


def _watching(
    connection: AppConnection, watches: Sequence[Watch]
) -> Iterator[Callable[[], object]]:
    for place, watch in enumerate(watches, start=1):
        yield partial(wanted, connection, watch, place)
