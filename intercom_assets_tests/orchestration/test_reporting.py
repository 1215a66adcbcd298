"""Events of many partitions written together; pins what of Dagster's own business it rests on."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import dagster as dg
import pytest
from dagster._core.errors import DagsterUserCodeProcessError

from intercom_assets.orchestration.internals import event_batches as reporting
from intercom_assets.orchestration.internals import stop_error as stopping
from intercom_assets.orchestration.internals.event_batches import (
    Event,
    announce_failure,
    report_together,
)
from intercom_assets.orchestration.internals.stop_error import stop
from intercom_assets.orchestration.partitions import APP_USER, add_keys

KEYS = [f"r{number}" for number in range(6)]

Body = Callable[[dg.AssetExecutionContext], None]


def run(instance: dg.DagsterInstance, body: Body) -> dg.ExecuteInProcessResult:
    """One step of two partitioned assets whose body is `body`."""

    @dg.multi_asset(
        specs=[dg.AssetSpec("one", skippable=True), dg.AssetSpec("other", skippable=True)],
        partitions_def=APP_USER,
    )
    def step(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield from ()
        add_keys(context.instance, APP_USER, KEYS)
        body(context)

    job = dg.Definitions(
        assets=[step], jobs=[dg.define_asset_job("job")], executor=dg.in_process_executor
    ).resolve_job_def("job")
    return job.execute_in_process(instance=instance, raise_on_error=False)


def materializations(asset: str) -> list[Event]:
    return [dg.AssetMaterialization(asset, partition=key) for key in KEYS]


def report_both(context: dg.AssetExecutionContext) -> None:
    report_together(context, materializations("one"))
    report_together(context, materializations("other"))
    observations: list[Event] = [dg.AssetObservation("one", partition=key) for key in KEYS]
    report_together(context, observations)


def stored(instance: dg.DagsterInstance, run_id: str) -> int:
    types = {
        dg.DagsterEventType.ASSET_MATERIALIZATION,
        dg.DagsterEventType.ASSET_OBSERVATION,
    }
    return len(instance.get_records_for_run(run_id, of_type=types).records)


def test_a_batch_is_one_write_and_every_asset_knows_its_latest(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    storage = type(instance.event_log_storage)
    write = storage.store_event_batch

    def counted(self: Any, events: Any) -> None:
        batches.append(len(events))
        write(self, events)

    monkeypatch.setattr(storage, "store_event_batch", counted)

    result = run(instance, report_both)

    assert result.success
    assert batches[-3:] == [6, 6, 6]
    assert stored(instance, result.run_id) == 18
    for asset in ("one", "other"):
        latest = instance.get_latest_materialization_event(dg.AssetKey(asset))
        assert latest is not None
        assert latest.run_id == result.run_id


def test_without_dagsters_internals_events_are_written_one_by_one(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "_internals", lambda: None)

    result = run(instance, report_both)

    assert result.success
    assert stored(instance, result.run_id) == 18


def test_what_is_gone_from_dagster_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reporting._internals() is not None
    monkeypatch.setattr(reporting, "import_module", lambda name: ModuleType(name))
    assert reporting._internals() is None


def test_a_stop_is_a_sentence_without_a_stack_and_without_a_retry(
    instance: dg.DagsterInstance,
) -> None:
    def body(context: dg.AssetExecutionContext) -> None:
        announce_failure(context, dg.AssetKey("one"), ["r1"])
        stop("Nothing says whom.")

    result = run(instance, body)

    [failed] = [event for event in result.all_events if event.is_step_failure]
    data = failed.step_failure_data
    assert data.error is not None
    assert data.error.to_string() == "Nothing says whom."
    assert data.user_failure_data is not None
    assert data.user_failure_data.description == "Nothing says whom."
    assert issubclass(stopping.Stopped, DagsterUserCodeProcessError)


def test_without_dagsters_own_error_a_stop_is_a_plain_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stopping, "import_module", lambda name: ModuleType(name))

    assert stopping._stop_class() is dg.Failure
