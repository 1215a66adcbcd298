"""One app, a stand-in Intercom, and an operator's shell between them.

An app is a folder: `schema.sql`, `data.sql` and a mapping; the sample app is the shipped one. Here
is what all of them are put through; what each expects is its test's.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from click.testing import Result

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.mapping.load import SAMPLE
from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator
from intercom_assets.sync import environment
from intercom_assets.sync.environment import opened, read_environment
from intercom_assets.sync.feeders.app_changes import feed_from_app
from intercom_assets_tests.cli.conftest import Shell

APPS = Path(__file__).parent


def create_app(url: str, name: str) -> None:
    for file in ("schema.sql", "data.sql"):
        with psycopg.connect(url) as connection:
            connection.execute((APPS / name / file).read_bytes())


@dataclass(frozen=True)
class Stage:
    """`url`: the app's own, with all rights; the shell may have fewer."""

    url: str
    shell: Shell

    @property
    def intercom(self) -> Simulator:
        return self.shell.intercom

    def run(self, *command: str) -> Result:
        done = self.shell.run(*command)
        assert done.exit_code == 0, done.output
        return done

    def answer_of(self, *command: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.run(*command, "--json").stdout)
        return document

    def app_does(self, statement: str) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement.encode())

    def app_has(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()

    def contacts(self) -> dict[str, dict[str, Any]]:
        """By the app's id."""
        return {each["external_id"]: each for each in self.intercom.contacts()}

    def companies(self) -> dict[str, dict[str, Any]]:
        return {each["company_id"]: each for each in self.intercom.companies()}

    def teams_of(self, user: str) -> set[str]:
        ids = {each["id"]: key for key, each in self.companies().items()}
        return {ids[ref["id"]] for ref in self.contacts()[user]["companies"]["data"]}

    def noticed(self) -> tuple[set[str], set[str]]:
        """Users and teams that a sensor would queue now."""
        configuration = read_environment(self.shell.variables)
        with opened(configuration) as services:
            feed_from_app(services)
            users, teams = (
                set(services.store.queue.due_keys(kind, 1_000))
                for kind in (QueueKind.USER, QueueKind.TEAM)
            )
        return users, teams

    def is_settled(self) -> bool:
        """A further sync of everybody makes no call."""
        before = self.intercom.stats()["calls"]
        done = self.answer_of("sync", "--all")
        assert not done["failures"]
        return bool(self.intercom.stats()["calls"] == before)

    def check_plan_and_sync(self) -> None:
        """The way of a newcomer: nothing red, a plan that writes nothing, and what it foretold."""
        assert self.answer_of("check")["red"] == 0
        plan = self.answer_of("plan")
        assert self.intercom.stats()["writes"] == 0
        self.run("sync", "--all")
        assert plan["users"]["creates"] == len(self.contacts())
        assert plan["teams"]["actions"].get("create", 0) == len(self.companies())
        assert self.answer_of("check")["red"] == 0
        assert self.is_settled()


@contextmanager
def a_stage(url: str, mapping: Path | None, **variables: str) -> Iterator[Stage]:
    """`variables`: over those of an operator who has all rights."""
    simulator = Simulator()
    with serving(simulator) as address:
        usual: Mapping[str, str] = {
            environment.APP_DATABASE_URL: url,
            environment.SYNC_DATABASE_URL: url,
            environment.INTERCOM_ACCESS_TOKEN: "demo-token",
            environment.INTERCOM_BASE_URL: address,
            environment.INTERCOM_SYNC_ENABLED: "true",
            environment.INTERCOM_SYNC_CONFIG: str(mapping or SAMPLE),
        }
        yield Stage(url, Shell(simulator, {**usual, **variables}))
