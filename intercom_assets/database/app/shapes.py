"""The three queries of a mapping together, as the app's database describes them.

Described once and kept, with the mapping's version. What they may not be together is
`mapping/combined`.
"""

from dataclasses import dataclass

from intercom_assets.database.app.columns import Shape, describe
from intercom_assets.database.connections import AppConnection
from intercom_assets.domain.values import digest
from intercom_assets.mapping.combined import problems_together
from intercom_assets.mapping.load import AppMapping
from intercom_assets.mapping.problems import MappingError
from intercom_assets.mapping.queries import queries


@dataclass(frozen=True, slots=True)
class Shapes:
    users: Shape
    teams: Shape
    memberships: Shape
    version: str


def read_shapes(connection: AppConnection, mapping: AppMapping) -> Shapes:
    """Describes and checks the mapping. Raises MappingError, or AppUnavailable."""
    users, teams, memberships = (describe(connection, query) for query in queries(mapping))
    for problem in problems_together(mapping, users.columns, teams.columns):
        raise MappingError(problem)
    return Shapes(users, teams, memberships, _version(users, teams, memberships))


def _version(*shapes: Shape) -> str:
    return digest(*((s.query.sql, [(c.name, str(c.kind)) for c in s.columns]) for s in shapes))
