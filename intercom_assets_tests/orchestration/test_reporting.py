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
    announce_failure,
    report_together,
    report_without_run,
)
from intercom_assets.orchestration.internals.partition_events import (
    Fact,
    PartitionEvent,
    Url,
    serialized,
)
from intercom_assets.orchestration.internals.stop_error import stop
from intercom_assets.orchestration.partitions import APP_USER, add_keys

KEYS = [f"r{number}" for number in range(6)]

Body = Callable[[dg.AssetExecutionContext], None]


def run(instance: dg.DagsterInstance, body: Body) -> dg.ExecuteInProcessResult:
    """One step of two partitioned assets whose body is `body`."""

    @dg.multi_asset(
        specs=[dg.AssetSpec(ONE, skippable=True), dg.AssetSpec(OTHER, skippable=True)],
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


ONE, OTHER = dg.AssetKey("one"), dg.AssetKey(["nested", "other"])
FACTS: list[dict[str, Fact]] = [
    {"changed": "name, email", "calls": 1},
    {"changed": "nothing", "calls": 0},
    {"changed": 'a "quoted" Zoë\n\\', "calls": 2**40, "seconds_since_change": 0.25},
    {"changed": "", "calls": 1, "contact": Url('https://app.example/contact?a=1&b="x"')},
    {},
    {"changed": "phone", "calls": 3},
]


def materializations(asset: dg.AssetKey) -> list[PartitionEvent]:
    return [PartitionEvent(asset, key, {}) for key in KEYS]


def all_sorts() -> list[PartitionEvent]:
    """Many of one shape, few of another, and values that JSON has to escape."""
    many = [
        PartitionEvent(asset, f"{key}{at}", facts, is_observation=is_observation)
        for asset in (ONE, OTHER)
        for is_observation in (False, True)
        for at in range(5)
        for key, facts in zip(KEYS, FACTS, strict=True)
    ]
    return [*many, PartitionEvent(OTHER, 'odd "key" ü', {"changed": "x"}, is_observation=True)]


def report_both(context: dg.AssetExecutionContext) -> None:
    observations = [PartitionEvent(ONE, key, {}, is_observation=True) for key in KEYS]
    report_together(context, [*materializations(ONE), *materializations(OTHER), *observations])


def stored(instance: dg.DagsterInstance, run_id: str) -> int:
    types = {
        dg.DagsterEventType.ASSET_MATERIALIZATION,
        dg.DagsterEventType.ASSET_OBSERVATION,
    }
    return len(instance.get_records_for_run(run_id, of_type=types).records)


def shown(instance: dg.DagsterInstance, run_id: str) -> list[Any]:
    """What a page can show of a run's events, whoever wrote them: all but when, and the process."""
    types = {dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_OBSERVATION}
    entries = [
        record.event_log_entry
        for record in instance.get_records_for_run(run_id, of_type=types).records
    ]
    return [
        entry._replace(
            run_id="",
            timestamp=0.0,
            dagster_event=entry.get_dagster_event()._replace(
                pid=None,
                logging_tags={**(entry.get_dagster_event().logging_tags or {}), "run_id": ""},
            ),
        )
        for entry in entries
    ]


def latest(instance: dg.DagsterInstance) -> list[tuple[str, str | None]]:
    found = [instance.get_latest_materialization_event(asset) for asset in (ONE, OTHER)]
    return [(event.run_id, event.get_dagster_event().partition) for event in found if event]


def test_rows_of_ours_read_as_dagsters_own(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def report(context: dg.AssetExecutionContext) -> None:
        report_together(context, all_sorts())

    ours = run(instance, report)
    latest_of_ours = latest(instance)
    monkeypatch.setattr(reporting, "_takes_rows", lambda storage: False)
    dagsters = run(instance, report)

    assert ours.success
    assert dagsters.success
    assert shown(instance, ours.run_id) == shown(instance, dagsters.run_id)
    assert len(shown(instance, ours.run_id)) == len(all_sorts())
    assert [partition for _, partition in latest_of_ours] == ["r54", "r54"]
    assert {run_id for run_id, _ in latest_of_ours} == {ours.run_id}
    assert latest(instance) == [(dagsters.run_id, partition) for _, partition in latest_of_ours]


def test_rows_without_a_run_read_as_dagsters_own(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def newest() -> list[Any]:
        records = instance.fetch_materializations(OTHER, limit=30).records
        return [(r.partition_key, r.asset_materialization, r.run_id) for r in records]

    events = [event for event in all_sorts() if not event.is_observation]
    report_without_run(instance, events)
    ours = newest()
    monkeypatch.setattr(reporting, "_takes_rows", lambda storage: False)
    report_without_run(instance, events)

    assert ours == newest()
    assert latest(instance)[1] == ("", "r54")


def test_a_chunk_is_one_statement_for_each_asset_and_sort(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections: list[str] = []
    storage: Any = type(instance.event_log_storage)
    connect = storage.index_connection

    def counted(self: Any) -> Any:
        connections.append("index")
        return connect(self)

    def body(context: dg.AssetExecutionContext) -> None:
        monkeypatch.setattr(storage, "index_connection", counted)
        report_both(context)
        monkeypatch.setattr(storage, "index_connection", connect)

    result = run(instance, body)

    assert result.success
    assert connections == ["index"]
    assert stored(instance, result.run_id) == 18


def test_a_shape_that_dagster_writes_otherwise_is_left_to_dagster() -> None:
    def serialize(event: PartitionEvent) -> str:
        return f"{event.partition} {len(str(event.facts))}"

    events = [PartitionEvent(ONE, f"p{at}", {"calls": at}) for at in range(12)]

    assert serialized(events, serialize) == [serialize(event) for event in events]


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
