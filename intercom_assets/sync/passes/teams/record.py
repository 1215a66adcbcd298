"""The end of a chunk of teams: what is remembered of each, and what is reported of it.

Pure but for the one transaction of `record_chunk`, which writes only for rows that still carry our
lease. Must not: decide or call.
"""

from collections.abc import Sequence

from intercom_assets.database.records import Done, Leased, TeamRecord
from intercom_assets.domain.models import TeamLink, Values
from intercom_assets.sync.context.outcomes import Outcome
from intercom_assets.sync.context.work import Work, left_parked
from intercom_assets.sync.passes.journal import left_out_now, parked_now
from intercom_assets.sync.passes.outcome import outcome_of
from intercom_assets.sync.passes.teams.state import KIND
from intercom_assets.sync.passes.teams.team_pass import TeamPass


def record_chunk(
    work: Work,
    teams: Sequence[TeamPass],
    leased: dict[str, Leased],
    held_back: frozenset[str],
) -> list[Outcome]:
    """Makes the chunk durable, in the order of `teams`. `held_back`: held as gone."""
    for team in teams:
        work.hear(team.team_id, team.answered, team.problem)
    records = [
        TeamRecord(team.state.link, left_parked(leased[team.team_id]) or Done())
        if team.team_id in held_back
        else _record_of(work, team, leased[team.team_id])
        for team in teams
    ]
    recorded = work.services.store.records.record_teams(work.lease.token, work.run.run_id, records)
    work.write_down_answers()
    now = work.services.wall()
    return [
        outcome_of(team, leased[team.team_id], record, recorded, now)
        for team, record in zip(teams, records, strict=True)
    ]


def _record_of(work: Work, team: TeamPass, leased: Leased) -> TeamRecord:
    state = team.state
    if work.still_parked(leased, state.row_hash) and (parked := left_parked(leased)):
        return TeamRecord(state.link, parked)
    link = _link(work, team)
    team.journal += left_out_now(KIND, state.team_id, link.left_out, state.link.left_out)
    if team.problem is None:
        return TeamRecord(link, Done(), team.journal)
    ending = work.after(team.problem, leased, state.row_hash)
    journal = [*team.journal, *parked_now(KIND, state.team_id, ending, leased)]
    return TeamRecord(link, ending, journal, is_known=team.is_answered)


def _link(work: Work, team: TeamPass) -> TeamLink:
    """All that the next pass shall know."""
    state, link, done = team.state, team.state.link, team.problem is None
    now = work.services.now()
    return TeamLink(
        team_id=state.team_id,
        company_id=state.company.id if state.company else link.company_id,
        row_hash=state.row_hash if done else link.row_hash,
        shadow=state.company or link.shadow,
        shadow_read_at=now if team.calls else link.shadow_read_at,
        base=state.plan.agreed(link.base) if state.company else link.base,
        accepted=state.accepted,
        in_flight=_still_in_flight(team),
        left_out=state.fields_left_out,
        undone=state.fields_kept,
        tags=state.tags,
        undone_tags=sorted(state.tagging.kept_off),
        others_tags=sorted(state.tagging.others),
        synced_at=now if done else link.synced_at,
    )


def _still_in_flight(team: TeamPass) -> Values:
    """What may have landed unanswered, and of a run that died what no read has cleared up."""
    if team.problem is None or team.is_answered:
        return {}
    noted = team.left_to_note() if team.problem.may_have_landed else {}
    return {**team.state.link.in_flight, **noted}
