"""What runs by the clock: the sweep, the audit, and history that is pruned and forgets nobody."""

import os
from datetime import UTC, datetime, timedelta
from typing import Protocol

import dagster as dg
import psycopg

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.orchestration.checks import health_job
from intercom_assets.orchestration.internals.event_pruning import prune_history
from intercom_assets.orchestration.schedules import nightly_sweep_job, weekly_audit_job
from intercom_assets.orchestration.sync_targets import USERS
from intercom_assets_tests.builders import insert_user, update_row
from intercom_assets_tests.orchestration.stage import Stage


class _Named(Protocol):
    """A job, resolved or not."""

    @property
    def name(self) -> str: ...


PROFILES = dg.AssetKey("reconciled_profiles")


def _execute(stage: Stage, job: _Named) -> bool:
    resolved = stage.defs.resolve_job_def(job.name)
    return resolved.execute_in_process(instance=stage.instance, raise_on_error=False).success


def _materialized(stage: Stage) -> set[str]:
    return set(stage.instance.get_materialized_partitions(PROFILES))


def test_the_sweep_queues_who_changed_unseen(stage: Stage) -> None:
    ada = insert_user(stage.url, email="ada@example.com", name="Ada")
    stage.run(USERS, config={"user_ids": [str(ada)]})
    with psycopg.connect(stage.url) as connection:
        connection.execute("alter table users disable trigger all")
    update_row(stage.url, "users", ada, name="Ada Lovelace")

    assert _execute(stage, nightly_sweep_job)

    assert list(stage.store.queue.due_keys(QueueKind.USER, 10)) == [str(ada)]


def test_the_audit_queues_whose_contact_was_edited_unseen(stage: Stage) -> None:
    ada = insert_user(stage.url, email="ada@example.com", name="Ada")
    stage.run(USERS, config={"user_ids": [str(ada)]})
    stage.intercom.by_hand.edit_contact(str(ada), phone="+1555")

    assert _execute(stage, weekly_audit_job)

    assert list(stage.store.queue.due_keys(QueueKind.USER, 10)) == [str(ada)]


def test_pruning_deletes_what_is_superseded_and_no_partition_forgets(stage: Stage) -> None:
    """Deleting a run that holds a partition's latest event makes Dagster forget it later."""
    ada, bob = (str(insert_user(stage.url, email=f"{n}@example.com", name=n)) for n in ("A", "B"))
    stage.run(USERS, config={"user_ids": [ada, bob]})
    for _ in range(3):
        stage.run(USERS, config={"user_ids": [ada]})
    before = _materialized(stage)

    pruned = prune_history(
        stage.instance,
        os.environ["DAGSTER_DATABASE_URL"],
        datetime.now(UTC) + timedelta(seconds=1),
    )
    stage.instance.add_dynamic_partitions("app_user", ["somebody-new"])

    assert pruned.events >= 9
    assert pruned.runs >= 2
    assert {ada, bob} <= before
    assert _materialized(stage) == before


def test_young_history_is_not_pruned(stage: Stage) -> None:
    ada = str(insert_user(stage.url, email="ada@example.com", name="Ada"))
    for _ in range(2):
        stage.run(USERS, config={"user_ids": [ada]})

    long_ago = datetime.now(UTC) - timedelta(days=30)
    pruned = prune_history(stage.instance, os.environ["DAGSTER_DATABASE_URL"], long_ago)

    assert (pruned.events, pruned.runs) == (0, 0)


def test_of_each_health_check_the_latest_result_stays(stage: Stage) -> None:
    for _ in range(3):
        assert _execute(stage, health_job)
    url = os.environ["DAGSTER_DATABASE_URL"]
    asked = "select check_name, id from asset_check_executions order by id"
    with psycopg.connect(url) as connection:
        results = connection.execute(asked).fetchall()
    latest: dict[str, int] = dict(results)

    pruned = prune_history(
        stage.instance,
        url.replace("postgresql:", "postgresql+psycopg2:"),  # as Dagster takes it too
        datetime.now(UTC) + timedelta(seconds=1),
    )

    with psycopg.connect(url) as connection:
        assert dict(connection.execute(asked).fetchall()) == latest
    assert len(latest) == 5
    assert pruned.checks == len(results) - len(latest) == 10


def test_a_truncate_makes_the_sensor_launch_a_sweep_once(stage: Stage) -> None:
    ada = str(insert_user(stage.url, email="ada@example.com", name="Ada"))
    stage.run(USERS, config={"user_ids": [ada]})
    stage.tick("changed_users")
    with psycopg.connect(stage.url) as connection:
        connection.execute("truncate users cascade")

    [request] = stage.tick("changed_users").run_requests
    assert request.job_name == "nightly_sweep_job"
    assert _execute(stage, nightly_sweep_job)

    assert list(stage.store.queue.due_keys(QueueKind.USER, 10)) == [ada]
