"""What an answer of Intercom, or what became of a call, makes of what is known of a user. Pure.

Each function takes a state and gives another; what is journaled of it is the pass's.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from intercom_assets.database.records import InFlight
from intercom_assets.domain.decisions import CONSIDERED_ZONE, Decision, Freshness
from intercom_assets.domain.fields import TIME_ZONE, Field, intercom_values
from intercom_assets.domain.models import (
    Contact,
    EdgeState,
    LeftOut,
    Membership,
    Side,
    UserLink,
    Value,
    Values,
)
from intercom_assets.domain.opt_outs import (
    after_writes,
    on_anothers_contact,
    opt_out_in,
    opted_out_of,
    who_opted_out,
    with_word_of,
)
from intercom_assets.domain.reconcile import landed
from intercom_assets.domain.untold import sent_now
from intercom_assets.sync.passes.kept_apart import Pairs, accepted_after
from intercom_assets.sync.passes.known_companies import merge_known_companies, with_known_companies
from intercom_assets.sync.passes.known_tags import with_known_tags
from intercom_assets.sync.passes.leads import shown
from intercom_assets.sync.passes.users.calls_due import companies_in_doubt
from intercom_assets.sync.passes.users.identity import SomebodyElses, is_ours
from intercom_assets.sync.passes.users.state import UserState


def after_read(state: UserState, answer: Contact) -> UserState:
    """With a contact as Intercom answers it by id. Raises `SomebodyElses`."""
    if not is_ours(answer, state.user_id):
        raise SomebodyElses(answer)
    return _with_answer(state, answer, state.accepted, state.sent)


def after_write(state: UserState, answer: Contact, sent: Iterable[Decision]) -> UserState:
    """With the answer to a write of these decisions. Raises `SomebodyElses`."""
    if not is_ours(answer, state.user_id):
        raise SomebodyElses(answer)
    sent = list(sent)
    accepted = accepted_after(state.accepted, sent, answer)
    fields = {d.field.name: d.value for d in sent}
    values = {**state.sent, **fields, **after_writes(sent, state.base), **sent_now(sent)}
    return _with_answer(state, answer, accepted, values)


def _with_answer(state: UserState, answer: Contact, accepted: Pairs, sent: Values) -> UserState:
    link, base, edges = state.link, state.base, state.edges
    if state.contact is None and answer.id == link.contact_id:
        # The one that was forgotten is there after all: what was agreed on it still holds.
        base, edges = agreed_with_contact(link), link.edges
        accepted = {**link.accepted, **accepted}
        state = replace(state, tags={**link.tags, **state.tags})
    if link.in_flight:
        decided = state.decided_fields
        known = replace(link, base=agreed_with_contact(link))
        base = landed(known, decided, intercom_values(decided.values(), answer), state.values)
    answer = with_known_tags(answer, state.contact)
    state = replace(
        state,
        contact=with_known_companies(answer, state.contact, companies_in_doubt(state)),
        freshness=Freshness.FRESH,
        edges={team: merge_known_companies(edge, answer) for team, edge in edges.items()},
        base={**base, **sent},
        accepted=accepted,
        sent=sent,
    )
    is_others = state.is_another_person or link.others_contact == answer.id
    return inherit_nothing(state) if is_others and not state.inherited_nothing else state


def with_note(state: UserState, note: InFlight) -> UserState:
    """As the next look into the store has it, once the note of what is sent is written down."""
    moving = {edge.team_id: edge for edge in note.edges}
    link = replace(
        state.link,
        in_flight={**state.link.in_flight, **note.values},
        edges={**state.link.edges, **moving},
    )
    return replace(state, link=link, edges={**state.edges, **moving})


def agreed_with_contact(link: UserLink) -> Values:
    """The base, less what was agreed on with another contact: a run that died had claimed this one,
    and recorded nothing of it."""
    last = link.shadow.id if link.shadow else link.contact_id
    is_its = link.contact_id is not None and link.contact_id == last
    return link.base if is_its else who_opted_out(link.base)


def forget_contact(state: UserState) -> UserState:
    """Its id leads nowhere, or to somebody else's: what was agreed on it is void.

    But the person who opted out did, whatever became of the contact.
    """
    return replace(
        state,
        contact=None,
        freshness=Freshness.FRESH,
        base={} if state.is_another_person else who_opted_out(state.base),
        sent={},
        accepted={},
        edges={},
        tags={},
        doubted_tags=frozenset(),
        undone_tags=frozenset(),
        archived=False,
        undone={},
        undone_teams=frozenset(),
        undone_companies=frozenset(),
        refused_leads={},
    )


def inherit_nothing(state: UserState) -> UserState:
    """What Intercom holds was another person's: none of it is pulled, and what the app has not
    is cleared. `refused` holds until Intercom's value changes."""
    fields = state.rules.fields.values()
    there = state.intercom_values(state.rules.fields)
    flags = {field.name for field in fields if field.policy.traits.of_flags}
    pulled = {f.name: there[f.name] for f in fields if f.pulled and f.name not in flags}
    own = {} if state.is_another_person else state.base
    zone = state.geo_hint.zone
    return replace(
        state,
        inherited_nothing=True,
        base={
            **pulled,
            CONSIDERED_ZONE.name: zone,
            **on_anothers_contact(fields, own, there),
        },
        refused={**pulled, TIME_ZONE: zone} if TIME_ZONE in pulled else pulled,
        accepted={},
        undone={},
        overwritten={},
    )


