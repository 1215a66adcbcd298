"""One chunk of teams -> companies: read, decide, upsert, record.

The app owns every field of a company, and `POST /companies` is an upsert, so a changed team is one
call and an unchanged one none. A team without owner is synced like any other. Teams that are gone,
or marked deleted, before they ever had a company get none.
"""

from collections.abc import Sequence

from intercom_assets.database.app.write_back import WriteBack
from intercom_assets.database.failures import AppUnavailable
from intercom_assets.database.records import Done, Leased, Parked, Recorded, TeamRecord
from intercom_assets.domain.attributes import held
from intercom_assets.domain.fields import (
    COMPANY_DELETED,
    Field,
)
from intercom_assets.domain.models import (
    AppTeam,
    Gone,
    InvalidRow,
    TeamLink,
    Values,
)
from intercom_assets.domain.vocabulary import Action, AttributeModel, Cause, QueueKind
from intercom_assets.sync.context.failures import (
    WAITS_FOR_ATTRIBUTE,
    Problem,
    Verdict,
    unfit,
    waits_for_attribute,
)
from intercom_assets.sync.context.gone import hold_gone, let_go
from intercom_assets.sync.context.outcomes import Outcome, Status
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.spellings import wake_owners
from intercom_assets.sync.context.work import Work, left_parked
from intercom_assets.sync.passes.journal import changed_in, left_out_now, parked_now
from intercom_assets.sync.passes.teams.team_pass import TeamPass


def read_teams(
    services: Services, keys: Sequence[str], unwritable: dict[str, str]
) -> list[TeamPass]:
    """Both sides of these teams as known without a call."""
    rows = services.app.read_teams(keys)
    links = services.store.links.teams(keys)
    fields = {n: f for n, f in services.team_fields.items() if n not in unwritable}
    version = services.app.mapping_version
    teams = [
        _team_pass(services, fields, rows[key], links.get(key) or TeamLink(key), version)
        for key in keys
    ]
    for team in teams:
        team.unwritable = dict(unwritable)
    return teams


def _team_pass(
    services: Services,
    fields: dict[str, Field],
    row: AppTeam | InvalidRow | Gone,
    link: TeamLink,
    version: str,
) -> TeamPass:
    team = TeamPass(fields, row, link, version, company=link.shadow, accepted=dict(link.accepted))
    team.left_out = {n: each for n, each in link.left_out.items() if each.is_of_value}
    if isinstance(row, Gone):
        team.values = {COMPANY_DELETED.name: True}
        return team
    if isinstance(row, InvalidRow):
        team.problem = unfit(row)
        return team
    fitted = held(fields, row, truncate=services.settings.truncate)
    team.values = {**fitted.values, COMPANY_DELETED.name: row.deleted}
    team.left_out |= fitted.left_out
    return team


def team_hash(services: Services, row: AppTeam | InvalidRow) -> str | None:
    """What `row_hash` would be; None for a row that cannot be synced: it is looked at."""
    team = _team_pass(
        services, services.team_fields, row, TeamLink(row.id), services.app.mapping_version
    )
    return team.row_hash if team.problem is None else None


def sync_team_chunk(work: Work, leased: Sequence[Leased]) -> list[Outcome]:
    """Brings these teams into step. Every one of them has an outcome, in the order given."""
    keys = [row.key for row in leased]
    by_key = {row.key: row for row in leased}
    if any(row.error and row.error.code == WAITS_FOR_ATTRIBUTE for row in leased):
        work.attributes.ask_again()
    teams = read_teams(work.services, keys, work.attributes.unwritable(AttributeModel.COMPANY))
    wake_owners(work.services, QueueKind.TEAM, [t.team_id for t in teams if t.was_never_there])
    for team in teams:
        if by_key[team.team_id].needs_read:
            team.company = None  # deleted in Intercom, or doubted: the upsert carries everything
        if work.run.by_hand:
            team.try_everything()
        team.reread = lambda: _unwritable_read_again(work)
    held_back = _held_as_gone(work.services, teams)
    callers = [
        team
        for team in teams
        if team.needs_call
        and team.team_id not in held_back
        and not work.still_parked(by_key[team.team_id], team.row_hash)
    ]
    doubted = [team for team in callers if team.company is None and team.link.in_flight]
    work.call_for(doubted, lambda team: team.look(work.client()))
    callers = [team for team in callers if team.needs_call]
    work.ready_attributes(callers)
    _note(work, callers)
    work.call_for(callers, lambda team: team.upsert(work.client()))
    _keep_one_waiting(work, teams)
    _store_ids(work, teams, by_key)
    outcomes = _record(work, teams, by_key, held_back)
    _wake_members(work.services, teams)
    work.stop_if_fatal()
    return outcomes


def _keep_one_waiting(work: Work, teams: Sequence[TeamPass]) -> None:
    """As of users: one asks again, and frees the rest."""
    failing = work.attributes.failing(AttributeModel.COMPANY)
    for team in teams if failing else ():
        if team.problem is None and failing & team.fields_left_out.keys():
            team.problem = waits_for_attribute(team.fields_left_out, failing)
            return


def _unwritable_read_again(work: Work) -> dict[str, str]:
    work.attributes.read_again(work.client)
    return work.attributes.unwritable(AttributeModel.COMPANY)


def _note(work: Work, callers: Sequence[TeamPass]) -> None:
    """A call whose end nobody records leaves our copy behind what Intercom has."""
    noted = {team.team_id: team for team in callers if team.problem is None}
    if noted:
        run_id, now = work.run.run_id, work.services.now()
        notes = {key: team.note(run_id, now) for key, team in noted.items()}
        for key in work.services.store.records.note_teams_in_flight(work.lease.token, notes):
            noted[key].problem = Problem(Verdict.BUSY, "another run took it over")


