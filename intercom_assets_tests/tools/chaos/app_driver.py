"""The app at work: users, teams and memberships change, as developers' code would change them.

Belongs here: transactions, singly, in bulk, long ones, some rolled back, and whose fault it is when
one fails. A user is edited a few times and then left alone, so that what is lost stays lost.
Must not: anything in Intercom, or knowing that there is a sync.
"""

import time
from collections.abc import Callable
from random import Random
from threading import Event
from typing import Any, LiteralString, TypeAlias

import psycopg
from psycopg import errors

from intercom_assets_tests.tools.chaos.tally import Tally

Connection: TypeAlias = psycopg.Connection[Any]
NAME = "the app"
ROLLED_BACK, LONG = 0.12, 0.08
MOST_GONE = 12
"""Rows deleted in all: above twenty, the sync holds them on purpose."""
OF_THE_APP = (errors.ForeignKeyViolation, errors.UniqueViolation)
SEED = """
with made as (
    insert into users (email, name, phone_number)
    select 'user' || n || '@example.com', 'Person ' || n,
           case when n %% 2 = 0 then '+1415555' || lpad(n::text, 4, '0') end
    from generate_series(1, %(users)s) n returning id
), grouped as (
    insert into teams (domain, plan, monthly_spend)
    select 'team' || n || '.example', 'team', n from generate_series(1, %(teams)s) n returning id
)
insert into memberships (user_id, team_id)
select made.id, grouped.id from made join grouped on grouped.id = 1 + made.id %% %(teams)s
"""