def archived_before(state: UserState, sent: Values) -> UserState:
    """A run that died had archived the contact, having sent this; it comes back with its user."""
    base = {**state.base, **sent}
    return replace(state, archived=True, freshness=Freshness.FRESH, base=base)


def attached(state: UserState, team: str, company_id: str) -> UserState:
    edges = {**state.edges, team: Membership(team, company_id, EdgeState.ATTACHED)}
    contact = _in_companies(state.contact, state.company_ids | {company_id})
    return replace(state, contact=contact, edges=edges)


def in_company(state: UserState, company_id: str) -> UserState:
    """Attached, without an edge of ours."""
    return in_companies(state, state.company_ids | {company_id})


def detached(state: UserState, company_id: str) -> UserState:
    return in_companies(state, state.company_ids - {company_id})


def with_listed_companies(
    state: UserState, listed: frozenset[str], teams: Mapping[str, str]
) -> UserState:
    """The contact's companies were read in full. `teams`: those of them that are teams."""
    state = in_companies(state, listed, complete=True)
    assert state.contact is not None, "companies are listed of a contact that is known"
    edges = {t: merge_known_companies(edge, state.contact) for t, edge in state.edges.items()}
    return replace(state, edges=edges, companies={**state.companies, **teams})


def in_companies(
    state: UserState, ids: frozenset[str], *, complete: bool | None = None
) -> UserState:
    """`complete`: they were read in full; None: as far as is known, as before."""
    return replace(state, contact=_in_companies(state.contact, ids, complete=complete))


def _in_companies(
    contact: Contact | None, ids: frozenset[str], *, complete: bool | None = None
) -> Contact:
    assert contact is not None, "a contact that is known is in companies"
    known, count = contact.companies_complete, contact.company_count
    if count is not None:
        count = len(ids) if complete else count + len(ids) - len(contact.company_ids)
    return replace(
        contact,
        company_ids=tuple(sorted(ids)),
        companies_complete=known if complete is None else complete,
        company_count=count,
    )


def without_edges(state: UserState, company_ids: Collection[str]) -> UserState:
    kept = {t: edge for t, edge in state.edges.items() if edge.company_id not in company_ids}
    return state if len(kept) == len(state.edges) else replace(state, edges=kept)


