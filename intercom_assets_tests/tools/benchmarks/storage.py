"""What synced users cost in storage: Dagster's history and our journal, before and after pruning.

Everybody changes once a day and is synced by sensors' runs; then history is pruned as if it were
past its time. Sizes are of compacted tables with their indexes. Must not: speed.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import dagster as dg
import psycopg
from psycopg.sql import SQL, Identifier

from intercom_assets.orchestration.internals.event_pruning import prune_history
from intercom_assets_tests.tools.benchmarks.dagster_runs import a_dagster, run_queue
from intercom_assets_tests.tools.benchmarks.figures import Figure
from intercom_assets_tests.tools.benchmarks.lab import CHANGE_EVERYBODY, Lab, World, execute
from intercom_assets_tests.tools.benchmarks.simulated import NO_LIMIT
from intercom_assets_tests.tools.benchmarks.work import apart, services_of

OF_DAGSTER: LiteralString = "event_logs, runs, run_tags, asset_event_tags, asset_keys"
OF_OURS: LiteralString = "intercom_sync.journal, intercom_sync.run_member"
MEGABYTE = 1e6
SCALED_TO = 100_000


def measure_storage(lab: Lab, users: int) -> Iterator[Figure]:
    """`users` synced on a first day, and again on a second, all of them changed: 1,000 at most, or
    a guard stops the second."""
    scale = SCALED_TO / users
    with a_dagster(lab) as instance, lab.world(users, **NO_LIMIT) as world:
        apart(run_queue, world)
        first = _sizes(world)
        execute(world.url, CHANGE_EVERYBODY)
        apart(run_queue, world)
        second = _sizes(world)
        _prune_everything(instance, world)
        pruned = _sizes(world)
    for whose in first:
        a_day, stays = second[whose] - first[whose], pruned[whose]
        yield Figure(f"{whose}: 100,000 synced a day", a_day * scale, "MB")
        yield Figure(f"{whose}: what stays once pruned", stays * scale, "MB", "", "for good")


def _prune_everything(instance: dg.DagsterInstance, world: World) -> None:
    """As `prune_history_job`, with a `keep_history` of nothing."""
    now = datetime.now(UTC) + timedelta(seconds=1)
    prune_history(instance, os.environ["DAGSTER_DATABASE_URL"], now)
    with services_of(world) as services:
        services.store.journal.prune(now)


def _sizes(world: World) -> dict[str, float]:
    """MB of history by whose it is."""
    return {
        "Dagster's history": _size(os.environ["DAGSTER_DATABASE_URL"], OF_DAGSTER),
        "our journal": _size(world.url, OF_OURS),
    }


def _size(url: str, tables: LiteralString) -> float:
    total = 0.0
    with psycopg.connect(url, autocommit=True) as connection:
        for table in tables.split(", "):
            connection.execute(SQL("vacuum full {}").format(Identifier(*table.split("."))))
            row = connection.execute("select pg_total_relation_size(%s)", [table]).fetchone()
            assert row is not None
            total += row[0]
    return total / MEGABYTE
