"""What only real processes show: Dagster's daemon, its runs and its pauses between them.

The demo's world, on a server of its own, with the shipped settings; schedules are off, since what
they start would be measured too. Must not: what a run costs without the daemon (`dagster_runs.py`).
"""

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median, quantiles
from unittest.mock import patch

import dagster as dg
import psycopg
from psycopg.sql import SQL, Identifier

from intercom_assets.demo.runner import settle
from intercom_assets.demo.sample_app import seed
from intercom_assets.demo.sample_people import AWKWARD_TEAMS, AWKWARD_USERS
from intercom_assets.demo.world import DemoOptions, World, running_world
from intercom_assets.mapping.load import SAMPLE, SYNC_YAML
from intercom_assets.orchestration.partitions import APP_USER, add_keys
from intercom_assets.supervision.interrupts import Interrupts
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets_tests.end_to_end.ui import USER_ASSETS, Ui
from intercom_assets_tests.processes import RUN
from intercom_assets_tests.tools.benchmarks.figures import Figure
from intercom_assets_tests.tools.benchmarks.lab import Lab
from intercom_assets_tests.tools.benchmarks.simulated import (
    AT_THE_LIMIT,
    PER_SECOND,
    Asked,
    Simulated,
)
from intercom_assets_tests.tools.benchmarks.watched import Watched, watching

CHANGES = 30
LONGEST_REST = 7.0
"""Seconds between two changes, at most: longer than the five between two ticks of a sensor."""
WAIT_TIMEOUT_S = 900.0
POLL_EVERY = 10.0
"""As the UI's own page does: each answer costs the webserver CPU."""
IDLE = 60.0
"""Seconds that Dagster's processes are watched with nothing to do: a sensor's wait and more."""


def measure_latency(_: Lab, users: int) -> Iterator[Figure]:
    """One user changes in the app of an idle system, again and again, at odd moments."""
    with demo_world(sensor_wait_seconds=40) as world:
        seed(world.addresses.app_database, users, teams=len(AWKWARD_TEAMS) + 1)
        _settle(world)
        started, arrived = zip(*_changes(world, users), strict=True)
    yield from _spread("change to the start of its run's step", started, "under 5 s", "")
    yield from _spread("change to Intercom", arrived, "under 6 s", "under 10 s")


def measure_backfill(_: Lab, users: int) -> Iterator[Figure]:
    """All partitions from the UI, onto an empty workspace at the limit and 150 ms away."""
    with demo_world(rate_share=1.0, sensor_wait_seconds=40) as world:
        simulated = Simulated(world.addresses.simulator)
        simulated.control("settings", AT_THE_LIMIT)
        _fill_quietly(world, users)
        with watching(world.place) as idle:
            time.sleep(IDLE)
        before = simulated.asked()
        ui = Ui(world.addresses.webserver)
        began = time.monotonic()
        with watching(world.place) as watched:
            status = ui.end_of_backfill(ui.backfill(USER_ASSETS), WAIT_TIMEOUT_S, POLL_EVERY)
        whole = time.monotonic() - began
        asked, steps = simulated.asked().since(before), _seconds_of_steps(world)
    if status != "COMPLETED_SUCCESS":
        raise RuntimeError(f"the backfill ended as {status}")
    yield from _backfilled(users, asked, steps)
    yield Figure("launch to completed", whole, "s")
    yield from _used(users, watched, whole * sum(idle.cpu_by_role().values()) / IDLE)


def _backfilled(users: int, asked: Asked, steps: float) -> Iterator[Figure]:
    share = 100 * asked.accepted / (steps * PER_SECOND)
    yield Figure("first run's body to the last's end", steps, "s", note="daemon's pauses included")
    yield Figure("share of the limit", share, "%", "at least 95 % at 20,000")
    yield Figure("429s per 1,000 calls", 1_000 * asked.refused / asked.calls, "", "under 1")
    yield Figure("calls per user", asked.calls / users, "calls", note="teams and edges included")


def _used(users: int, watched: Watched, idle: float) -> Iterator[Figure]:
    """All included: besides the runs what daemon, webserver and code server do meanwhile.

    `idle`: seconds of CPU that they would have taken in that time with nothing to do.
    """
    by_role = watched.cpu_by_role()
    own = sum(by_role.values())
    yield Figure("own CPU per user", 1_000 * own / users, "ms", "under 4 ms", "all included")
    for role, seconds in sorted(by_role.items(), key=lambda pair: -pair[1]):
        yield Figure(f"of it: {role}", 1_000 * seconds / users, "ms")
    yield Figure("of it: with nothing to do", 1_000 * idle / users, "ms", note="daemon and servers")
    yield Figure("largest memory of a run", watched.largest(RUN), "MB", "under 300 MB")


