"""Records as Intercom writes them: the documents of answers, list results and short forms.

Field names and their order follow the file's captured examples. Nothing is decided here, and no
status or header is known.
"""

from html import escape
from typing import Any, NamedTuple

from intercom_assets.simulator.records import Admin, Attribute, Contact, Tag
from intercom_assets.simulator.settings import Settings
from intercom_assets.simulator.state import World

Document = dict[str, Any]

LOCATION = ("country", "region", "city", "country_code", "continent_code")
SEEN_TIMES = ("last_replied_at", "last_contacted_at", "last_email_opened_at")
SEEN = (
    *SEEN_TIMES,
    "last_email_clicked_at",
    "language_override",
    "browser",
    "browser_version",
    "browser_language",
    "os",
    "android_app_name",
    "android_app_version",
    "android_device",
    "android_os_version",
    "android_sdk_version",
    "android_last_seen_at",
    "ios_app_name",
    "ios_app_version",
    "ios_device",
    "ios_os_version",
    "ios_sdk_version",
    "ios_last_seen_at",
    "utm_campaign",
    "utm_content",
    "utm_medium",
    "utm_source",
    "utm_term",
    "referrer",
    "enabled_push_messaging",
)
UNSEEN: Document = dict.fromkeys(SEEN)
NOWHERE: Document = {"type": "location", **dict.fromkeys(LOCATION)}
EMBEDDED = 10
RECORDED_AS_NOW = (2, 7)  # the oldest version of which a file exists
LATER = (
    "email_domain",
    "opted_out_subscription_types",
    "opted_in_subscription_types",
    "sms_consent",
    "unsubscribed_from_sms",
    *SEEN[SEEN.index("utm_campaign") :],
)
LATER_LOCATION = ("country_code", "continent_code")


def as_answered(document: Document, settings: Settings) -> Document:
    """Intercom escapes the names of contacts and companies in its answers, and nothing else."""
    if document["name"] and settings.choice("names_escaped"):
        document["name"] = escape(document["name"]).replace("&#x27;", "&#39;")
    return document


class Shape(NamedTuple):
    """What workspaces were seen to differ in. `most`: members of a list inside a contact."""

    most: int | None = None
    sms: bool = True


RECORDED_SHAPE = Shape()


def shape_of(settings: Settings) -> Shape:
    whole = settings.choice("embedded_lists") == "whole"
    return Shape(None if whole else EMBEDDED, settings.choice("sms_fields"))


def embedded(
    kind: str, url: str, ids: tuple[str, ...], folder: str, most: int | None = None
) -> Document:
    """A list inside a record: its members, or the first `most` of them, and the whole count."""
    if not ids:
        return {"type": "list", "data": [], "url": url, "total_count": 0, "has_more": False}
    shown = [{"id": i, "type": kind, "url": f"/{folder}/{i}"} for i in ids[:most]]
    return {
        "type": "list",
        "data": shown,
        "url": url,
        "total_count": len(ids),
        "has_more": len(ids) > len(shown),
    }


def contact_document(
    contact: Contact,
    workspace_id: str,
    version: tuple[int, int],
    shape: Shape = RECORDED_SHAPE,
    indexed: bool = False,
) -> Document:
    """`indexed`: as lists and searches show it, where a cleared e-mail is null and not ""."""
    url = f"/contacts/{contact.id}"
    document: Document = {
        "type": "contact",
        "id": contact.id,
        "workspace_id": workspace_id,
        "external_id": contact.external_id,
        "role": contact.role,
        "email": (contact.email or None) if indexed else contact.email,
        "phone": contact.phone,
        "name": contact.name,
        "avatar": contact.avatar,
        "owner_id": _owner(contact, version),
        "social_profiles": {"type": "list", "data": []},
        "has_hard_bounced": False,
        "marked_email_as_spam": False,
        "unsubscribed_from_emails": contact.unsubscribed_from_emails,
        "created_at": contact.created_at,
        "updated_at": contact.updated_at,
        "signed_up_at": contact.signed_up_at,
        "last_seen_at": contact.last_seen_at,
        **UNSEEN,
        **contact.seen,
        "location": {**NOWHERE, **contact.location},
        "custom_attributes": dict(contact.custom),
        "tags": embedded("tag", f"{url}/tags", tuple(contact.tags), "tags", shape.most),
        "notes": embedded("note", f"{url}/notes", contact.notes, "notes", shape.most),
        "companies": embedded(
            "company", f"{url}/companies", contact.companies, "companies", shape.most
        ),
        "opted_out_subscription_types": _consents(contact, "opt_out", shape),
        "opted_in_subscription_types": _consents(contact, "opt_in", shape),
    }
    if shape.sms:
        document["sms_consent"] = document["unsubscribed_from_sms"] = False
    if contact.email and "@" in contact.email:
        document["email_domain"] = contact.email.rpartition("@")[2]
    return document if version >= RECORDED_AS_NOW else _as_recorded(document)


