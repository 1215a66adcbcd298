"""One tick of a sensor that launches runs: drain, see who is due, ask for one run a lane.

It waits inside the tick for the first change, since Dagster begins a tick only every five seconds.
Nothing is leased here: the run that is asked for does that, so a tick without a run loses nothing.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Lock

import dagster as dg

from intercom_assets.database.records import DueSummary, Lane
from intercom_assets.domain.values import count_of
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.orchestration.internals.run_health import (
    fail_dead_runs,
    run_ahead,
    stopped_lately,
    tags_of,
)
from intercom_assets.orchestration.partitions import add_keys
from intercom_assets.orchestration.pool import missing_pool
from intercom_assets.orchestration.recording import record_unshown
from intercom_assets.orchestration.sync_targets import (
    BULK,
    LANE_TAG,
    LIVE,
    SENSOR_TAG,
    USERS,
    SyncTarget,
)
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.feeders.app_changes import Fed, feed_from_app

POLL_INTERVAL_S = 0.2
HEALTH_EVERY = 5.0
SWEEP_JOB = "nightly_sweep_job"
SWEPT_LATELY = timedelta(minutes=1)
SHOWN_AT_ONCE = 2_000
"""Users and teams for whom a tick makes up materializations, in some three seconds."""
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_FEEDING = Lock()
SETTLING = 2.0
"""Seconds for which bulk rows are left to the run that has just queued them for itself."""


class SensorTick:
    """`refusal`: why nothing may be launched; the app's log is drained all the same."""

    def __init__(
        self,
        context: dg.SensorEvaluationContext,
        target: SyncTarget,
        services: Services,
        refusal: str | None,
    ) -> None:
        self._context, self._target, self._services = context, target, services
        self._refusal = refusal or missing_pool(context.instance)
        self._location = _location(context)
        self._healthy_until = 0.0
        self._drained = 0
        self._why = f"No {target.noun} is due."

    def wait(self) -> dg.SensorResult:
        """Requests as soon as somebody is due, or the reason why there are none."""
        ends_at = time.monotonic() + self._services.settings.sensor_wait_seconds
        while True:
            self._fail_dead_runs()
            fed = self._feed()
            self._drained += fed.users + fed.teams
            if self._refusal:
                return self._skip(self._refusal)
            if fed.sweep_wanted and self._target is USERS and (sweep := self._sweep()):
                return dg.SensorResult(run_requests=[sweep])
            if requests := list(self._requests()):
                return self._launch(requests)
            if time.monotonic() >= ends_at:
                return self._skip(self._why)
            time.sleep(POLL_INTERVAL_S)

    def _feed(self) -> Fed:
        """Nothing while another sensor of this process does it: both would read the same."""
        if not _FEEDING.acquire(blocking=False):
            return Fed(sweep_wanted=self._services.store.state.sweep_wanted() is not None)
        try:
            return feed_from_app(self._services)
        finally:
            _FEEDING.release()

    def _fail_dead_runs(self) -> None:
        if time.monotonic() < self._healthy_until:
            return
        self._healthy_until = time.monotonic() + HEALTH_EVERY
        store = self._services.store
        for run_id in fail_dead_runs(self._context.instance, store, self._location):
            self._context.log.warning(f"Run {run_id} was dead and is failed now.")
            store.state.put(
                StateKey.NOT_SHOWN_IN_DAGSTER, True
            )  # it may have died before it could show what it did
        if self._target is USERS and store.state.get(StateKey.NOT_SHOWN_IN_DAGSTER):
            record_unshown(self._context.instance, store, SHOWN_AT_ONCE)

    def _launch(self, requests: list[dg.RunRequest]) -> dg.SensorResult:
        """A tick that launches has no reason to skip, so what it found is in its log."""
        for request in requests:
            due = self._target.several(int(request.tags[self._target.count_tag]))
            self._context.log.info(f"{due} due in the {request.tags[LANE_TAG]} lane: one run.")
        return dg.SensorResult(run_requests=requests)

    def _skip(self, reason: str) -> dg.SensorResult:
        drained = (
            f" {count_of(self._drained, 'change')} in the app queued." if self._drained else ""
        )
        return dg.SensorResult(skip_reason=reason + drained)

    def _requests(self) -> Iterator[dg.RunRequest]:
        self._why = f"No {self._target.noun} is due."
        for tag, lane in ((LIVE, Lane.LIVE), (BULK, Lane.BULK)):
            due = self._services.store.queue.due(
                self._target.kind, lanes=(lane,), at_most=self._services.settings.batch_size
            )
            if due.count == 0 or (lane is Lane.BULK and due.oldest_seconds < SETTLING):
                continue
            tags = {SENSOR_TAG: self._context.sensor_name, LANE_TAG: tag}
            if hindrance := self._hindrance(tags):
                self._why = f"{self._target.several(due.count)} due: {hindrance}"
            else:
                yield self._request(due, tag)

    def _hindrance(self, tags: dict[str, str]) -> str | None:
        """Why no run is asked for although somebody is due."""
        instance, store = self._context.instance, self._services.store
        ahead = run_ahead(instance, store, self._target, tags=tags, location=self._location)
        if ahead:
            return f"run {ahead[:8]} is about to take what is due."
        return stopped_lately(instance, tags=tags, location=self._location)

    def _request(self, due: DueSummary, lane: str) -> dg.RunRequest:
        target = self._target
        tags = {LANE_TAG: lane, target.count_tag: str(due.count)}
        if due.sole_key is None:
            config = target.run_config(from_queue=due.count)
            return dg.RunRequest(job_name=self._job, run_config=config, tags=tags)
        add_keys(self._context.instance, target.partitions, [due.sole_key])
        return dg.RunRequest(job_name=self._job, partition_key=due.sole_key, tags=tags)

    @property
    def _job(self) -> str | None:
        """Named only by the sensor that may launch another job too."""
        return USERS.job if self._target is USERS else None

    def _sweep(self) -> dg.RunRequest | None:
        """A TRUNCATE logs nobody by name: everybody is compared. One sweep at a time, and one
        that failed is not begun again at once."""
        instance = self._context.instance
        lately = datetime.now(UTC) - SWEPT_LATELY
        ours = tags_of(self._location)
        for runs in (
            dg.RunsFilter(job_name=SWEEP_JOB, tags=ours, statuses=UNFINISHED),
            dg.RunsFilter(job_name=SWEEP_JOB, tags=ours, created_after=lately),
        ):
            if instance.get_runs_count(runs):
                return None
        return dg.RunRequest(job_name=SWEEP_JOB, tags={LANE_TAG: BULK})


def _location(context: dg.SensorEvaluationContext) -> str | None:
    """The label by which Dagster tags the runs of this code location."""
    origin = context.code_location_origin
    if origin is None or context.repository_name is None:
        return None
    return f"{context.repository_name}@{origin.location_name}"
