"""Runs whose process died are failed, and nobody else's."""

import inspect
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult

from intercom_assets.orchestration.internals import run_health
from intercom_assets.orchestration.internals.run_health import fail_dead_runs
from intercom_assets.orchestration.internals.run_liveness import ADDRESS_TAG, has_process
from intercom_assets.orchestration.sync_targets import TEAMS, USERS
from intercom_assets_tests.orchestration.stage import LOCATION, Stage

STARTING, STARTED = dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED
LABEL = f"__repository__@{LOCATION}"


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Turns the half minute of silence that proves a death into none."""
    monkeypatch.setattr(run_health, "SILENCE", 0.0)


def status_of(stage: Stage, run_id: str) -> dg.DagsterRunStatus:
    run = stage.instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def last_words(stage: Stage, run_id: str) -> str:
    [*_, last] = stage.instance.all_logs(run_id)
    assert last.dagster_event is not None
    return last.dagster_event.message or ""


def beat_ran_out(stage: Stage, run_id: str) -> None:
    stage.store.runs.heartbeat(run_id, "user", 60)
    with psycopg.connect(stage.url) as connection:
        connection.execute("update intercom_sync.heartbeat set alive_until = now() - interval '1s'")


def test_a_run_whose_heartbeat_ran_out_is_failed_at_once(stage: Stage) -> None:
    run_id = stage.given_run(USERS, STARTED)
    beat_ran_out(stage, run_id)

    assert fail_dead_runs(stage.instance, stage.store, LABEL) == [run_id]

    assert status_of(stage, run_id) is dg.DagsterRunStatus.FAILURE
    assert last_words(stage, run_id).startswith("The run's process died")
    assert stage.store.runs.heartbeats() == []
    assert fail_dead_runs(stage.instance, stage.store, LABEL) == []


def test_a_run_that_beats_lives_however_long_it_is_silent(stage: Stage, silence: None) -> None:
    run_id = stage.given_run(USERS, STARTED)
    stage.store.runs.heartbeat(run_id, "user", 60)

    assert fail_dead_runs(stage.instance, stage.store, LABEL) == []

    stage.instance.delete_run(run_id)


@pytest.mark.parametrize("status", [STARTING, STARTED])
def test_a_run_that_never_had_a_heartbeat_has_half_a_minute(
    stage: Stage, status: dg.DagsterRunStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = stage.given_run(TEAMS, status)

    assert fail_dead_runs(stage.instance, stage.store, LABEL) == []
    monkeypatch.setattr(run_health, "SILENCE", 0.0)
    assert fail_dead_runs(stage.instance, stage.store, LABEL) == [run_id]


def test_a_run_that_its_code_server_still_starts_is_left_alone(
    stage: Stage, silence: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine a process was seen to take 37 seconds to start."""
    run_id = stage.given_run(USERS, STARTING)
    monkeypatch.setattr(run_health, "has_process", lambda run: run.run_id == run_id)

    assert fail_dead_runs(stage.instance, stage.store, LABEL) == []

    stage.instance.delete_run(run_id)


def test_runs_of_another_code_location_are_none_of_our_business(
    stage: Stage, silence: None
) -> None:
    theirs = stage.given_run(USERS, STARTED, location="another.workspace")

    assert fail_dead_runs(stage.instance, stage.store, LABEL) == []

    assert status_of(stage, theirs) is STARTED
    stage.instance.delete_run(theirs)


def test_a_launcher_with_a_health_check_of_its_own_is_left_to_it(
    stage: Stage, silence: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = stage.given_run(USERS, STARTED)
    launcher = type(stage.instance.run_launcher)
    monkeypatch.setattr(launcher, "supports_check_run_worker_health", True)

    assert fail_dead_runs(stage.instance, stage.store, LABEL) == []

    stage.instance.delete_run(run_id)


def test_the_heartbeat_of_a_command_that_was_killed_is_forgotten(stage: Stage) -> None:
    beat_ran_out(stage, "cli-1234")

    assert fail_dead_runs(stage.instance, stage.store, LABEL) == []

    assert stage.store.runs.heartbeats() == []


def test_a_tick_fails_dead_runs_before_it_looks(stage: Stage) -> None:
    run_id = stage.given_run(USERS, STARTED)
    beat_ran_out(stage, run_id)

    stage.tick("changed_teams")

    assert status_of(stage, run_id) is dg.DagsterRunStatus.FAILURE


def test_a_code_server_that_is_gone_vouches_for_nobody(stage: Stage) -> None:
    gone = {ADDRESS_TAG: '{"host": "localhost", "socket": "/nowhere/at/all"}'}
    for run_id in (stage.given_run(USERS, STARTING), stage.given_run(USERS, STARTING, gone)):
        run = stage.instance.get_run_by_id(run_id)
        assert run is not None
        assert has_process(run) is None
        stage.instance.delete_run(run_id)


def test_how_a_code_server_is_asked() -> None:
    """Pins Dagster's own protocol; that it answers is tried where code servers run."""
    asked = inspect.signature(DagsterGrpcClient.can_cancel_execution).parameters

    assert {"socket", "port", "host"} <= set(inspect.signature(DagsterGrpcClient).parameters)
    assert "timeout" in asked
    assert CanCancelExecutionRequest(run_id="1").run_id == "1"
    assert CanCancelExecutionResult(can_cancel=True).can_cancel
    assert GRPC_INFO_TAG == ADDRESS_TAG
