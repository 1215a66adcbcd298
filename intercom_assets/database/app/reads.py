"""The mapping's queries, run for some users or teams, or streamed for all.

Each function takes a connection in its caller's transaction (`app_connections`), so that users and
memberships are read at one moment, also inside a write-back. A key that could not be an id of the
app's type is not asked for, and a row that PostgreSQL cannot compute costs itself only. Nothing is
written here.
"""

import logging
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any, Generic, TypeAlias, TypeVar

import psycopg

from intercom_assets.database.app.columns import Shape
from intercom_assets.database.app.computing import Uncomputable, translate_errors
from intercom_assets.database.app.rows import Row, TeamRows, UserRows, one_per_id
from intercom_assets.database.app.shapes import Shapes
from intercom_assets.database.app.spellings import asked_keys, own_keys, spells
from intercom_assets.database.connections import AppConnection, encoded
from intercom_assets.database.failures import AppUnavailable
from intercom_assets.database.identity import MOST_BYTES
from intercom_assets.domain.models import AppTeam, AppUser, Gone, InvalidRow

T = TypeVar("T", AppUser, AppTeam)
Keyed: TypeAlias = list[tuple[str, Row]]
_log = logging.getLogger(__name__)


class ShapeChanged(AppUnavailable):
    """A query returns other columns than when it was described: an app's table was altered."""


class Source(ABC, Generic[T]):
    """Users or teams, as one query returns them."""

    shape: Shape

    @abstractmethod
    def id_of(self, row: Row) -> str | None: ...

    @abstractmethod
    def interpret(self, connection: AppConnection, rows: Keyed) -> dict[str, T | InvalidRow]: ...


class UserSource(Source[AppUser]):
    def __init__(self, shapes: Shapes) -> None:
        self.shape = shapes.users
        self._memberships, self._teams = shapes.memberships, shapes.teams
        self._rows = UserRows(shapes.users)

    def id_of(self, row: Row) -> str | None:
        return self._rows.id_of(row)

    def interpret(self, connection: AppConnection, rows: Keyed) -> dict[str, AppUser | InvalidRow]:
        teams = teams_of(connection, self._memberships, self._teams, [key for key, _ in rows])
        return one_per_id(
            self.shape.query.file, rows, lambda key, row: self._rows.read(row, teams.get(key, ()))
        )


class TeamSource(Source[AppTeam]):
    def __init__(self, shapes: Shapes) -> None:
        self.shape = shapes.teams
        self._rows = TeamRows(shapes.teams)

    def id_of(self, row: Row) -> str | None:
        return self._rows.id_of(row)

    def interpret(self, connection: AppConnection, rows: Keyed) -> dict[str, AppTeam | InvalidRow]:
        return one_per_id(self.shape.query.file, rows, lambda _, row: self._rows.read(row))


def read_some(
    connection: AppConnection, source: Source[T], ids: Sequence[str]
) -> dict[str, T | InvalidRow | Gone]:
    """Every id once. `Gone`: the query was answered and does not return it."""
    wanted = list(dict.fromkeys(ids))
    spelled = [key for key in wanted if spells(connection, source.shape, "id", key)]
    found = _computed(connection, source, spelled, first=True) if spelled else {}
    return {key: found.get(key, Gone(key)) for key in wanted}


def stream(
    connection: AppConnection, source: Source[T], chunk: int
) -> Iterator[list[T | InvalidRow]]:
    """All rows in the order of their ids, in one open transaction. Raises Uncomputable."""
    query = source.shape.query
    with connection.cursor(name="intercom_assets_stream") as cursor:
        text = query.select(rest="order by q.id")
        with translate_errors(query, text):
            cursor.execute(encoded(connection, text), ())
        check(source.shape, cursor.description)
        found = _by_id(_fetched(cursor, source, chunk))
        while part := list(islice(found, chunk)):
            yield list(source.interpret(connection, list(chain.from_iterable(part))).values())


def ids_after(connection: AppConnection, shape: Shape, last: str | None, limit: int) -> list[str]:
    """The next ids in order; no other column is computed."""
    id_type = shape.ids["id"]
    after = "true" if last is None else f"q.id > %(last)s::{id_type.sql_type}"
    text = shape.query.select("distinct q.id", f"where {after} order by q.id limit %(limit)s")
    with translate_errors(shape.query, text):
        rows = connection.execute(
            encoded(connection, text), {"last": last, "limit": limit}
        ).fetchall()
    return [key for (raw,) in rows if (key := id_type.text(raw)) is not None]


