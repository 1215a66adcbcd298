"""The health checks: each green on a settled system, and each seen red once."""

from collections.abc import Callable

import dagster as dg
import psycopg
import pytest

from intercom_assets.domain.vocabulary import AttributeModel, QueueKind, StateKey
from intercom_assets.orchestration.checks import health_job
from intercom_assets.orchestration.sync_targets import SYNC_HEALTH, USERS
from intercom_assets_tests.builders import insert_user
from intercom_assets_tests.orchestration.stage import Stage

ALL = {
    "nothing_stuck",
    "nothing_diverged",
    "no_duplicates",
    "attributes_in_place",
    "triggers_in_place",
}


@pytest.fixture
def settled(stage: Stage) -> Stage:
    ada = str(insert_user(stage.url, email="ada@example.com", name="Ada"))
    stage.tick("changed_users")
    assert stage.run(USERS, config={"user_ids": [ada]}).succeeded
    return stage


def _red(stage: Stage) -> dict[str, str]:
    """The checks that are not passed, with their sentences."""
    job = stage.defs.resolve_job_def(health_job.name)
    result = job.execute_in_process(instance=stage.instance, raise_on_error=False)
    evaluations = result.get_asset_check_evaluations()
    assert {one.check_name for one in evaluations} == ALL
    return {one.check_name: one.description or "" for one in evaluations if not one.passed}


def test_on_a_settled_system_every_check_is_green(settled: Stage) -> None:
    assert _red(settled) == {}


def test_an_asset_that_is_checked_is_materialized_once_a_run_of_its_checks(settled: Stage) -> None:
    """Or its page would say "Never materialized" above five green checks."""
    before = _noted(settled)

    _red(settled)
    _red(settled)

    facts = _noted(settled)[len(before) :]
    assert len(facts) == 2
    assert (facts[-1]["users_due"], facts[-1]["users_parked"]) == (0, 0)


def _noted(stage: Stage) -> list[dict[str, object]]:
    records = stage.instance.fetch_materializations(SYNC_HEALTH, limit=100, ascending=True).records
    events = [record.asset_materialization for record in records]
    return [{name: each.value for name, each in e.metadata.items()} for e in events if e]


def _stuck(stage: Stage) -> None:
    stage.store.queue.enqueue(QueueKind.USER, ["1"])
    with psycopg.connect(stage.url) as connection:
        connection.execute(
            "update intercom_sync.queue"
            " set first_at = now() - interval '1 hour', due_at = now() - interval '1 hour'"
        )


def _diverged(stage: Stage) -> None:
    [contact] = stage.intercom.contacts()
    stage.intercom.by_hand.edit_contact(contact["id"], email="other@example.com")


def _doubled(stage: Stage) -> None:
    stage.store.state.put(
        StateKey.LAST_AUDIT, {"at": 0, "queued": 0, "missing": 0, "duplicates": 2}
    )


def _lost_attribute(stage: Stage) -> None:
    cached = stage.store.state.attributes(AttributeModel.CONTACT)
    assert cached is not None
    stage.store.state.put_attributes(
        AttributeModel.CONTACT, [a for a in cached[1] if a.name != "admin_link"]
    )


def _lost_trigger(stage: Stage) -> None:
    with psycopg.connect(stage.url) as connection:
        connection.execute("alter table users disable trigger all")


@pytest.mark.parametrize(
    ("check", "harm"),
    [
        ("nothing_stuck", _stuck),
        ("nothing_diverged", _diverged),
        ("no_duplicates", _doubled),
        ("attributes_in_place", _lost_attribute),
        ("triggers_in_place", _lost_trigger),
    ],
)
def test_each_check_sees_what_it_is_there_for(
    settled: Stage, check: str, harm: Callable[[Stage], None]
) -> None:
    harm(settled)

    red = _red(settled)

    assert list(red) == [check]
    assert red[check].endswith(".")


def test_no_sync_run_resets_a_check(settled: Stage) -> None:
    _red(settled)
    ran = settled.run(USERS, config={"user_ids": ["1"]})

    planned = settled.instance.get_records_for_run(
        ran.run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
    ).records
    assert planned == []
