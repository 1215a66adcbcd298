"""The calls of one user's pass: first one (POST, PUT or GET), later the combined rest.

Every function works on a `UserPass` and a client bound to the user's lease. What an answer means is
`UserPass.see` and `absorb`; what has to be sent is the domain's decision. An error becomes the
user's problem; only a fatal one goes on up.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from intercom_assets.domain.attempts import attempts_in
from intercom_assets.domain.decisions import Reconciliation
from intercom_assets.domain.fields import DELETED, Field, contact_patch
from intercom_assets.domain.leads import EMAIL
from intercom_assets.domain.memberships import MembershipPlan
from intercom_assets.domain.models import ContactPatch, EdgeState, Membership, Reason, Value, Values
from intercom_assets.domain.vocabulary import Action
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import (
    Conflict,
    Forbidden,
    IntercomError,
    Invalid,
    Merged,
    NotFound,
    NotRestorable,
    Rejected,
)
from intercom_assets.sync.context.endpoint_answers import answered_in
from intercom_assets.sync.context.failures import (
    COMPANY_NOT_FOUND,
    PassFailed,
    Problem,
    Verdict,
    problem_of,
)
from intercom_assets.sync.passes.known_companies import merge_known_companies
from intercom_assets.sync.passes.refused_fields import deliver
from intercom_assets.sync.passes.users import identity
from intercom_assets.sync.passes.users.found_done import archived_done, merges_done, moves_done
from intercom_assets.sync.passes.users.user_pass import UserPass

Calls: TypeAlias = Callable[[UserPass, IntercomClient], None]
FreeEmail: TypeAlias = Callable[[UserPass, IntercomClient, Conflict | identity.HeldByAnother], bool]
"""Whether the contact that a refusal names has given up the user's address."""
TeamsOf: TypeAlias = Callable[[Collection[str]], Mapping[str, str]]
"""Companies -> which of them are teams of the app: team id -> company id."""
NOT_FOUND = "not_found"
OVERWRITTEN_TIMES, OVERWRITTEN_WITHIN = 3, 86_400
"""So often, within so many seconds, somebody else may write over a field before it is left out."""


def first_call(user: UserPass, client: IntercomClient, free_email: FreeEmail) -> None:
    """POST, PUT or GET, then merges. Intercom's values are fresh after it, or it has a problem."""
    _guarded(user, client, partial(_with_email, _make_first_call, free_email))


def second_calls(
    user: UserPass, client: IntercomClient, free_email: FreeEmail, teams_of: TeamsOf
) -> None:
    """One combined PUT, memberships, archive: what the fresh look called for."""
    calls = partial(_make_second_calls, teams_of=teams_of)
    _guarded(user, client, partial(_with_email, calls, free_email))


def _with_email(
    calls: Calls, free_email: FreeEmail, user: UserPass, client: IntercomClient
) -> None:
    """Once more where another contact holds the address: it gave it up, or it is left out."""
    try:
        calls(user, client)
    except (Conflict, identity.HeldByAnother) as refusal:
        if not free_email(user, client, refusal):
            _leave_email_out(user, refusal)
        calls(user, client)


def _leave_email_out(user: UserPass, refusal: Conflict | identity.HeldByAnother) -> None:
    """Raises the refusal where no address was sent that it could be about."""
    email = user.plan().to_intercom.get(EMAIL)
    if email is None:
        raise refusal
    why = f"Intercom refused it: contact {refusal.contact_id} of another user has this address"
    user.leave_out(EMAIL, email, Reason.REFUSED, why)


def _guarded(user: UserPass, client: IntercomClient, calls: Calls) -> None:
    user.tried = True
    try:
        calls(user, client)
    except identity.SomebodyElses as found:
        user.left_to, user.problem = found.left_to, found.problem
    except PassFailed as stuck:
        user.problem = stuck.problem
    except IntercomError as error:
        user.problem = problem_of(error)
    finally:
        user.calls += len(client.calls)
        user.answered |= answered_in(client.calls)


def _make_first_call(user: UserPass, client: IntercomClient) -> None:
    try:
        _meet(user, client)
    except identity.SomebodyElses as found:
        _leave_to_its_owner(user, client, found)
    except PassFailed:
        if not user.is_leaving:
            raise
        _let_go(user, client)
    user.journal += merges_done(user, client)
    if not user.is_to_be_saved_before_leads:
        _merge_all(user, client)


def _meet(user: UserPass, client: IntercomClient) -> None:
    try:
        try:
            _call_once(user, client)
        except NotFound:
            _start_anew(user, client)
    except Merged as merged:
        into = identity.follow(client, user.user_id, merged)
        if into is None:
            _start_anew(user, client)
        else:
            user.apply_read(into)
            user.note(Action.RELINKED, client, why="its contact was merged into this one")


def _call_once(user: UserPass, client: IntercomClient) -> None:
    if user.contact is None:
        _identify(user, client)
    elif user.archived:
        _bring_back(user, client, user.contact.id)
    elif user.must_read_first or not user.has_to_send:
        user.apply_read(client.get_contact(user.contact.id))
    else:
        _put(user, client)


