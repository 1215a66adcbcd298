"""Events of many partitions, written together: the one place that uses Dagster's internals for it.

Written one by one, an event costs 20 to 40 ms; as a batch, half a millisecond. A batch holds one
asset's events of one sort, since Dagster notes only the last event of a batch as its asset's
latest. They go past the step's logger, which would print each of them. A test pins the names used
here; where they are missing, events are logged one by one.
"""

import logging
import os
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, TypeAlias

import dagster as dg

Event: TypeAlias = dg.AssetMaterialization | dg.AssetObservation

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


def report_together(context: dg.AssetExecutionContext, events: Sequence[Event]) -> None:
    """Writes events of one asset and one sort; they are stored when this returns."""
    if not events:
        return
    internals, step = _internals(), _step_of(context)
    if internals is None or step is None:
        for event in events:
            context.log_event(event)
        return
    batch, last = internals.generate_event_batch_id(), len(events) - 1
    for at, event in enumerate(events):
        context.instance.report_dagster_event(
            _dagster_event(internals, step, event),
            context.run.run_id,
            logging.DEBUG,
            internals.DagsterEventBatchMetadata(batch, at == last),
        )


def report_without_run(instance: dg.DagsterInstance, events: Sequence[Event]) -> None:
    """Of one asset and one sort, of work that was no run of Dagster's."""
    internals = _internals()
    if not events or internals is None:
        for event in events:
            instance.report_runless_asset_event(event)
        return
    batch, last = internals.generate_event_batch_id(), len(events) - 1
    for at, event in enumerate(events):
        instance.report_dagster_event(
            internals.DagsterEvent(
                event_type_value=_sort_of(event).value,
                job_name=NO_RUN,
                event_specific_data=_data_of(internals, event),
                message=_message_of(event),
            ),
            NO_RUN,
            logging.INFO,
            internals.DagsterEventBatchMetadata(batch, at == last),
        )


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


def _dagster_event(internals: ModuleType, step: Any, event: Event) -> Any:
    """As the step itself would write it."""
    return internals.DagsterEvent(
        event_type_value=_sort_of(event).value,
        job_name=step.job_name,
        step_handle=step.step.handle,
        node_handle=step.step.node_handle,
        step_kind_value=step.step.kind.value,
        logging_tags=step.event_tags,
        event_specific_data=_data_of(internals, event),
        message=_message_of(event),
        pid=os.getpid(),
    )


def _sort_of(event: Event) -> dg.DagsterEventType:
    if isinstance(event, dg.AssetObservation):
        return dg.DagsterEventType.ASSET_OBSERVATION
    return dg.DagsterEventType.ASSET_MATERIALIZATION


def _data_of(internals: ModuleType, event: Event) -> Any:
    if isinstance(event, dg.AssetObservation):
        return internals.AssetObservationData(event)
    return internals.StepMaterializationData(event)


def _message_of(event: Event) -> str:
    return f"{event.asset_key.to_user_string()}, partition {event.partition}"


def _internals() -> ModuleType | None:
    try:
        module = import_module("dagster._core.events")
    except ImportError:
        return None
    return module if all(hasattr(module, name) for name in _NAMES) else None


def _step_of(context: dg.AssetExecutionContext) -> Any:
    get = getattr(context.op_execution_context, "get_step_execution_context", None)
    return get() if get else None
