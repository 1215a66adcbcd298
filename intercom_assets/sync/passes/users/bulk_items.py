"""Who may go by bulk, with what, and whether a contact shows that it got there. Pure.

An item is for what needs neither Intercom's present value nor an answer: a new user without leads
to look for, or a change that sets fields and clears none, and memberships of companies that exist.
Everybody else takes the single way in the same batch.
"""

from collections.abc import Collection, Iterable, Sequence

from intercom_assets.domain.attempts import Attempt
from intercom_assets.domain.bulk import MOST_COMPANIES, ContactItem, may_carry
from intercom_assets.domain.fields import DELETED, contact_patch, intercom_values
from intercom_assets.domain.models import Contact, ContactPatch, Values
from intercom_assets.domain.vocabulary import Action
from intercom_assets.sync.passes.users.calls_due import (
    is_to_archive,
    lacks_external_id,
    lead_to_search,
    must_read_first,
)
from intercom_assets.sync.passes.users.identity import is_ours
from intercom_assets.sync.passes.users.state import UserState
from intercom_assets.sync.passes.users.transitions import after_read, without_edges


def item_of(state: UserState, made: Collection[str] = ()) -> ContactItem | None:
    """What would be sent for this user; None for whom the single way is, or nothing.

    `made`: teams whose companies exist though their ids are not known yet.
    """
    if not _is_simple(state):
        return None
    teams = [t for t in state.memberships.attach if t in state.companies or t in made]
    item = _creation(state, teams) if state.contact is None else _change(state, teams)
    return item if item is not None and may_carry(item) else None


def _is_simple(state: UserState) -> bool:
    """Here to stay, known as it is, and with nothing to look for or to take back."""
    if state.problem or state.is_leaving or state.archived or state.link.in_flight:
        return False
    if lead_to_search(state) or state.leads or state.link.others_contact:
        return False
    plan, edges = state.plan, state.memberships
    if plan.deferred or plan.to_app or plan.overruled:
        return False
    return state.tag_plan.settled and not (edges.dropped or edges.must_list)


def _creation(state: UserState, teams: Sequence[str]) -> ContactItem | None:
    if state.read_requested or state.link.needs_read or state.link.contact_id is not None:
        return None
    values = {name: value for name, value in state.plan.to_intercom.items() if value is not None}
    patch = contact_patch(state.rules.fields, values)
    identity = {"role": "user", "external_id": state.user_id}
    whole = ContactPatch({**identity, **patch.standard}, patch.custom)
    return ContactItem(whole, companies=teams)


def _change(state: UserState, teams: Sequence[str]) -> ContactItem | None:
    contact = state.contact
    if contact is None or must_read_first(state) or lacks_external_id(state):
        return None
    leaving = _leaving(state)
    if is_to_archive(state) or leaving is None or not (state.plan.to_intercom or teams or leaving):
        return None
    if (teams or leaving) and (
        not contact.companies_complete or len(state.company_ids) + len(teams) > MOST_COMPANIES
    ):
        return None  # its document would not show all of them
    fields = {**state.rules.fields, DELETED.name: DELETED}
    patch = contact_patch(fields, state.plan.to_intercom)
    return ContactItem(patch, id=contact.id, companies=teams, leaving=leaving)


def _leaving(state: UserState) -> list[str] | None:
    """The teams of the companies to be detached; None if one of these is no team's, so that an
    item has no name for it."""
    teams = {company: team for team, company in state.companies.items()}
    detach = state.memberships.detach
    return [teams[company] for company in detach] if teams.keys() >= set(detach) else None


def shows_attempt(state: UserState, attempt: Attempt, contact: Contact) -> bool:
    """Whether a contact, as it was indexed or read, has all that the attempt sent."""
    left = left_by(attempt)
    if left and (not contact.companies_complete or left & set(contact.company_ids)):
        return False
    sent = {name: state.link.in_flight.get(name) for name in attempt.fields}
    return shows(state, sent, map(str, attempt.about(Action.ATTACHED)), contact)


def left_by(attempt: Attempt) -> frozenset[str]:
    """The companies that it detaches."""
    return frozenset(map(str, attempt.about(Action.DETACHED)))


def shows(state: UserState, sent: Values, teams: Iterable[str], contact: Contact) -> bool:
    """Whether this is the user's contact and has these values, and is in these teams' companies."""
    if not is_ours(contact, state.user_id) or contact.external_id != state.user_id:
        return False
    if state.link.contact_id not in (None, contact.id):
        return False
    fields = {**state.rules.fields, DELETED.name: DELETED}
    there = intercom_values(fields.values(), contact)
    if any(
        name not in fields or not fields[name].same(there[name], value)
        for name, value in sent.items()
    ):
        return False
    return all(state.companies.get(team) in contact.company_ids for team in teams)


def settled_by(state: UserState, attempt: Attempt, contact: Contact) -> UserState | None:
    """What is known once this contact shows the attempt, if nothing is left to be done then.

    An indexed contact may be minutes old: nothing is written on it, to either side.
    """
    after = without_edges(after_read(state, contact), left_by(attempt))
    edges = after.memberships.settled and after.tag_plan.settled
    return after if after.plan.settled and edges and not after.teams_without_company else None
