"""One chunk of users: read both sides, decide, apply, record.

The order is the protocol's (docs/dev/protocol.md#the-order): the rows were leased and committed
before anything here reads them; what is about to be sent is noted before the call; what came of it
is recorded in one transaction, only for rows that still carry our lease.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial

from intercom_assets.database.records import (
    Leased,
)
from intercom_assets.domain.models import Gone
from intercom_assets.domain.vocabulary import AttributeModel, Cause, QueueKind
from intercom_assets.sync.context.failures import WAITS_FOR_ATTRIBUTE, Problem, Verdict
from intercom_assets.sync.context.gone import hold_gone, let_go
from intercom_assets.sync.context.outcomes import Outcome, Status
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.spellings import wake_owners
from intercom_assets.sync.context.switched_ids import stop_for_teams
from intercom_assets.sync.context.work import Work
from intercom_assets.sync.passes.ensure_companies import Ensured, ensure_companies
from intercom_assets.sync.passes.failing_attributes import keep_one_waiting
from intercom_assets.sync.passes.journal import entry_of_refused_search
from intercom_assets.sync.passes.rules import Rules, user_rules
from intercom_assets.sync.passes.users.bulk_proof import keep_from_late_jobs, prove_items
from intercom_assets.sync.passes.users.calls import first_call, second_calls
from intercom_assets.sync.passes.users.calls_due import lead_to_search
from intercom_assets.sync.passes.users.held_emails import free_email, wake_waiting
from intercom_assets.sync.passes.users.intents import note_first_calls, note_second_calls
from intercom_assets.sync.passes.users.lead_search import LeadSearch
from intercom_assets.sync.passes.users.reading import known_companies, read_users, teams_of
from intercom_assets.sync.passes.users.record import record_chunk
from intercom_assets.sync.passes.users.state import UserState
from intercom_assets.sync.passes.users.sync_now import take_off_tags
from intercom_assets.sync.passes.users.tag_calls import know_tags, make_again
from intercom_assets.sync.passes.users.transitions import with_leads
from intercom_assets.sync.passes.users.user_pass import UserPass
from intercom_assets.sync.passes.users.write_back import write_back

WAIT_FOR_TEAM, WAIT_FOR_PARKED_TEAM = 5.0, 300.0
"""Seconds after which a user looks again whether a team's company could be made; costs no call."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A chunk of which both sides were read. `users`: everybody's pass, in order; `active`: those
    whom the chunk works on; `erased`: whom it forgets."""

    leased: Mapping[str, Leased]
    users: Sequence[UserPass]
    active: Sequence[UserPass]
    erased: frozenset[str]

    def split(self, user_ids: Collection[str]) -> tuple["Begun", "Begun"]:
        """These, and everybody else."""
        return self._of(lambda key: key in user_ids), self._of(lambda key: key not in user_ids)

    def _of(self, belongs: Callable[[str], bool]) -> "Begun":
        return Begun(
            {key: row for key, row in self.leased.items() if belongs(key)},
            [user for user in self.users if belongs(user.user_id)],
            [user for user in self.active if belongs(user.user_id)],
            frozenset(filter(belongs, self.erased)),
        )


def sync_user_chunk(work: Work, leased: Sequence[Leased]) -> list[Outcome]:
    """Brings these users into step. Every one of them has an outcome, in the order given.

    Raises `AppUnavailable` where the app cannot be read, and a fatal `IntercomError`; then nothing
    is recorded and the leases are the caller's to give back. `GuardStopped` likewise.
    """
    return finish_chunk(work, begin_chunk(work, leased))


def begin_chunk(work: Work, leased: Sequence[Leased]) -> Begun:
    """Reads both sides as far as that takes no call. Raises what `sync_user_chunk` does."""
    if any(row.error and row.error.code == WAITS_FOR_ATTRIBUTE for row in leased):
        work.attributes.ask_again()
    by_key = {row.key: row for row in leased}
    work.attributes.admins.ensure(work.client)
    work.attributes.tags.ensure(work.client)
    users = _passes(work, list(by_key))
    if _lacks_owner(work, users) and work.attributes.admins.ask_again(work.client):
        users = _passes(work, list(by_key))
    erased = frozenset(work.services.store.tombstones.among(list(by_key)))
    return Begun(by_key, users, _active(work, users, by_key, erased), erased)


def finish_sent(work: Work, begun: Begun) -> list[Outcome]:
    """Records those of whom all is proven that was sent by bulk; everybody else is read anew."""
    _, sent = begun.split(work.services.store.tombstones.among(list(begun.leased)))
    rules = _rules(work)
    for user in sent.active:
        user.become(replace(user.state, rules=rules))
    prove_items(work, sent.active)
    proven, unproven = begun.split({user.user_id for user in sent.active if user.proven})
    outcomes = _finish(work, proven) if proven.leased else []
    if unproven.leased:
        again = begin_chunk(work, list(unproven.leased.values()))
        keep_from_late_jobs(work, again.active)
        outcomes += _finish(work, again)
    return outcomes


def finish_chunk(work: Work, begun: Begun) -> list[Outcome]:
    """Makes the calls, and records. Raises what `sync_user_chunk` does."""
    prove_items(work, begun.active)
    keep_from_late_jobs(work, begun.active)
    return _finish(work, begun)


def _finish(work: Work, begun: Begun) -> list[Outcome]:
    active, erased = begun.active, begun.erased
    _search_leads(work, active)
    _make_first_calls(work, active)
    _claim_contacts(work, active)
    write_back(work, active, frozenset(key for key, row in begun.leased.items() if row.error))
    _know_companies(work, active)
    know_tags(work, active)
    _make_second_calls(work, active)
    _mark_others_contacts(work, active)
    take_off_tags(work, active)
    keep_one_waiting(work, AttributeModel.CONTACT, active)
    outcomes = record_chunk(
        work, begun.users, begun.leased, frozenset(user.user_id for user in active)
    )
    wake_waiting(work, active)
    outcomes = [replace(o, status=Status.ERASED) if o.key in erased else o for o in outcomes]
    for user_id in erased:  # also what a run that was at work during the erasure left behind
        work.services.store.tombstones.forget_user(user_id)
    work.stop_if_fatal()
    return outcomes


def _passes(work: Work, keys: Sequence[str]) -> list[UserPass]:
    states = read_users(work.services, keys, _rules(work))
    _stop_for_teams(work.services, states)
    absent = [state.user_id for state in states if state.is_absent]
    wake_owners(work.services, QueueKind.USER, absent)
    return [UserPass(state, reread=partial(_rules_read_again, work)) for state in states]


def _lacks_owner(work: Work, users: Sequence[UserPass]) -> bool:
    """Whether an operator asks for somebody whose owner was nobody's when the list was read."""
    if not work.run.by_hand:
        return False
    return any(user.state.rules.owner in user.state.app.left_out for user in users)


