"""The sample app's database: made, seeded, and kept a little alive.

Belongs here: what its developers would do to their own tables. Nothing here knows of Intercom or of
the sync, which must notice by itself.
Must not: rows by hand (`sample_people.py`); the mapping (`intercom_assets/mapping/sample/`).
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, fields
from importlib.resources import files
from operator import attrgetter
from random import Random
from threading import Event

import psycopg
from psycopg import sql

from intercom_assets.demo.sample_people import (
    AWKWARD_TEAMS,
    AWKWARD_USERS,
    SampleTeam,
    SampleUser,
    sample_memberships,
    sample_teams,
    sample_users,
)


@dataclass(frozen=True, slots=True)
class Seeded:
    """How many rows a seed made."""

    users: int
    teams: int
    memberships: int


def create_sample_app(url: str) -> None:
    """Makes the empty tables users, teams and memberships in the database of `url`."""
    statements = files("intercom_assets.demo").joinpath("sample_app.sql").read_bytes()
    with psycopg.connect(url) as connection:
        connection.execute(statements)


def seed(url: str, users: int = 200, teams: int = 60) -> Seeded:
    """Fills the empty tables, always with the same rows. 100,000 users take some seconds."""
    members = sample_memberships(users, teams)
    with psycopg.connect(url) as connection:
        seeded = Seeded(
            _fill(connection, "users", *_table_of(SampleUser, sample_users(users))),
            _fill(connection, "teams", *_table_of(SampleTeam, sample_teams(teams, users))),
            _fill(connection, "memberships", ("user_id", "team_id"), members),
        )
        _number_on(connection, "users", users)
        _number_on(connection, "teams", teams)
        connection.execute("analyze users, teams, memberships")
    return seeded


def wander(url: str, stop: Event, every: float = 15.0, random: Random | None = None) -> None:
    """Until `stop` is set, changes one ordinary row every so many seconds.

    A database that is away for a while is left alone until it is back.
    """
    dice = random or Random()
    while not stop.wait(every):
        with suppress(psycopg.OperationalError):
            change_something(url, dice)


def change_something(url: str, random: Random) -> str:
    """One small thing that happens in the app; returns it as a clause without personal data.

    The people and teams that were made by hand are left as they are.
    """
    with psycopg.connect(url) as connection:
        return random.choice(_EVENTS)(connection, random)


def _fill(
    connection: psycopg.Connection,
    table: str,
    columns: tuple[str, ...],
    rows: Iterable[tuple[object, ...]],
) -> int:
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        return cursor.rowcount


def _table_of(
    row: type[SampleUser] | type[SampleTeam], rows: Iterable[SampleUser | SampleTeam]
) -> tuple[tuple[str, ...], Iterable[tuple[object, ...]]]:
    """The columns of a table, and its rows as tuples in their order."""
    names = tuple(field.name for field in fields(row))
    return names, map(attrgetter(*names), rows)


def _number_on(connection: psycopg.Connection, table: str, last: int) -> None:
    """The next row that the app makes itself gets the number after `last`."""
    connection.execute(
        "select setval(pg_get_serial_sequence(%s, 'id'), greatest(%s, 1), %s > 0)",
        [table, last, last],
    )


# --- what happens in the app ----------------------------------------------------------------------


def _somebody(connection: psycopg.Connection, random: Random) -> int | None:
    return _one_of(connection, random, "users", len(AWKWARD_USERS))


def _some_team(connection: psycopg.Connection, random: Random) -> int | None:
    return _one_of(connection, random, "teams", len(AWKWARD_TEAMS))


def _one_of(connection: psycopg.Connection, random: Random, table: str, after: int) -> int | None:
    """An ordinary row: the first at or after a number that was drawn."""
    name = sql.Identifier(table)
    last = connection.execute(sql.SQL("select max(id) from {}").format(name)).fetchone()
    if last is None or last[0] is None or last[0] <= after:
        return None
    found = connection.execute(
        sql.SQL("select id from {} where id >= %s order by id limit 1").format(name),
        [random.randint(after + 1, last[0])],
    ).fetchone()
    return found[0] if found else None


def _use(connection: psycopg.Connection, random: Random) -> str:
    user, sessions = _somebody(connection, random), random.randint(1, 5)
    connection.execute(
        "update users set sessions_this_month = sessions_this_month + %s, last_request_at = now(),"
        " minutes_this_month = minutes_this_month + %s, updated_at = now() where id = %s",
        [sessions, sessions * 4.5, user],
    )
    return f"user {user} had {sessions} more sessions"


def _subscribe(connection: psycopg.Connection, random: Random) -> str:
    user, period = _somebody(connection, random), random.choice(("month", "year"))
    connection.execute(
        "update users set plan = 'business', billing_period = %s, monthly_price_cents = 15800,"
        " subscribed_on = current_date, updated_at = now() where id = %s",
        [period, user],
    )
    return f"user {user} pays for a business plan by the {period}"


def _join(connection: psycopg.Connection, random: Random) -> str:
    user, team = _somebody(connection, random), _some_team(connection, random)
    if user and team:
        connection.execute(
            "insert into memberships (user_id, team_id) values (%s, %s) on conflict do nothing",
            [user, team],
        )
    return f"user {user} joined team {team}"


def _leave(connection: psycopg.Connection, random: Random) -> str:
    user = _somebody(connection, random)
    connection.execute(
        "delete from memberships where ctid in"
        " (select ctid from memberships where user_id = %s limit 1)",
        [user],
    )
    return f"user {user} left a team"


def _spend(connection: psycopg.Connection, random: Random) -> str:
    team, spend = _some_team(connection, random), random.randrange(0, 2_000)
    connection.execute(
        "update teams set monthly_spend = %s, updated_at = now() where id = %s", [spend, team]
    )
    return f"team {team} spends {spend} a month"


_EVENTS: tuple[Callable[[psycopg.Connection, Random], str], ...] = (
    _use, _subscribe, _join, _leave, _spend,
)  # fmt: skip