def _consents(contact: Contact, consent: str, shape: Shape) -> Document:
    url = f"/contacts/{contact.id}/subscriptions"
    given = contact.subscriptions
    ids = tuple(i for i in given if given[i] == consent) if given else ()
    return embedded("subscription", url, ids, "subscription_types", shape.most)


def _as_recorded(document: Document) -> Document:
    """As 2.3 was recorded: without what later versions added."""
    for name in LATER:
        document.pop(name, None)
    for name in LATER_LOCATION:
        document["location"].pop(name, None)
    return document


def _owner(contact: Contact, version: tuple[int, int]) -> str | int | None:
    if contact.owner_id is None or version >= (2, 16):
        return contact.owner_id
    return int(contact.owner_id)


def merge_history(contact: Contact) -> list[Document]:
    return [
        {
            "type": "merge_history",
            "source_contact_id": merge.source_id,
            "source_contact_role": merge.source_role,
            "merged_at": merge.at,
        }
        for merge in contact.merges
    ]


def short_contact(contact: Contact, version: tuple[int, int], **what: bool) -> Document:
    if version < RECORDED_AS_NOW:
        return {"id": contact.id, "object": "contact", **what}
    return {"type": "contact", "id": contact.id, "external_id": contact.external_id, **what}


READS_BACK_AS = {"options": "string", "datetime": "date"}


def attribute_document(attribute: Attribute) -> Document:
    document: Document = {
        "id": attribute.id,
        "type": "data_attribute",
        "name": attribute.name,
        "full_name": f"custom_attributes.{attribute.name}",
        "label": attribute.name,
        "data_type": READS_BACK_AS.get(attribute.data_type, attribute.data_type),
        "api_writable": True,
        "ui_writable": False,
        "messenger_writable": attribute.messenger_writable,
        "custom": True,
        "archived": attribute.archived,
        "admin_id": "991267459",
        "created_at": attribute.created_at,
        "updated_at": attribute.updated_at,
        "model": attribute.model,
    }
    if attribute.description is not None:
        document["description"] = attribute.description
    if attribute.options is not None:
        document["options"] = list(attribute.options)
    return document


def tag_document(tag: Tag, applied_at: int | None = None, admin: str = "") -> Document:
    document: Document = {"type": "tag", "id": tag.id, "name": tag.name}
    if applied_at is not None:
        document["applied_at"] = applied_at
        document["applied_by"] = {"type": "admin", "id": admin}
    return document


def me_document(admin: Admin, world: World, settings: Settings) -> Document:
    return {
        "type": "admin",
        "id": admin.id,
        "email": admin.email,
        "name": admin.name,
        "email_verified": True,
        "app": {
            "type": "app",
            "id_code": world.workspace_id,
            "name": "Simulated workspace",
            "created_at": world.created_at,
            "secure": False,
            "identity_verification": False,
            "timezone": settings.time_zone,
            "region": "US",
        },
        "avatar": {"type": "avatar", "image_url": "https://static.example.com/admins/128.png"},
        "has_inbox_seat": True,
    }
