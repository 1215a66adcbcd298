"""What runs by the clock: the nightly sweep, the weekly audit, and history pruned.

    nightly_sweep   everybody on the app's side by hash; only differences are queued; no call
    weekly_audit    all contacts listed against what we remember; differences are queued
    prune_history   superseded events of Dagster's, and our journal, older than `keep_history`

The sweep and the audit only queue, in the bulk lane; the sensors launch what follows. None of
these jobs materializes an asset.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import dagster as dg

from intercom_assets.orchestration.internals.event_pruning import prune_history as prune
from intercom_assets.orchestration.internals.stop_error import stop, stop_for
from intercom_assets.orchestration.pool import POOL
from intercom_assets.orchestration.recording import record_unshown
from intercom_assets.orchestration.resources import SyncResource
from intercom_assets.orchestration.sync_targets import BULK, LANE_TAG
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.feeders.audit import audit
from intercom_assets.sync.feeders.sweep import Swept, sweep

DAGSTER_DATABASE_URL = "DAGSTER_DATABASE_URL"
T = TypeVar("T")


@dg.op(description="Compares everybody in the app, by hash, with what was synced last.")
def sweep_everybody(
    context: dg.OpExecutionContext,
    sync: SyncResource,
) -> None:
    def sweep_and_show(services: Services) -> tuple[Swept, Swept]:
        record_unshown(context.instance, services.store)
        return sweep(services)

    users, teams = _work(sync, sweep_and_show, calls=False)
    for noun, swept in (("users", users), ("teams", teams)):
        context.log.info(
            f"{swept.looked} {noun} checked; {swept.queued} differ and {swept.missing} are no "
            "longer there: queued."
        )


@dg.op(pool=POOL, description="Lists all contacts, 150 a call, and compares them with our copies.")
def audit_contacts(
    context: dg.OpExecutionContext,
    sync: SyncResource,
) -> None:
    done = _work(sync, audit, calls=True)
    context.log.info(
        f"{done.looked} contacts listed in {done.calls} calls; {done.queued} differ and "
        f"{done.missing} linked ones are missing: queued."
    )


@dg.op(description="Deletes superseded history of Dagster's, and our journal, past its time.")
def prune_old_history(
    context: dg.OpExecutionContext,
    sync: SyncResource,
) -> None:
    def prune_both(services: Services) -> str:
        before = datetime.now(UTC) - services.settings.keep_history
        entries = services.store.journal.prune(before)
        url = os.environ.get(DAGSTER_DATABASE_URL)
        if not url:
            return f"{entries} journal entries deleted; {DAGSTER_DATABASE_URL} is not set."
        done = prune(context.instance, url, before)
        return (
            f"{entries} journal entries, {done.events} events, {done.checks} check results and "
            f"{done.runs} runs deleted."
        )

    context.log.info(_work(sync, prune_both, calls=False))


def _work(sync: SyncResource, work: Callable[[Services], T], *, calls: bool) -> T:
    """Runs `work`; what an operator can mend ends the run with one sentence."""
    configuration = sync.configuration
    if refusal := configuration.refusal if calls else configuration.unmapped:
        stop(refusal)
    return sync.attempt(work, stop_for)


SWEEP = (
    "Compares everybody in the app, by hash, with what was synced last, and queues those who "
    "differ; the sensors then sync them. It makes no call to Intercom. Launch it whenever changes "
    "may have been missed."
)
AUDIT = (
    "Lists all contacts, 150 a call, compares them with what was last seen of them, and queues "
    "those that differ or are missing; the sensors then sync them."
)
PRUNE = (
    "Deletes what is older than `keep_history` in `sync.yaml` and was superseded: events, results "
    "of checks and empty runs in Dagster, and entries of the sync's journal. The latest event of "
    "each partition stays."
)


@dg.job(name="nightly_sweep_job", tags={LANE_TAG: BULK}, description=SWEEP)
def nightly_sweep_job() -> None:
    sweep_everybody()


@dg.job(name="weekly_audit_job", tags={LANE_TAG: BULK}, description=AUDIT)
def weekly_audit_job() -> None:
    audit_contacts()


@dg.job(name="prune_history_job", description=PRUNE)
def prune_history_job() -> None:
    prune_old_history()


RUNNING = dg.DefaultScheduleStatus.RUNNING
nightly_sweep = dg.ScheduleDefinition(
    name="nightly_sweep",
    job=nightly_sweep_job,
    cron_schedule="17 2 * * *",
    default_status=RUNNING,
    description=SWEEP,
)
weekly_audit = dg.ScheduleDefinition(
    name="weekly_audit",
    job=weekly_audit_job,
    cron_schedule="17 4 * * 0",
    default_status=RUNNING,
    description=AUDIT,
)
prune_history = dg.ScheduleDefinition(
    name="prune_history",
    job=prune_history_job,
    cron_schedule="47 5 * * *",
    default_status=RUNNING,
    description=PRUNE,
)

JOBS = [nightly_sweep_job, weekly_audit_job, prune_history_job]
SCHEDULES = [nightly_sweep, weekly_audit, prune_history]
