"""One chunk of users: read both sides, decide, apply, record.

The order is the protocol's (docs/dev/protocol.md#the-order): the rows were leased and committed
before anything here reads them; what is about to be sent is noted before the call; what came of it
is recorded in one transaction, only for rows that still carry our lease.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial

from intercom_assets.database.records import Leased
from intercom_assets.domain.models import AppUser, Gone, UserLink
from intercom_assets.domain.vocabulary import AttributeModel, Cause, QueueKind
from intercom_assets.sync.context.failures import (
    WAITS_FOR_ATTRIBUTE,
    Problem,
    Verdict,
    waits_for_attribute,
)
from intercom_assets.sync.context.gone import hold_gone, let_go
from intercom_assets.sync.context.outcomes import Outcome, Status
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.spellings import wake_owners
from intercom_assets.sync.context.switched_ids import stop_for_teams
from intercom_assets.sync.context.work import Work
from intercom_assets.sync.passes.ensure_companies import Ensured, ensure_companies
from intercom_assets.sync.passes.journal import entry_of_refused_search
from intercom_assets.sync.passes.rules import Rules
from intercom_assets.sync.passes.users.calls import first_call, second_calls
from intercom_assets.sync.passes.users.held_emails import free_email
from intercom_assets.sync.passes.users.intents import note_first_calls, note_second_calls
from intercom_assets.sync.passes.users.lead_search import LeadSearch
from intercom_assets.sync.passes.users.record import record_chunk
from intercom_assets.sync.passes.users.user_pass import UserPass
from intercom_assets.sync.passes.users.write_back import write_back

WAIT_FOR_TEAM, WAIT_FOR_PARKED_TEAM = 5.0, 300.0
"""Seconds after which a user looks again whether a team's company could be made; costs no call."""
LEADS_A_CALL = 15
"""E-mails in one search: the most filters of a group (docs/dev/intercom-facts.md#search)."""


def sync_user_chunk(work: Work, leased: Sequence[Leased]) -> list[Outcome]:
    """Brings these users into step. Every one of them has an outcome, in the order given.

    Raises `AppUnavailable` where the app cannot be read, and a fatal `IntercomError`; then nothing
    is recorded and the leases are the caller's to give back. `GuardStopped` likewise.
    """
    if any(row.error and row.error.code == WAITS_FOR_ATTRIBUTE for row in leased):
        work.attributes.ask_again()
    users = read_users(work.services, [row.key for row in leased], rules_of(work))
    _stop_for_teams(work.services, users)
    by_key = {row.key: row for row in leased}
    wake_owners(work.services, QueueKind.USER, [u.user_id for u in users if u.is_absent])
    erased = work.services.store.tombstones.among(list(by_key))
    left_out = _held_as_gone(work.services, users) | erased
    active = [
        user
        for user in users
        if user.user_id not in left_out
        and not work.still_parked(by_key[user.user_id], user.row_hash)
    ]
    for user in active:
        user.waiting_since = int(by_key[user.user_id].first_at.timestamp())
        if by_key[user.user_id].needs_read:
            user.look_first()
        if work.run.by_hand:
            user.try_everything()
    _search_leads(work, active)
    _make_first_calls(work, active)
    _claim_contacts(work, active)
    write_back(work, active, frozenset(row.key for row in leased if row.error))
    _know_companies(work, active)
    _make_second_calls(work, active)
    _put_right(work, active)
    _keep_one_waiting(work, active)
    outcomes = record_chunk(work, users, by_key, frozenset(u.user_id for u in active))
    outcomes = [replace(o, status=Status.ERASED) if o.key in erased else o for o in outcomes]
    for user_id in erased:  # also what a run that was at work during the erasure left behind
        work.services.store.tombstones.forget_user(user_id)
    work.stop_if_fatal()
    return outcomes


def _stop_for_teams(services: Services, users: Sequence[UserPass]) -> None:
    """Before anything is sent, if the users' teams seem to be old ones under other ids."""
    known = users[0].companies if users else {}
    stop_for_teams(
        services,
        {t for u in users if isinstance(u.row, AppUser) for t in u.row.teams} - known.keys(),
    )


def _keep_one_waiting(work: Work, users: Sequence[UserPass]) -> None:
    """One of those of whom a field is left out since a call fails asks again; it frees the rest."""
    failing = work.attributes.failing(AttributeModel.CONTACT)
    if not failing:
        return
    for user in users:
        if user.problem or user.late_problem or not failing & user.fields_left_out.keys():
            continue
        user.late_problem = waits_for_attribute(user.fields_left_out, failing)
        return


def rules_of(work: Work) -> Rules:
    return user_rules(work.services, work.attributes.unwritable(AttributeModel.CONTACT))


def _rules_read_again(work: Work) -> Rules:
    work.attributes.read_again(work.client)
    return rules_of(work)


def user_rules(services: Services, unwritable: dict[str, str]) -> Rules:
    settings = services.settings
    return Rules(
        fields=services.user_fields,
        zones=services.zones,
        mapping_version=services.app.mapping_version,
        now=services.now(),
        intercom_now=services.intercom_now(),
        merge_window=int(settings.merge_leads_for.total_seconds()),
        clear_unusable=settings.clear_unusable,
        truncate=settings.truncate,
        mirror=settings.memberships == "mirror",
        archive=settings.on_delete == "archive",
        unwritable=unwritable,
    )


