"""The sensors: they see who is due and ask for a run. They lease nothing and keep no cursor.

    changed_users, changed_teams   drain the app's log into the queue, and launch runs for it
    intercom_changes               puts what was edited in Intercom into the same queue

The queue is the truth, so a tick that is lost, doubled or cut short loses no change. Whatever
stops a tick is its skip reason, in one sentence.
"""

from collections.abc import Callable

import dagster as dg

from intercom_assets.domain.errors import OperatorError
from intercom_assets.orchestration.jobs import sync_companies, sync_users
from intercom_assets.orchestration.resources import SyncResource
from intercom_assets.orchestration.schedules import nightly_sweep_job
from intercom_assets.orchestration.sensor_tick import SensorTick
from intercom_assets.orchestration.sync_targets import TEAMS, USERS
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.environment import Configuration, ConfigurationError
from intercom_assets.sync.feeders.intercom_changes import feed_from_intercom

TICK_INTERVAL_S = 1
"""Seconds between two ticks of the changed sensors; Dagster itself looks every five."""
SEARCH_INTERVAL_S = 5
"""Seconds between two searches for Intercom's changes: a call each."""


@dg.sensor(
    jobs=[sync_users, nightly_sweep_job],
    minimum_interval_seconds=TICK_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Launches a run for users who changed, on either side, within seconds; and the "
    "sweep, if a table was emptied by TRUNCATE.",
)
def changed_users(
    context: dg.SensorEvaluationContext,
    sync: SyncResource,
) -> dg.SensorResult:
    refusal = sync.configuration.refusal
    return _tick(sync, lambda services: SensorTick(context, USERS, services, refusal).wait())


@dg.sensor(
    job=sync_companies,
    minimum_interval_seconds=TICK_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Launches a run for teams that changed, within seconds.",
)
def changed_teams(
    context: dg.SensorEvaluationContext,
    sync: SyncResource,
) -> dg.SensorResult:
    refusal = sync.configuration.refusal
    return _tick(sync, lambda services: SensorTick(context, TEAMS, services, refusal).wait())


@dg.sensor(
    minimum_interval_seconds=SEARCH_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Finds contacts that were edited in Intercom; changed_users then launches the run.",
)
def intercom_changes(
    sync: SyncResource,
) -> dg.SensorResult:
    if refusal := sync.configuration.refusal:
        return dg.SensorResult(skip_reason=refusal)
    return _tick(
        sync, lambda services: dg.SensorResult(skip_reason=feed_from_intercom(services).summary)
    )


def _tick(sync: SyncResource, look: Callable[[Services], dg.SensorResult]) -> dg.SensorResult:
    """A look with the services open; what goes wrong becomes the reason to skip."""
    configuration = sync.configuration
    if configuration.unmapped:
        return dg.SensorResult(skip_reason=configuration.refusal)
    return sync.attempt(
        look, lambda error: dg.SensorResult(skip_reason=_reason(configuration, error))
    )


def _reason(configuration: Configuration, error: OperatorError) -> str:
    """While the sync is off only what keeps the log from being drained is worth a word more."""
    if configuration.refusal is None:
        return error.sentence
    if isinstance(error, ConfigurationError):
        return configuration.refusal
    return f"{configuration.refusal} The app's log is not drained: {error.sentence}"
