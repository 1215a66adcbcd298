"""What is known of our runs while they live: which are dead, which are about to take their rows.

Dagster's default launcher never fails a run whose machine went away, and such a run holds its slot
in the pool for ever. Each run of ours keeps a heartbeat in our own tables; whose heartbeat ran out,
or who never had one in time, is failed here. Its rows are leased no longer than that, so the next
run goes on with them.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from intercom_assets.database.reports import HeartbeatRow
from intercom_assets.database.store.store import Store
from intercom_assets.orchestration.internals.run_liveness import has_process
from intercom_assets.orchestration.sync_targets import STOPPED_TAG, TEAMS, USERS, SyncTarget

SILENCE = 30.0
"""Seconds after which a run without a heartbeat, of which nothing was heard, counts as dead,
unless its code server still has its process: on a busy machine a process takes long to start."""

PAUSE = 30.0
"""Seconds between two runs while they are refused as a whole."""

REPOSITORY_TAG = ".dagster/repository"

_ACTIVE = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
_AHEAD = [dg.DagsterRunStatus.QUEUED, *_ACTIVE]
_JOBS = {USERS.job, TEAMS.job}
_ASSETS = {USERS.result_asset, *USERS.before_it, TEAMS.result_asset}


def fail_dead_runs(
    instance: dg.DagsterInstance, store: Store, location: str | None = None
) -> list[str]:
    """Fails the runs of ours that died; returns their ids.

    `location`: the code location's label, where several share one Dagster. A launcher with a health
    check of its own (Kubernetes) is left to it.
    """
    if instance.run_launcher.supports_check_run_worker_health:
        return []
    beats = {beat.run_id: beat for beat in store.runs.heartbeats()}
    failed = [
        run.run_id
        for run, reason in _dead(instance, beats, location)
        if _still(instance, run) and instance.report_run_failed(run, reason)
    ]
    _forget_dead_beats(instance, store, beats.values())
    return failed


def run_ahead(
    instance: dg.DagsterInstance,
    store: Store,
    target: SyncTarget,
    *,
    tags: dict[str, str],
    location: str | None = None,
) -> str | None:
    """The id of a run with these tags that has not yet leased all that it was asked to take.

    What is due is that run's, so no other is needed for it.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=_AHEAD, tags=tags_of(location) | tags)):
        leased = store.runs.members(run.run_id).get(target.kind, [])
        if len(leased) < _asked_for(run, target):
            return run.run_id
    return None


def stopped_lately(
    instance: dg.DagsterInstance, *, tags: dict[str, str], location: str | None = None
) -> str | None:
    """Why the latest run with these tags was refused as a whole, while that is fresh.

    The next one would be refused as well; one is tried every `PAUSE` seconds.
    """
    latest = instance.get_run_records(dg.RunsFilter(tags=tags_of(location) | tags), limit=1)
    for record in latest:
        failed = record.dagster_run.status is dg.DagsterRunStatus.FAILURE
        sentence = record.dagster_run.tags.get(STOPPED_TAG) if failed else None
        if sentence and datetime.now(UTC).timestamp() - (record.end_time or 0.0) < PAUSE:
            return f"{sentence} It is tried again within {PAUSE:.0f} s."
    return None


def _asked_for(run: dg.DagsterRun, target: SyncTarget) -> int:
    config: Any = run.run_config
    for key in ("ops", target.step, "config"):
        config = config.get(key, {})
    return int(config.get("from_queue") or 1)


def _dead(
    instance: dg.DagsterInstance, beats: dict[str, HeartbeatRow], location: str | None
) -> Iterable[tuple[dg.DagsterRun, str]]:
    found = instance.get_run_records(dg.RunsFilter(statuses=_ACTIVE, tags=tags_of(location)))
    for record in found:
        if _is_ours(record.dagster_run):
            reason = _why_dead(instance, record, beats.get(record.dagster_run.run_id))
            if reason:
                yield record.dagster_run, reason


def _why_dead(
    instance: dg.DagsterInstance, record: dg.RunRecord, beat: HeartbeatRow | None
) -> str | None:
    if beat is not None and beat.alive:
        return None
    goes_on = "what it had not finished is still in the queue, and the next run goes on with it."
    if beat is not None:
        return f"The run's process died: its heartbeat ran out; {goes_on}"
    if datetime.now(UTC).timestamp() - _last_heard(instance, record) < SILENCE:
        return None
    if has_process(record.dagster_run):
        return None
    if record.dagster_run.status is dg.DagsterRunStatus.STARTING:
        return f"The run's process did not start within {SILENCE:.0f} s; {goes_on}"
    return f"The run's process was not heard of for {SILENCE:.0f} s; {goes_on}"


def _last_heard(instance: dg.DagsterInstance, record: dg.RunRecord) -> float:
    """Unix seconds of the run's last event."""
    events = instance.get_records_for_run(record.dagster_run.run_id, limit=1, ascending=False)
    heard = [event.event_log_entry.timestamp for event in events.records]
    return max([record.update_timestamp.timestamp(), *heard])


def _still(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """It may have ended between the look and now."""
    now = instance.get_run_by_id(run.run_id)
    return now is not None and now.status in _ACTIVE


def _forget_dead_beats(
    instance: dg.DagsterInstance, store: Store, beats: Iterable[HeartbeatRow]
) -> None:
    """Also those of runs that Dagster failed itself, and of commands that were killed."""
    for beat in beats:
        run = None if beat.alive else instance.get_run_by_id(beat.run_id)
        if not beat.alive and (run is None or run.is_finished):
            store.runs.end_heartbeat(beat.run_id)


def _is_ours(run: dg.DagsterRun) -> bool:
    return run.job_name in _JOBS or bool(_ASSETS & set(run.asset_selection or ()))


def tags_of(location: str | None) -> dict[str, str]:
    """By which the runs of one code location are found, where several share one Dagster."""
    return {REPOSITORY_TAG: location} if location else {}
