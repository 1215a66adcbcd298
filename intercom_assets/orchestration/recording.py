"""What is shown in Dagster of work that was no run of Dagster's: a command's, or a dead run's.

Materializations without a run, written in batches. With them a partition that was synced from the
command line, or by a run that died before it could say so, is not "Missing". Nothing is synced
here, and nothing of Dagster has to run but its storage.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import islice

import dagster as dg

from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.orchestration.assets.events import events_of, worth_reporting
from intercom_assets.orchestration.internals.event_batches import report_without_run
from intercom_assets.orchestration.partitions import add_keys
from intercom_assets.orchestration.sync_targets import TEAMS, USERS, SyncTarget
from intercom_assets.sync.context.outcomes import ChunkReport, Outcome, Status
from intercom_assets.sync.context.workspace import Screens

BATCH_SIZE = "DAGSTER_EVENT_BATCH_SIZE"
CHUNK = 500


def record_chunk(
    instance: dg.DagsterInstance,
    target: SyncTarget,
    report: ChunkReport,
    run_id: str,
    screens: Screens | None = None,
    *,
    nobodies: bool = False,
) -> None:
    """What a command did: as a run of Dagster's would show it, and which run of ours it was."""
    outcomes = worth_reporting(report.outcomes, everybody=True, nobodies=nobodies)
    _record(instance, target, outcomes, {"run": run_id}, screens)


def record_unshown(
    instance: dg.DagsterInstance, store: Store, at_most: int | None = None
) -> dict[str, int]:
    """Who is in step and has no materialization in Dagster gets one; how many of each kind.

    Looks at all keys, so it belongs after a command, a death or a night, not in every tick. What is
    beyond `at_most` stays noted for the next time.
    """
    counts: dict[str, int] = {}
    for target in (TEAMS, USERS):
        left = None if at_most is None else at_most - sum(counts.values())
        missing = list(islice(_unshown(instance, store, target), left))
        _record(instance, target, missing, {"state": "in step; shown here later than it was done"})
        counts[target.noun] = len(missing)
    if at_most is None or sum(counts.values()) < at_most:
        store.state.delete(StateKey.NOT_SHOWN_IN_DAGSTER)
    return counts


def _unshown(instance: dg.DagsterInstance, store: Store, target: SyncTarget) -> Iterator[Outcome]:
    shown = _shown(instance, target)
    for pairs in store.linked.in_step(target.kind):
        for key, other in pairs:
            if key not in shown:
                yield Outcome(key, Status.UNCHANGED, intercom_id=other)


def _shown(instance: dg.DagsterInstance, target: SyncTarget) -> set[str]:
    """Partitions that have a materialization of every asset of the subject."""
    keys = [*target.before_it, target.result_asset]
    return set.intersection(*(set(instance.get_materialized_partitions(key)) for key in keys))


def _record(
    instance: dg.DagsterInstance,
    target: SyncTarget,
    outcomes: Sequence[Outcome],
    facts: dict[str, str],
    screens: Screens | None = None,
) -> None:
    if not outcomes:
        return
    os.environ.setdefault(BATCH_SIZE, str(CHUNK))
    add_keys(instance, target.partitions, [outcome.key for outcome in outcomes])
    for part in _some(outcomes):
        events = events_of(target, part, screens)
        report_without_run(instance, [event.with_facts(facts) for event in events])


def _some(outcomes: Sequence[Outcome]) -> Iterator[Sequence[Outcome]]:
    for start in range(0, len(outcomes), CHUNK):
        yield outcomes[start : start + CHUNK]
