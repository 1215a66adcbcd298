"""Merging a lead (or a user, as Preview has it) into a user, and what is told about it afterwards.

The user that it is merged into survives: its id, external id and set values stay, what it lacks
comes from the other.
"""

import base64
from typing import Any

from intercom_assets.simulator import errors
from intercom_assets.simulator.contacts import commit
from intercom_assets.simulator.documents import merge_history
from intercom_assets.simulator.paging import page_size
from intercom_assets.simulator.records import Contact, Merge, State
from intercom_assets.simulator.wire import Call, Reply

INHERITED = ("email", "name", "phone", "avatar", "owner_id", "signed_up_at", "last_seen_at")
HISTORY_PAGE = 50


def merge_contacts(call: Call) -> Reply:
    checks_duplicates = call.version >= (2, 16)
    call.allow("from", "into", *(("skip_duplicate_validation",) if checks_duplicates else ()))
    lead, user = _named(call, "from"), _named(call, "into")
    of_users = lead.role == user.role == "user" and call.settings.choice("user_merges")
    if user.role != "user" or not (lead.role == "lead" or of_users):
        raise errors.invalid_merge("Merging can only be performed on a lead into a user")
    if of_users and "skip_duplicate_validation" in call.body:
        raise errors.parameter_not_allowed("skip_duplicate_validation")
    skip = call.body.get("skip_duplicate_validation", False)
    if not isinstance(skip, bool):
        raise errors.invalid("skip_duplicate_validation must be a boolean")
    if checks_duplicates and not skip and not _duplicates(lead, user):
        raise errors.invalid_merge(
            "Contacts can only be merged when they are duplicates (matching email or phone). "
            "Pass skip_duplicate_validation=true to override this check."
        )
    if lead.id in call.world.external_leads:
        raise errors.external_lead()
    return _merge(call, lead, user)


def _named(call: Call, side: str) -> Contact:
    contact_id = call.body.get(side)
    if contact_id is None:
        raise errors.missing(f"{side} not specified")
    if not isinstance(contact_id, str):
        raise errors.invalid(f"{side} must be a string", side)
    contact = call.world.contacts.get(contact_id)
    if contact is None or not contact.live:
        raise errors.no_such_contact()
    return contact


def _duplicates(lead: Contact, user: Contact) -> bool:
    same_email = bool(lead.email) and (lead.email or "").lower() == (user.email or "").lower()
    return same_email or (bool(lead.phone) and lead.phone == user.phone)


def _merge(call: Call, lead: Contact, user: Contact) -> Reply:
    now = call.world.now
    # The lead leaves first, so that the companies it shares count each person once.
    call.world.commit_contact(
        lead._replace(state=State.MERGED, merged_into=user.id, updated_at=now)
    )
    return commit(call, merged(lead, user, now), recent_write=True)


def merged(lead: Contact, user: Contact, now: int) -> Contact:
    inherited: dict[str, Any] = {
        name: getattr(lead, name) for name in INHERITED if not getattr(user, name)
    }
    custom = dict(user.custom)
    for name, value in lead.custom.items():
        if custom.get(name) is None:
            custom[name] = value
    return user._replace(
        **inherited,
        custom=custom,
        companies=tuple(dict.fromkeys((*user.companies, *lead.companies))),
        tags={**lead.tags, **user.tags},
        merges=(*user.merges, Merge(lead.id, lead.role, now)),
        updated_at=now,
    )


def list_merge_history(call: Call) -> Reply:
    contact = call.world.contacts.get(call.ids[0])
    if contact is None or not contact.live or contact.role != "user":
        raise errors.no_such_contact("Contact not found")
    order = call.query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise errors.invalid("order must be asc or desc", "order")
    size = page_size(call, call.query.get("per_page"), HISTORY_PAGE)
    items = merge_history(contact)
    if order == "desc":
        items.reverse()
    start = _place(call.query.get("cursor"))
    more = start + size < len(items)
    page: dict[str, Any] = {"type": "list", "data": items[start : start + size], "has_more": more}
    if more:
        page["next_cursor"] = base64.urlsafe_b64encode(str(start + size).encode()).decode()
    return Reply(page)


def _place(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(cursor)))
    except ValueError as unreadable:
        raise errors.bad_cursor() from unreadable