def _identify(user: UserPass, client: IntercomClient) -> None:
    if user.is_leaving:
        found = identity.find(client, user.user_id)
        if found is not None:
            user.apply_read(found)
            if not _was_created(user):
                user.note(Action.ADOPTED, client, why="found by its external id")
        return
    deliver(_ContactWrite(user, client))


def _create(user: UserPass, client: IntercomClient, plan: Reconciliation) -> None:
    may_exist = bool(user.link.in_flight)
    contact, created = identity.find_or_create(
        client, user.user_id, _creation(user, plan), may_exist=may_exist
    )
    if created:
        user.created = True
        user.cleared_up = True  # what another run had in flight did not make it
        user.apply_write(contact, plan, client)
        user.note(Action.CREATED, client, why="new user")
    else:
        user.apply_read(contact)
        if not _was_created(user):
            user.note(Action.ADOPTED, client, why="Intercom had a contact with the same details")


def _was_created(user: UserPass) -> bool:
    """By a run that died, as was just found."""
    return any(entry.action is Action.CREATED for entry in user.journal)


def _creation(user: UserPass, plan: Reconciliation) -> ContactPatch:
    values = {name: value for name, value in plan.to_intercom.items() if value is not None}
    patch = contact_patch(user.rules.fields, values)
    return replace(patch, standard={"role": "user", "external_id": user.user_id, **patch.standard})


def _bring_back(user: UserPass, client: IntercomClient, contact_id: str) -> None:
    if any(attempt.about(Action.UNARCHIVED) for attempt in attempts_in(user.link.in_flight)):
        with suppress(NotFound):
            user.apply_read(client.get_contact(contact_id))
            user.archived = False
            return
    try:
        client.unarchive_contact(contact_id)
    except (Conflict, NotRestorable):  # replaced, merged or deleted for good meanwhile
        user.archived = False
        _start_anew(user, client)
        return
    user.archived = False
    user.note(Action.UNARCHIVED, client, why="the user is back")
    user.apply_read(client.get_contact(contact_id))


def _start_anew(user: UserPass, client: IntercomClient) -> None:
    """The stored id leads nowhere: archived or deleted by hand. Forget it and look again.

    A write to a merged contact may answer 404 as well (unconfirmed); only the GET tells it apart.
    """
    looked = client.calls[-1].method == "GET"
    if user.contact is not None and not looked:
        with suppress(NotFound):
            user.apply_read(client.get_contact(user.contact.id))
            return
    if user.contact is not None and (done := archived_done(user)):
        user.archived_before(done)
        return
    user.forget_contact()
    if not user.is_leaving:
        _identify(user, client)


def _leave_to_its_owner(
    user: UserPass, client: IntercomClient, found: identity.SomebodyElses
) -> None:
    """Its external id was moved by hand: the contact is the other's, and this user looks anew."""
    user.left_to = found.left_to
    user.note(
        Action.CONTACT_LET_GO,
        client,
        old=found.contact.id,
        why="its external id is another user's now",
    )
    _let_go(user, client)


def _let_go(user: UserPass, client: IntercomClient) -> None:
    """Who leaves has nothing to do with a contact that is somebody else's by now."""
    user.forget_contact()
    _identify(user, client)


def _make_second_calls(user: UserPass, client: IntercomClient, teams_of: TeamsOf) -> None:
    assert user.contact is not None, "second calls follow a known contact"
    if user.sends_a_later_time and user.looked_long_ago:
        user.apply_read(client.get_contact(user.contact.id))
    overwritten = _overwritten(user, user.plan())
    if user.has_to_send:
        _put(user, client)
        user.overwritten |= overwritten  # a write that failed overwrote nothing
    _merge_all(user, client)
    _move_edges(user, client, teams_of)
    if user.is_to_archive:
        client.archive_contact(user.contact.id)
        user.archived = True
        user.note(Action.ARCHIVED, client, why="the user is gone and on_delete is archive")


def _put(user: UserPass, client: IntercomClient) -> None:
    deliver(_ContactWrite(user, client))


@dataclass(frozen=True, slots=True)
class _ContactWrite:
    """Of what is due for one user, as `deliver` asks for it: by POST until there is a contact."""

    user: UserPass
    client: IntercomClient

    @property
    def fields(self) -> Mapping[str, Field]:
        return {**self.user.rules.fields, DELETED.name: DELETED}

    @property
    def due(self) -> Values:
        return self.user.plan().to_intercom

    def send(self, names: Collection[str]) -> None:
        plan = self.user.plan().sending(names)
        if self.user.contact is None:
            _create(self.user, self.client, plan)
        else:
            _update(self.user, self.client, plan)

    def probe(self) -> None:
        """Sets the role that the contact has already."""
        user = self.user
        if user.contact is None:
            self.send(())
            return
        user.apply_read(self.client.update_contact(user.contact.id, ContactPatch({"role": "user"})))

    def reread(self) -> None:
        if self.user.reread is not None:
            self.user.follow(self.user.reread())

    def leave_out(self, name: str, value: Value, why: str) -> None:
        self.user.leave_out(name, value, Reason.REFUSED, why)


