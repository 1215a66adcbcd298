"""Runs that are forked from a template: as fast as can be, and in all else as Dagster's own.

A real code server, real runs, on a location of its own that loads in a moment.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml

from intercom_assets.demo.databases import Databases
from intercom_assets.orchestration.run_launcher import WarmRunLauncher
from intercom_assets_tests.orchestration.conftest import a_dagster
from intercom_assets_tests.orchestration.warm_stage import (
    WarmStage,
    a_code_server,
    command_of,
    eventually,
    lives,
    sockets_of,
    threads_of,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("warm")
    (folder / "mapping").mkdir()
    (folder / "mapping" / "promised").write_text("at first")
    return folder


@pytest.fixture(scope="module")
def stage(instance: dg.DagsterInstance, folder: Path) -> Iterator[WarmStage]:
    with a_code_server(instance, folder, WARM_COLOUR="blue") as stage:
        yield stage


def test_the_shipped_settings_name_our_launcher(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.run_launcher, WarmRunLauncher)


def test_the_first_run_does_not_wait_for_the_template(stage: WarmStage) -> None:
    assert stage.played().parent == stage.server.pid
    assert len(stage.templates()) == 1


def test_a_run_is_a_child_of_the_template(stage: WarmStage) -> None:
    template = stage.warmed()

    run = stage.played()

    assert run.parent == template
    assert run.colour == "blue"


def test_the_template_has_one_thread_and_no_connection_but_to_its_parent(stage: WarmStage) -> None:
    template = stage.warmed()

    assert threads_of(template) == 1
    assert len(sockets_of(template)) == 1


def test_the_template_is_a_fork_of_its_code_server_and_shares_its_memory(
    instance: dg.DagsterInstance, folder: Path
) -> None:
    with a_code_server(instance, folder) as stage:
        [first] = stage.templates()

        assert command_of(first) == command_of(stage.server.pid)
        assert stage.warmed() == first


def test_an_instance_with_dagsters_own_launcher_gets_new_processes(
    databases: Databases, dagster_template: str, dagster_home: Path, folder: Path, tmp_path: Path
) -> None:
    settings = yaml.safe_load((dagster_home / "dagster.yaml").read_text())
    del settings["run_launcher"]
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(settings))
    name = f"{databases.prefix}without_launcher"
    with (
        a_dagster(tmp_path, databases.copy(dagster_template, name)) as instance,
        a_code_server(instance, folder) as stage,
    ):
        runs = [stage.played() for _ in range(2)]

        assert {run.parent for run in runs} == {stage.server.pid}
        assert stage.templates() == []
    databases.drop(name)


def test_a_run_is_logged_as_one_that_was_spawned(stage: WarmStage) -> None:
    stage.warmed()
    run_id = stage.launch()
    assert stage.ended(run_id) == "SUCCESS"

    pid = stage.facts(run_id).pid
    messages = stage.messages(run_id)

    eventually(lambda: f"Process for run exited (pid: {pid})." in stage.messages(run_id))
    assert f"Started process for run (pid: {pid})." in messages
    assert "printed by the run" in stage.printed(run_id)


def test_a_changed_mapping_is_in_the_next_runs(stage: WarmStage, folder: Path) -> None:
    before = stage.warmed()
    (folder / "mapping" / "promised").write_text("later on")

    at_once, template = stage.played(), stage.warmed()

    assert at_once.promised == stage.played().promised == "later on"
    assert template != before
    eventually(lambda: not lives(before))


def test_a_reloaded_location_begins_a_new_template(stage: WarmStage) -> None:
    before = stage.warmed()

    stage.reload()

    assert stage.warmed() != before


def test_a_run_is_terminated(stage: WarmStage) -> None:
    stage.warmed()
    run_id = stage.launch("long")
    pid = stage.facts(run_id).pid

    assert stage.terminate(run_id)
    assert stage.ended(run_id) == "CANCELED"
    eventually(lambda: not lives(pid))


def test_a_run_that_is_killed_fails_soon_and_the_next_one_runs(stage: WarmStage) -> None:
    template = stage.warmed()
    run_id = stage.launch("long")

    os.kill(stage.facts(run_id).pid, signal.SIGKILL)

    assert stage.ended(run_id) == "FAILURE"
    assert any("was terminated by signal 9 (SIGKILL)" in line for line in stage.messages(run_id))
    assert stage.played().parent == template


def test_a_killed_template_takes_no_run_with_it_and_is_followed_by_another(
    stage: WarmStage, folder: Path
) -> None:
    template = stage.warmed()
    run_id = stage.launch("long")
    stage.facts(run_id)

    os.kill(template, signal.SIGKILL)
    others = [stage.played() for _ in range(2)]

    assert stage.status(run_id) == "STARTED"
    (folder / "go").touch()
    assert stage.ended(run_id) == "SUCCESS"
    (folder / "go").unlink()
    assert template not in [run.parent for run in others]
    assert stage.warmed() != template
    assert stage.said("ended.") == 1


def test_a_killed_run_of_a_killed_template_fails_too(stage: WarmStage) -> None:
    template = stage.warmed()
    run_id = stage.launch("long")
    run = stage.facts(run_id)

    os.kill(template, signal.SIGKILL)
    os.kill(run.pid, signal.SIGKILL)

    assert stage.ended(run_id) == "FAILURE"


def test_a_template_that_stands_still_is_not_waited_for(stage: WarmStage) -> None:
    template = stage.warmed()
    os.kill(template, signal.SIGSTOP)

    run = stage.played()

    assert run.parent == stage.server.pid
    assert not lives(template)
    assert stage.said("did not answer") == 1


def test_where_nothing_can_be_forked_runs_start_as_ever_and_it_is_said_once(
    instance: dg.DagsterInstance, folder: Path
) -> None:
    with a_code_server(instance, folder, WARM_WITHOUT_FORK="yes") as stage:
        runs = [stage.played() for _ in range(2)]

        assert {run.parent for run in runs} == {stage.server.pid}
        assert stage.templates() == []
        assert stage.said("forked on Linux only") == 1


def test_a_location_that_leaves_a_thread_running_is_not_forked(
    instance: dg.DagsterInstance, folder: Path
) -> None:
    with a_code_server(instance, folder, WARM_THREAD="yes") as stage:
        stage.played()
        eventually(lambda: stage.played() is not None and stage.templates() == [])

        assert stage.played().parent == stage.server.pid
        assert stage.said("2 threads run in it") == 1


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_template_ends_with_its_code_server(
    instance: dg.DagsterInstance, folder: Path, ending: signal.Signals
) -> None:
    with a_code_server(instance, folder) as stage:
        template = stage.warmed()

        os.kill(stage.server.pid, ending)

        eventually(lambda: not lives(template))


def test_a_run_outlives_the_code_server_that_was_killed(
    instance: dg.DagsterInstance, folder: Path
) -> None:
    with a_code_server(instance, folder) as stage:
        stage.warmed()
        run_id = stage.launch("long")
        run = stage.facts(run_id)

        stage.server.kill()
        (folder / "go").touch()

        assert stage.ended(run_id) == "SUCCESS"
        (folder / "go").unlink()
        eventually(lambda: not lives(run.pid))
