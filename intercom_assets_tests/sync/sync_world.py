"""Worlds of other shapes: another mapping, time that passes without waiting, events in mid-call.

Belongs here: how a rule is played, for the tests of rules and weaknesses. `world.World` is the
plain world; this one can be told what happens just before or after a request reaches Intercom.
Must not: a rule, or what comes of it.
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
import yaml
from psycopg import sql

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.reports import JournalRow
from intercom_assets.database.store.store import Store
from intercom_assets.domain.models import UserLink
from intercom_assets.domain.vocabulary import Cause, QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.http.messages import Timeouts
from intercom_assets.mapping.load import SAMPLE, load_mapping
from intercom_assets.simulator.simulator import Simulator
from intercom_assets.simulator.wire import Answer
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.engine.chunk_source import Batch
from intercom_assets.sync.feeders.app_changes import feed_from_app
from intercom_assets_tests.in_process import InProcess
from intercom_assets_tests.sync.world import BASE_URL, TOKEN, Synced, Wire, World

BARE_REFUSAL = b'{"type":"error.list","errors":[{"code":"bad_request","message":"Bad Request"}]}'
UNHURRIED = {"lease": "2h", "heartbeat": "5s"}
PATIENT = Timeouts(answer=600.0)
"""Leases and calls outlast the time that is skipped while they are under way."""


@dataclass(frozen=True)
class Sql:
    """Changes of the sample's three queries: text -> text instead."""

    users: Mapping[str, str] = field(default_factory=dict)
    teams: Mapping[str, str] = field(default_factory=dict)
    memberships: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Skipping:
    """Clocks of the client and of Intercom: sleeping skips the time instead of waiting.

    `ahead`: seconds by which our wall clock is ahead of Intercom's. `later`: seconds by which the
    engine's calendar is later, for rules that count in hours.
    """

    skipped: float = 0.0
    later: float = 0.0
    ahead: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def clock(self) -> float:
        return time.monotonic() + self.skipped

    def wall(self) -> float:
        return time.time() + self.skipped + self.ahead

    def theirs(self) -> float:
        return time.time() + self.skipped

    def calendar(self) -> float:
        return self.theirs() + self.later

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.skipped += seconds


@dataclass
class Event:
    """Something that happens once, when the next request that fits arrives."""

    request: str
    action: Callable[[], None]
    after: bool


class Telegraph(Wire):
    """The wire, with what happens elsewhere while a request is on it.

    `lost_headers`: of answers, in lower case. `stores`: what Intercom makes of a request's body.
    `refuses`: which requests, with their bodies, are answered by a bare 400.
    """

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(simulator)
        self.headers: list[Mapping[str, str]] = []
        self.lost_headers: set[str] = set()
        self.stores: Callable[[bytes], bytes] = bytes
        self.refuses: Callable[[str, bytes], bool] = lambda _request, _body: False
        self._events: list[Event] = []
        self._lock = threading.Lock()

    def expect(self, event: Event) -> None:
        self._events.append(event)

    def forget(self) -> None:
        """What was expected and did not come happens no more."""
        self._events.clear()

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.headers.append(headers)
        event = self._due(f"{method} {path}")
        if event and not event.after:
            event.action()
        if self.refuses(f"{method} {path}", body):
            self.requests.append(f"{method} {path}")
            return Answer(400, {"Content-Type": "application/json"}, BARE_REFUSAL)
        answer = super().handle(method, path, headers, self.stores(body))
        if event and event.after:
            event.action()
        kept = {n: v for n, v in answer.headers.items() if n.lower() not in self.lost_headers}
        return answer._replace(headers=kept)

    def _due(self, request: str) -> Event | None:
        with self._lock:
            for event in self._events:
                if fnmatchcase(request, event.request):
                    self._events.remove(event)
                    return event
        return None