def _active(
    work: Work,
    users: Sequence[UserPass],
    leased: Mapping[str, Leased],
    erased: AbstractSet[str],
) -> list[UserPass]:
    """Whom this chunk works on: not who is held as gone, erased, or parked and unchanged since."""
    left_alone = _held_as_gone(work.services, [user.state for user in users]) | erased
    active = []
    for user in users:
        row = leased[user.user_id]
        if user.user_id in left_alone or work.still_parked(row, user.state.row_hash):
            continue
        waiting_since = int(row.first_at.timestamp())
        user.begin(waiting_since, needs_read=row.needs_read, by_hand=work.run.by_hand)
        active.append(user)
    return active


def _stop_for_teams(services: Services, states: Sequence[UserState]) -> None:
    """Before anything is sent, if the users' teams seem to be old ones under other ids."""
    wanted = {team for state in states for team in state.app.teams}
    stop_for_teams(services, wanted - states[0].companies.keys() if states else ())


def _rules(work: Work) -> Rules:
    return user_rules(work.services, work.attributes.unwritable(AttributeModel.CONTACT))


def _rules_read_again(work: Work) -> Rules:
    work.attributes.read_again(work.client)
    return _rules(work)


def _held_as_gone(services: Services, states: Sequence[UserState]) -> frozenset[str]:
    """The gone who are too many to be believed; an operator releases them (`max_gone`)."""
    let_go(services, QueueKind.USER, [state.app.row for state in states])
    gone = [state.user_id for state in states if state.is_gone and not state.is_absent]
    return hold_gone(services, QueueKind.USER, gone)


