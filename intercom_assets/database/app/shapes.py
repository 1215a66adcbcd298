"""The three queries of a mapping together, as the app's database describes them.

What only shows when the queries are seen side by side belongs here: names that clash in Intercom,
policies and write-backs for columns that nobody selects, and the mapping's version.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from intercom_assets.database.app.columns import (
    MEMBERSHIP_RULES,
    TEAM_RULES,
    UNNAMED,
    USER_RULES,
    Query,
    Shape,
    describe,
)
from intercom_assets.database.connections import AppConnection
from intercom_assets.domain.attributes import MOST_ATTRIBUTES, name_problem
from intercom_assets.domain.fields import (
    COMPANY_DELETED,
    DELETED,
    Field,
    fields_of_teams,
    fields_of_users,
)
from intercom_assets.domain.models import Kind
from intercom_assets.domain.values import digest
from intercom_assets.mapping.load import (
    MEMBERSHIPS_SQL,
    SYNC_YAML,
    TEAMS_SQL,
    USERS_SQL,
    AppMapping,
)
from intercom_assets.mapping.problems import MappingError, nearest

NOT_VALUES = frozenset({"id", "from_oauth", "deleted_at", "updated_at", "owner_id"})
"""Columns that say something about the row; the others are its values."""


@dataclass(frozen=True, slots=True)
class Shapes:
    users: Shape
    teams: Shape
    memberships: Shape
    version: str


def read_shapes(connection: AppConnection, mapping: AppMapping) -> Shapes:
    """Describes and checks the mapping. Raises MappingError, or AppUnavailable."""
    users, teams, memberships = (describe(connection, query) for query in queries(mapping))
    for problem in problems_together(mapping, users, teams):
        raise MappingError(problem)
    return Shapes(users, teams, memberships, _version(users, teams, memberships))


def queries(mapping: AppMapping) -> tuple[Query, Query, Query]:
    """Of users, teams and memberships."""
    return (
        Query(USERS_SQL, mapping.users_sql, USER_RULES),
        Query(TEAMS_SQL, mapping.teams_sql, TEAM_RULES),
        Query(MEMBERSHIPS_SQL, mapping.memberships_sql, MEMBERSHIP_RULES, open=False),
    )


def problems_together(
    mapping: AppMapping, users: Shape | None, teams: Shape | None
) -> Iterator[str]:
    """What does not fit although each query by itself does. None: one that could not be read."""
    if users:
        yield from _names(users, DELETED.name)
        yield from _settings(mapping, users)
    if teams:
        yield from _names(teams, COMPANY_DELETED.name)
    if users and teams:
        yield from _attributes(fields_of_users(users.columns), fields_of_teams(teams.columns))


def value_columns(shape: Shape) -> list[tuple[int, str, Kind]]:
    """Place, name and kind of each column that is a value of the row."""
    rules = shape.query.rules
    return [
        (place, column.name, column.kind)
        for place, column in enumerate(shape.columns)
        if not (column.name in rules and column.name in NOT_VALUES)
    ]


def _version(*shapes: Shape) -> str:
    return digest(*((s.query.sql, [(c.name, str(c.kind)) for c in s.columns]) for s in shapes))


def _names(shape: Shape, ours: str) -> Iterator[str]:
    """`ours`: the attribute that the sync itself sets."""
    for name in sorted(column.name for column in shape.columns if column.is_attribute):
        if name == ours:
            yield (
                f"{shape.query.file}: {ours} is set by the sync, for rows that are gone; select "
                "deleted_at, or give the column another name"
            )
        if name != UNNAMED and (problem := name_problem(name)):
            yield f'{shape.query.file}: the column "{name}" {problem}'


def _attributes(user_fields: Iterable[Field], team_fields: Iterable[Field]) -> Iterator[str]:
    users = {field.intercom for field in user_fields if field.custom}
    teams = {field.intercom for field in team_fields if field.custom}
    for name in sorted(users & teams):
        yield (
            f"{TEAMS_SQL}: {name} is an attribute of users too, and Intercom shares names "
            f"across contacts and companies; give it another name, as in: company_{name}"
        )
    count = len(users) + len(teams)
    if count > MOST_ATTRIBUTES:
        yield (
            f"{USERS_SQL} and {TEAMS_SQL}: {count} custom attributes; allowed: {MOST_ATTRIBUTES}, "
            "all that a workspace holds"
        )


def _settings(mapping: AppMapping, users: Shape) -> Iterator[str]:
    kinds = {name: kind for _, name, kind in value_columns(users)}
    for name, policy in mapping.settings.fields.items():
        if name not in kinds:
            yield f"{SYNC_YAML}: fields.{name} is no value of {USERS_SQL}{nearest(name, kinds)}"
        elif policy.traits.of_times and kinds[name] is not Kind.DATE:
            yield (
                f"{SYNC_YAML}: fields.{name} is {policy}; allowed for dates only, and it is "
                f"{kinds[name]}"
            )
    for name in mapping.settings.write_back.columns:
        if name not in kinds:
            yield (
                f"{SYNC_YAML}: write_back.columns.{name} is no value of {USERS_SQL}"
                f"{nearest(name, kinds)}"
            )