class SyncWorld(World):
    """A world in which things happen while a pass is under way."""

    def __init__(
        self, url: str, simulator: Simulator, wire: Telegraph, services: Services, times: Skipping
    ) -> None:
        super().__init__(url, simulator, wire, services)
        self.wire, self.times = wire, times

    # --- what happens meanwhile -------------------------------------------------------------

    def just_before(self, request: str, action: Callable[[], None]) -> None:
        """`request`: a pattern such as `PUT /contacts/*`; met once."""
        self.wire.expect(Event(request, action, after=False))

    def just_after(self, request: str, action: Callable[[], None]) -> None:
        """Intercom has answered, and the answer is on its way."""
        self.wire.expect(Event(request, action, after=True))

    def remap(self, sql: Sql | None = None, **settings: Any) -> None:
        """An operator changes the mapping, and the process starts anew with it."""
        before = self.services
        folder = a_mapping(before.app.mapping.folder, sql, **settings)
        before.app.close()
        app = AppDatabase(self.url, load_mapping(folder))
        self.services = Services(app, before.store, before.intercom, before.wall)

    # --- the sync ---------------------------------------------------------------------------

    def look(self, *users: int | str) -> Synced:
        """A run over users whose contacts are said to have moved in Intercom."""
        keys = [str(user) for user in users]
        self.services.store.queue.enqueue(
            QueueKind.USER, keys, cause=Cause.INTERCOM, needs_read=True
        )
        return self.sync(*users)

    def run_all_due(self) -> None:
        """As the sensors would, until nothing waits: changes drained, nobody waits for a delay."""
        if not any(not self.run_all_due_once() for _ in range(5)):
            raise AssertionError("the queue does not run dry")

    def run_all_due_once(self) -> bool:
        """One round of that; whether anybody was due."""
        feed_from_app(self.services)
        self.run("update intercom_sync.queue set due_at = now() where parked_at is null")
        teams = self._run(Batch(QueueKind.TEAM, from_queue=1_000))
        users = self._run(Batch(QueueKind.USER, from_queue=1_000))
        return bool(teams.outcomes or users.outcomes)

    @contextmanager
    def lease_of(self, user: int) -> Iterator[None]:
        """Another run works on this user."""
        store, token = self.services.store, uuid4()
        store.queue.lease(
            QueueKind.USER, "another-run", token=token, limit=1, seconds=60, keys=[str(user)]
        )
        try:
            yield
        finally:
            store.queue.release(token)

    def settles(self, *users: int | str) -> bool:
        """Whether one more look finds both sides in step: one GET each, nothing written."""
        synced = self.look(*users)
        wrote = any(outcome.changed for outcome in synced.outcomes.values())
        return not wrote and synced.writes == [] and self.sync(*users).calls == []

    def settles_but_for_leads(self, *users: int | str) -> bool:
        """`settles`, for users in the merge window: a look searches their leads again."""
        synced = self.look(*users)
        writes = [call for call in synced.writes if not call.startswith("POST /contacts/search")]
        return writes == [] and self.sync(*users).calls == []

    # --- what came of it --------------------------------------------------------------------

    def app_team(self, team: int) -> dict[str, Any]:
        [row] = self.rows("select to_jsonb(t) from teams t where id = %s", team)
        found: dict[str, Any] = row[0]
        return found

    def company(self, team: int) -> dict[str, Any]:
        found = self.intercom.company(company_id=str(team))
        assert found is not None, f"there is no company for team {team}"
        return found

    def teams_of(self, user: int) -> set[str]:
        """The `company_id`s of the user's contact, as Intercom has them."""
        return self.intercom.company_keys(external_id=str(user))

    def link(self, user: int) -> UserLink:
        return self.services.store.links.users([str(user)])[str(user)]

    def journal(self, key: int, kind: QueueKind = QueueKind.USER) -> list[JournalRow]:
        """Oldest first."""
        return self.services.store.journal.of_key(str(key), kind=kind)[::-1]

    def actions(self, key: int, kind: QueueKind = QueueKind.USER) -> list[str]:
        return [row.entry.action for row in self.journal(key, kind)]

    @contextmanager
    def row_locked(self, id: int, table: str = "users") -> Iterator[None]:
        """A transaction of the app holds this row."""
        statement = sql.SQL("select 1 from {} where id = %s for update")
        with psycopg.connect(self.url) as connection:
            connection.execute(statement.format(sql.Identifier(table)), [id])
            yield
            connection.rollback()

    # --- the app, by SQL --------------------------------------------------------------------

    def run(self, statement: LiteralString, *parameters: Any) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement, parameters or None)

    def rows(self, statement: LiteralString, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement, parameters or None).fetchall()


def a_mapping(folder: Path, sql: Sql | None = None, **settings: Any) -> Path:
    """The sample's mapping with other SQL and other settings of sync.yaml, in `folder`."""
    shutil.copytree(SAMPLE, folder, dirs_exist_ok=True)
    changed = sql or Sql()
    for name, replaced in (
        ("users.sql", changed.users),
        ("teams.sql", changed.teams),
        ("memberships.sql", changed.memberships),
    ):
        text = (folder / name).read_text()
        for old, new in replaced.items():
            assert old in text, f"{name} has no {old!r}"
            text = text.replace(old, new)
        (folder / name).write_text(text)
    known = yaml.safe_load((folder / "sync.yaml").read_text())
    (folder / "sync.yaml").write_text(yaml.safe_dump(known | UNHURRIED | settings))
    return folder


def a_client(wire: Telegraph, times: Skipping, token: str = TOKEN) -> IntercomClient:
    return IntercomClient(
        token,
        BASE_URL,
        rate_share=1.0,
        timeouts=PATIENT,
        transport=InProcess(wire.handle, times.sleep),
        clock=times.clock,
        wall=times.wall,
        sleep=times.sleep,
    )


@contextmanager
def a_played_world(
    url: str, folder: Path, now: float | None = None, ahead: float = 0.0, token: str = TOKEN
) -> Iterator[SyncWorld]:
    """`now`: our clock stands still there (Unix s); Intercom's and the client's go on."""
    times = Skipping(ahead=ahead)
    simulator = Simulator(clock=times.theirs)
    wire = Telegraph(simulator)
    client = a_client(wire, times, token)
    with Store(url) as store:
        wall = times.calendar if now is None else lambda: now
        services = Services(AppDatabase(url, load_mapping(folder)), store, client, wall)
        world = SyncWorld(url, simulator, wire, services, times)
        try:
            yield world
        finally:
            world.services.app.close()