def _search_leads(work: Work, users: Sequence[UserPass]) -> None:
    """One search for fifteen addresses; where it fails, the users are saved and come again."""
    wanted = {user.user_id: email for user in users if (email := lead_to_search(user.state))}
    leads = LeadSearch(work.client)
    leads.search(wanted.values())
    for user in users:
        if (email := wanted.get(user.user_id)) is None:
            continue
        if problem := leads.problem_of(email):
            user.put_off(problem)
            continue
        user.become(with_leads(user.state, email, leads.found.get(email, {})))
        if refusal := leads.refused.get(email):
            user.add_entries([entry_of_refused_search(user.user_id, refusal)])


def _make_first_calls(work: Work, users: Sequence[UserPass]) -> None:
    callers = [user for user in users if user.needs_first_call]
    work.ready_attributes(callers)
    rules = _rules(work)
    for user in users:
        user.apply_rules(rules)
    callers = [user for user in callers if user.needs_first_call]
    note_first_calls(work, callers)
    free = partial(free_email, work)
    work.call_for(callers, lambda user: first_call(user, work.client(), free))


def _claim_contacts(work: Work, users: Sequence[UserPass]) -> None:
    """A contact that was adopted is this user's and no other's before anything is written to it."""
    claims = {user.user_id: contact for user in users if (contact := user.claimed_contact)}
    if not claims:
        return
    certain = {
        user.user_id
        for user in users
        if user.user_id in claims and user.contact and user.contact.external_id == user.user_id
    }
    opt_outs = {user.user_id: user.state.opt_outs_shown for user in users if user.user_id in claims}
    claimed = work.services.store.claims.claim_contacts(claims, certain, opt_outs)
    taken = {claims[user_id]: user_id for user_id in claimed.taken}
    for user in users:
        if user.user_id in claimed.taken:
            user.inherit_nothing()
        elif (owner := claimed.owners.get(user.user_id)) is not None:
            problem = f"contact {claims[user.user_id]} has the same details and is linked to user"
            user.forget_contact()
            user.fail(Problem(Verdict.REJECTED, f"{problem} {owner}"))
        elif user.contact is not None and user.contact.id in taken:
            user.forget_contact()
            user.fail(Problem(Verdict.BUSY, "its contact has another user's external id now"))


def _mark_others_contacts(work: Work, users: Sequence[UserPass]) -> None:
    """Users of the app whose contact was another's until now: it is read, and written again."""
    left = dict(user.left_to for user in users if user.left_to)
    rows = work.services.app.read_users(sorted(left)) if left else {}
    theirs = {key: left[key] for key, row in rows.items() if not isinstance(row, Gone)}
    if theirs:
        work.services.store.claims.mark_others_contacts(theirs)


def _make_second_calls(work: Work, users: Sequence[UserPass]) -> None:
    callers = [user for user in users if user.needs_second_calls]
    note_second_calls(work, callers)
    free, teams = partial(free_email, work), partial(teams_of, work.services)
    remake = partial(make_again, work)
    work.call_for(callers, lambda user: second_calls(user, work.client(), free, teams, remake))
    lost = sorted({team for user in callers for team in user.lost_companies})
    if lost:
        work.services.store.queue.enqueue(
            QueueKind.TEAM, lost, cause=Cause.COMPANY_LOST, needs_read=True
        )


def _know_companies(work: Work, users: Sequence[UserPass]) -> None:
    """Every team that a user is to be attached to has a company before the second calls."""
    fresh = [user for user in users if user.contact is not None and not user.problem]
    if not fresh:
        return
    states = [user.state for user in fresh]
    companies = known_companies(work.services, states, states[0].companies)
    missing = {t for state in states for t in state.teams_without_company} - companies.keys()
    ensured = ensure_companies(work, sorted(missing)) if missing else Ensured({})
    companies = {**companies, **ensured.made}
    for user in fresh:
        user.become(replace(user.state, companies=companies, void_teams=ensured.void))
        if problem := _waits_for_team(user.state, ensured):
            user.put_off(problem)


def _waits_for_team(state: UserState, ensured: Ensured) -> Problem | None:
    """Of a user in a team whose company cannot be made now; all else of the user goes on."""
    for team in sorted(state.teams_without_company & ensured.failing.keys()):
        outcome = ensured.failing[team]
        wait = WAIT_FOR_PARKED_TEAM if outcome.status is Status.PARKED else WAIT_FOR_TEAM
        message = f"waits for the company of team {team}, which has a problem: {outcome.problem}"
        return Problem(Verdict.BUSY, message, wait=wait)
    return None
