"""The end of a chunk of users: what is remembered of each, and what is told of it.

Pure but for the one transaction of `record_chunk`, which writes only for rows that still carry our
lease. Must not: decide or call.
"""

from collections.abc import Sequence

from intercom_assets.database.records import Done, Leased, Parked, Recorded, UserRecord
from intercom_assets.domain.models import UserLink, Values
from intercom_assets.domain.vocabulary import Action
from intercom_assets.sync.context.failures import Problem, Verdict
from intercom_assets.sync.context.outcomes import Outcome, Status
from intercom_assets.sync.context.work import Work, left_parked
from intercom_assets.sync.passes.journal import KIND, changed_in, left_out_now, parked_now
from intercom_assets.sync.passes.users.user_pass import UserPass


def record_chunk(
    work: Work,
    users: Sequence[UserPass],
    leased: dict[str, Leased],
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
        _outcome(user, leased[user.user_id], record, recorded, work.services.wall())
        for user, record in zip(users, records, strict=True)
    ]


def _record_of(work: Work, user: UserPass, leased: Leased) -> UserRecord:
    user.problem = user.problem or user.late_problem or _unsettled(user)
    user.journal += left_out_now(KIND, user.user_id, user.fields_left_out, user.link.left_out)
    if user.problem is None:
        return UserRecord(_link(work, user), Done(), user.journal)
    outcome = work.after(user.problem, leased, user.row_hash)
    journal = [*user.journal, *parked_now(KIND, user.user_id, outcome, leased)]
    return UserRecord(_link(work, user), outcome, journal)


def _unsettled(user: UserPass) -> Problem | None:
    """A pass makes two writes at most; what is still apart then goes back to the queue."""
    if user.contact is None or (user.archived and user.is_leaving):
        return None
    if user.teams_without_company:
        return Problem(Verdict.BUSY, "a company that it belongs to is being made by another run")
    plan = user.plan()
    names = sorted({*plan.to_app, *plan.to_intercom, *plan.deferred})
    if not names and user.memberships().settled:
        return None
    message = f"still apart after two writes: {', '.join(names) or 'memberships'}"
    return Problem(Verdict.REJECTED, message)


def _link(work: Work, user: UserPass) -> UserLink:
    """All that the next pass shall know. After a problem, what may have landed stays noted."""
    done, link = user.problem is None, user.link
    may_have_landed = user.problem is not None and user.problem.may_have_landed
    return UserLink(
        user_id=user.user_id,
        contact_id=user.contact.id if user.contact else None,
        row_hash=user.row_hash if done else link.row_hash,
        shadow=user.contact,
        shadow_read_at=user.rules.now if user.has_looked else link.shadow_read_at,
        base=user.plan().agreed(user.base) if user.contact else user.base,
        in_flight={} if done else _still_in_flight(user),
        accepted=user.accepted,
        refused=user.refused,
        overwritten=user.overwritten,
        left_out=user.fields_left_out,
        needs_read=not done and (may_have_landed or (user.must_read_first and not user.has_looked)),
        listed=link.listed and not user.has_looked and user.contact is not None,
        archived=user.archived,
        lead_email=user.lead_email if done else link.lead_email,
        refused_leads=user.refused_leads,
        synced_at=user.rules.now if done else link.synced_at,
        undone=user.fields_kept,
        undone_teams=sorted(user.teams_kept_out),
        undone_companies=sorted(user.companies_kept),
        undone_archive=link.undone_archive and user.is_leaving,
        others_contact=None if done else link.others_contact,
        edges=user.edges,
    )


def _still_in_flight(user: UserPass) -> Values:
    """Of this pass what may have landed, and of one that died what no look has cleared up."""
    before = {} if user.has_looked else user.link.in_flight
    if user.problem is None or not user.problem.may_have_landed:
        return before
    attempt = user.attempt.without(user.journal).note() if user.attempt else {}
    return {**before, **user.noted, **attempt}


def _left_alone(user: UserPass, leased: Leased) -> UserRecord:
    """Parked and unchanged since, held as gone, or erased: nothing is done, nothing forgotten."""
    return UserRecord(user.link, left_parked(leased) or Done())


def _outcome(
    user: UserPass, leased: Leased, record: UserRecord, recorded: Recorded, now: float
) -> Outcome:
    conflict = recorded.conflicts.get(user.user_id)
    parked = isinstance(record.outcome, Parked) or conflict is not None
    return Outcome(
        key=user.user_id,
        status=Status.HELD if user.user_id in recorded.lost else _status(user, record, parked),
        changed=changed_in(user.journal),
        left_out=tuple(sorted(record.link.left_out)),
        overruled=tuple(e.field for e in user.journal if e.action is Action.OVERRULED and e.field),
        calls=user.calls,
        intercom_id=user.contact.id if user.contact else None,
        problem=conflict.message if conflict else _message(record),
        waited=now - leased.first_at.timestamp(),
        is_first=user.link.synced_at is None,
        was_failing=leased.error is not None,
        newly_parked=parked and not (leased.parked and leased.failed_hash == user.row_hash),
    )


def _status(user: UserPass, record: UserRecord, parked: bool) -> Status:
    if parked:
        return Status.PARKED
    if not isinstance(record.outcome, Done):
        return Status.RETRY
    if user.contact is None and not user.journal:
        return Status.ABSENT
    return Status.CHANGED if user.journal else Status.UNCHANGED


def _message(record: UserRecord) -> str | None:
    failure = None if isinstance(record.outcome, Done) else record.outcome.error
    return failure.message if failure else None