def read_users(services: Services, keys: Sequence[str], rules: Rules) -> list[UserPass]:
    """Both sides of these users as known without a call: the app's rows and what we remember."""
    rows = services.app.read_users(keys)
    links = services.store.links.users(keys)
    companies: dict[str, str] = {}
    void: set[str] = set()
    users = [
        UserPass(rules, rows[key], links.get(key) or UserLink(key), companies, void) for key in keys
    ]
    _learn_companies(services, users, companies)
    return users


def _held_as_gone(services: Services, users: Sequence[UserPass]) -> frozenset[str]:
    """The gone who are too many to be believed; an operator releases them (`max_gone`)."""
    let_go(services, QueueKind.USER, [u.row for u in users])
    gone = [u.user_id for u in users if isinstance(u.row, Gone) and not u.is_absent]
    return hold_gone(services, QueueKind.USER, gone)


def _learn_companies(
    services: Services, users: Iterable[UserPass], companies: dict[str, str]
) -> None:
    """Which company is which team's: for the teams wanted, and for the companies attached."""
    users = list(users)
    teams = {t for u in users if isinstance(u.row, AppUser) for t in u.row.teams}
    attached = {c for u in users if u.contact for c in u.contact.company_ids}
    links = services.store.links.teams(sorted(teams - companies.keys()))
    companies.update({t: link.company_id for t, link in links.items() if link.company_id})
    unknown = attached - set(companies.values())
    companies.update(_teams_of(services, unknown))


def _teams_of(services: Services, companies: Collection[str]) -> dict[str, str]:
    by_company = services.store.links.by_company(sorted(companies))
    return {team: company for company, team in by_company.items()}


def _search_leads(work: Work, users: Sequence[UserPass]) -> None:
    """One search for fifteen addresses; where it fails, the users are saved and come again."""
    wanted = {u.user_id: email for u in users if (email := u.lead_to_search())}
    search = LeadSearch(work.client)
    emails = sorted(set(wanted.values()))
    for start in range(0, len(emails), LEADS_A_CALL):
        search.ask(emails[start : start + LEADS_A_CALL])
    for user in users:
        if (email := wanted.get(user.user_id)) is not None:
            user.late_problem = search.problem_of(email)
            if user.late_problem is None:
                user.found_leads(email, search.found.get(email, {}))
                if email in search.refused:
                    refusal = search.refused[email]
                    user.journal.append(entry_of_refused_search(user.user_id, refusal))


def _make_first_calls(work: Work, users: Sequence[UserPass]) -> None:
    callers = [user for user in users if user.needs_first_call]
    work.ready_attributes(callers)
    rules = rules_of(work)
    for user in users:
        user.follow(rules)
        user.reread = lambda: _rules_read_again(work)
    callers = [user for user in callers if user.needs_first_call]
    note_first_calls(work, callers)
    free = partial(free_email, work)
    work.call_for(callers, lambda user: first_call(user, work.client(), free))


def _claim_contacts(work: Work, users: Sequence[UserPass]) -> None:
    """A contact that was adopted is this user's and no other's before anything is written to it."""
    claims = {user.user_id: contact for user in users if (contact := user.claims)}
    if not claims:
        return
    certain = {u.user_id for u in users if u.user_id in claims and u.has_own_external_id}
    claimed = work.services.store.claims.claim_contacts(claims, certain)
    taken = {claims[user_id]: user_id for user_id in claimed.taken}
    for user in users:
        if user.user_id in claimed.taken:
            user.inherit_nothing()
        elif (owner := claimed.owners.get(user.user_id)) is not None:
            problem = f"contact {claims[user.user_id]} has the same details and is linked to user"
            user.forget_contact()
            user.problem = Problem(Verdict.REJECTED, f"{problem} {owner}")
        elif user.contact is not None and user.contact.id in taken:
            user.forget_contact()
            user.problem = Problem(Verdict.BUSY, "its contact has another user's external id now")


def _put_right(work: Work, users: Sequence[UserPass]) -> None:
    """Users of the app whose contact was another's until now: it is read, and written anew."""
    left = dict(user.left_to for user in users if user.left_to)
    rows = work.services.app.read_users(sorted(left)) if left else {}
    theirs = {key: left[key] for key, row in rows.items() if not isinstance(row, Gone)}
    if theirs:
        work.services.store.claims.mark_others_contacts(theirs)


def _make_second_calls(work: Work, users: Sequence[UserPass]) -> None:
    callers = [user for user in users if user.needs_second_calls]
    note_second_calls(work, callers)
    free, teams_of = partial(free_email, work), partial(_teams_of, work.services)
    work.call_for(callers, lambda user: second_calls(user, work.client(), free, teams_of))
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
    companies, void = fresh[0].companies, fresh[0].void_teams
    _learn_companies(work.services, fresh, companies)
    missing = {team for user in fresh for team in user.teams_without_company}
    if missing:
        ensured = ensure_companies(work, sorted(missing))
        companies.update(ensured.made)
        void.update(ensured.void)
        for user in fresh:
            user.late_problem = user.late_problem or _waits_for_team(user, ensured)


def _waits_for_team(user: UserPass, ensured: Ensured) -> Problem | None:
    """Of a user in a team whose company cannot be made now; all else of the user goes on."""
    for team in sorted(user.teams_without_company & ensured.failing.keys()):
        outcome = ensured.failing[team]
        wait = WAIT_FOR_PARKED_TEAM if outcome.status is Status.PARKED else WAIT_FOR_TEAM
        message = f"waits for the company of team {team}, which has a problem: {outcome.problem}"
        return Problem(Verdict.BUSY, message, wait=wait)
    return None
