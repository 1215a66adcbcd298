"""Events of many partitions, written together: the one place that uses Dagster's internals for it.

Written one by one, an event costs 20 to 40 ms. Dagster's own batches take three milliseconds of CPU
for the events of one user, and two connections for each asset. Here a chunk's events are rows of
one statement on one connection, after which each asset's latest event is noted as Dagster does it.
They go past the step's logger, which would print each of them. That is for PostgreSQL; elsewhere,
or where a name that is used here is missing (a test pins them), Dagster's own ways are taken.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import groupby
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import dagster as dg

from intercom_assets.orchestration.internals.partition_events import PartitionEvent, serialized

if TYPE_CHECKING:
    from sqlalchemy import Connection

NO_RUN = ""
"""The run, and its job, of an event that belongs to none (Dagster's own marks)."""

_NAMES = (
    "DagsterEvent",
    "DagsterEventBatchMetadata",
    "AssetMaterializationPlannedData",
    "AssetObservationData",
    "StepMaterializationData",
    "generate_event_batch_id",
)
_STORAGE_NAMES = ("_event_insert_timestamp", "_store_asset_event")
COLUMNS = {
    *("id", "run_id", "event", "dagster_event_type"),
    *("timestamp", "step_key", "asset_key", "partition"),
}
"""Of Dagster's table of events, on which the statement was tried."""
_INSERT = """
    insert into event_logs
        (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
    select :run_id, event, :sort, :at, :step_key, :asset, partition
    from unnest(cast(:events as text[]), cast(:partitions as text[]))
        with ordinality as e (event, partition, place)
    order by place
    returning id
"""


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where events come from: a run's step, or no run. `build`: Dagster's event of one of ours."""

    instance: dg.DagsterInstance
    run_id: str
    level: int
    build: Callable[[PartitionEvent], Any]


def report_together(context: dg.AssetExecutionContext, events: Sequence[PartitionEvent]) -> None:
    """They are stored when this returns."""
    internals, step = _internals(), _step_of(context)
    if internals is None or step is None:
        for event in events:
            context.log_event(event.as_dagster())
        return

    def build(event: PartitionEvent) -> Any:
        return _dagster_event(internals, step, event)

    _store(_Origin(context.instance, context.run.run_id, logging.DEBUG, build), internals, events)


def report_without_run(instance: dg.DagsterInstance, events: Sequence[PartitionEvent]) -> None:
    """Of work that was no run of Dagster's."""
    internals = _internals()
    if internals is None:
        for event in events:
            instance.report_runless_asset_event(event.as_dagster())
        return

    def build(event: PartitionEvent) -> Any:
        return internals.DagsterEvent(
            event_type_value=event.sort.value,
            job_name=NO_RUN,
            event_specific_data=_data_of(internals, event),
            message=_message_of(event),
        )

    _store(_Origin(instance, NO_RUN, logging.INFO, build), internals, events)


def announce_failure(
    context: dg.AssetExecutionContext, asset: dg.AssetKey, partitions: Sequence[str]
) -> None:
    """Makes exactly these partitions red, provided that the run fails afterwards.

    A partition counts as failed if a failed run planned it and did not bring it. Some 20 ms each.
    """
    internals, step = _internals(), _step_of(context)
    if internals is None or step is None:
        return
    for partition in partitions:
        planned = internals.DagsterEvent.build_asset_materialization_planned_event(
            context.run.job_name,
            step.step.key,
            internals.AssetMaterializationPlannedData(asset, partition=partition),
        )
        context.instance.report_dagster_event(planned, context.run.run_id, logging.DEBUG)


# --- how they are stored --------------------------------------------------------------------------


def _store(origin: _Origin, internals: ModuleType, events: Sequence[PartitionEvent]) -> None:
    if not events:
        return
    storage: Any = origin.instance.event_log_storage
    if not _takes_rows(storage):
        for alike in _alike(events):
            _store_as_batch(origin, internals, alike)
        return
    with storage.index_connection() as connection:
        for alike in _alike(events):
            _store_rows(origin, storage, connection, alike)


def _alike(events: Sequence[PartitionEvent]) -> Iterator[list[PartitionEvent]]:
    """By asset and sort: of each, the last is its asset's latest event."""
    for _, alike in groupby(events, key=lambda event: (event.asset, event.is_observation)):
        yield list(alike)


def _takes_rows(storage: object) -> bool:
    """Whether it is the storage that the statement was tried on."""
    # Where nobody has loaded it, no storage is one; loading it costs every command 37 MB.
    postgres = sys.modules.get("dagster_postgres.event_log")
    if postgres is None or not isinstance(storage, postgres.PostgresEventLogStorage):
        return False
    schema = import_module("dagster._core.storage.event_log.schema")
    known = set(schema.SqlEventLogStorageTable.columns.keys()) == COLUMNS
    return known and all(hasattr(storage, name) for name in _STORAGE_NAMES)


def _store_rows(
    origin: _Origin, storage: Any, connection: "Connection", events: Sequence[PartitionEvent]
) -> None:
    serialize, now = import_module("dagster._serdes").serialize_value, time.time()
    latest = _entry(origin, events[-1], now)
    rows = connection.execute(
        import_module("sqlalchemy").text(_INSERT),
        {
            "run_id": origin.run_id,
            "sort": events[-1].sort.value,
            "at": storage._event_insert_timestamp(latest),
            "step_key": latest.step_key,
            "asset": events[-1].asset.to_string(),
            "events": serialized(events, lambda event: str(serialize(_entry(origin, event, now)))),
            "partitions": [event.partition for event in events],
        },
    )
    storage._store_asset_event(connection, latest, max(rows.scalars()))


def _entry(origin: _Origin, event: PartitionEvent, now: float) -> Any:
    """As Dagster makes one of what is reported to it. `now`: Unix s."""
    built, entry = origin.build(event), cast("Any", dg.EventLogEntry)
    return entry(
        error_info=None,
        level=origin.level,
        user_message="",
        run_id=origin.run_id,
        timestamp=now,
        step_key=built.step_key,
        job_name=built.job_name,
        dagster_event=built,
    )


def _store_as_batch(
    origin: _Origin, internals: ModuleType, events: Sequence[PartitionEvent]
) -> None:
    """Dagster notes the last event of a batch as its asset's latest: hence one asset in each."""
    batch, last = internals.generate_event_batch_id(), len(events) - 1
    for at, event in enumerate(events):
        origin.instance.report_dagster_event(
            origin.build(event),
            origin.run_id,
            origin.level,
            internals.DagsterEventBatchMetadata(batch, at == last),
        )


# --- one event, as Dagster writes it --------------------------------------------------------------


def _dagster_event(internals: ModuleType, step: Any, event: PartitionEvent) -> Any:
    """As the step itself would write it."""
    return internals.DagsterEvent(
        event_type_value=event.sort.value,
        job_name=step.job_name,
        step_handle=step.step.handle,
        node_handle=step.step.node_handle,
        step_kind_value=step.step.kind.value,
        logging_tags=step.event_tags,
        event_specific_data=_data_of(internals, event),
        message=_message_of(event),
        pid=os.getpid(),
    )


def _data_of(internals: ModuleType, event: PartitionEvent) -> Any:
    if event.is_observation:
        return internals.AssetObservationData(event.as_dagster())
    return internals.StepMaterializationData(event.as_dagster())


def _message_of(event: PartitionEvent) -> str:
    return f"{event.asset.to_user_string()}, partition {event.partition}"


def _internals() -> ModuleType | None:
    try:
        module = import_module("dagster._core.events")
    except ImportError:
        return None
    return module if all(hasattr(module, name) for name in _NAMES) else None


def _step_of(context: dg.AssetExecutionContext) -> Any:
    get = getattr(context.op_execution_context, "get_step_execution_context", None)
    return get() if get else None
