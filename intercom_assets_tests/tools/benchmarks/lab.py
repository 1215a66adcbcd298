"""Where measurements happen: a PostgreSQL server, sample apps of any size, a simulator each.

Only ordinary people are in an app here: those that the sample makes awkward by hand test rules, and
would blur what a user costs. Must not: what is measured.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg

from intercom_assets.database.capture.installation import install_capture
from intercom_assets.database.store.schema import apply_schema
from intercom_assets.demo.databases import Databases
from intercom_assets.demo.sample_app import create_sample_app, seed
from intercom_assets.demo.sample_people import AWKWARD_TEAMS, AWKWARD_USERS
from intercom_assets.mapping.load import load_mapping
from intercom_assets.supervision.postgres import EmbeddedPostgres
from intercom_assets.supervision.workdir import demo_place
from intercom_assets_tests.orchestration.stage import a_mapping
from intercom_assets_tests.tools.benchmarks.simulated import Simulated, simulating

PREFIX = "intercom_assets_bench_"
CHANGE_EVERYBODY = "update users set sessions_this_month = sessions_this_month + 1"


@dataclass(frozen=True, slots=True)
class World:
    """An app and a workspace; can be sent to other processes.

    `mapping`: the sample app's folder, with the whole of the rate limit for us.
    """

    url: str
    mapping: Path
    simulator: Simulated


class Lab:
    """Databases on one server; those of a size are seeded once and copied."""

    def __init__(self, databases: Databases, place: Path) -> None:
        self.databases, self.place = databases, place
        self.mapping = a_mapping(place / "mapping", rate_share=1.0)
        self._seeded: dict[tuple[int, int], str] = {}

    @contextmanager
    def app(self, users: int, teams: int = 0) -> Iterator[str]:
        """The address of a database with `users` ordinary users, our triggers and our schema."""
        name = self.fresh_name()
        try:
            yield self.databases.copy(self._template(users, teams), name)
        finally:
            self.databases.drop(name)

    @contextmanager
    def world(self, users: int, teams: int = 0, **knobs: int) -> Iterator[World]:
        """Such an app, and an empty workspace with these settings of the simulator."""
        with self.app(users, teams) as url, simulating(**knobs) as simulator:
            yield World(url, self.mapping, simulator)

    def fresh_name(self) -> str:
        return f"{self.databases.prefix}{secrets.token_hex(6)}"

    def postgres_version(self) -> str:
        with psycopg.connect(self.databases.server_url) as connection:
            return str(connection.info.server_version // 10_000)

    def _template(self, users: int, teams: int) -> str:
        name = self._seeded.get((users, teams))
        if name is None:
            name = self.fresh_name()
            _fill(self.databases.create(name), users, teams)
            self.databases.freeze(name)
            self._seeded[users, teams] = name
        return name


@contextmanager
def a_lab() -> Iterator[Lab]:
    """A server with its usual settings in a temporary directory; nothing is left at the end."""
    with (
        demo_place() as place,
        EmbeddedPostgres(place / "postgres") as server,
        Databases(server.url(), prefix=PREFIX) as databases,
    ):
        yield Lab(databases, place)


def execute(url: str, *statements: LiteralString) -> None:
    """What happens in the app, each statement in its own transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _fill(url: str, users: int, teams: int) -> None:
    create_sample_app(url)
    seed(url, users + len(AWKWARD_USERS), teams + len(AWKWARD_TEAMS) if teams else 0)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("delete from users where id <= %s", [len(AWKWARD_USERS)])
        connection.execute("delete from teams where id <= %s", [len(AWKWARD_TEAMS)])
        connection.execute("vacuum analyze users, teams, memberships")
    apply_schema(url)
    install_capture(url, load_mapping())
