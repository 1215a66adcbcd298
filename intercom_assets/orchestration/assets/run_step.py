"""The body that the user step and the team step share: a batch worked through and reported.

Everything that happens to a user or team happens in `sync`; this module only hands over, tells
Dagster what came of it, chunk by chunk, and ends the run as it has to end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, NoReturn

import dagster as dg

from intercom_assets.domain.errors import OperatorError
from intercom_assets.domain.guards import GuardStopped
from intercom_assets.intercom.errors import IntercomError
from intercom_assets.orchestration.assets.events import (
    RunUsage,
    events_of,
    facts_of_run,
    sentence_of_parked,
    sentence_of_run,
    worth_reporting,
)
from intercom_assets.orchestration.assets.launch import batch_of, launch_of
from intercom_assets.orchestration.internals.event_batches import announce_failure, report_together
from intercom_assets.orchestration.internals.stop_error import stop, stop_for
from intercom_assets.orchestration.partitions import add_keys
from intercom_assets.orchestration.resources import SyncResource
from intercom_assets.orchestration.sync_targets import (
    CALLS_TAG,
    CAUSE_TAG,
    STOPPED_TAG,
    SYNC_HEALTH,
    SyncTarget,
)
from intercom_assets.sync.context.outcomes import ChunkReport, Totals
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.workspace import screens
from intercom_assets.sync.engine.batch import run_batch
from intercom_assets.sync.engine.chunk_source import Batch

MOST_RED = 50
"""Partitions that one run makes red: each costs an event of its own. The others are observed."""


def work_through(
    context: dg.AssetExecutionContext,
    target: SyncTarget,
    sync: SyncResource,
    *,
    from_queue: int | None,
    ids: Sequence[Any] | None,
) -> Iterator[Any]:
    """Yields nothing: what was done is reported as it is done. Ends in `Failure` or not at all."""
    yield from ()
    configuration = sync.configuration
    if configuration.refusal:
        stop(configuration.refusal)

    def work(services: Services) -> Totals:
        launch = launch_of(context, target, services.store, from_queue=from_queue, ids=ids)
        reporter = _RunReporter(context, target, services, configuration.base_url)
        by_partition = launch.partition_keys is not None
        return reporter.all_of(batch_of(target, launch), by_partition=by_partition)

    totals = sync.attempt(work, lambda error: _stop_run(context, error))
    if totals.parked:
        red = [outcome.key for outcome in totals.parked[:MOST_RED]]
        announce_failure(context, target.result_asset, red)
        stop(sentence_of_parked(target, totals.parked))


def _stop_run(context: dg.AssetExecutionContext, error: OperatorError) -> NoReturn:
    """Ends the run, with a tag if the next one would end alike: none is launched for a while."""
    if isinstance(error, GuardStopped) or (isinstance(error, IntercomError) and error.fatal):
        context.instance.add_run_tags(context.run.run_id, {STOPPED_TAG: error.sentence})
    stop_for(error)


@dataclass(slots=True)
class _SentByBulk:
    """Says how many were sent a hundred to a call: what became of them is reported later."""

    context: dg.AssetExecutionContext
    count: int = 0

    def add(self, what: str, count: int) -> None:
        self.count += count
        self.context.log.info(f"{what}: {self.count:,} sent so far")


@dataclass(frozen=True, slots=True)
class _RunReporter:
    """Tells Dagster what a batch did, as it is done. `base_url`: the API's."""

    context: dg.AssetExecutionContext
    target: SyncTarget
    services: Services
    base_url: str

    def all_of(self, batch: Batch, *, by_partition: bool) -> Totals:
        started, totals, causes, ended = monotonic(), Totals(), set[str](), False
        try:
            run_id, sent = self.context.run.run_id, _SentByBulk(self.context)
            for report in run_batch(self.services, batch, run_id, progress=sent.add):
                totals.add(report.outcomes)
                causes |= report.causes
                self._chunk(report, everybody=batch.from_queue is None, nobodies=by_partition)
            ended = True
        finally:
            use = _use(self.services, monotonic() - started)
            self._conclude(totals, causes, use, ended=ended)
        return totals

    def _chunk(self, report: ChunkReport, *, everybody: bool, nobodies: bool) -> None:
        context, target = self.context, self.target
        outcomes = worth_reporting(report.outcomes, everybody=everybody, nobodies=nobodies)
        if not outcomes:
            return
        add_keys(context.instance, target.partitions, [outcome.key for outcome in outcomes])
        pages = screens(self.services.store, self.base_url)
        report_together(context, events_of(target, outcomes, pages))

    def _conclude(self, totals: Totals, causes: set[str], use: RunUsage, *, ended: bool) -> None:
        """The run's own numbers: on an asset that no run materializes, and in its tags."""
        context, target = self.context, self.target
        context.log.info(sentence_of_run(target, totals, use, ended=ended))
        facts = facts_of_run(target, totals, use)
        context.log_event(dg.AssetObservation(SYNC_HEALTH, metadata=facts))
        tags = {target.count_tag: str(totals.handled), CALLS_TAG: str(use.requests)}
        if causes:
            tags[CAUSE_TAG] = ", ".join(sorted(causes))
        context.instance.add_run_tags(context.run.run_id, tags)


def _use(services: Services, seconds: float) -> RunUsage:
    counters = services.intercom.counters()
    return RunUsage(sum(counters.calls.values()), counters.rate_limited, seconds, counters.limit)
