"""Health as asset checks: red where an operator has to look, with one sentence.

They stand on the external asset `sync_health`, which no run materializes, in a job of their own:
beside a batch, Dagster would plan them and reset them to skipped (dagster-notes A4 and F).
"""

from collections.abc import Callable

import dagster as dg

from intercom_assets.assets.subjects import SYNC_HEALTH
from intercom_assets.pool import POOL
from intercom_assets.resources import (
    AppDatabaseResource,
    IntercomResource,
    SyncDatabaseResource,
    configuration,
)
from intercom_assets.sync.environment import SAID_IN_ONE_SENTENCE, opened, sentence_of
from intercom_assets.sync.health import QUESTIONS, Finding
from intercom_assets.sync.services import Services

CALLS_INTERCOM = frozenset({"nothing_diverged"})


def _check(name: str, question: Callable[[Services], Finding]) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=SYNC_HEALTH,
        name=name,
        description=question.__doc__,
        pool=POOL if name in CALLS_INTERCOM else None,
    )
    def check(
        app_database: AppDatabaseResource,
        sync_database: SyncDatabaseResource,
        intercom: IntercomResource,
    ) -> dg.AssetCheckResult:
        said = configuration(app_database, sync_database, intercom)
        if name in CALLS_INTERCOM and said.refusal:
            return dg.AssetCheckResult(passed=True, description=f"Not asked: {said.refusal}")
        try:
            with opened(said) as services:
                finding = question(services)
        except SAID_IN_ONE_SENTENCE as error:
            return dg.AssetCheckResult(passed=False, description=sentence_of(error))
        return dg.AssetCheckResult(
            passed=finding.healthy, description=finding.sentence, metadata=dict(finding.facts)
        )

    return check


CHECKS = [_check(name, question) for name, question in QUESTIONS.items()]

health_job = dg.define_asset_job(
    "health_job", selection=dg.AssetSelection.checks(*CHECKS), description="Asks how the sync is."
)
health = dg.ScheduleDefinition(
    name="health",
    job=health_job,
    cron_schedule="*/15 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
