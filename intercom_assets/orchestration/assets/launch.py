"""Whom a run handles: from how it was started to one `Batch`, in one place.

A run names its users by exactly one of: a partition, a range of partitions, a list in its config,
or a number to take from the queue; a re-executed run of the last kind replays whom its parent
leased. Here nothing is read from the app and nothing is called.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from pydantic import Field

from intercom_assets.database.records import Lane
from intercom_assets.database.store.store import Store
from intercom_assets.domain.errors import OperatorError
from intercom_assets.domain.vocabulary import Cause
from intercom_assets.orchestration.sync_targets import BULK, LANE_TAG, LIVE, SENSOR_TAG, SyncTarget
from intercom_assets.sync.engine.chunk_source import Batch

PARENT_TAG = "dagster/parent_run_id"
_FROM_QUEUE = "how many of those that are due this run takes from the queue"
_LANES = {LIVE: (Lane.LIVE,), BULK: (Lane.BULK,)}


class UserConfig(dg.Config):
    """Left empty where a partition or a range of partitions says which users."""

    from_queue: int | None = Field(default=None, description=_FROM_QUEUE)
    user_ids: list[Any] | None = Field(default=None, description="ids of users of the app")


class TeamConfig(dg.Config):
    """Left empty where a partition or a range of partitions says which teams."""

    from_queue: int | None = Field(default=None, description=_FROM_QUEUE)
    team_ids: list[Any] | None = Field(default=None, description="ids of teams of the app")


class WrongLaunch(OperatorError):
    """The run was started in a way that does not say whom it handles. One sentence."""


@dataclass(frozen=True)
class Launch:
    """How a run was started. `replayed`: whom its parent leased. `lane`: the run's tag."""

    partition_keys: Sequence[str] | None = None
    is_range: bool = False
    from_queue: int | None = None
    ids: Sequence[Any] | None = None
    replayed: Sequence[str] = ()
    by_sensor: bool = False
    lane: str | None = None


def launch_of(
    context: dg.AssetExecutionContext,
    target: SyncTarget,
    store: Store,
    *,
    from_queue: int | None,
    ids: Sequence[Any] | None,
) -> Launch:
    """What context and config say; asks the store only for a re-executed run's parent."""
    run, is_range = context.run, context.has_partition_key_range
    return Launch(
        partition_keys=_partition_keys(context, target),
        is_range=is_range,
        from_queue=from_queue,
        ids=ids,
        replayed=_replayed(context.instance, run, target, store) if from_queue else (),
        by_sensor=SENSOR_TAG in run.tags and _parent(run) is None,
        lane=run.tags.get(LANE_TAG),
    )


def batch_of(target: SyncTarget, launch: Launch) -> Batch:
    """Raises `WrongLaunch` if nothing, or two things at once, say whom to handle."""
    _require_one_way(target, launch)
    if launch.partition_keys is not None:
        lane = Lane.BULK if launch.is_range else Lane.LIVE
        cause = Cause.BACKFILL if launch.is_range else Cause.PARTITION
        return _named(target, launch, launch.partition_keys, lane, cause)
    if launch.ids is not None:
        return _named(target, launch, _checked(target, launch.ids), Lane.BULK, Cause.LIST)
    if launch.replayed:
        return _named(target, launch, launch.replayed, Lane.BULK, Cause.REEXECUTION)
    return Batch(
        target.kind,
        from_queue=launch.from_queue,
        lanes=_LANES.get(launch.lane or ""),
        cause=Cause.NONE,
    )


def _partition_keys(context: dg.AssetExecutionContext, target: SyncTarget) -> Sequence[str] | None:
    """None for a run without partitions. Keys that were deleted since cannot bound a range."""
    if not (context.has_partition_key_range or context.has_partition_key):
        return None
    try:
        return list(context.partition_keys)
    except dg.DagsterError as error:
        raise WrongLaunch(_no_range(target)) from error


def _no_range(target: SyncTarget) -> str:
    return (
        f"The range of partitions holds no {target.noun}: a partition at one of its ends was "
        "deleted, or deleted and added again, since it was chosen. Choose the partitions anew."
    )


def _named(
    target: SyncTarget, launch: Launch, keys: Sequence[str], lane: Lane, cause: Cause
) -> Batch:
    return Batch(
        target.kind, keys=tuple(keys), lane=lane, cause=cause, by_hand=not launch.by_sensor
    )


def _require_one_way(target: SyncTarget, launch: Launch) -> None:
    ways = {
        "a range of partitions" if launch.is_range else "a partition": launch.partition_keys,
        "from_queue": launch.from_queue,
        target.ids: launch.ids,
    }
    given = [way for way, value in ways.items() if value is not None]
    if not given:
        raise WrongLaunch(
            f"Nothing says which {target.noun}s to sync: choose a partition or a range of "
            f"partitions, or give run config `{target.ids}: [...]` or `from_queue: N`."
        )
    if len(given) > 1:
        raise WrongLaunch(
            f"Both {' and '.join(given)} say which {target.noun}s to sync: give one of them."
        )
    if launch.partition_keys is not None and not launch.partition_keys:
        raise WrongLaunch(_no_range(target))
    if launch.from_queue is not None and launch.from_queue < 1:
        raise WrongLaunch(f"from_queue is {launch.from_queue}: give a number of 1 or more.")


def _checked(target: SyncTarget, ids: Sequence[Any]) -> list[str]:
    if not ids:
        raise WrongLaunch(f"{target.ids} is empty: name at least one {target.noun}.")
    for entry in ids:
        if not isinstance(entry, str | int) or isinstance(entry, bool) or not str(entry).strip():
            raise WrongLaunch(f"{target.ids} holds {entry!r}, which is no id of a {target.noun}.")
    return [str(item) for item in ids]


def _replayed(
    instance: dg.DagsterInstance, run: dg.DagsterRun, target: SyncTarget, store: Store
) -> list[str]:
    """Whom the nearest ancestor leased; nobody for a run that is no re-execution."""
    parent = _parent(run)
    while parent is not None:
        if keys := store.runs.members(parent).get(target.kind):
            return keys
        ancestor = instance.get_run_by_id(parent)
        parent = _parent(ancestor) if ancestor else None
    return []


def _parent(run: dg.DagsterRun) -> str | None:
    """The run that this one re-executes."""
    return run.parent_run_id or run.tags.get(PARENT_TAG)
