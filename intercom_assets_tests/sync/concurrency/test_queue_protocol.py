"""The protocol as a whole, attacked: writers that commit late or roll back, workers that die.

A small engine follows the steps of the protocol with our own drain, leases and records; Intercom
is a dictionary. Whatever dies at whatever step, at the end both sides are equal, and what we
believe of Intercom is what it holds. That each shortcut would be caught is the chaos harness's to
show.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random
from threading import Event, Lock
from typing import Any

import psycopg
import pytest

from intercom_assets.database.records import Done, InFlight, UserRecord
from intercom_assets.database.reports import Depth
from intercom_assets.domain.models import AppUser, Contact, Gone, InvalidRow, UserLink
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.leases import Lease
from intercom_assets_tests.sync.feeders.sides import Sides, the_sides

USER = QueueKind.USER
USERS, WRITERS, WORKERS = 200, 4, 4
LEASE_SECONDS = 0.25
ATTACKED_FOR = 2.0
ENOUGH = {"commits": 50, "rollbacks": 10, "deaths": 10, "passes": 100, "taken over": 3}
RUN_ID = "run"


class Died(Exception):
    """The process ended here: nothing is given back, nothing more is written."""


class Intercom:
    """What the other side holds. A call that is answered has landed."""

    def __init__(self) -> None:
        self.names: dict[str, str | None] = {}
        self._lock = Lock()

    def write(self, user_id: str, name: str | None, lease: Lease) -> bool:
        """False where the lease leaves no time for a call."""
        with self._lock:
            if time.monotonic() >= lease.deadline:
                return False
            self.names[user_id] = name
            return True

    def read(self, user_id: str) -> str | None:
        with self._lock:
            return self.names.get(user_id)


class Worker:
    """One process after another: each leases, works, and dies at a step that chance picks."""

    def __init__(
        self, sides: Sides, intercom: Intercom, happened: Counter[str], seed: int | None = None
    ) -> None:
        """Without a seed it neither dies nor sleeps."""
        self._sides, self._intercom, self.happened = sides, intercom, happened
        self._random, self._calm = Random(seed), seed is None

    def work_until(self, stop: Event) -> None:
        while not stop.is_set():
            try:
                self.work()
            except Died:
                self.happened["deaths"] += 1

    def work(self) -> int:
        """One chunk, in the order of the protocol; how many rows it had."""
        self._sides.drain(delay=self._delay)
        lease = Lease(self._sides.store, LEASE_SECONDS)
        lease.take(USER, RUN_ID, 8, None, None)
        self._perhaps_die()
        if not lease.rows:
            time.sleep(0.01)
            return 0
        keys = [row.key for row in lease.rows]
        rows = self._sides.app.read_users(keys)
        links = self._sides.store.links.users(keys)
        self._perhaps_die()
        time.sleep(self._random.uniform(0, 0.04))
        wanted = {key: _name(rows[key]) for key in keys}
        changed = [key for key in keys if self._known(links.get(key), key) != wanted[key]]
        self._call(lease, changed, wanted)
        self._record(lease, wanted)
        self.happened["passes"] += len(keys)
        return len(keys)

    def _known(self, link: UserLink | None, key: str) -> str | None:
        """By the shadow, as long as it can be trusted; else by reading."""
        if link is None or link.needs_read or link.in_flight:
            self.happened["reads"] += 1
            return self._intercom.read(key)
        return link.shadow.name if link.shadow else None

    def _call(self, lease: Lease, changed: list[str], wanted: dict[str, str | None]) -> None:
        notes = [InFlight(key, {"name": wanted[key]}) for key in changed]
        lost = self._sides.store.records.note_in_flight(lease.token, notes)
        for key in changed:
            self._perhaps_die()
            self._perhaps_sleep()
            if key not in lost and not self._intercom.write(key, wanted[key], lease):
                lost |= {key}
        for key in lost:
            del wanted[key]
        self.happened["taken over"] += len(lost)

    def _record(self, lease: Lease, wanted: dict[str, str | None]) -> None:
        self._perhaps_die()
        self._perhaps_sleep()
        records = [
            UserRecord(
                UserLink(key, f"c{key}", shadow=Contact(f"c{key}", "user", name=name)), Done()
            )
            for key, name in wanted.items()
        ]
        recorded = self._sides.store.records.record_users(lease.token, RUN_ID, records)
        self.happened["taken over"] += len(recorded.lost)
        self._perhaps_die()
        lease.close()

    def _delay(self, kind: QueueKind, keys: Sequence[str]) -> Mapping[str, float]:
        """Nobody waits, but the drain dies in the middle of its transaction."""
        self._perhaps_die()
        return {}

    def _perhaps_die(self) -> None:
        if not self._calm and self._random.random() < 0.03:
            raise Died

    def _perhaps_sleep(self) -> None:
        """As a stopped process: it wakes when its rows are somebody else's."""
        if not self._calm and self._random.random() < 0.02:
            self.happened["sleeps"] += 1
            time.sleep(LEASE_SECONDS * 1.5)


