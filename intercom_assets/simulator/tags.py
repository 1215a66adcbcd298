"""Tags of contacts and companies. Tagging moves a contact's `updated_at` (recorded)."""

from dataclasses import replace
from typing import Any

from intercom_assets.simulator import errors
from intercom_assets.simulator.contacts import find_for_write, find_live
from intercom_assets.simulator.documents import Document, tag_document
from intercom_assets.simulator.records import Company, Contact, Tag
from intercom_assets.simulator.values import flag, text
from intercom_assets.simulator.wire import Call, Reply


def list_tags(call: Call) -> Reply:
    return Reply({"type": "list", "data": [tag_document(t) for t in call.world.tags.values()]})


def get_tag(call: Call) -> Reply:
    return Reply(tag_document(_find(call, call.ids[0])))


def delete_tag(call: Call) -> Reply:
    """Refused while anybody carries it."""
    tag = _find(call, call.ids[0])
    people = any(tag.id in contact.tags for contact in call.world.contacts.values() if contact.live)
    if people or any(tag.id in company.tags for company in call.world.companies.values()):
        raise errors.Refused(
            400, "tag_has_dependent_objects", "Unable to delete Tag with dependent objects."
        )
    del call.world.tags[tag.id]
    return Reply({}, changed=True)


def _find(call: Call, tag_id: Any) -> Tag:
    tag = call.world.tags.get(str(tag_id)) if isinstance(tag_id, str | int) else None
    if tag is None:
        raise errors.no_such_resource()
    return tag


# --- one contact ---


def list_contact_tags(call: Call) -> Reply:
    contact = find_live(call, call.ids[0])
    rows = [_applied(call, contact, tag_id) for tag_id in contact.tags if tag_id in call.world.tags]
    return Reply({"type": "list", "data": rows})


def _applied(call: Call, contact: Contact, tag_id: str) -> Document:
    admin = next(iter(call.world.admins))
    return tag_document(call.world.tags[tag_id], contact.tags[tag_id], admin)


def tag_contact(call: Call) -> Reply:
    call.allow("id")
    contact = find_for_write(call, call.ids[0])
    tag = _find(call, call.body.get("id"))
    if tag.id not in contact.tags:
        contact = put_tag(call, contact, tag)
    return Reply(_applied(call, contact, tag.id), recent_write=True, changed=True)


def put_tag(call: Call, contact: Contact, tag: Tag) -> Contact:
    now = call.world.now
    tagged = contact._replace(tags={**contact.tags, tag.id: now}, updated_at=now)
    call.world.commit_contact(tagged)
    return tagged


def take_tag(call: Call, contact: Contact, tag: Tag) -> None:
    """Taking one away that is not there changes nothing."""
    if tag.id in contact.tags:
        left = {i: at for i, at in contact.tags.items() if i != tag.id}
        call.world.commit_contact(contact._replace(tags=left, updated_at=call.world.now))


def untag_contact(call: Call) -> Reply:
    contact = find_for_write(call, call.ids[0])
    tag = _find(call, call.ids[1])
    if tag.id not in contact.tags:
        raise errors.no_such_resource()
    answer = _applied(call, contact, tag.id)
    take_tag(call, contact, tag)
    return Reply(answer, recent_write=True, changed=True)


# --- POST /tags: create, rename, tag companies or many contacts ---


def create_tag(call: Call) -> Reply:
    # The Ruby client says `tag_or_untag` too; what counts is each item's `untag`.
    call.allow("id", "name", "companies", "users", "tag_or_untag")
    if call.body.get("name") is None:
        raise errors.invalid("invalid tag parameters")
    name = text("name", call.body["name"], call.settings)
    tag = _named(call, name)
    users = [_tag_user(call, tag, item) for item in _items(call, "users")]
    companies = [_tag_company(call, tag, item) for item in _items(call, "companies")]
    document = tag_document(tag)
    items_told = call.version >= (2, 16) or call.settings.choice("tagged_items") == "always"
    if items_told and ("users" in call.body or "companies" in call.body):
        document |= {"users": users, "companies": companies}
    return Reply(document, recent_write=True, changed=True)


def _named(call: Call, name: str) -> Tag:
    if call.body.get("id") is not None:
        tag = replace(_find(call, call.body["id"]), name=name)
    else:
        known = (tag for tag in call.world.tags.values() if tag.name.lower() == name.lower())
        tag = next(known, Tag(str(call.world.next_seq()), name))
    call.world.tags[tag.id] = tag
    return tag


def _items(call: Call, key: str) -> list[dict[str, Any]]:
    items = call.body.get(key, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise errors.invalid("invalid tag parameters")
    return items


def _tag_user(call: Call, tag: Tag, item: dict[str, Any]) -> Document:
    contact = call.world.contacts.get(str(item.get("id")))
    if contact is None or not contact.live:
        raise errors.no_such_user()
    untag = _untags(item)
    if untag:
        take_tag(call, contact, tag)
    elif tag.id not in contact.tags:
        put_tag(call, contact, tag)
    return {"id": contact.id, "tagged": not untag}


def _untags(item: dict[str, Any]) -> bool:
    return item.get("untag") is not None and flag("untag", item["untag"])


def _tag_company(call: Call, tag: Tag, item: dict[str, Any]) -> Document:
    company = _company(call, item)
    untag = _untags(item)
    if untag is (tag.id in company.tags):
        left = {i: at for i, at in company.tags.items() if i != tag.id}
        tags = left if untag else {**left, tag.id: call.world.now}
        call.world.commit_company(replace(company, tags=tags))
    return {"id": company.id, "tagged": not untag}


def _company(call: Call, item: dict[str, Any]) -> Company:
    intercom_id = item.get("id") or call.world.company_by_key.get(str(item.get("company_id")))
    company = call.world.companies.get(str(intercom_id))
    if company is None or company.deleted_at is not None:
        raise errors.no_such_company()
    return company
