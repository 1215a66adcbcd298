"""Whom a document of Intercom's wakes, by our own tables: for the search and for webhooks.

Must not: call Intercom, read the app, or take a value from a document.
"""

from collections.abc import Iterable, Mapping, Sequence

from intercom_assets.database.store.store import Store
from intercom_assets.domain.models import Contact


def who_searched(store: Store, leads: Mapping[str, Mapping[str, str]]) -> set[str]:
    """Users whose address a lead has; but not for one that is as it was when Intercom would not
    merge it. `leads`: e-mail in lower case -> leads, and what they look like."""
    searched = store.linked.users_who_searched_leads(sorted(leads)) if leads else []
    links = store.links.users(searched)
    moved = sorted(
        user_id
        for user_id, link in links.items()
        if any(
            link.refused_leads.get(lead, ("", ""))[1] != looks
            for lead, looks in leads.get(link.lead_email or "", {}).items()
        )
    )
    if moved:
        store.claims.forget_refused_leads(moved)
    return set(moved)


def found_for(store: Store, contacts: Iterable[Contact]) -> dict[str, str]:
    """Contact -> user, of contacts that turn up with the id of a user for whom there was none; not
    of those being made."""
    by_id = {contact.external_id: contact.id for contact in contacts if contact.external_id}
    links = store.links.users(sorted(by_id))
    return {
        by_id[user_id]: user_id
        for user_id, link in links.items()
        if link.contact_id is None and not link.in_flight
    }


def by_email(leads: Sequence[Contact], looks: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """E-mail in lower case -> leads, and what they look like."""
    found: dict[str, dict[str, str]] = {}
    for lead in leads:
        if lead.email:
            found.setdefault(lead.email.lower(), {})[lead.id] = looks[lead.id]
    return found
