"""What Dagster loads: names, lines and settings that operators and tests rely on."""

import subprocess
import sys

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster._serdes import deserialize_value, serialize_value

from intercom_assets.definitions import build_defs, defs
from intercom_assets.orchestration.resources import IntercomResource, SyncResource

NOTHING_SET = {"PATH": "", "HOME": "/nowhere"}


def key(name: str) -> dg.AssetKey:
    return dg.AssetKey(name)


def test_the_lines_of_the_data() -> None:
    graph = defs.resolve_asset_graph()

    assert {
        node.key.to_user_string(): {parent.to_user_string() for parent in node.parent_keys}
        for node in graph.asset_nodes
    } == {
        "users": set(),
        "memberships": set(),
        "teams": set(),
        "app_users": {"users"},
        "intercom_contacts": {"app_users"},
        "reconciled_profiles": {"app_users", "intercom_contacts", "memberships"},
        "intercom_companies": {"teams"},
        "sync_health": {"reconciled_profiles", "intercom_companies"},
    }


def test_no_partitioned_asset_of_another_step_is_upstream_of_the_users() -> None:
    """It works at the first run and breaks every later one that has no partition."""
    graph = defs.resolve_asset_graph()
    step = {key("app_users"), key("intercom_contacts"), key("reconciled_profiles")}

    upstream = {parent for each in step for parent in graph.get(each).parent_keys} - step

    assert upstream == {key("users"), key("memberships")}
    assert not any(graph.get(each).is_partitioned for each in upstream)
    assert graph.get(key("app_users")).execution_set_entity_keys == {key("app_users")}


def test_every_job_sensor_and_schedule_says_what_it_does() -> None:
    jobs = [defs.resolve_job_def(each.name) for each in defs.jobs or ()]
    assert len(jobs) == 6

    for each in (*jobs, *(defs.sensors or ()), *(defs.schedules or ())):
        assert (getattr(each, "description", None) or "").endswith("."), each


def test_partitions_pools_and_backfills() -> None:
    partitions = {
        "app_users": "app_user",
        "intercom_contacts": "app_user",
        "reconciled_profiles": "app_user",
        "intercom_companies": "app_team",
    }
    for name, expected in partitions.items():
        node = defs.resolve_asset_graph().get(key(name))
        assert isinstance(node.partitions_def, dg.DynamicPartitionsDefinition)
        assert node.partitions_def.name == expected
        assert node.pools == {"intercom_api"}
        assert node.backfill_policy == dg.BackfillPolicy.multi_run(10_000)


def test_jobs_have_priority_and_plan_no_checks() -> None:
    for name in ("sync_users", "sync_companies"):
        job = defs.resolve_job_def(name)
        assert job.tags["dagster/priority"] == "10"
        assert not job.asset_layer.asset_graph.asset_check_keys
        assert job.executor_def is dg.in_process_executor


def test_clicks_and_backfills_run_in_one_process_too() -> None:
    """They run as Dagster's own job, which takes its executor from the definitions."""
    job = defs.resolve_job_def("__ASSET_JOB")

    assert job.executor_def is dg.in_process_executor


def test_sensors_are_on() -> None:
    sensors = {
        sensor.name: sensor.default_status for sensor in defs.get_repository_def().sensor_defs
    }

    assert sensors == dict.fromkeys(
        ("changed_users", "changed_teams", "intercom_changes", "failed_runs"),
        dg.DefaultSensorStatus.RUNNING,
    )


def test_resources_can_be_replaced_and_show_no_secret() -> None:
    resources = build_defs({"intercom": IntercomResource(access_token="tok-123")}).resources or {}

    sync = resources["sync"]
    assert isinstance(sync, SyncResource)
    assert sync.configuration.token == "tok-123"
    assert "tok-123" not in repr(sync)
    assert set(resources) == {"sync", "alerts"}


# Dagster reads a property of its own schedules that it has deprecated.
@pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition:DeprecationWarning")
def test_all_that_is_loaded_can_be_told_to_another_process() -> None:
    """As a code server tells daemon and webserver: texts and numbers, no types of ours."""
    answer = RepositorySnap.from_def(defs.get_repository_def())

    assert deserialize_value(serialize_value(answer), RepositorySnap).asset_nodes


def test_loading_the_code_needs_nothing_set_and_warns_of_nothing() -> None:
    code = "import intercom_assets.definitions"

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=NOTHING_SET,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
