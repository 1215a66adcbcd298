"""Contacts one by one: create, read, update.

Who may hold which identity is in `identity`; archiving, deleting and blocking are in `lifecycle`,
merging in `merging`, lists and search in `listing`.
"""

from collections.abc import Mapping
from typing import Any

from intercom_assets.simulator import errors
from intercom_assets.simulator.contact_fields import LANGUAGE, allowed, read_fields, read_role
from intercom_assets.simulator.documents import (
    Document,
    as_answered,
    contact_document,
    merge_history,
    shape_of,
)
from intercom_assets.simulator.identity import refuse_conflicts, refuse_taken
from intercom_assets.simulator.records import NOTHING, Contact, Scalar, State
from intercom_assets.simulator.wire import Call, Reply

# --- reading ---


def find_live(call: Call, contact_id: str) -> Contact:
    """The live contact of this id. 404 for unknown, archived and deleted ones, 410 for merged."""
    contact = call.world.contacts.get(contact_id)
    if contact is None:
        raise errors.no_such_user()
    if contact.state is State.MERGED and call.version >= (2, 16):
        raise errors.merged(canonical(call, contact).id)
    if not contact.live:
        raise errors.no_such_user()
    return contact


def find_for_write(call: Call, contact_id: str) -> Contact:
    """As `find_live`, but a merged one answers what `merged_write` says."""
    contact = call.world.contacts.get(contact_id)
    merged = contact is not None and contact.state is State.MERGED
    if merged and call.settings.choice("merged_write") == 404:
        raise errors.no_such_user()
    return find_live(call, contact_id)


def canonical(call: Call, contact: Contact) -> Contact:
    """Who a merged contact is now; chains are followed for three hops."""
    for _ in range(3):
        if contact.merged_into is None:
            break
        contact = call.world.contacts[contact.merged_into]
    return contact


def show(call: Call, contact: Contact) -> Document:
    """The document that answers by id: always current."""
    document = contact_document(
        contact, call.world.workspace_id, call.version, shape_of(call.settings)
    )
    return with_history(call, contact, as_answered(document, call.settings))


def with_history(call: Call, contact: Contact, document: Document) -> Document:
    if call.version >= (2, 16) and call.flag("include_merge_history") and contact.role == "user":
        document["merge_history"] = merge_history(contact)
    return document


def get_contact(call: Call) -> Reply:
    return Reply(show(call, find_live(call, call.ids[0])))


def find_by_external_id(call: Call) -> Reply:
    """Users only: a lead's random external id finds nothing, a merged one's answers 410."""
    gone: Contact | None = None
    for contact in call.world.holders(call.ids[0], None):
        if contact.live and contact.role == "user":
            return Reply(show(call, contact))
        if contact.state is State.MERGED:
            gone = contact
    if gone is not None and call.version >= (2, 16):
        raise errors.merged(canonical(call, gone).id)
    raise errors.no_such_user()


# --- writing ---


def create_contact(call: Call) -> Reply:
    call.allow(*allowed(call))
    body = call.body
    if not any(body.get(key) for key in ("email", "external_id", "role")):
        raise errors.missing("email, external_id or role must be specified")
    role = read_role(body["role"]) if "role" in body else "user"
    fields = read_fields(call, role)
    fields["seen"] = _seen(NOTHING, fields)
    external_id = fields.pop("external_id", None) or None
    custom = {name: value for name, value in fields.pop("custom").items() if value is not None}
    if not fields.get("email"):
        fields.pop("email", None)
    if role == "user":
        refuse_taken(call, external_id, fields.get("email"))
    seq, now = call.world.next_seq(), call.world.now
    contact = Contact(
        id=call.world.object_id(seq),
        seq=seq,
        role=role,
        created_at=now,
        updated_at=now,
        external_id=call.world.uuid() if role == "lead" else external_id,
        custom=custom,
        **fields,
    )
    return commit(call, contact, recent_write=True)


def update_contact(call: Call) -> Reply:
    call.allow(*allowed(call))
    contact = find_for_write(call, call.ids[0])
    role = read_role(call.body["role"]) if "role" in call.body else contact.role
    if role == "lead" and contact.role == "user":
        raise errors.client_error("Contact with user role can't be converted to a lead")
    fields = read_fields(call, role)
    fields["role"] = role
    fields["seen"] = _seen(contact.seen, fields)
    fields["external_id"] = fields.pop("external_id", None) or contact.external_id
    fields["custom"] = merge_custom(contact, fields.pop("custom"))
    if all(getattr(contact, name) == value for name, value in fields.items()):
        return Reply(show(call, contact))
    changed = contact._replace(updated_at=call.world.now, **fields)
    refuse_conflicts(call, contact, changed)
    identity = (changed.email, changed.external_id, changed.role)
    cookie = identity != (contact.email, contact.external_id, contact.role)
    return commit(call, changed, recent_write=cookie)


def _seen(known: Mapping[str, Scalar], fields: dict[str, Any]) -> Mapping[str, Scalar]:
    """Takes the one field out that stands among those which only Intercom fills in."""
    if LANGUAGE not in fields:
        return known
    return {**known, LANGUAGE: fields.pop(LANGUAGE)}


def commit(call: Call, contact: Contact, recent_write: bool) -> Reply:
    """The stored `updated_at` may run ahead of the one in the write's own answer (recorded)."""
    skew = call.settings.updated_at_skew_s
    stored = contact._replace(updated_at=contact.updated_at + skew) if skew else contact
    call.world.commit_contact(stored)
    return Reply(show(call, contact), recent_write=recent_write, changed=True)


def merge_custom(contact: Contact, sent: dict[str, Any]) -> dict[str, Any]:
    """Key by key. A cleared key stays with null; clearing what was never set adds nothing."""
    if not sent:
        return dict(contact.custom)
    merged = dict(contact.custom)
    for name, value in sent.items():
        if value is not None or name in merged:
            merged[name] = value
    return merged
