"""What our launcher and coordinator change in Dagster's daemon: how often it looks, and by which
connections. Everything else of theirs is Dagster's own.
"""

from collections.abc import Iterator

import dagster as dg
import psycopg
import pytest
from dagster._daemon import sensor as sensor_loop

from intercom_assets.demo.databases import Databases
from intercom_assets.orchestration.internals import kept_connections


@pytest.fixture
def daemons(
    databases: Databases, dagster_template: str, dagster_home: object
) -> Iterator[tuple[dg.DagsterInstance, str]]:
    """An instance whose storages have not been touched by a fixture, and its database."""
    name = f"{databases.prefix}daemons"
    url = databases.copy(dagster_template, name)
    with pytest.MonkeyPatch.context() as env:
        env.setenv("DAGSTER_HOME", str(dagster_home))
        env.setenv("DAGSTER_DATABASE_URL", url)
        with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
            yield instance, url
            for engine in kept_connections._engines.values():
                engine.dispose()
    databases.drop(name)


def test_the_queue_is_looked_into_twice_a_second_with_dagsters_settings(
    instance: dg.DagsterInstance,
) -> None:
    coordinator = instance.run_coordinator

    assert isinstance(coordinator, dg.QueuedRunCoordinator)
    assert coordinator.dequeue_interval_seconds <= 0.5
    assert coordinator.get_run_queue_config().max_user_code_failure_retries == 1000


def test_ticks_begin_within_a_second_once_the_launcher_is_there(
    daemons: tuple[dg.DagsterInstance, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensor_loop, "MIN_INTERVAL_LOOP_TIME", 5)

    assert daemons[0].run_launcher is not None

    assert sensor_loop.MIN_INTERVAL_LOOP_TIME == 1


def test_statements_share_one_connection_that_stays_open(
    daemons: tuple[dg.DagsterInstance, str],
) -> None:
    instance, url = daemons
    assert instance.run_launcher is not None

    for _ in range(3):
        instance.get_runs_count()
        instance.get_latest_materialization_event(dg.AssetKey("none"))
        instance.all_instigator_state()

    assert len(sessions(url)) == 1


def test_a_connection_that_was_cut_meanwhile_costs_no_statement(
    daemons: tuple[dg.DagsterInstance, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    instance, url = daemons
    monkeypatch.setattr(kept_connections, "TRIED_AFTER_S", 0.0)
    assert instance.run_launcher is not None
    instance.get_runs_count()
    [before] = sessions(url)

    with psycopg.connect(url, autocommit=True) as another:
        another.execute("select pg_terminate_backend(%s)", [before])

    assert instance.get_runs_count() == 0
    assert before not in sessions(url)


def test_dagsters_own_launcher_opens_a_connection_for_each_statement(
    daemons: tuple[dg.DagsterInstance, str],
) -> None:
    instance, url = daemons

    instance.get_runs_count()

    assert sessions(url) == []


def sessions(url: str) -> list[int]:
    """Of the instance: all but our own."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select pid from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid() and backend_type = 'client backend'"
        ).fetchall()
    return [pid for (pid,) in rows]
