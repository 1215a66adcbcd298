"""One chunk of teams -> companies: read, decide, upsert, record.

The app owns every field of a company, and `POST /companies` is an upsert, so a changed team is one
call and an unchanged one none. A team without owner is synced like any other. Teams that are gone,
or marked deleted, before they ever had a company get none.
"""

from collections.abc import Callable, Sequence
from functools import partial

from intercom_assets.database.app.write_back import WriteBack
from intercom_assets.database.failures import AppUnavailable
from intercom_assets.database.records import (
    Leased,
)
from intercom_assets.domain.attempts import Attempt, attempts_in
from intercom_assets.domain.models import Gone, Values
from intercom_assets.domain.vocabulary import AttributeModel, Cause, QueueKind
from intercom_assets.sync.context.failures import WAITS_FOR_ATTRIBUTE, Problem, Verdict
from intercom_assets.sync.context.gone import hold_gone, let_go
from intercom_assets.sync.context.outcomes import Outcome
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.spellings import wake_owners
from intercom_assets.sync.context.work import Work
from intercom_assets.sync.passes.failing_attributes import keep_one_waiting
from intercom_assets.sync.passes.late_jobs import may_be_at_work, sent_by_bulk
from intercom_assets.sync.passes.rules import Rules, team_rules
from intercom_assets.sync.passes.teams.calls import read_company, upsert_company
from intercom_assets.sync.passes.teams.reading import read_teams
from intercom_assets.sync.passes.teams.record import record_chunk
from intercom_assets.sync.passes.teams.state import TeamState
from intercom_assets.sync.passes.teams.tag_calls import move_all_tags
from intercom_assets.sync.passes.teams.team_pass import TeamPass


def sync_team_chunk(work: Work, leased: Sequence[Leased]) -> list[Outcome]:
    """Brings these teams into step. Every one of them has an outcome, in the order given."""
    by_key = {row.key: row for row in leased}
    if any(row.error and row.error.code == WAITS_FOR_ATTRIBUTE for row in leased):
        work.attributes.ask_again()
    teams, callers, held_back = begin_passes(work, by_key)
    callers = [team for team in callers if not _is_proven(work, team)]
    late = {team.team_id: attempt for team in callers if (attempt := _late_attempt(work, team))}
    doubted = [
        team
        for team in callers
        if team.team_id in late or _is_to_be_read(team.state, by_key[team.team_id])
    ]
    before = {team.team_id: team.state for team in callers}
    work.call_for(doubted, lambda team: read_company(team, work.client()))
    for team in callers:
        if team.problem is None:
            _clear_up(team, late.get(team.team_id), before[team.team_id])
    senders = [team for team in callers if team.needs_upsert]
    work.ready_attributes(senders)
    note_intents(work, senders)
    work.call_for(senders, lambda team: upsert_company(team, work.client()))
    move_all_tags(work, callers, partial(_note_tags, work))
    keep_one_waiting(work, AttributeModel.COMPANY, teams)
    _store_ids(work, teams, by_key)
    outcomes = record_chunk(work, teams, by_key, held_back)
    _wake_members(work.services, [team.state for team in teams])
    work.stop_if_fatal()
    return outcomes


def begin_passes(
    work: Work, leased: dict[str, Leased]
) -> tuple[list[TeamPass], list[TeamPass], frozenset[str]]:
    """Everybody's pass; those that have a call to make; and who is held as gone."""
    teams = _passes(work, leased)
    held_back = _held_as_gone(work.services, [team.state for team in teams])
    callers = [
        team
        for team in teams
        if team.needs_call
        and team.team_id not in held_back
        and not work.still_parked(leased[team.team_id], team.state.row_hash)
    ]
    return teams, callers, held_back


def _is_proven(work: Work, team: TeamPass) -> bool:
    """Whether a listing after a job of this run shows the company as it shall be."""
    company = work.run.companies_seen.pop(team.team_id, None)
    return company is not None and team.apply_proof(company)


def _late_attempt(work: Work, team: TeamPass) -> Attempt | None:
    """What a job that may still be at work is to bring there."""
    attempt = sent_by_bulk(attempts_in(team.state.link.in_flight))
    return (
        attempt if attempt and may_be_at_work(work, QueueKind.TEAM, team.team_id, attempt) else None
    )


