"""A webhook's body, as far as this side reads it: whom it is about, and what it shows of them.

Bodies of several versions come: times as ISO strings or seconds, a contact or company as the item
or inside it, and parts that are left out. What a body does not state is not taken for empty. Values
are only ever compared (`domain/echoes.py`). Must not: our own tables.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from intercom_assets.database.store.encoding import cleaned
from intercom_assets.domain.models import Company, Contact
from intercom_assets.intercom.wire import ContactPayload
from intercom_assets.intercom.wire_companies import CompanyPayload
from intercom_assets.intercom.wire_values import seconds_of, text_of

LONGEST_ID = 200
_UNSTORABLE = re.compile(rb"\\u(?:0000|d[89a-f])", re.IGNORECASE)
_CONTACT_PARTS = {
    **{name: name for name in ("external_id", "email", "name", "phone", "signed_up_at")},
    **{name: name for name in ("last_seen_at", "custom_attributes")},
    **{name: name for name in ("unsubscribed_from_emails", "avatar", "owner_id")},
    "located_time_zone": "location",
    "country_code": "location",
    "company_ids": "companies",
    "companies_complete": "companies",
    "company_count": "companies",
    "tag_ids": "tags",
    "tags_complete": "tags",
    "tag_count": "tags",
}
_COMPANY_PARTS = (
    *("company_id", "name", "plan", "size", "website", "industry", "monthly_spend"),
    *("remote_created_at", "custom_attributes", "tags"),
)


class UnreadableNotice(Exception):
    """It is signed, and is no notification as documented. Its text has nothing of the body."""


@dataclass(frozen=True, slots=True)
class ShownContact:
    """A contact as a body shows it. `unstated`: names of `Contact`'s parts that it leaves out."""

    contact: Contact
    unstated: frozenset[str] = frozenset()

    def over(self, known: Contact | None) -> Contact:
        """With what was known before, where the body is silent."""
        if known is None or not self.unstated:
            return self.contact
        return replace(self.contact, **{name: getattr(known, name) for name in self.unstated})


@dataclass(frozen=True, slots=True)
class ShownCompany:
    """A company as a body shows it."""

    company: Company
    unstated: frozenset[str] = frozenset()

    def over(self, known: Company | None) -> Company:
        if known is None or not self.unstated:
            return self.company
        return replace(self.company, **{name: getattr(known, name) for name in self.unstated})


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification. `id`: of the delivery's content, the same when it comes again.

    `created_at`: Unix s. `merged_from`: the contact that went into `contact`. `tag`: id and name.
    """

    id: str
    topic: str
    app_id: str | None = None
    created_at: int | None = None
    contact: ShownContact | None = None
    company: ShownCompany | None = None
    merged_from: str | None = None
    tag: tuple[str, str] | None = field(default=None, repr=False)


def read_notice(body: bytes) -> Notice:
    """Raises `UnreadableNotice`."""
    try:
        document = _storable(json.loads(body), body)
    except (ValueError, RecursionError):
        raise UnreadableNotice("a signed body is no JSON") from None
    if not isinstance(document, dict) or not isinstance(document.get("topic"), str):
        raise UnreadableNotice("a signed body has no topic")
    item = _within(_within(document, "data"), "item")
    try:
        return Notice(
            id=_id(document.get("id"), body),
            topic=document["topic"],
            app_id=_text(document.get("app_id")),
            created_at=seconds_of(document.get("created_at")),
            contact=_contact(item),
            company=_company(item),
            merged_from=_text(_within(item, "merged_from").get("id")),
            tag=_tag(_within(item, "tag")),
        )
    except (ValidationError, ValueError, OverflowError):
        raise UnreadableNotice("a signed body holds what cannot be read") from None


def _storable(document: Any, body: bytes) -> Any:
    """Without NUL and half surrogate pairs, which JSON can spell and no database can hold."""
    return cleaned(document) if _UNSTORABLE.search(body) else document


def _id(raw: object, body: bytes) -> str:
    """Of a body without a usable one: a digest of all of it."""
    known = _text(raw)
    return known if known and len(known) <= LONGEST_ID else sha256(body).hexdigest()


def _contact(item: Mapping[str, Any]) -> ShownContact | None:
    """The item, or what stands in it, if it is a contact. Receipts of deletions are short ones."""
    found = _within(item, "contact") or _within(item, "user")
    if not found and item.get("type") in ("company", "company.contact"):
        return None
    found = found or item
    if not _text(found.get("id")):
        return None
    contact = ContactPayload.model_validate(found).domain()
    return ShownContact(contact, _unstated(found, _CONTACT_PARTS))


def _company(item: Mapping[str, Any]) -> ShownCompany | None:
    found = _within(item, "company") or (item if item.get("type") == "company" else {})
    if not _text(found.get("id")):
        return None
    company = CompanyPayload.model_validate(found).domain()
    return ShownCompany(company, _unstated(found, {name: name for name in _COMPANY_PARTS}))


def _unstated(found: Mapping[str, Any], parts: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name, key in parts.items() if key not in found)


def _tag(tag: Mapping[str, Any]) -> tuple[str, str] | None:
    tag_id, name = _text(tag.get("id")), _text(tag.get("name"))
    return (tag_id, name) if tag_id and name else None


def _within(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}


def _text(raw: object) -> str | None:
    if isinstance(raw, dict | list | bool):
        return None
    found = text_of(raw)
    return None if found is None else str(found)
