"""What Intercom tells its webhooks of a change: topics and items, from two versions of a record.

Pure. Of what is gone come only ids (recorded). How a contact or company looks in it is in
`telling`; when a notification is sent, and whether, is `deliveries`' business.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

from intercom_assets.simulator.documents import Document, tag_document
from intercom_assets.simulator.records import Company, Contact, State
from intercom_assets.simulator.state import World
from intercom_assets.simulator.telling import UNARCHIVE, Telling

TOPICS = (
    "contact.user.created",
    "contact.user.updated",
    "contact.user.tag.created",
    "contact.user.tag.deleted",
    "contact.lead.created",
    "contact.lead.updated",
    "contact.lead.added_email",
    "contact.lead.signed_up",
    "contact.lead.tag.created",
    "contact.lead.tag.deleted",
    "contact.email.updated",
    "contact.archived",
    "contact.unarchive",
    "contact.deleted",
    "contact.merged",
    "contact.subscribed",
    "contact.unsubscribed",
    "company.created",
    "company.updated",
    "company.deleted",
    "company.contact.attached",
    "company.contact.detached",
)
"""What can be subscribed to. `ping` always is."""

PING = "ping"

NOT_AN_EDIT = frozenset(
    {
        "updated_at",
        "tags",
        "companies",
        "role",
        "unsubscribed_from_emails",
        "notes",
        "subscriptions",
    }
)
EDITABLE = tuple(name for name in Contact._fields if name not in NOT_AN_EDIT)

Item: TypeAlias = Callable[[Telling], Document]


class Notice(NamedTuple):
    """`item` makes the document when it is sent, of the records as they were at the change."""

    topic: str
    about: str
    item: Item


def ping() -> Notice:
    return Notice(PING, "", lambda telling: {"type": "ping", "message": "Hello from Intercom"})


# --- contacts ---


def of_contact(old: Contact | None, new: Contact) -> Iterator[Notice]:
    """Of a merge only `contact.merged`, about the survivor; of a block nothing."""
    if old is None or old.state is not new.state:
        yield from _came_or_went(old, new)
    elif new.live and len(new.merges) > len(old.merges):
        yield Notice("contact.merged", new.id, lambda telling: _survivor(telling, new))
    elif new.live:
        yield from _edited(old, new)


def _came_or_went(old: Contact | None, new: Contact) -> Iterator[Notice]:
    if new.state is State.DELETED:
        yield Notice("contact.deleted", new.id, lambda telling: _gone(new, "deleted"))
    elif new.state is State.ARCHIVED:
        yield Notice("contact.archived", new.id, lambda telling: _gone(new, "archived"))
    elif new.live:
        topic = f"contact.{new.role}.created" if old is None else UNARCHIVE
        yield Notice(topic, new.id, lambda telling: telling.contact(new))


def _gone(contact: Contact, what: str) -> Document:
    ids = {"id": contact.id, "external_id": contact.external_id}
    return {**ids, "type": "contact", what: True}


def _survivor(telling: Telling, contact: Contact) -> Document:
    document = telling.contact(contact)
    if telling.settings.choice("webhook_merged_from"):
        document["merged_from"] = {"type": "contact", "id": contact.merges[-1].source_id}
    return document


def _edited(old: Contact, new: Contact) -> Iterator[Notice]:
    def whole(telling: Telling) -> Document:
        return telling.contact(new)

    if new.role != old.role:
        yield Notice("contact.lead.signed_up", new.id, whole)
    if any(getattr(old, name) != getattr(new, name) for name in EDITABLE):
        yield Notice(f"contact.{new.role}.updated", new.id, whole)
    if (old.email or "") != (new.email or ""):
        if new.role == "lead" and not old.email:
            yield Notice("contact.lead.added_email", new.id, whole)
        else:
            yield Notice("contact.email.updated", new.id, whole)
    if old.unsubscribed_from_emails != new.unsubscribed_from_emails:
        yield _subscription(new)
    if old.tags != new.tags:
        yield from _tagged(old, new)


def _subscription(contact: Contact) -> Notice:
    left = contact.unsubscribed_from_emails

    def item(telling: Telling) -> Document:
        return {
            "type": "contact_unsubscribe" if left else "contact_subscribe",
            "contact": telling.contact(contact),
            "subscription_types": {"type": "list", "data": []},
            "created_at": contact.updated_at,
        }

    return Notice("contact.unsubscribed" if left else "contact.subscribed", contact.id, item)


def _tagged(old: Contact, new: Contact) -> Iterator[Notice]:
    for verb, ids in (
        ("created", new.tags.keys() - old.tags),
        ("deleted", old.tags.keys() - new.tags),
    ):
        for tag_id in sorted(ids):
            yield Notice(f"contact.{new.role}.tag.{verb}", new.id, _tag_item(new, tag_id))


def _tag_item(contact: Contact, tag_id: str) -> Item:
    def item(telling: Telling) -> Document:
        tag = telling.world.tags.get(tag_id)
        named: Any = tag_document(tag) if tag is not None else {"type": "tag", "id": tag_id}
        return {"type": "contact_tag", "tag": named, "contact": telling.contact(contact)}

    return item


# --- companies ---


def of_memberships(world: World, old: Contact | None, new: Contact) -> Iterator[Notice]:
    """A detached contact is shown as it was before (recorded), so it still lists the company.

    A merge moves memberships silently; so does a contact that comes or goes.
    """
    if old is None or not (old.live and new.live) or len(old.merges) != len(new.merges):
        return
    for verb, ids, shown in (
        ("attached", set(new.companies) - set(old.companies), new),
        ("detached", set(old.companies) - set(new.companies), old),
    ):
        for company_id in sorted(ids):
            item = _edge(world.companies[company_id], shown)
            yield Notice(f"company.contact.{verb}", new.id, item)


def _edge(company: Company, contact: Contact) -> Item:
    return lambda telling: {
        "company": telling.company(company, by_itself=False),
        "contact": telling.contact(contact),
    }


COUNTED = ("updated_at", "user_count", "session_count", "last_request_at", "notes")


def of_company(old: Company | None, new: Company) -> Iterator[Notice]:
    """Who is in it is told by its contacts' notices, and no edit of it."""
    if new.deleted_at is not None:
        if old is not None and old.deleted_at is None:
            gone = {"id": new.id, "type": "company", "deleted": True}
            yield Notice("company.deleted", new.id, lambda telling: gone)
    elif old is None:
        yield Notice("company.created", new.id, lambda telling: telling.company(new))
    elif _compared(old) != _compared(new):
        yield Notice("company.updated", new.id, lambda telling: telling.company(new))


def _compared(company: Company) -> list[Any]:
    names = (name for name in Company.__slots__ if name not in COUNTED)
    return [getattr(company, name) for name in names]
