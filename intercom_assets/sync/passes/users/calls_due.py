"""Which calls a pass would make, on what is known of a user. Pure: passes and `plan` ask it."""

from dataclasses import replace

from intercom_assets.domain.attempts import (
    Event,
)
from intercom_assets.domain.decisions import Freshness
from intercom_assets.domain.fields import Policy
from intercom_assets.domain.leads import lead_email
from intercom_assets.domain.models import AppUser, EdgeState, Membership, Side
from intercom_assets.domain.opt_outs import opted_out_of
from intercom_assets.domain.vocabulary import Action
from intercom_assets.sync.passes.users.state import UserState

RECENT = 15 * 60
"""Seconds by which a listing may be behind."""


def needs_first_call(state: UserState) -> bool:
    if state.problem or state.is_absent or (state.archived and state.is_leaving):
        return False
    if state.contact is None:
        return state.read_requested or not _was_never_there(state)
    if must_read_first(state) or state.archived:
        return True
    # Whose a tag is tells only the contact as it is before it is put on: one that somebody put on
    # by hand is no news.
    unseen = bool(state.leads or state.plan.deferred or state.tag_plan.put_on)
    return unseen or has_to_send(state)


def may_write_first(state: UserState) -> bool:
    """Whether the first call may write. What a pass that died had noted is not written over."""
    return not must_read_first(state) or (state.contact is None and not state.link.in_flight)


def needs_second_calls(state: UserState) -> bool:
    if state.problem or state.contact is None or state.archived:
        return False
    has_edges = not (state.memberships.settled and state.tag_plan.settled)
    return has_to_send(state) or has_edges or is_to_archive(state) or bool(state.leads)


def has_to_send(state: UserState) -> bool:
    return lacks_external_id(state) or bool(state.plan.to_intercom)


def is_to_be_saved_before_leads(state: UserState) -> bool:
    """Intercom merges duplicates only: the contact must have the address first.

    And it must be the user's, which one without external id may turn out not to be.
    """
    contact = state.contact
    return (
        contact is not None
        and has_to_send(state)
        and (lacks_external_id(state) or (contact.email or "").lower() != state.lead_email)
    )


def must_read_first(state: UserState) -> bool:
    """Whether Intercom's present values come first: something there moved, or may have."""
    requested = state.read_requested or state.link.needs_read or bool(state.link.in_flight)
    return requested or bool(companies_in_doubt(state)) or _listing_is_not_enough(state)


def companies_in_doubt(state: UserState) -> frozenset[str]:
    """A pass that died was about to attach or detach these: only a read tells what it did."""
    edges = state.link.edges.values()
    return frozenset(e.company_id for e in edges if e.state is not EdgeState.ATTACHED)


def _listing_is_not_enough(state: UserState) -> bool:
    """A listing never justifies a clearing or a detach, nor "unchanged" for what just moved."""
    contact = state.contact
    if not state.link.listed or contact is None or state.freshness is Freshness.FRESH:
        return False
    theirs = state.rules.intercom_now
    if theirs - (contact.updated_at or theirs) <= RECENT:
        return True
    edges = state.memberships
    clears = None in state.plan.to_intercom.values()
    return clears or edges.must_list or bool(edges.detach or edges.dropped)


def _was_never_there(state: UserState) -> bool:
    """A user that left before we ever knew a contact, and whom we looked for once already."""
    return state.is_leaving and state.link.row_hash == state.row_hash


def sends_a_later_time(state: UserState) -> bool:
    """Intercom has no conditional write: what the Messenger sets between our read and our PUT
    is overwritten. So little lies between them, and the PUT is not repeated blindly."""
    due = (d for d in state.plan.decisions if d.is_due and d.write_to is Side.INTERCOM)
    return any(d.field.policy is Policy.LATER_VALUE for d in due)


def lacks_external_id(state: UserState) -> bool:
    contact = state.contact
    return contact is not None and contact.external_id is None and not state.is_leaving


def is_to_archive(state: UserState) -> bool:
    kept = state.archived or state.link.undone_archive
    return state.rules.archive and state.is_leaving and not kept


def edges_in_flight(state: UserState) -> list[Membership]:
    """The edges that the second calls will move, to be noted before them."""
    plan = state.memberships
    attaching = [
        Membership(team, state.companies[team], EdgeState.ATTACHING)
        for team in plan.attach
        if team in state.companies
    ]
    leaving = {*plan.detach, *plan.dropped}
    return attaching + [
        replace(edge, state=EdgeState.DETACHING)
        for edge in state.edges.values()
        if edge.company_id in leaving
    ]


def first_events(state: UserState) -> list[Event]:
    """What the first call does beside sending fields, to be noted before it."""
    events: list[Event] = [(Action.MERGED, lead) for lead in state.leads]
    if state.contact is None and not state.is_leaving and may_write_first(state):
        events.append((Action.CREATED, None))
    if state.archived and not state.is_leaving:
        events.append((Action.UNARCHIVED, None))
    return events


def second_events(state: UserState) -> list[Event]:
    """What the second calls do beside it. Where the companies are still to be listed, any of
    ours may be left."""
    plan, wanted = state.memberships, state.app.teams
    ours = state.edges.items() if plan.must_list else ()
    leaving = [edge.company_id for team, edge in ours if team not in wanted]
    return [
        *((Action.MERGED, lead) for lead in state.leads),
        *((Action.ATTACHED, team) for team in plan.attach if team in state.companies),
        *((Action.DETACHED, company) for company in (*plan.detach, *leaving)),
        *((Action.TAGGED, tag_name(state, key)) for key in state.tag_plan.put_on),
        *((Action.UNTAGGED, key) for key in state.tag_plan.take_off),
        *([(Action.ARCHIVED, None)] if is_to_archive(state) else []),
    ]


def opts_out_for_leads(state: UserState) -> bool:
    """Whether a lead that is to be merged opted out, and the contact is yet to be."""
    fields = state.rules.fields
    opted_out = [
        flag
        for lead in state.leads
        for flag in opted_out_of(fields.values(), state.leads_found[lead])
    ]
    held = {**state.intercom_values({f.name: f for f in opted_out}), **state.plan.to_intercom}
    return any(held.get(flag.name) is not True for flag in opted_out)


def tag_name(state: UserState, key: str) -> str:
    """As the app spells it."""
    return (state.app.tags or {}).get(key, key)


def lead_to_search(state: UserState) -> str | None:
    """The address to search; once for each, and again where Intercom's side has moved, or for
    a user who was away; but not if all that was found was refused and is as it was.

    A delay of ours does not close the window: it is open as of when the change was noticed.
    """
    row = state.app.row
    if not isinstance(row, AppUser):
        return None
    again = state.is_back or _has_refused(state, changed=True)
    again = again or (state.read_requested and not _has_refused(state, changed=False))
    link = replace(state.link, lead_email=None) if again else state.link
    as_of = min(state.rules.now, state.waiting_since or state.rules.now)
    return lead_email(row, link, as_of, state.rules.merge_window)


def _has_refused(state: UserState, *, changed: bool) -> bool:
    """Whether Intercom refused a lead, with the row as it is now or with another one."""
    then = (row for row, _ in state.link.refused_leads.values())
    return any((row != state.row_hash) is changed for row in then)