def _spread(what: str, seconds: tuple[float, ...], middle: str, tail: str) -> Iterator[Figure]:
    yield Figure(f"{what}, median", median(seconds), "s", middle)
    yield Figure(f"{what}, 95th percentile", quantiles(seconds, n=20)[-1], "s", tail)


def _changes(world: World, users: int) -> Iterator[tuple[float, float]]:
    """Of each change: seconds until its run's step began, and until Intercom shows it."""
    chance = random.Random(1)
    for number in range(CHANGES):
        user = str(chance.randint(len(AWKWARD_USERS) + 1, users))
        time.sleep(chance.uniform(0, LONGEST_REST))
        name, at, began = f"Name {number}", time.time(), time.monotonic()
        world.sides.app.do("update users set name = %s where id = %s", name, int(user))
        _wait_for_name(world, user, name)
        arrived = time.monotonic() - began
        _settle(world)
        yield _first_step_after(world, at) - at, arrived


def _wait_for_name(world: World, user: str, name: str) -> None:
    def shows() -> bool:
        contact = world.sides.intercom.contact(external_id=user)
        return contact is not None and contact["name"] == name

    if not wait_until(shows, WAIT_TIMEOUT_S, every=0.05):
        raise RuntimeError(f"the change of user {user} did not reach Intercom")


def _settle(world: World) -> None:
    if not wait_until(lambda: settle(world.sides), WAIT_TIMEOUT_S):
        raise RuntimeError("the two sides did not settle")


def _fill_quietly(world: World, users: int) -> None:
    """Ordinary people only, each of them a partition. The triggers are off from here on, so that
    nobody is noticed before the backfill takes them."""
    url = world.addresses.app_database
    with psycopg.connect(url, autocommit=True) as app:
        for table in ("users", "teams", "memberships"):
            app.execute(SQL("alter table {} disable trigger user").format(Identifier(table)))
        seed(url, users + len(AWKWARD_USERS), teams=max(4, users // 100) + len(AWKWARD_TEAMS))
        app.execute("delete from memberships where user_id <= %s", [len(AWKWARD_USERS)])
        app.execute("delete from users where id <= %s", [len(AWKWARD_USERS)])
        app.execute("vacuum analyze users, teams, memberships")
        keys = app.execute("select id::text from users order by id").fetchall()
    with _instance(world) as instance:
        add_keys(instance, APP_USER, [key for (key,) in keys])


def _first_step_after(world: World, at: float) -> float:
    """Unix seconds at which the first step began that began at or after `at`."""
    return float(_of_events(world, "min", "STEP_START", at))


def _seconds_of_steps(world: World) -> float:
    first = _of_events(world, "min", "STEP_START", 0)
    return float(_of_events(world, "max", "STEP_SUCCESS", 0) - first)


def _of_events(world: World, which: str, kind: str, at: float) -> float:
    query = (
        "select min(t), max(t) from (select extract(epoch from timestamp at time zone 'utc') as t"
        " from event_logs where dagster_event_type = %s) e where t >= %s"
    )
    with psycopg.connect(world.addresses.dagster_database) as dagster:
        row = dagster.execute(query, [kind, at]).fetchone()
    assert row is not None
    return float(row[0] if which == "min" else row[1])


@contextmanager
def demo_world(*, webhooks: bool = True, **settings: object) -> Iterator[World]:
    """A demo's world with these settings of `sync.yaml`."""
    options = DemoOptions(schedules=False, webhooks=webhooks)
    with running_world(options, Interrupts(), lambda _: None) as world:
        file = world.place / "mapping" / SYNC_YAML
        chosen = "".join(f"\n{key}: {value}" for key, value in settings.items())
        file.write_text(f"{(SAMPLE / SYNC_YAML).read_text()}{chosen}\n")
        yield world


@contextmanager
def _instance(world: World) -> Iterator[dg.DagsterInstance]:
    home = str(world.place / "dagster")
    known = {
        "DAGSTER_HOME": home,
        "DAGSTER_DATABASE_URL": world.addresses.dagster_database,
    }
    with patch.dict(os.environ, known), dg.DagsterInstance.from_config(home) as instance:
        yield instance
