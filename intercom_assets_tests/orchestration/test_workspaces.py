"""Two workspaces as two code locations of one Dagster: nothing of one is the other's.

Each location is a process of its own with its own variables, as its code server is; both have a
user 1, an app, a stand-in Intercom with its own token, and share Dagster's storage.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from intercom_assets.database.store.store import Store
from intercom_assets.demo.databases import Databases
from intercom_assets.orchestration.internals.run_health import fail_dead_runs, run_ahead
from intercom_assets.orchestration.sync_targets import USERS
from intercom_assets.orchestration.workspace_names import workspace_named
from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.builders import insert_user
from intercom_assets_tests.orchestration.stage import Stage

NAMES = ("eu", "us")
LOCATION = """
import json, sys
import dagster as dg
from dagster._core.definitions.partitions.context import partition_loading_context
from intercom_assets.definitions import defs
from intercom_assets.orchestration.pool import POOL, set_up_pool

with dg.DagsterInstance.get() as instance:
    set_up_pool(instance)
    repository = defs.get_repository_def()
    with (
        partition_loading_context(dynamic_partitions_store=instance),
        dg.build_sensor_context(
            instance=instance, sensor_name="changed_users", repository_def=repository,
            resources=defs.resources,
        ) as context,
    ):
        [request] = repository.get_sensor_def("changed_users").evaluate_tick(context).run_requests
    result = defs.resolve_job_def("sync_users").execute_in_process(
        instance=instance, run_config=request.run_config or None,
        partition_key=request.partition_key, raise_on_error=False,
    )
print(json.dumps({"succeeded": result.success, "run": result.run_id, "pool": POOL}))
"""


@dataclass(frozen=True)
class Location:
    name: str
    url: str
    intercom: Simulator
    variables: dict[str, str]


@pytest.fixture
def locations(
    databases: Databases, template: str, mapping: Path, instance: dg.DagsterInstance
) -> Iterator[list[Location]]:
    """Two users in each app, with the same ids."""
    with ExitStack() as stack:
        found = []
        for name in NAMES:
            database = f"{databases.prefix}workspace_{name}"
            url = databases.copy(template, database)
            stack.callback(databases.drop, database)
            for number in (1, 2):
                insert_user(url, email=f"person{number}@{name}.example")
            simulator = Simulator(token=f"{name}-token")
            variables = {
                "INTERCOM_WORKSPACE": name,
                "APP_DATABASE_URL": url,
                "INTERCOM_ACCESS_TOKEN": f"{name}-token",
                "INTERCOM_BASE_URL": stack.enter_context(serving(simulator)),
                "INTERCOM_SYNC_ENABLED": "true",
                "INTERCOM_SYNC_CONFIG": str(mapping),
            }
            found.append(Location(name, url, simulator, variables))
        yield found


def run_both(locations: list[Location]) -> list[dict[str, Any]]:
    """Both at once, each on the Dagster that this session's variables name."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LOCATION],
            env={**os.environ, **each.variables, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for each in locations
    ]
    answer = [process.communicate(timeout=240) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answer
    return [json.loads(out.splitlines()[-1]) for out, _ in answer]


def test_each_syncs_its_own_and_is_shown_as_its_own(
    locations: list[Location], instance: dg.DagsterInstance
) -> None:
    answer = run_both(locations)

    assert [each["succeeded"] for each in answer] == [True, True]
    assert [each["pool"] for each in answer] == ["intercom_api_eu", "intercom_api_us"]
    for each, other in zip(locations, answer, strict=True):
        emails = {contact["email"] for contact in each.intercom.contacts()}
        assert emails == {f"person1@{each.name}.example", f"person2@{each.name}.example"}
        key = dg.AssetKey([each.name, "reconciled_profiles"])
        assert set(instance.get_materialized_partitions(key)) == {"1", "2"}
        latest = instance.get_latest_materialization_event(key)
        assert latest is not None
        assert latest.run_id == other["run"]
        assert instance.get_dynamic_partitions(f"app_user_{each.name}") == ["1", "2"]
        with Store(each.url) as store:
            assert store.runs.members(other["run"])
            assert store.runs.heartbeats() == []


def test_no_location_fails_or_waits_for_the_run_of_another(stage: Stage) -> None:
    """Their heartbeats are in different databases: what looks dead here is alive there."""
    theirs = stage.given_run(
        USERS, dg.DagsterRunStatus.STARTED, tags={".dagster/repository": "__repository__@us"}
    )

    assert fail_dead_runs(stage.instance, stage.store, "__repository__@eu") == []
    assert (
        run_ahead(stage.instance, stage.store, USERS, tags={}, location="__repository__@eu") is None
    )
    run = stage.instance.get_run_by_id(theirs)
    assert run is not None
    assert run.status is dg.DagsterRunStatus.STARTED
    stage.instance.report_run_canceled(run)


@pytest.mark.parametrize("name", ["e u", "eu/1", "eu-1", "a.b"])
def test_a_name_that_dagster_cannot_hold_is_refused(name: str) -> None:
    assert workspace_named(" eu_1 ") == "eu_1"
    with pytest.raises(ValueError, match="INTERCOM_WORKSPACE"):
        workspace_named(name)
