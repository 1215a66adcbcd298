"""The end of a chunk of users: what is remembered of each, and what is reported of it.

Pure but for the one transaction of `record_chunk`, which writes only for rows that still carry our
lease. Must not: decide or call.
"""

from collections.abc import Mapping, Sequence

from intercom_assets.database.records import Done, Leased, UserRecord
from intercom_assets.domain.fields import EMAIL
from intercom_assets.domain.models import UserLink, Values
from intercom_assets.sync.context.failures import Problem, Verdict
from intercom_assets.sync.context.outcomes import Outcome
from intercom_assets.sync.context.work import Work, left_parked
from intercom_assets.sync.passes.journal import KIND, left_out_now, parked_now
from intercom_assets.sync.passes.outcome import outcome_of
from intercom_assets.sync.passes.users.calls_due import must_read_first
from intercom_assets.sync.passes.users.state import UserState
from intercom_assets.sync.passes.users.user_pass import UserPass


def record_chunk(
    work: Work,
    users: Sequence[UserPass],
    leased: Mapping[str, Leased],
    active: frozenset[str],
) -> list[Outcome]:
    """Makes the chunk durable, in the order of `users`. `active`: whom it worked on."""
    records = []
    for user in users:
        work.hear(user.user_id, user.answered, user.problem or user.late_problem)
    for user in users:
        row = leased[user.user_id]
        if user.user_id in active:
            records.append(_record_of(work, user, row))
        else:
            records.append(_left_alone(user, row))
    recorded = work.services.store.records.record_users(work.lease.token, work.run.run_id, records)
    work.write_down_answers()
    return [
        outcome_of(user, leased[user.user_id], record, recorded, work.services.wall())
        for user, record in zip(users, records, strict=True)
    ]


def _record_of(work: Work, user: UserPass, leased: Leased) -> UserRecord:
    if problem := user.problem or user.late_problem or _unsettled(user.state):
        user.fail(problem)
    state = user.state
    left_out = left_out_now(KIND, state.user_id, state.fields_left_out, state.link.left_out)
    user.add_entries(left_out)
    if problem is None:
        return UserRecord(_link(user), Done(), user.journal)
    ending = work.after(problem, leased, state.row_hash)
    journal = [*user.journal, *parked_now(KIND, state.user_id, ending, leased)]
    return UserRecord(_link(user), ending, journal)


def _unsettled(state: UserState) -> Problem | None:
    """A pass makes two writes at most; what is still apart then goes back to the queue."""
    if state.contact is None or (state.archived and state.is_leaving):
        return None
    if state.teams_without_company:
        return Problem(Verdict.BUSY, "a company that it belongs to is being made by another run")
    plan = state.plan
    names = sorted({*plan.to_app, *plan.to_intercom, *plan.deferred})
    if not names and state.memberships.settled and state.tag_plan.settled:
        return None
    edges = "tags" if state.memberships.settled else "memberships"
    message = f"still apart after two writes: {', '.join(names) or edges}"
    return Problem(Verdict.REJECTED, message)


def _link(user: UserPass) -> UserLink:
    """All that the next pass shall know. After a problem, what may have landed stays noted."""
    state, link, done = user.state, user.state.link, user.problem is None
    may_have_landed = user.problem is not None and user.problem.may_have_landed
    return UserLink(
        user_id=state.user_id,
        contact_id=user.intercom_id,
        row_hash=state.row_hash if done else link.row_hash,
        shadow=state.contact,
        shadow_read_at=state.rules.now if state.was_read else link.shadow_read_at,
        base=state.plan.agreed(state.base) if state.contact else state.base,
        in_flight={} if done else _still_in_flight(user),
        accepted=state.accepted,
        refused=state.refused,
        overwritten=state.overwritten,
        left_out=state.fields_left_out,
        needs_read=not done and (may_have_landed or _was_to_be_read(state)),
        listed=link.listed and not state.was_read and state.contact is not None,
        archived=state.archived,
        lead_email=state.lead_email if done else link.lead_email,
        refused_leads=state.refused_leads,
        synced_at=state.rules.now if done else link.synced_at,
        undone=state.fields_kept,
        undone_teams=sorted(state.teams_kept_out),
        undone_companies=sorted(state.companies_kept),
        undone_archive=link.undone_archive and state.is_leaving,
        others_contact=None if done else link.others_contact,
        edges=state.edges,
        tags=state.tags,
        undone_tags=sorted(state.tagging.kept_off),
        others_tags=sorted(state.tagging.others),
        email_held_by=state.email_held_by if EMAIL in state.fields_left_out else None,
    )


def _was_to_be_read(state: UserState) -> bool:
    return must_read_first(state) and not state.was_read


def _still_in_flight(user: UserPass) -> Values:
    """Of this pass what may have landed, and of one that died what no read has cleared up."""
    before = {} if user.state.was_read else user.state.link.in_flight
    if user.problem is None or not user.problem.may_have_landed:
        return before
    attempt = user.attempt.without(user.journal).note() if user.attempt else {}
    return {**before, **user.noted, **attempt}


def _left_alone(user: UserPass, leased: Leased) -> UserRecord:
    """Parked and unchanged since, held as gone, or erased: nothing is done, nothing forgotten."""
    return UserRecord(user.state.link, left_parked(leased) or Done())
