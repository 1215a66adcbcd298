"""What passes did -> the events that show it in Dagster, and the totals of a run. Pure.

Field names, counts and ids only: nothing that a person typed gets into the event log.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import dagster as dg

from intercom_assets.domain.values import count_of, shown
from intercom_assets.orchestration.internals.partition_events import Fact, PartitionEvent, Url
from intercom_assets.orchestration.sync_targets import (
    APP_USERS,
    INTERCOM_CONTACTS,
    USERS,
    SyncTarget,
)
from intercom_assets.sync.context.outcomes import Outcome, Status, Totals
from intercom_assets.sync.context.workspace import Screens

SETTLED = (Status.CHANGED, Status.UNCHANGED)
NOBODY = {
    Status.ABSENT: "neither the app nor Intercom has it: nothing to do",
    Status.ERASED: "erased on request: it is left alone for good",
}
"""What a partition shows that was asked for and has nobody."""
MOST_NAMED = 10
"""Ids in a sentence; the partitions and `intercom-assets status` name all of them."""


@dataclass(frozen=True, slots=True)
class RunUsage:
    """How a run used Intercom: its requests, those refused by the rate limit, its seconds.

    `limit`: requests in a window of ten seconds as Intercom last told it.
    """

    requests: int
    rate_limited: int
    seconds: float
    limit: int | None


def worth_reporting(
    outcomes: Iterable[Outcome], *, everybody: bool, nobodies: bool = False
) -> list[Outcome]:
    """Who gets events. Who is held by another run is reported by that run.

    Who was failing always: the partition may be red, and only a materialization ends that.
    `nobodies`: also those whom neither side has, or shall have: their partitions were asked for,
    and a backfill counts one that brings nothing as failed.
    """

    def is_shown(outcome: Outcome) -> bool:
        if outcome.status in NOBODY:
            return nobodies or outcome.was_failing
        news = outcome.status is not Status.UNCHANGED or outcome.is_first or outcome.was_failing
        return news or everybody

    return [item for item in outcomes if item.status is not Status.HELD and is_shown(item)]


def events_of(
    target: SyncTarget, outcomes: Sequence[Outcome], screens: Screens | None = None
) -> list[PartitionEvent]:
    """Those of one asset and sort together, in the order of the data flow.

    Of all assets of the step, whichever were launched: a pass brings all of them, and one that is
    left out would be shown as missing.

    `screens`: the workspace's own pages, for links, where it is known.
    """
    materializations = [
        PartitionEvent(asset, outcome.key, _facts(target, asset, outcome, screens))
        for asset, holds in _assets(target)
        for outcome in outcomes
        if holds(outcome)
    ]
    observations = [
        PartitionEvent(
            target.result_asset,
            item.key,
            _trouble(item) | _link(target, item, screens),
            is_observation=True,
        )
        for item in outcomes
        if item.is_failing
    ]
    return [*materializations, *observations]


def sentence_of_parked(target: SyncTarget, parked: Sequence[Outcome]) -> str:
    """Why a run fails at its end: for whom, and what of it is known."""
    named = "; ".join(shown(f"{item.key}: {item.problem}") for item in parked[:MOST_NAMED])
    more = f"; and {len(parked) - MOST_NAMED} more" if len(parked) > MOST_NAMED else ""
    return (
        f"{target.several(len(parked))} could not be synced until the row changes or somebody "
        f"runs `intercom-assets retry`; everybody else is done. {named}{more}"
    )


def facts_of_run(target: SyncTarget, totals: Totals, use: RunUsage) -> dict[str, Fact]:
    """What a run did, as numbers that Dagster plots over time: those of users and of teams apart.

    Every number is there each time, zeros too.
    """
    noun, count = target.noun, totals.statuses
    facts: dict[str, Fact] = {
        f"{noun}s": totals.handled,
        f"{noun}s_changed": count[Status.CHANGED],
        f"{noun}s_unchanged": count[Status.UNCHANGED],
        f"{noun}s_to_retry": count[Status.RETRY],
        f"{noun}s_parked": count[Status.PARKED],
        f"{noun}_calls": use.requests,
        f"{noun}_calls_refused_by_rate_limit": use.rate_limited,
        f"{noun}_overruled_edits": totals.overruled,
        f"{noun}_fields_left_out": totals.left_out,
        f"{noun}_seconds": round(use.seconds, 2),
        f"{noun}s_per_second": round(totals.handled / max(use.seconds, 0.001), 1),
    }
    if use.limit:
        possible = use.limit * max(use.seconds / 10, 1)
        facts[f"{noun}_share_of_rate_limit"] = round(use.requests / possible, 3)
    return facts


def sentence_of_run(target: SyncTarget, totals: Totals, use: RunUsage, *, ended: bool) -> str:
    """`ended`: not stopped by an error, which is told elsewhere."""
    nobody = "nobody was due" if ended else "stopped before the first"
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(totals.statuses.items()))
    fields = ", ".join(f"{name} ({count})" for name, count in totals.fields.most_common())
    return (
        f"{target.several(totals.handled)}: {statuses or nobody}; "
        f"{count_of(use.requests, 'call')} in {use.seconds:.1f} s"
        + (f"; changed: {fields}" if fields else "")
    )


def _assets(target: SyncTarget) -> list[tuple[dg.AssetKey, Callable[[Outcome], bool]]]:
    """The assets of a step and for which outcomes each holds what it promises."""

    def read(outcome: Outcome) -> bool:
        return outcome.status is not Status.HELD

    def found(outcome: Outcome) -> bool:
        return outcome.intercom_id is not None or outcome.status in NOBODY

    def settled(outcome: Outcome) -> bool:
        return outcome.status in SETTLED or outcome.status in NOBODY

    holds = {APP_USERS: read, INTERCOM_CONTACTS: found}
    return [*((asset, holds[asset]) for asset in target.before_it), (target.result_asset, settled)]


def _facts(
    target: SyncTarget, asset: dg.AssetKey, outcome: Outcome, screens: Screens | None
) -> dict[str, Fact]:
    if outcome.status in NOBODY:
        return {"state": NOBODY[outcome.status]}
    facts: dict[str, Fact] = {}
    if asset == target.result_asset:
        facts |= {"changed": ", ".join(outcome.changed) or "nothing", "calls": outcome.calls}
        if outcome.overruled:
            facts["overruled"] = ", ".join(outcome.overruled)
        if outcome.left_out:
            facts["left_out"] = ", ".join(outcome.left_out)
    if outcome.waited is not None:
        facts["seconds_since_change"] = round(outcome.waited, 2)
    if asset != APP_USERS and outcome.intercom_id is not None:
        facts |= {"intercom_id": outcome.intercom_id} | _link(target, outcome, screens)
    return facts


def _link(target: SyncTarget, outcome: Outcome, screens: Screens | None) -> dict[str, Fact]:
    """The contact or company on Intercom's own screens."""
    if screens is None or outcome.intercom_id is None:
        return {}
    if target is USERS:
        return {"contact": Url(screens.contact(outcome.intercom_id))}
    return {"company": Url(screens.company(outcome.intercom_id))}


def _trouble(outcome: Outcome) -> dict[str, Fact]:
    parked = outcome.status is Status.PARKED
    return {
        "state": "parked" if parked else "waits for its next try",
        "problem": outcome.problem or "",
        "calls": outcome.calls,
    }