def _store_ids(work: Work, teams: Sequence[TeamPass], leased: dict[str, Leased]) -> None:
    """The ids of new companies go to the app; again where the last pass did not end well."""
    if work.services.settings.write_back.teams is None:
        return
    known = {team.team_id: team for team in teams if isinstance(team.row, AppTeam)}
    requests = [
        WriteBack(key, intercom_id=team.company.id)
        for key, team in known.items()
        if team.company is not None and (team.needs_id or leased[key].error is not None)
    ]
    try:
        written = work.services.app.write_back_teams(requests) if requests else {}
    except AppUnavailable as error:
        for request in requests:
            known[request.id].problem = Problem(Verdict.UNAVAILABLE, str(error))
        return
    for key, answer in written.items():
        if answer.status == "busy":
            known[key].problem = Problem(Verdict.BUSY, "the app held the row; it is tried again")


def _wake_members(services: Services, teams: Sequence[TeamPass]) -> None:
    """A company that was made again is a new one: whoever was in the old one is in none."""
    made_again = [
        team.team_id
        for team in teams
        if team.company is not None and team.link.company_id not in (None, team.company.id)
    ]
    if made_again:
        members = services.store.linked.members_of_teams(made_again)
        services.store.queue.enqueue(
            QueueKind.USER, members, cause=Cause.COMPANY_RECREATED, needs_read=True
        )


def _held_as_gone(services: Services, teams: Sequence[TeamPass]) -> frozenset[str]:
    let_go(services, QueueKind.TEAM, [team.row for team in teams])
    gone = [t.team_id for t in teams if isinstance(t.row, Gone) and not t.was_never_there]
    return hold_gone(services, QueueKind.TEAM, gone)


def _record(
    work: Work,
    teams: Sequence[TeamPass],
    leased: dict[str, Leased],
    held_back: frozenset[str],
) -> list[Outcome]:
    for team in teams:
        work.hear(team.team_id, team.answered, team.problem)
    records = [
        TeamRecord(team.link, left_parked(leased[team.team_id]) or Done())
        if team.team_id in held_back
        else _record_of(work, team, leased[team.team_id])
        for team in teams
    ]
    recorded = work.services.store.records.record_teams(work.lease.token, work.run.run_id, records)
    work.write_down_answers()
    now = work.services.wall()
    return [
        _outcome(team, leased[team.team_id], record, recorded, now)
        for team, record in zip(teams, records, strict=True)
    ]


def _record_of(work: Work, team: TeamPass, leased: Leased) -> TeamRecord:
    if work.still_parked(leased, team.row_hash) and (parked := left_parked(leased)):
        return TeamRecord(team.link, parked)
    link = TeamLink(
        team_id=team.team_id,
        company_id=team.company.id if team.company else team.link.company_id,
        row_hash=team.row_hash if team.problem is None else team.link.row_hash,
        shadow=team.company or team.link.shadow,
        shadow_read_at=work.services.now() if team.calls else team.link.shadow_read_at,
        base=team.plan().agreed(team.link.base) if team.company else team.link.base,
        accepted=team.accepted,
        in_flight=_still_in_flight(team),
        left_out=team.fields_left_out,
        undone=team.fields_kept,
        synced_at=work.services.now() if team.problem is None else team.link.synced_at,
    )
    team.journal += left_out_now(QueueKind.TEAM, team.team_id, link.left_out, team.link.left_out)
    if team.problem is None:
        return TeamRecord(link, Done(), team.journal)
    ending = work.after(team.problem, leased, team.row_hash)
    journal = [*team.journal, *parked_now(QueueKind.TEAM, team.team_id, ending, leased)]
    return TeamRecord(link, ending, journal, is_known=team.is_answered)


def _still_in_flight(team: TeamPass) -> Values:
    """What may have landed unanswered, and of a run that died what no look has cleared up."""
    if team.problem is None or team.is_answered:
        return {}
    return {**team.link.in_flight, **(team.noted if team.problem.may_have_landed else {})}


def _outcome(
    team: TeamPass, leased: Leased, record: TeamRecord, recorded: Recorded, now: float
) -> Outcome:
    conflict = recorded.conflicts.get(team.team_id)
    parked = isinstance(record.outcome, Parked) or conflict is not None
    failure = None if isinstance(record.outcome, Done) else record.outcome.error
    failure = conflict or failure
    return Outcome(
        key=team.team_id,
        status=_status(team, record, parked, team.team_id in recorded.lost),
        changed=changed_in(team.journal),
        left_out=tuple(sorted(record.link.left_out)),
        overruled=tuple(e.field for e in team.journal if e.action is Action.OVERRULED and e.field),
        calls=team.calls,
        intercom_id=team.company.id if team.company else None,
        problem=failure.message if failure else None,
        waited=now - leased.first_at.timestamp(),
        is_first=team.link.synced_at is None,
        was_failing=leased.error is not None,
        newly_parked=parked and not (leased.parked and leased.failed_hash == team.row_hash),
    )


def _status(team: TeamPass, record: TeamRecord, parked: bool, lost: bool) -> Status:
    if lost:
        return Status.HELD
    if parked:
        return Status.PARKED
    if not isinstance(record.outcome, Done):
        return Status.RETRY
    if team.company is None:
        return Status.ABSENT
    return Status.CHANGED if team.journal else Status.UNCHANGED