def with_listed_tags(state: UserState, listed: Mapping[str, str]) -> UserState:
    """The contact's tags were read in full: key -> id."""
    assert state.contact is not None, "tags are listed of a contact that is known"
    known = {**(state.rules.tags or {}), **listed}
    ids = tuple(sorted(listed.values()))
    contact = replace(state.contact, tag_ids=ids, tags_complete=True, tag_count=len(ids))
    return with_workspace_tags(replace(state, contact=contact), known)


def with_workspace_tags(state: UserState, known: Mapping[str, str]) -> UserState:
    """The workspace's tags, as they are known by now: key -> id."""
    return replace(state, rules=replace(state.rules, tags=known))


def tagged(state: UserState, key: str, tag_id: str) -> UserState:
    """By us."""
    doubted = state.doubted_tags - {key}
    state = replace(state, tags={**state.tags, key: tag_id}, doubted_tags=doubted)
    return carrying(state, state.carried_tags.ids | {tag_id})


def untagged(state: UserState, keys: Collection[str]) -> UserState:
    """Taken off."""
    ids = {state.tags[key] for key in keys}
    return carrying(disowned(state, keys), state.carried_tags.ids - ids)


def disowned(state: UserState, keys: Collection[str]) -> UserState:
    """No longer ours, on the contact or not."""
    return replace(state, tags={key: tag for key, tag in state.tags.items() if key not in keys})


def carrying(state: UserState, ids: Collection[str]) -> UserState:
    assert state.contact is not None, "a contact that is known carries tags"
    count = len(ids) if state.contact.tags_complete else None
    contact = replace(state.contact, tag_ids=tuple(sorted(ids)), tag_count=count)
    return replace(state, contact=contact)


def leave_out(state: UserState, name: str, reason: LeftOut) -> UserState:
    """This value is not sent again; everything else goes on."""
    return replace(state, left_out={**state.left_out, name: reason})


def with_leads(state: UserState, email: str, leads: Mapping[str, Contact]) -> UserState:
    """What a search for the address found: leads by id. Who was refused is not tried again before
    what it looks like, or the app's row, has changed."""
    still = {lead: pair for lead, pair in state.refused_leads.items() if lead in leads}
    now = {lead: (state.row_hash, shown(contact)) for lead, contact in leads.items()}
    return replace(
        state,
        lead_email=email,
        refused_leads=still,
        leads_found=leads,
        leads=tuple(lead for lead in leads if still.get(lead) != now[lead]),
    )


def left_by_contact(state: UserState, contact: Contact) -> UserState:
    """The contact turned out to be another user's. An opt-out that it shows, and that was not read
    before, is of whoever had its address until now."""
    flags = opted_out_of(state.rules.fields.values(), contact)
    copied = (Side.INTERCOM in opt_out_in(state.base, flag).copied_to for flag in flags)
    own = [flag for flag, is_copy in zip(flags, copied, strict=True) if not is_copy]
    return state if state.is_another_person else with_opt_outs(state, own)


def with_opt_outs(state: UserState, flags: Iterable[Field]) -> UserState:
    """Intercom's side is known to have opted out of these, as a lead."""
    known = [flag for flag in flags if flag.name in state.rules.fields]
    kept = with_word_of(Side.INTERCOM, known, state.base)
    return replace(state, base={**state.base, **kept}, sent={**state.sent, **kept})


def with_refused_lead(state: UserState, lead: str) -> UserState:
    """Intercom would not merge it, with the row and the lead as they are now."""
    refused = {**state.refused_leads, lead: (state.row_hash, shown(state.leads_found[lead]))}
    return replace(state, refused_leads=refused)


def after_write_back(state: UserState, stored: Iterable[Decision]) -> UserState:
    """The app stored these as they were decided."""
    kept = after_writes(stored, state.base)
    return replace(state, base={**state.base, **kept}) if kept else state


def with_refused_value(state: UserState, name: str, value: Value) -> UserState:
    """The app would not store it; it is not offered again until Intercom's changes."""
    return replace(state, refused={**state.refused, name: value})
