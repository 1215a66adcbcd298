"""Health as asset checks: red where an operator has to look, with one sentence.

They stand on the external asset `sync_health`, which no run materializes, in a job of their own:
beside a batch, Dagster would plan them and reset them to skipped
(docs/dev/dagster-facts.md#checks).
"""

from collections.abc import Callable

import dagster as dg

from intercom_assets.orchestration.pool import POOL
from intercom_assets.orchestration.resources import SyncResource
from intercom_assets.orchestration.sync_targets import SYNC_HEALTH
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.status.health import QUESTIONS, HealthFinding

CALLS_INTERCOM = frozenset({"nothing_diverged"})


def _check(name: str, question: Callable[[Services], HealthFinding]) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=SYNC_HEALTH,
        name=name,
        description=question.__doc__,
        pool=POOL if name in CALLS_INTERCOM else None,
    )
    def check(
        context: dg.AssetCheckExecutionContext,
        sync: SyncResource,
    ) -> dg.AssetCheckResult:
        refusal = sync.configuration.refusal
        if name in CALLS_INTERCOM and refusal:
            return dg.AssetCheckResult(passed=True, description=f"Not asked: {refusal}")

        def ask(services: Services) -> dg.AssetCheckResult:
            _show_queue(context, services)
            return _result(question(services))

        return sync.attempt(
            ask, lambda error: dg.AssetCheckResult(passed=False, description=error.sentence)
        )

    return check


def _result(finding: HealthFinding) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=finding.healthy, description=finding.sentence, metadata=dict(finding.facts)
    )


def _show_queue(context: dg.AssetCheckExecutionContext, services: Services) -> None:
    """Once for each run of checks: an asset that is checked and was never anything looks broken.

    Without a run: what a run materializes, it would plan, and planned checks can be reset.
    """
    run = context.instance.get_run_record_by_id(context.run.run_id)
    latest = context.instance.get_latest_materialization_event(SYNC_HEALTH)
    if latest is not None and run is not None and latest.timestamp >= (run.start_time or 0.0):
        return
    facts: dict[str, int | float] = {}
    for kind, depth in services.store.queue.depth().items():
        facts |= {f"{kind}s_due": depth.due, f"{kind}s_later": depth.later}
        facts |= {f"{kind}s_parked": depth.parked}
        facts[f"{kind}s_oldest_seconds"] = round(depth.oldest_seconds, 1)
    context.instance.report_runless_asset_event(
        dg.AssetMaterialization(SYNC_HEALTH, metadata=facts, description="the queue as it is")
    )


CHECKS = [_check(name, question) for name, question in QUESTIONS.items()]

health_job = dg.define_asset_job(
    "health_job",
    selection=dg.AssetSelection.checks(*CHECKS),
    description="Asks the health checks of `sync_health`. Launch it whenever you like.",
)
health = dg.ScheduleDefinition(
    name="health",
    job=health_job,
    cron_schedule="*/15 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Asks the health checks of `sync_health` every quarter of an hour.",
)
