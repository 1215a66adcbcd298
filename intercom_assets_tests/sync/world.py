"""A world for one test: an app database, a workspace in the simulator, and our services between.

Nothing here knows a rule: rows go in by SQL, contacts come out as the simulator holds them, and
`sync` runs the engine that Dagster and the CLI run.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.mapping.load import load_mapping
from intercom_assets.simulator.simulator import Simulator
from intercom_assets.simulator.wire import Answer
from intercom_assets.sync.context.outcomes import Outcome, Totals
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.engine.batch import run_batch
from intercom_assets.sync.engine.chunk_source import Batch
from intercom_assets_tests import builders
from intercom_assets_tests.in_process import InProcess

TOKEN = "demo-token"
BASE_URL = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Synced:
    """What one run did: outcomes by key, and the requests that Intercom saw, in order."""

    outcomes: Mapping[str, Outcome]
    calls: Sequence[str]

    def __getitem__(self, key: object) -> Outcome:
        return self.outcomes[str(key)]

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if not call.startswith("GET") and "search" not in call]


class Wire:
    """Between client and simulator: remembers each request as `METHOD /path`."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.requests: list[str] = []

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.requests.append(f"{method} {path}")
        return self._simulator.handle(method, path, headers, body)


class World:
    """`url`: the app's database, which holds our tables too."""

    def __init__(self, url: str, simulator: Simulator, wire: Wire, services: Services) -> None:
        self.url, self.intercom, self.services = url, simulator, services
        self._wire, self._runs = wire, 0

    # --- the app ------------------------------------------------------------------------------

    def given_user(self, **columns: Any) -> int:
        return builders.insert_user(self.url, **columns)

    def given_team(self, **columns: Any) -> int:
        return builders.insert_team(self.url, **columns)

    def joins(self, user: int, team: int) -> None:
        builders.insert_membership(self.url, user, team)

    def leaves(self, user: int, team: int) -> None:
        builders.delete_membership(self.url, user, team)

    def update_user(self, user: int, **columns: Any) -> None:
        builders.update_row(self.url, "users", user, **columns)

    def update_team(self, team: int, **columns: Any) -> None:
        builders.update_row(self.url, "teams", team, **columns)

    def delete_user(self, user: int) -> None:
        builders.delete_row(self.url, "users", user)

    def delete_team(self, team: int) -> None:
        builders.delete_row(self.url, "teams", team)

    def app_user(self, user: int) -> dict[str, Any]:
        row = builders.read_row(self.url, "users", user)
        assert row is not None, f"user {user} is not in the app"
        return row

    # --- the sync -----------------------------------------------------------------------------

    def sync(self, *users: int | str, by_hand: bool = False) -> Synced:
        """One run over these users."""
        keys = tuple(str(user) for user in users)
        return self._run(Batch(QueueKind.USER, keys=keys, by_hand=by_hand))

    def sync_teams(self, *teams: int | str) -> Synced:
        return self._run(Batch(QueueKind.TEAM, keys=tuple(str(team) for team in teams)))

    def sync_due(self, most: int = 10_000) -> Synced:
        """One run over what is due in the queue, as the sensor would start it."""
        return self._run(Batch(QueueKind.USER, from_queue=most))

    def run_due(self, kind: QueueKind, most: int = 10_000) -> Synced:
        """As `sync_due`, also for teams."""
        return self._run(Batch(kind, from_queue=most))

    def _run(self, batch: Batch) -> Synced:
        before = len(self._wire.requests)
        self._runs += 1
        outcomes = {
            outcome.key: outcome
            for report in run_batch(self.services, batch, f"test-run-{self._runs}")
            for outcome in report.outcomes
        }
        return Synced(outcomes, self._wire.requests[before:])

    def totals(self, synced: Synced) -> Totals:
        totals = Totals()
        totals.add(synced.outcomes.values())
        return totals

    # --- Intercom -----------------------------------------------------------------------------

    def contact(self, user: int | str) -> dict[str, Any]:
        """The live contact of this user, as the simulator holds it; there must be one only."""
        found = [c for c in self.intercom.contacts() if c["external_id"] == str(user)]
        assert len(found) == 1, f"{len(found)} contacts for user {user}"
        return found[0]


@contextmanager
def a_world(
    url: str, folder: Path | None = None, now: int | None = None, **simulated: Any
) -> Iterator[World]:
    simulator = Simulator(**simulated)
    wire = Wire(simulator)
    client = IntercomClient(TOKEN, BASE_URL, rate_share=1.0, transport=InProcess(wire.handle))
    app = AppDatabase(url, load_mapping(folder))
    with Store(url) as store:
        wall = time.time if now is None else lambda: float(now)
        services = Services(app, store, client, wall)
        try:
            yield World(url, simulator, wire, services)
        finally:
            app.close()