def _update(user: UserPass, client: IntercomClient, plan: Reconciliation) -> None:
    assert user.contact is not None
    patch = contact_patch({**user.rules.fields, DELETED.name: DELETED}, plan.to_intercom)
    if user.lacks_external_id:
        patch = replace(patch, standard={"external_id": user.user_id, **patch.standard})
    try:
        answer = client.update_contact(user.contact.id, patch, repeat=not user.sends_a_later_time)
    except Conflict as conflict:
        if not user.lacks_external_id:
            raise
        _relink(user, client, conflict)
        return
    user.apply_write(answer, plan, client)


def _relink(user: UserPass, client: IntercomClient, conflict: Conflict) -> None:
    """Ours lost its external id, and another contact has it by now: that one is the user's."""
    contact = identity.adopt(client, user.user_id, conflict)
    user.forget_contact()
    user.apply_read(contact)
    user.note(Action.RELINKED, client, why="another contact has its external id")


def _merge_all(user: UserPass, client: IntercomClient) -> None:
    if user.contact is not None:
        leads, user.leads = user.leads, ()
        for lead in leads:
            _merge(user, client, lead)


def _merge(user: UserPass, client: IntercomClient, lead_id: str) -> None:
    assert user.contact is not None
    try:
        merged = client.merge_contacts(lead_id, user.contact.id)
    except (NotFound, Merged):
        return  # gone meanwhile: merged by a pass that crashed, or by hand
    except IntercomError as error:
        refusal = problem_of(error)
        if refusal.verdict is not Verdict.REJECTED:
            raise
        user.note(Action.MERGE_REFUSED, client, why=refusal.message)
        user.refused_leads[lead_id] = (user.row_hash, user.leads_shown[lead_id])
        return
    user.apply_read(merged)
    user.note(Action.MERGED, client, why=f"lead {lead_id} has the user's e-mail")


def _move_edges(user: UserPass, client: IntercomClient, teams_of: TeamsOf) -> None:
    plan = user.memberships()
    if plan.must_list:
        plan = _list_companies(user, client, teams_of)
    for company_id in plan.detach:  # first: a contact may be at its limit of companies
        _detach(user, client, company_id)
    user.drop_edges({*plan.detach, *plan.dropped})
    for team in plan.attach:
        if team not in user.companies:
            continue
        try:
            _attach(user, client, team, user.companies[team])
        except (Forbidden, Invalid, NotFound) as refusal:
            if refusal.code == NOT_FOUND:  # the contact itself
                raise
            _wait_for(user, team, refusal)


def _wait_for(user: UserPass, team: str, refusal: Rejected) -> None:
    """One membership has to wait; all else of the user goes on."""
    if refusal.code == COMPANY_NOT_FOUND:
        user.lost_companies.append(team)
        message = f"the company of team {team} was deleted in Intercom; it is made again first"
        problem = Problem(Verdict.BUSY, message)
    else:
        problem = problem_of(refusal)
    user.late_problem = user.late_problem or problem


def _list_companies(user: UserPass, client: IntercomClient, teams_of: TeamsOf) -> MembershipPlan:
    assert user.contact is not None
    companies = {company.id for company in client.contact_companies(user.contact.id)}
    user.companies = {**user.companies, **teams_of(companies - {*user.contact.company_ids})}
    user.set_companies(companies, complete=True)
    user.edges = {
        team: merge_known_companies(edge, user.contact) for team, edge in user.edges.items()
    }
    user.journal += moves_done(user, frozenset(companies), complete=True)
    return user.memberships()


def _attach(user: UserPass, client: IntercomClient, team: str, company_id: str) -> None:
    assert user.contact is not None
    client.attach_company(user.contact.id, company_id)
    user.set_companies({*user.contact.company_ids, company_id})
    user.edges[team] = Membership(team, company_id, EdgeState.ATTACHED)
    user.note(Action.ATTACHED, client, new=team, why="the user is in the team")


def _detach(user: UserPass, client: IntercomClient, company_id: str) -> None:
    assert user.contact is not None
    with suppress(NotFound):  # the edge, or its company, is gone already: as wanted
        client.detach_company(user.contact.id, company_id)
    user.set_companies(set(user.contact.company_ids) - {company_id})
    user.note(Action.DETACHED, client, old=company_id, why="the user is not in the team")


def _overwritten(user: UserPass, plan: Reconciliation) -> dict[str, tuple[int, ...]]:
    """Field -> when somebody else wrote over it lately, now included.

    One for which that was too often is left out from here on.
    """
    since = user.rules.now - OVERWRITTEN_WITHIN
    found: dict[str, tuple[int, ...]] = {}
    for decision in plan.overruled:
        name = decision.field.name
        times = (*(t for t in user.overwritten.get(name, ()) if t > since), user.rules.now)
        if len(times) < OVERWRITTEN_TIMES:
            found[name] = times
            continue
        user.overwritten.pop(name, None)
        why = f"another integration keeps writing {name} in Intercom"
        user.leave_out(name, decision.value, Reason.CONTESTED, why)
    return found