def write_until(stop: Event, url: str, seed: int, happened: Counter[str]) -> None:
    """The app: a user is edited a few times in a row and then left alone, so that a change that is
    lost stays lost. Values come back, transactions commit late, some roll back."""
    random = Random(seed)
    with closing(psycopg.connect(url)) as connection:
        while not stop.is_set():
            first = random.randint(1, USERS)
            last = first + random.choice((0, 0, 0, 0, 0, 20))
            for _ in range(random.choice((1, 2, 3))):
                _rename(connection, first, last, f"name {random.randint(1, 4)}")
                time.sleep(random.choice((0.0, 0.0, 0.2)))
                if random.random() < 0.2:
                    connection.rollback()
                    happened["rollbacks"] += 1
                else:
                    connection.commit()
                    happened["commits"] += 1
                time.sleep(random.uniform(0, 0.06))


def _rename(connection: psycopg.Connection[Any], first: int, last: int, name: str) -> None:
    """Locks in the order of ids, so that writers do not deadlock with each other."""
    connection.execute(
        "update users set name = %s where id in"
        " (select id from users where id between %s and %s order by id for update)",
        (name, first, last),
    )


def _name(row: AppUser | InvalidRow | Gone) -> str | None:
    assert isinstance(row, AppUser)
    return str(row.values["name"])


@pytest.fixture(params=["one database", "two databases"])
def sides(request: pytest.FixtureRequest, database: str) -> Iterator[Sides]:
    one = request.param == "one database"
    with the_sides(database, database if one else request.getfixturevalue("empty_database")) as it:
        yield it


def test_nothing_is_lost_whoever_dies_wherever(sides: Sides) -> None:
    seed = time.time_ns() % 1_000_000
    with psycopg.connect(sides.app.url) as connection:
        connection.execute(
            "insert into users (email, name) select n || '@b.example', 'first'"
            " from generate_series(1, %s) as n",
            (USERS,),
        )
    intercom = Intercom()

    happened = attack(sides, intercom, seed)
    settle(sides, intercom)

    everybody = [str(n) for n in range(1, USERS + 1)]
    app = {key: _name(row) for key, row in sides.app.read_users(everybody).items()}
    links = sides.store.links.users(everybody)
    believed = {key: link.shadow and link.shadow.name for key, link in links.items()}
    assert intercom.names == app, f"seed {seed}: {happened}"
    assert believed == app, f"seed {seed}: {happened}"


def attack(sides: Sides, intercom: Intercom, seed: int) -> Counter[str]:
    """For some seconds, and until enough has happened: a quiet attack proves nothing."""
    stop, happened = Event(), Counter[str]()
    url, began = sides.app.url, time.monotonic()
    with ThreadPoolExecutor(WORKERS + WRITERS) as threads:
        running = [
            threads.submit(Worker(sides, intercom, happened, seed + n).work_until, stop)
            for n in range(WORKERS)
        ]
        running += [
            threads.submit(write_until, stop, url, seed - n, happened) for n in range(WRITERS)
        ]
        try:
            while time.monotonic() < began + ATTACKED_FOR or not enough(happened):
                assert time.monotonic() < began + 15, f"a quiet attack: {happened}"
                stop.wait(0.1)
        finally:
            stop.set()
    for each in running:
        each.result()
    return happened


def enough(happened: Counter[str]) -> bool:
    return all(happened[what] >= least for what, least in ENOUGH.items())


def settle(sides: Sides, intercom: Intercom) -> None:
    """Workers that do not die, until the log and the queue are empty."""
    worker = Worker(sides, intercom, Counter())
    patience = time.monotonic() + 20
    while worker.work() or sides.logged() or sides.store.queue.depth()[USER] != Depth():
        assert time.monotonic() < patience, sides.store.queue.depth()
