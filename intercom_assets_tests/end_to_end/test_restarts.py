"""A code server restarts in the middle of a backfill, as with each deployment.

Dagster's own defaults would end the backfill red: it looks for its assets while there are none, it
fails runs that are queued just then, and it counts those of a run that died as failed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString
from unittest.mock import patch

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import TickStatus

from intercom_assets.demo.addresses import HOST, free_ports
from intercom_assets.demo.databases import Databases
from intercom_assets.demo.sample_app import seed
from intercom_assets.launch.services import WEBSERVER
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets_tests.end_to_end.aftermath import WAIT_TIMEOUT_S, wait_for_calls
from intercom_assets_tests.end_to_end.two_servers import START_SECONDS, World, two_servers
from intercom_assets_tests.end_to_end.ui import USER_ASSETS, Ui

JOB = "__ASSET_JOB"
WAITS = "was unable to continue due to a missing asset"
LATENCY = 300
EVERYBODY, TEAMS = 120, 10


@dataclass(frozen=True)
class Restarted:
    """`status`: the backfill's, at its end. `dead`: why its first run failed."""

    status: str
    dead: str
    contacts: list[str]
    users: set[str]
    materialized: set[str]


@pytest.fixture(scope="module")
def restarted(databases: Databases) -> Iterator[Restarted]:
    with two_servers(databases) as world, a_webserver(world) as ui:
        ui.stop_sensor("changed_users")
        wait_for_last_tick(world, "changed_users")
        world.intercom.set(latency_ms=LATENCY)
        seed(world.app_url, users=EVERYBODY, teams=TEAMS)
        users = keys(world, "select id::text as key from users")
        add_partitions(world, users, keys(world, "select id::text as key from teams"))
        backfill = ui.backfill((*USER_ASSETS, "intercom_companies"))
        assert wait_until(lambda: started(world) > 0, WAIT_TIMEOUT_S)
        wait_for_calls(world, EVERYBODY // 4)
        world.kill("code")
        assert wait_until(lambda: WAITS in world.log_of("daemon"), WAIT_TIMEOUT_S)
        world.start_code_server()
        status = ui.end_of_backfill(backfill, WAIT_TIMEOUT_S, every=1)
        yield Restarted(
            status,
            "".join(world.why_failed(run.id) for run in world.runs(JOB)),
            [str(each["external_id"]) for each in world.sides.intercom.contacts("any")],
            users,
            ui.materialized("reconciled_profiles"),
        )


@contextmanager
def a_webserver(world: World) -> Iterator[Ui]:
    [port] = free_ports(1)
    workspace = str(world.place / "dagster" / "workspace.yaml")
    child = world.processes.start("webserver", [*WEBSERVER, str(port), "-w", workspace])
    address = f"http://{HOST}:{port}"
    world.processes.wait_for_http(child, f"{address}/server_info", START_SECONDS)
    yield Ui(address)
    world.processes.stop(child)


def wait_for_last_tick(world: World, sensor: str) -> None:
    """A tick that waits for changes when its sensor is stopped would take the backfill's users."""

    def is_ticking(instance: dg.DagsterInstance) -> bool:
        states = [each for each in instance.all_instigator_state() if each.name == sensor]
        ticks = [instance.get_ticks(s.instigator_origin_id, s.selector_id, limit=1) for s in states]
        return any(tick.status is TickStatus.STARTED for found in ticks for tick in found)

    with (
        patch.dict(os.environ, world.processes.environment),
        dg.DagsterInstance.from_config(str(world.place / "dagster")) as instance,
    ):
        assert wait_until(lambda: not is_ticking(instance), WAIT_TIMEOUT_S)


def keys(world: World, query: LiteralString) -> set[str]:
    return {row["key"] for row in world.sides.app.rows(query)}


def add_partitions(world: World, users: set[str], teams: set[str]) -> None:
    with (
        patch.dict(os.environ, world.processes.environment),
        dg.DagsterInstance.from_config(str(world.place / "dagster")) as instance,
    ):
        instance.add_dynamic_partitions("app_user", sorted(users))
        instance.add_dynamic_partitions("app_team", sorted(teams))


def started(world: World) -> int:
    return sum(run.status == "STARTED" for run in world.runs(JOB))


def test_the_run_that_died_with_its_code_server_was_one_of_the_backfill(
    restarted: Restarted,
) -> None:
    assert "its heartbeat ran out" in restarted.dead


def test_the_backfill_waits_and_does_not_end_red(restarted: Restarted) -> None:
    assert restarted.status == "COMPLETED_SUCCESS"
    assert restarted.materialized == restarted.users


def test_its_users_are_done_and_nobody_was_created_twice(restarted: Restarted) -> None:
    assert len(restarted.contacts) == len(set(restarted.contacts)) >= EVERYBODY - 5