def teams_of(
    connection: AppConnection, memberships: Shape, teams_shape: Shape, users: Sequence[str]
) -> dict[str, set[str]]:
    """The team ids of each user that is in any team; both as users.sql and teams.sql have them."""
    user, team = memberships.ids["user_id"], memberships.ids["team_id"]
    spelled = [key for key in users if spells(connection, memberships, "user_id", key)]
    teams: dict[str, set[str]] = defaultdict(set)
    if not spelled:
        return teams
    text = memberships.query.select(
        "distinct q.user_id, q.team_id", f"where q.user_id = any(%s::{user.sql_type}[])"
    )
    with translate_errors(memberships.query, text):
        rows = connection.execute(encoded(connection, text), (spelled,)).fetchall()
    pairs = [(user.text(user_key), team.text(team_key)) for user_key, team_key in rows]
    other = sorted({key for key, _ in pairs if key}.difference(spelled))
    asked = dict(asked_keys(connection, memberships, "user_id", other, spelled)) if other else {}
    own = own_keys(connection, teams_shape, {value for _, value in pairs if value})
    for key, value in pairs:
        if key is not None and value is not None:
            teams[asked.get(key, key)].add(own.get(value, value))
    return teams


def check(shape: Shape, description: Sequence[psycopg.Column] | None) -> None:
    if not shape.fits(description):
        raise ShapeChanged(f"{shape.query.file}: the columns changed while it was read")


def _refuse_for_all(connection: AppConnection, source: Source[T]) -> None:
    """What fails without any row is nobody's fault."""
    try:
        with connection.transaction():
            source.interpret(connection, _rows(connection, source, []))
    except Uncomputable as error:
        raise AppUnavailable(str(error)) from error


def _halved(
    connection: AppConnection, source: Source[T], keys: Sequence[str], error: Uncomputable
) -> dict[str, T | InvalidRow]:
    """Halves the keys until those stand alone whose rows cannot be computed."""
    if len(keys) == 1:
        return {keys[0]: InvalidRow(keys[0], source.shape.query.file, str(error))}
    middle = len(keys) // 2
    return _computed(connection, source, keys[:middle]) | _computed(
        connection, source, keys[middle:]
    )


def _computed(
    connection: AppConnection, source: Source[T], keys: Sequence[str], *, first: bool = False
) -> dict[str, T | InvalidRow]:
    try:
        with connection.transaction():
            return source.interpret(connection, _rows(connection, source, keys))
    except Uncomputable as error:
        if first:
            _refuse_for_all(connection, source)
        return _halved(connection, source, keys, error)


def _rows(connection: AppConnection, source: Source[T], keys: Sequence[str]) -> Keyed:
    """At most two rows for each key: two already say that the id is not unique."""
    shape = source.shape
    numbered = shape.query.select(
        'q.*, row_number() over (partition by q.id) as "number among its id"',
        f"where q.id = any(%s::{shape.ids['id'].sql_type}[])",
    )
    text = f'select * from ({numbered}) as w where "number among its id" <= 2'
    with translate_errors(shape.query, text):
        cursor = connection.execute(encoded(connection, text), (keys,))
        check(shape, (cursor.description or ())[:-1])
        rows = cursor.fetchall()
    wanted = set(keys)
    return [(key, row) for row in rows if (key := source.id_of(row)) in wanted and key is not None]


def _fetched(
    cursor: psycopg.ServerCursor[Any], source: Source[T], chunk: int
) -> Iterator[tuple[str, Row]]:
    without_id = 0
    while True:
        with translate_errors(source.shape.query):
            rows = cursor.fetchmany(chunk)
        if not rows:
            break
        for row in rows:
            key = source.id_of(row)
            if key is None:
                without_id += 1
            else:
                yield key, row
    if without_id:
        _log.warning(
            "%s: %d rows without an id were left out (bytes that are no UTF-8 are none, nor is "
            "text of more than %d bytes)",
            source.shape.query.file,
            without_id,
            MOST_BYTES,
        )


def _by_id(rows: Iterator[tuple[str, Row]]) -> Iterator[Keyed]:
    """Rows of one id together, at most two of them."""
    for _, same in groupby(rows, key=itemgetter(0)):
        yield list(islice(same, 2))