def _clear_up(team: TeamPass, late: Attempt | None, before: TeamState) -> None:
    """Whoever is written to now must not be written to by a job later. Where there is no company
    yet, the same may be sent once more."""
    state = team.state
    if late and not (state.shows(late) if state.company else state.carries(late)):
        team.wait_for_job(before)
    elif state.app.is_leaving and state.company is None and state.link.company_id is None:
        team.find_none()


def _passes(work: Work, leased: dict[str, Leased]) -> list[TeamPass]:
    states = read_teams(work.services, list(leased), _rules(work))
    absent = [state.team_id for state in states if state.was_never_there]
    wake_owners(work.services, QueueKind.TEAM, absent)
    teams = [TeamPass(state, reread=partial(_rules_read_again, work)) for state in states]
    for team in teams:
        team.begin(send_all=leased[team.team_id].needs_read, by_hand=work.run.by_hand)
    return teams


def _is_to_be_read(state: TeamState, row: Leased) -> bool:
    """What a run that died had done there is found; and what somebody edited, to be journaled.

    Whose a tag is tells only the company as it is now, which the answer to an upsert would show.
    """
    if state.company is not None:
        return state.moves_tags and not state.needs_upsert
    edited = row.cause == Cause.WEBHOOK and state.link.company_id is not None
    return edited or bool(state.link.in_flight)


def _rules(work: Work) -> Rules:
    return team_rules(work.services, work.attributes.unwritable(AttributeModel.COMPANY))


def _rules_read_again(work: Work) -> Rules:
    work.attributes.read_again(work.client)
    return _rules(work)


def note_intents(work: Work, callers: Sequence[TeamPass], *, bulk: bool = False) -> None:
    run_id, now = work.run.run_id, work.services.now()
    _write_down(work, callers, lambda team: team.note_intent(run_id, now, bulk=bulk))


def _note_tags(work: Work, teams: Sequence[TeamPass]) -> None:
    run_id, now = work.run.run_id, work.services.now()
    _write_down(work, teams, lambda team: team.note_tags(run_id, now))


def _write_down(work: Work, teams: Sequence[TeamPass], note: Callable[[TeamPass], Values]) -> None:
    """A call whose end nobody records leaves our copy behind what Intercom has."""
    noted = {team.team_id: team for team in teams if team.problem is None}
    if noted:
        notes = {key: note(team) for key, team in noted.items()}
        for key in work.services.store.records.note_teams_in_flight(work.lease.token, notes):
            noted[key].fail(Problem(Verdict.BUSY, "another run took it over"))


def _store_ids(work: Work, teams: Sequence[TeamPass], leased: dict[str, Leased]) -> None:
    """The ids of new companies go to the app; again where the last pass did not end well."""
    if work.services.settings.write_back.teams is None:
        return
    known = {team.team_id: team for team in teams if team.state.app.is_here}
    requests = [
        WriteBack(key, intercom_id=team.state.company.id)
        for key, team in known.items()
        if team.state.company is not None and (team.state.needs_id or leased[key].error is not None)
    ]
    try:
        written = work.services.app.write_back_teams(requests) if requests else {}
    except AppUnavailable as error:
        for request in requests:
            known[request.id].fail(Problem(Verdict.UNAVAILABLE, str(error)))
        return
    for key, answer in written.items():
        if answer.status == "busy":
            known[key].fail(Problem(Verdict.BUSY, "the app held the row; it is tried again"))


def _wake_members(services: Services, states: Sequence[TeamState]) -> None:
    """A company that was made again is a new one: whoever was in the old one is in none."""
    made_again = [
        state.team_id
        for state in states
        if state.company is not None and state.link.company_id not in (None, state.company.id)
    ]
    if made_again:
        members = services.store.linked.members_of_teams(made_again)
        services.store.queue.enqueue(
            QueueKind.USER, members, cause=Cause.COMPANY_RECREATED, needs_read=True
        )


def _held_as_gone(services: Services, states: Sequence[TeamState]) -> frozenset[str]:
    let_go(services, QueueKind.TEAM, [state.app.row for state in states])
    gone = [s.team_id for s in states if isinstance(s.app.row, Gone) and not s.was_never_there]
    return hold_gone(services, QueueKind.TEAM, gone)
