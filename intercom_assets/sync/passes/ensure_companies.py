"""The companies that users are to be attached to: made first, for teams that have none yet.

They go through the queue like any change of a team, so a team that another run holds is left to
it, and one that Intercom or the app refused before waits for its own next try.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from intercom_assets.database.records import Leased
from intercom_assets.domain.vocabulary import Cause, QueueKind
from intercom_assets.sync.context.outcomes import Outcome, Status
from intercom_assets.sync.context.work import Work
from intercom_assets.sync.passes.teams.chunk import sync_team_chunk


@dataclass(frozen=True, slots=True)
class Ensured:
    """`made`: team id -> company id. `void`: teams that get none. `failing`: team -> its outcome.

    A team that another run holds is in none of them.
    """

    made: dict[str, str]
    void: frozenset[str] = frozenset()
    failing: dict[str, Outcome] = field(default_factory=dict)


def ensure_companies(work: Work, team_ids: Sequence[str]) -> Ensured:
    """Companies for these teams, made now. Chunks of one run take turns."""
    store = work.services.store
    with work.run.making_companies:
        links = store.links.teams(team_ids)
        made = {team: link.company_id for team, link in links.items() if link.company_id}
        missing = [team for team in team_ids if team not in made]
        if not missing:
            return Ensured(made)
        store.queue.enqueue_missing(QueueKind.TEAM, missing, cause=Cause.MEMBERSHIP)
        with work.run.pulse.lease(QueueKind.TEAM, len(missing), keys=missing) as lease:
            waiting = [] if work.run.by_hand else [row for row in lease.rows if _was_refused(row)]
            due = [row for row in lease.rows if row not in waiting]
            outcomes = sync_team_chunk(work.run.holding(lease), due)
    outcomes += map(_still_failing, waiting)
    made.update({o.key: o.intercom_id for o in outcomes if o.intercom_id is not None})
    return Ensured(
        made,
        frozenset(o.key for o in outcomes if o.status is Status.ABSENT),
        {o.key: o for o in outcomes if o.is_failing and o.key not in made},
    )


def _was_refused(row: Leased) -> bool:
    """Its next try is its own, also where the refusal met everybody and was no attempt."""
    return row.attempts > 0 or (row.error is not None and row.error.code is not None)


def _still_failing(row: Leased) -> Outcome:
    status = Status.PARKED if row.parked else Status.RETRY
    return Outcome(row.key, status, problem=row.error.message if row.error else None)
