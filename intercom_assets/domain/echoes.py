"""Whether what Intercom shows of a contact or company is news, or our own write coming back. Pure.

What is compared is what was last read by id, and what is in flight: a run is at work on it and has
not recorded it yet. No value is taken from a document that is compared here; news only lead to a
read. A document that says nothing of a part is no news about it.
"""

from collections.abc import Mapping

from intercom_assets.domain.attempts import attempts_in
from intercom_assets.domain.fields import Field, intercom_values
from intercom_assets.domain.models import (
    Company,
    Contact,
    EdgeState,
    TeamLink,
    UserLink,
    Value,
    Values,
)
from intercom_assets.domain.vocabulary import Action

OURS = frozenset({EdgeState.ATTACHING, EdgeState.ATTACHED})


def differs(fields: Mapping[str, Field], contact: Contact, link: UserLink) -> bool:
    """Whether a contact shows what our last read by id did not."""
    shadow = link.shadow
    if shadow is None:
        return True
    if (contact.updated_at or 0) < (shadow.updated_at or 0):
        return False  # an old document: what we read by id is newer
    if any(not _sent(item, new, link.in_flight) for item, new in _news(fields, contact, shadow)):
        return True
    if contact.companies_complete and shadow.companies_complete:
        moved = frozenset(contact.company_ids) ^ frozenset(shadow.company_ids)
        if moved - _moving(link):
            return True
    elif _counts_differ(contact, shadow) and not _moving(link):
        return True
    return _lost_a_tag(contact, shadow, link) or _rest(contact) != _rest(shadow)


def company_differs(fields: Mapping[str, Field], company: Company, link: TeamLink) -> bool:
    """Whether a company shows what the answer to our last write did not. It has no time of its
    own by which an old document could be known: one from before a tag of ours costs a read."""
    shadow = link.shadow
    if shadow is None or company.id != link.company_id:
        return not link.in_flight
    if any(not _sent(item, new, link.in_flight) for item, new in _news(fields, company, shadow)):
        return True
    lost = company.tags is not None and not _wanted_tags(link) <= {*company.tags.values()}
    return lost or company.company_id != shadow.company_id


def is_attached(link: UserLink, company_id: str) -> bool:
    """Whether we know of this membership, or are making it."""
    edges = link.edges.values()
    known = link.shadow is not None and company_id in link.shadow.company_ids
    return known or any(e.company_id == company_id and e.state in OURS for e in edges)


def is_detached(link: UserLink, company_id: str) -> bool:
    """Whether we know of no such membership, or are ending it."""
    edges = [edge for edge in link.edges.values() if edge.company_id == company_id]
    if any(edge.state is EdgeState.DETACHING for edge in edges):
        return True
    return not edges and (link.shadow is None or company_id not in link.shadow.company_ids)


def is_at_it(link: UserLink | TeamLink, action: Action, what: Value = None) -> bool:
    """Whether a run is about to do this to the contact or company. `what`: None is whatever it does
    it to."""
    about = [item for attempt in attempts_in(link.in_flight) for item in attempt.about(action)]
    return bool(about) if what is None else what in about


def _news(
    fields: Mapping[str, Field], document: Contact | Company, shadow: Contact | Company
) -> list[tuple[Field, Value]]:
    """Fields that are shown otherwise than they were, and as what."""
    now, then = (intercom_values(fields.values(), d) for d in (document, shadow))
    return [
        (item, now[name]) for name, item in fields.items() if not item.same(now[name], then[name])
    ]


def _sent(field: Field, shown: Value, in_flight: Values) -> bool:
    return field.name in in_flight and field.same(shown, in_flight[field.name])


def _counts_differ(contact: Contact, shadow: Contact) -> bool:
    """Of lists that are cut at ten, only their numbers can be compared."""
    counts = {contact.company_count, shadow.company_count}
    return None not in counts and len(counts) > 1


def _lost_a_tag(contact: Contact, shadow: Contact, link: UserLink) -> bool:
    """Whether one that the app wants was taken off. A document as old as our last read by id may be
    from before we put it on."""
    if not contact.tags_complete or (contact.updated_at or 0) <= (shadow.updated_at or 0):
        return False
    return not _wanted_tags(link) <= {*contact.tag_ids}


def _wanted_tags(link: UserLink | TeamLink) -> set[str]:
    """Ids of those that the app wants and that were on."""
    ours = [tag for key, tag in link.tags.items() if not is_at_it(link, Action.UNTAGGED, key)]
    return {*ours, *link.others_tags}


def _moving(link: UserLink) -> frozenset[str]:
    """The companies that a run is attaching or detaching."""
    edges = link.edges.values()
    return frozenset(e.company_id for e in edges if e.state is not EdgeState.ATTACHED)


def _rest(contact: Contact) -> tuple[object, ...]:
    """What a pass reads of a contact besides its fields and companies."""
    return contact.external_id, contact.located_time_zone, contact.country_code
