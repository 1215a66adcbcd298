"""Contacts by the hundred: created strictly, updated by Intercom's id, deleted for good.

Companies are attached and detached and tags put on inside an item. An item that is refused
changes nothing; why, nobody is told.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from intercom_assets.simulator import errors
from intercom_assets.simulator.bulk import accept, only, show_job
from intercom_assets.simulator.companies import upsert_company
from intercom_assets.simulator.contacts import create_contact, find_for_write, update_contact
from intercom_assets.simulator.identity import refuse_taken
from intercom_assets.simulator.lifecycle import delete_contact
from intercom_assets.simulator.memberships import LIMIT, too_many_companies
from intercom_assets.simulator.records import Contact
from intercom_assets.simulator.tags import put_tag, take_tag
from intercom_assets.simulator.wire import Call, Reply

MODEL = "contacts"
UPDATABLE = (
    "external_id",
    "email",
    "name",
    "phone",
    "avatar",
    "owner_id",
    "unsubscribed_from_emails",
    "language_override",
    "custom_attributes",
)
CREATABLE = (*UPDATABLE, "role", "signed_up_at", "last_seen_at")


class Edge(NamedTuple):
    """`company_id`: the app's."""

    company_id: str
    name: str | None
    remove: bool


def create_contacts(call: Call) -> Reply:
    return accept(call, MODEL, _create)


def update_contacts(call: Call) -> Reply:
    return accept(call, MODEL, _update, identified_by="id")


def delete_contacts(call: Call) -> Reply:
    return accept(call, MODEL, _delete, identified_by="id")


def get_contacts_job(call: Call) -> Reply:
    return show_job(call, MODEL)


# --- an item ---


def _create(call: Call) -> None:
    edges = _edges(call, removable=False)
    fields = only(call.body, CREATABLE)
    if fields.get("role") != "lead":
        rule = call.settings.choice("bulk_equal_email")
        rule = call.settings.choice("equal_email") if rule == "as_single" else rule
        refuse_taken(call, fields.get("external_id"), fields.get("email"), rule)
    _refuse_unattachable(call, (), edges)
    made = create_contact(call._replace(body=fields)).document["id"]
    _connect(call, made, edges)


def _update(call: Call) -> None:
    contact = find_for_write(call, call.body["id"])
    edges = _edges(call, removable=True)
    _refuse_unattachable(call, contact.companies, edges)
    update_contact(call._replace(ids=(contact.id,), body=only(call.body, UPDATABLE)))
    _connect(call, contact.id, edges)


def _delete(call: Call) -> None:
    delete_contact(call._replace(ids=(call.body["id"],)))


def _connect(call: Call, contact_id: str, edges: Sequence[Edge]) -> None:
    _attach(call, call.world.contacts[contact_id], edges)
    tags = call.body.get("tags")
    for tag_id in _tag_ids(tags, "add"):
        contact, tag = call.world.contacts[contact_id], call.world.tags.get(tag_id)
        if tag is not None and tag.id not in contact.tags:
            put_tag(call, contact, tag)
    for tag_id in _tag_ids(tags, "remove"):
        if tag_id in call.world.tags:
            take_tag(call, call.world.contacts[contact_id], call.world.tags[tag_id])


def _tag_ids(tags: Any, do: str) -> list[str]:
    """Best effort, as documented: a tag that is not there is passed over."""
    named = tags.get(do) if isinstance(tags, dict) else None
    rows = named if isinstance(named, list) else []
    return [str(row["id"]) for row in rows if isinstance(row, dict) and row.get("id")]


# --- companies of an item ---


def _edges(call: Call, removable: bool) -> list[Edge]:
    rows = call.body.get("companies") or []
    if not isinstance(rows, list):
        raise errors.invalid("companies must be an array", "companies")
    return [_edge(row, removable) for row in rows]


def _edge(row: Any, removable: bool) -> Edge:
    company_id = row.get("company_id") if isinstance(row, dict) else None
    if not isinstance(company_id, str) or not company_id:
        raise errors.missing("company_id not specified")
    return Edge(company_id, row.get("name"), removable and row.get("remove") is True)


def _refuse_unattachable(call: Call, attached: Sequence[str], edges: Sequence[Edge]) -> None:
    known = call.world.company_by_key
    wanted = {edge.company_id for edge in edges if not edge.remove}
    unknown = [company_id for company_id in wanted if company_id not in known]
    if unknown and not call.settings.choice("bulk_attach_creates"):
        raise errors.no_such_company()
    more = sum(known.get(company_id) not in attached for company_id in wanted)
    if len(attached) + more > LIMIT:
        raise too_many_companies()


def _attach(call: Call, contact: Contact, edges: Sequence[Edge]) -> None:
    """A company that is there is left as it is, whatever name the item has for it."""
    companies = dict.fromkeys(contact.companies)
    for edge in edges:
        known = call.world.company_by_key.get(edge.company_id)
        if edge.remove:
            companies.pop(known or "", None)
        else:
            companies[known or _make_company(call, edge)] = None
    after = tuple(companies)
    if after == contact.companies:
        return
    moved = bool(call.settings.choice("attach_moves_updated_at"))
    updated_at = call.world.now if moved else contact.updated_at
    call.world.commit_contact(contact._replace(companies=after, updated_at=updated_at))


def _make_company(call: Call, edge: Edge) -> str:
    body = {"company_id": edge.company_id, **({} if edge.name is None else {"name": edge.name})}
    document = upsert_company(call._replace(body=body)).document
    call.world.being_made.pop(edge.company_id, None)
    return str(document["id"])