def fill(url: str, users: int) -> None:
    with psycopg.connect(url, application_name=NAME) as connection:
        connection.execute(SEED.encode(), {"users": users, "teams": max(2, users // 10)})


class App:
    """One writer. `pause`: mean seconds between two transactions."""

    def __init__(self, url: str, seed: int, tally: Tally, pause: float) -> None:
        self._url, self._random, self._tally = url, Random(seed), tally
        self._pause, self._named, self._seed = pause, 0, seed
        self._gone = 0

    def write_until(self, stop: Event) -> None:
        while not stop.is_set():
            try:
                with psycopg.connect(
                    self._url, application_name=NAME, connect_timeout=3
                ) as connection:
                    self._write(connection, stop)
            except psycopg.Error as error:
                if fault := _fault_of_the_sync(error):
                    self._tally.fail(fault)
                stop.wait(0.2)

    def _write(self, connection: Connection, stop: Event) -> None:
        while not stop.is_set():
            kind, work = self._random.choices(*self._menu())[0]
            work(connection)
            if self._random.random() < LONG:
                kind += ", long"
                stop.wait(self._random.uniform(0.3, 2.0))
            if self._random.random() < ROLLED_BACK:
                connection.rollback()
                kind = "rolled back"
            else:
                connection.commit()
            self._tally.count(self._tally.changes, kind)
            stop.wait(self._random.expovariate(1 / self._pause))

    def _menu(self) -> tuple[list[tuple[str, Callable[[Connection], None]]], list[int]]:
        dishes = [
            (6, "name", self._rename), (4, "phone", self._phone), (4, "plan", self._plan),
            (2, "email", self._email), (2, "bulk", self._bulk), (3, "membership", self._membership),
            (2, "team", self._team), (1, "left or back", self._leave),
            (1, "sign-up", self._sign_up),
            (int(self._gone < MOST_GONE // 3), "deleted", self._delete),
        ]  # fmt: skip
        return [(name, work) for _, name, work in dishes], [often for often, _, _ in dishes]

    # --- what happens -------------------------------------------------------------------------

    def _rename(self, connection: Connection) -> None:
        name = self._random.choice((None, "", self._new("Name"), self._new("Name"), "X"))
        self._set(connection, "update users set name = %s where id = %s", name)

    def _phone(self, connection: Connection) -> None:
        number = f"+1{self._random.randint(2_000_000_000, 9_999_999_999)}"
        phone = self._random.choice((None, number))
        self._set(connection, "update users set phone_number = %s where id = %s", phone)

    def _plan(self, connection: Connection) -> None:
        plan = self._random.choice(("free", "starter", "team", "business"))
        self._set(
            connection,
            "update users set plan = %s, last_request_at = now(),"
            " sessions_this_month = sessions_this_month + 1 where id = %s",
            plan,
        )

    def _email(self, connection: Connection) -> None:
        email = f"{self._new('mail')}@example.com".replace(" ", "-")
        self._set(connection, "update users set email = %s where id = %s", email)

    def _bulk(self, connection: Connection) -> None:
        first = self._somebody(connection)
        connection.execute(
            "update users set sessions_this_month = sessions_this_month + 1 where id in"
            " (select id from users where id between %s and %s order by id for no key update)",
            (first, first + 20),
        )

    def _membership(self, connection: Connection) -> None:
        user, team = self._somebody(connection), self._some_team(connection)
        if self._random.random() < 0.5:
            connection.execute("delete from memberships where user_id = %s", (user,))
        else:
            connection.execute(
                "insert into memberships (user_id, team_id) select u.id, t.id from users u, teams t"
                " where u.id = %s and t.id = %s on conflict do nothing",
                (user, team),
            )

    def _team(self, connection: Connection) -> None:
        connection.execute(
            "update teams set monthly_spend = %s, domain = %s where id = %s",
            (self._random.randint(1, 999), f"{self._new('team')}.example",
             self._some_team(connection)),
        )  # fmt: skip

    def _leave(self, connection: Connection) -> None:
        deleted: LiteralString = "case when deleted_at is null then now() end"
        connection.execute(
            "update users set deleted_at = " + deleted + " where id = %s",
            (self._somebody(connection),),
        )

    def _sign_up(self, connection: Connection) -> None:
        name = self._new("Newcomer")
        connection.execute(
            "insert into users (email, name) values (%s, %s)",
            (f"{name.replace(' ', '-')}@example.com", name),
        )

    def _delete(self, connection: Connection) -> None:
        self._gone += 1
        connection.execute("delete from users where id = %s", (self._somebody(connection),))

    # --- whom ---------------------------------------------------------------------------------

    def _set(self, connection: Connection, statement: LiteralString, value: object) -> None:
        connection.execute(statement, (value, self._somebody(connection)))

    def _somebody(self, connection: Connection) -> int:
        return self._one_of(connection, "select max(id) from users")

    def _some_team(self, connection: Connection) -> int:
        return self._one_of(connection, "select max(id) from teams")

    def _one_of(self, connection: Connection, query: LiteralString) -> int:
        row = connection.execute(query).fetchone()
        return self._random.randint(1, row[0] if row and row[0] else 1)

    def _new(self, what: str) -> str:
        """A text that was never used before, so that its whereabouts tell its story."""
        self._named += 1
        return f"{what} {self._seed} {self._named}"


def _fault_of_the_sync(error: psycopg.Error) -> str | None:
    """A connection that the database's death took along is nobody's fault but ours to kill it."""
    if isinstance(error, OF_THE_APP):
        return None
    away = error.sqlstate is None or error.sqlstate.startswith(("57P", "08"))
    if isinstance(error, psycopg.OperationalError) and away:
        return None
    return f"{type(error).__name__}: {str(error).splitlines()[0]}"


WAITING = """
select a.pid, a.query_start, extract(epoch from clock_timestamp() - a.query_start)
from pg_stat_activity a
where a.application_name = 'the app' and a.wait_event_type = 'Lock' and exists (
    select from unnest(pg_blocking_pids(a.pid)) b (pid) join pg_stat_activity o using (pid)
    where o.application_name = 'intercom_assets')
"""


def watch_locks_until(stop: Event, url: str, tally: Tally) -> None:
    """Counts the app's statements that were seen to wait for a lock of the sync."""
    seen: dict[tuple[object, ...], float] = {}
    while not stop.is_set():
        try:
            with psycopg.connect(url, autocommit=True, connect_timeout=3) as connection:
                while not stop.wait(0.1):
                    for pid, since, seconds in connection.execute(WAITING.encode()).fetchall():
                        seen[pid, since] = float(seconds)
        except psycopg.OperationalError:
            time.sleep(0.2)
    for seconds in seen.values():
        tally.waited("statements", seconds)
