"""What Dagster adds: a run against `sync` of the same users, and a tick of the sensor.

The instance has the shipped dagster.yaml, its storage is in PostgreSQL; runs are executed as a run
worker would, in a process of their own. Must not: daemon and webserver (the end-to-end tests).
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, LiteralString, TypeAlias
from unittest.mock import patch

import dagster as dg

from intercom_assets.definitions import build_defs
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.orchestration.partitions import APP_USER, add_keys
from intercom_assets.orchestration.pool import set_up_pool
from intercom_assets.orchestration.resources import (
    AppDatabaseResource,
    IntercomResource,
    SyncDatabaseResource,
)
from intercom_assets.orchestration.sync_targets import USERS
from intercom_assets_tests.orchestration.stage import a_mapping, a_stage
from intercom_assets_tests.tools.benchmarks.figures import Figure
from intercom_assets_tests.tools.benchmarks.lab import (
    CHANGE_EVERYBODY,
    Lab,
    World,
    execute,
)
from intercom_assets_tests.tools.benchmarks.simulated import AT_THE_LIMIT, PER_SECOND, TOKEN
from intercom_assets_tests.tools.benchmarks.work import (
    Meter,
    Used,
    apart,
    ids_of,
    services_of,
    sync_all,
)

KEYS_AT_ONCE = 10_000
SENSOR = "changed_users"
Step: TypeAlias = tuple[float, float]
CHANGE_THE_FIRST: LiteralString = f"{CHANGE_EVERYBODY} where id <= 1016"
"""Of these, the sample app's first 16 users are not there."""


def measure_run(lab: Lab, users: int) -> Iterator[Figure]:
    """New users without teams, so that 1,000 of them fit into one window of the limit."""
    with lab.world(users, **AT_THE_LIMIT) as world:
        plain = apart(sync_all, world, kinds=(QueueKind.USER,), at_next_window=True)
    yield Figure("`sync`", plain.seconds, "s")
    with a_dagster(lab), lab.world(users, **AT_THE_LIMIT) as world:
        used, step = apart(run_queue, world)
        yield Figure("step start to step end", step, "s")
        yield Figure("step against `sync`", step / plain.seconds, "times", "under 1.15 times")
        yield Figure("whole run in its worker", used.seconds, "s")
        yield from _cost(world, users, used, step)


def _cost(world: World, users: int, used: Used, seconds: float) -> Iterator[Figure]:
    asked = world.simulator.asked()
    share = 100 * asked.accepted / (seconds * PER_SECOND)
    yield Figure("share of the limit", share, "%", "at least 95 % at 20,000")
    yield Figure("429s per 1,000 calls", 1_000 * asked.refused / asked.calls, "", "under 1")
    yield Figure("calls per user", asked.calls / users, "calls")
    yield Figure("own CPU per user", 1_000 * used.cpu / users, "ms", "under 4 ms")
    yield Figure("largest memory", used.memory, "MB", "under 300 MB")


def measure_tick(lab: Lab, users: int) -> Iterator[Figure]:
    """As many partitions as users; up to 1,000 changes wait. The sensor's own wait is 0."""
    mapping = lab.place / "mapping-of-ticks"
    shutil.rmtree(mapping, ignore_errors=True)
    a_mapping(mapping)
    with a_dagster(lab) as instance, lab.app(users) as url, a_stage(url, instance, mapping) as on:
        _add_partitions(instance, [str(number) for number in range(users)])
        idle = _seconds(lambda: on.tick(SENSOR))
        execute(url, CHANGE_THE_FIRST)
        busy = _seconds(lambda: on.tick(SENSOR))
    yield Figure("tick, nothing waits", idle, "s", note="the first of its process")
    yield Figure("tick, 1,000 changes wait", busy, "s", "under 1 s")


def run_queue(world: World) -> tuple[Used, float]:
    """A sensor's run of everybody. Also the seconds from its step's start to the step's end."""
    with services_of(world) as services:
        keys = ids_of(services, QueueKind.USER)
        services.store.queue.enqueue(QueueKind.USER, keys)
    with _a_worker(world) as worker:
        world.simulator.next_window()
        meter = Meter()
        run_id = worker.run(run_config=USERS.run_config(from_queue=len(keys)))
        # Dagster reads a run's events to tell its steps' times: that is ours to ask, not the run's.
        return meter.used(), _seconds_of([worker.step(run_id)])


@dataclass(frozen=True, slots=True)
class _Worker:
    """Executes the job of all users as a run worker would."""

    instance: dg.DagsterInstance
    job: dg.JobDefinition

    def run(self, **how: Any) -> str:
        """The run's id. Raises what the step raised."""
        return str(self.job.execute_in_process(instance=self.instance, **how).run_id)

    def step(self, run_id: str) -> Step:
        """Unix seconds at which its step began and ended."""
        (step,) = self.instance.get_run_step_stats(run_id)
        assert step.start_time is not None
        assert step.end_time is not None
        return step.start_time, step.end_time


@contextmanager
def _a_worker(world: World) -> Iterator[_Worker]:
    job = build_defs(_resources(world)).resolve_job_def(USERS.job)
    with dg.DagsterInstance.get() as instance:
        yield _Worker(instance, job)


def _seconds_of(steps: Sequence[Step]) -> float:
    return steps[-1][1] - steps[0][0]


def _resources(world: World) -> dict[str, object]:
    intercom = IntercomResource(
        access_token=TOKEN, base_url=world.simulator.url, sync_enabled="true"
    )
    return {
        "app_database": AppDatabaseResource(url=world.url, mapping=str(world.mapping)),
        "sync_database": SyncDatabaseResource(url=world.url),
        "intercom": intercom,
    }


def _add_partitions(instance: dg.DagsterInstance, keys: Sequence[str]) -> None:
    for start in range(0, len(keys), KEYS_AT_ONCE):
        add_keys(instance, APP_USER, list(keys[start : start + KEYS_AT_ONCE]))


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


@contextmanager
def a_dagster(lab: Lab) -> Iterator[dg.DagsterInstance]:
    """A new instance with the pool's row; the environment names it, here and in children."""
    home = lab.place / "dagster"
    home.mkdir(exist_ok=True)
    name = lab.fresh_name()
    shutil.copy(Path(str(files("intercom_assets") / "deploy" / "dagster.yaml")), home)
    variables = {
        "DAGSTER_HOME": str(home),
        "DAGSTER_DATABASE_URL": lab.databases.create(name),
        "DAGSTER_EVENT_BATCH_SIZE": "500",
        "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1",
        "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR": "1",
    }
    try:
        with patch.dict(os.environ, variables), dg.DagsterInstance.get() as instance:
            set_up_pool(instance)
            yield instance
    finally:
        lab.databases.drop(name)
