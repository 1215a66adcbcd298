"""A run that failed is told to a webhook, if there is one: what, how many, where to look.

Only runs of this code location. The sentence is one of ours, as the run's red step shows it; of an
error that is none, only its kind is told, since its text may quote a person's data.
"""

import dagster as dg

from intercom_assets.domain.values import shown
from intercom_assets.orchestration.resources import AlertsResource
from intercom_assets.orchestration.sync_targets import TEAMS, USERS
from intercom_assets.sync.status.webhook import AlertNotSent, post_alert

OFF = "No webhook is set, so no alert is sent."
COUNTS = (USERS.count_tag, TEAMS.count_tag, "intercom_assets/calls")


@dg.run_failure_sensor(
    name="failed_runs",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Alerts a webhook about each run that failed, if one is set; does nothing else.",
)
def failed_runs(context: dg.RunFailureSensorContext, alerts: AlertsResource) -> dg.SkipReason:
    url = alerts.address()
    if not url:
        return dg.SkipReason(OFF)
    try:
        post_alert(url, message_of(context))
    except AlertNotSent as error:
        context.log.warning(
            f"Run {context.dagster_run.run_id} failed and no alert was sent: {error}"
        )
        return dg.SkipReason(f"No alert was sent: {error}.")
    return dg.SkipReason(f"Alerted the webhook about run {context.dagster_run.run_id}.")


def message_of(context: dg.RunFailureSensorContext) -> dict[str, object]:
    """`text` is what chat programs show; the rest is for programs."""
    run, why = context.dagster_run, _why(context)
    return {
        "text": f"{run.job_name} failed: {why} (run {run.run_id})",
        "run_id": run.run_id,
        "job": run.job_name,
        "code_location": _location(run),
        "why": why,
        "counts": {
            name.rpartition("/")[2]: int(run.tags[name]) for name in COUNTS if name in run.tags
        },
    }


def _location(run: dg.DagsterRun) -> str | None:
    origin = run.remote_job_origin
    return origin.repository_origin.code_location_origin.location_name if origin else None


def _why(context: dg.RunFailureSensorContext) -> str:
    """The step's own sentence, or why Dagster or the reaper failed the run as a whole."""
    steps = context.get_step_failure_events()
    if not steps:
        return shown(context.failure_event.message or "no reason was given")
    failure = steps[0].step_failure_data.user_failure_data
    if failure is not None and failure.description:
        return shown(failure.description)
    error = steps[0].step_failure_data.error
    kind = (error.cause or error).cls_name if error else None
    return f"a fault of the program's own ({kind or 'unknown'}); the run's page shows it"
