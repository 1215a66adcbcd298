"""What is done to the world of two servers, in order: who is killed when, and what was seen of it.

Belongs here: three acts that overlap their waits, each with many changes under way. The dead leave
leases and heartbeats behind that have to run out, so the next act begins meanwhile.
Must not: what ought to come of it (`test_kills.py`).
"""

import os
import signal
import time
from dataclasses import dataclass
from unittest.mock import patch

import dagster as dg

from intercom_assets.demo.runner import StepResult, play_changes, play_everybody, settle
from intercom_assets.demo.sample_app import seed
from intercom_assets.orchestration.pool import POOL
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets_tests.end_to_end.two_servers import Run, World

WAIT_TIMEOUT_S = 300.0
"""Seconds, for a machine that is busy with other things."""
LATENCY, SLOW = 150, 4_000
"""Milliseconds a call. While something is done to a run it has work for a minute."""
SOME = 12
"""Calls of a batch after which it is well under way, and far from its end."""
MANY = range(21, 121)
USERS, TEAMS = "sync_users", "sync_companies"
NEW_CONTACT = ("POST", "/contacts")
ENDED = ("SUCCESS", "FAILURE", "CANCELED")


@dataclass(frozen=True)
class First:
    """The first sync of everybody. `alone`: the run whose process was killed, `noticed` seconds
    later failed; `orphan`: the one under way while the daemon was dead. `created`: contacts."""

    played: StepResult
    alone: Run
    noticed: float
    orphan: Run
    created: int


@dataclass(frozen=True)
class Reloaded:
    """`at_reload`: the run as its code server reloaded; `run`: at its end."""

    at_reload: Run
    run: Run
    members: set[str]


@dataclass(frozen=True)
class Dead:
    """Code server, runs and daemon killed together. `started`: the run whose users were under way;
    `starting`: the one whose process had not begun. `waited`: the next run while the pool had no
    room, `went`: its end, once it had. `seconds`: from everything running again until settled.
    """

    started: Run
    why_started: str
    starting: Run
    why_starting: str
    waited: Run
    went: Run
    steps: list[StepResult]
    seconds: float


def first_sync(world: World) -> First:
    """Everybody is new. The first run dies alone; then the daemon, while the second works."""
    killed: list[Run] = []
    noticed: list[float] = []

    def act() -> None:
        world.intercom.set(latency_ms=LATENCY)
        seed(world.app_url)
        alone = next_run(world, USERS, after=0)
        wait_for_calls(world, SOME)
        os.kill(world.process_of(alone.id), signal.SIGKILL)
        since = time.monotonic()
        killed.append(ended(world, alone))
        noticed.append(time.monotonic() - since)
        orphan = next_run(world, USERS, after=1)
        wait_for_calls(world, SOME)
        world.intercom.set(latency_ms=SLOW)
        world.kill("daemon")
        world.intercom.set(latency_ms=LATENCY)
        killed.append(ended(world, orphan))
        world.start_daemon()

    played = play_everybody(world.sides, act, 2 * WAIT_TIMEOUT_S)
    assert wait_until(lambda: settle(world.sides), WAIT_TIMEOUT_S)
    alone, orphan = killed
    return First(played, alone, noticed[0], orphan, world.intercom.landed.count(NEW_CONTACT))


def reload_during_a_run(world: World) -> Reloaded:
    before = len(world.runs(USERS))
    change_many(world)
    run = next_run(world, USERS, after=before)
    wait_for_calls(world, SOME)
    world.intercom.set(latency_ms=SLOW)
    world.reload_code()
    at_reload = world.run(run.id)
    world.intercom.set(latency_ms=LATENCY)
    done = ended(world, run)
    assert wait_until(lambda: settle(world.sides), WAIT_TIMEOUT_S)
    return Reloaded(at_reload, done, world.members(run.id))


def death_of_everything(world: World) -> Dead:
    users, teams = len(world.runs(USERS)), len(world.runs(TEAMS))
    change_many(world)
    started = next_run(world, USERS, after=users)
    wait_for_calls(world, SOME)
    world.intercom.set(latency_ms=SLOW)
    world.sides.app.do("update teams set monthly_spend = 4711, updated_at = now() where id = 30")
    starting = next_run(world, TEAMS, after=teams, status="STARTING")
    world.kill("code")
    world.kill("daemon")
    world.intercom.set(latency_ms=LATENCY)
    set_pool(world, 0)
    world.start_code_server()
    world.start_daemon()
    world.wait_for_ticks()
    back = time.monotonic()
    started = ended(world, started)
    waited = waits_in_the_queue(world, after=users + 1)
    set_pool(world, 3)
    went = ended(world, waited)
    steps = play_changes(world.sides, patience=WAIT_TIMEOUT_S)
    starting = ended(world, starting)
    assert wait_until(lambda: settle(world.sides), WAIT_TIMEOUT_S)
    return Dead(
        started, world.why_failed(started.id), starting, world.why_failed(starting.id), waited,
        went, steps, time.monotonic() - back,
    )  # fmt: skip


def change_many(world: World) -> None:
    world.sides.app.do(
        "update users set sessions_this_month = sessions_this_month + 1, updated_at = now()"
        " where id between %s and %s",
        MANY[0],
        MANY[-1],
    )


def next_run(world: World, job: str, *, after: int, status: str = "STARTED") -> Run:
    """The run of the job after so many others, once it is in this state."""

    def there() -> bool:
        runs = world.runs(job)[after:]
        return bool(runs) and runs[0].status == status

    assert wait_until(there, WAIT_TIMEOUT_S, every=0.02), world.runs()
    return world.runs(job)[after]


def waits_in_the_queue(world: World, *, after: int) -> Run:
    """The next run of users, which Dagster's coordinator has passed over for some rounds of 1 s."""
    queued = next_run(world, USERS, after=after, status="QUEUED")
    wait_until(lambda: world.run(queued.id).status != "QUEUED", seconds=3)
    return world.run(queued.id)


def ended(world: World, run: Run) -> Run:
    assert wait_until(lambda: world.run(run.id).status in ENDED, WAIT_TIMEOUT_S), world.runs()
    return world.run(run.id)


def wait_for_calls(world: World, count: int) -> None:
    """Until so many more writes have landed in Intercom."""
    before = len(world.intercom.landed)
    assert wait_until(
        lambda: len(world.intercom.landed) >= before + count, WAIT_TIMEOUT_S, every=0.02
    ), world.runs()


def set_pool(world: World, limit: int) -> None:
    """As `dagster instance concurrency set` does."""
    with (
        patch.dict(os.environ, world.processes.environment),
        dg.DagsterInstance.from_config(str(world.place / "dagster")) as instance,
    ):
        instance.event_log_storage.set_concurrency_slots(POOL, limit)
