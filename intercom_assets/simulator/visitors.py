"""Visitors: people without a name yet. They are read, renamed, and converted to contacts."""

from dataclasses import replace
from typing import Any

from intercom_assets.simulator import errors
from intercom_assets.simulator.contacts import show
from intercom_assets.simulator.documents import Document
from intercom_assets.simulator.extras import Visitor
from intercom_assets.simulator.records import Contact
from intercom_assets.simulator.values import custom_values, optional_text
from intercom_assets.simulator.wire import Call, Reply

ROLES = ("user", "lead")
NOTHING_KNOWN = ("referrer", "utm_campaign", "utm_content", "utm_medium", "utm_source", "utm_term")


def get_visitor(call: Call) -> Reply:
    return Reply(_document(call, _named(call, {"user_id": call.query.get("user_id")})))


def _named(call: Call, names: Any) -> Visitor:
    given = names if isinstance(names, dict) else {}
    known = call.world.extras.visitors
    if given.get("id"):
        found = known.get(str(given["id"]))
    else:
        wanted = given.get("user_id") or given.get("email")
        found = next((v for v in known.values() if wanted and wanted in (v.user_id, v.email)), None)
    if found is None:
        raise errors.Refused(404, "not_found", "Visitor Not Found")
    return found


def update_visitor(call: Call) -> Reply:
    call.allow("id", "user_id", "name", "custom_attributes")
    visitor = _named(call, call.body)
    known = call.world.attribute_types["contact"]
    sent = custom_values(call.body.get("custom_attributes"), known, call.settings)
    changes: dict[str, Any] = {"custom": {**visitor.custom, **sent}}
    if "name" in call.body:
        changes["name"] = optional_text("name", call.body["name"], call.settings)
    changed = replace(visitor, updated_at=call.world.now, **changes)
    call.world.extras.visitors[changed.id] = changed
    return Reply(_document(call, changed), changed=True)


def convert_visitor(call: Call) -> Reply:
    """Into the user that is named, or into a new contact with those names; the visitor is gone."""
    call.allow("type", "user", "visitor")
    role = call.body.get("type")
    if role not in ROLES:
        raise errors.invalid("type must be either user or lead", "type")
    person = call.body.get("user")
    if role == "user" and not isinstance(person, dict):
        raise errors.missing("user not specified")
    visitor = _named(call, call.body.get("visitor"))
    contact = _known(call, person) or _made(call, visitor, str(role), person)
    del call.world.extras.visitors[visitor.id]
    return Reply(show(call, contact), recent_write=True, changed=True)


def _known(call: Call, person: Any) -> Contact | None:
    names = person if isinstance(person, dict) else {}
    if names.get("id"):
        contact = call.world.contacts.get(str(names["id"]))
        if contact is None or not contact.live:
            raise errors.no_such_user()
        return contact
    holders = call.world.holders(_text(call, names, "user_id"), _text(call, names, "email"))
    return next((holder for holder in holders if holder.live and holder.role == "user"), None)


def _made(call: Call, visitor: Visitor, role: str, person: Any) -> Contact:
    names = person if isinstance(person, dict) else {}
    seq, now = call.world.next_seq(), call.world.now
    lead_id = visitor.user_id if role == "lead" else None
    contact = Contact(
        id=call.world.object_id(seq),
        seq=seq,
        role=role,
        created_at=visitor.created_at,
        updated_at=now,
        external_id=lead_id or _text(call, names, "user_id"),
        email=_text(call, names, "email") or visitor.email or None,
        name=visitor.name,
        custom=visitor.custom,
    )
    call.world.commit_contact(contact)
    return contact


def _text(call: Call, names: dict[str, Any], key: str) -> str | None:
    return optional_text(key, names.get(key), call.settings) or None


def _document(call: Call, visitor: Visitor) -> Document:
    return {
        "type": "visitor",
        "id": visitor.id,
        "user_id": visitor.user_id,
        "anonymous": True,
        "email": visitor.email,
        "phone": None,
        "name": visitor.name,
        "pseudonym": None,
        "avatar": {"type": "avatar", "image_url": None},
        "app_id": call.world.workspace_id,
        "companies": {"type": "company.list", "companies": []},
        "location_data": {},
        "last_request_at": None,
        "created_at": visitor.created_at,
        "remote_created_at": visitor.created_at,
        "signed_up_at": visitor.created_at,
        "updated_at": visitor.updated_at,
        "session_count": 0,
        "social_profiles": {"type": "social_profile.list", "social_profiles": []},
        "owner_id": None,
        "unsubscribed_from_emails": False,
        "marked_email_as_spam": False,
        "has_hard_bounced": False,
        "tags": {"type": "tag.list", "tags": []},
        "segments": {"type": "segment.list", "segments": []},
        "custom_attributes": dict(visitor.custom),
        **dict.fromkeys(NOTHING_KNOWN),
        "do_not_track": None,
    }
