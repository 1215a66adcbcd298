"""What a search may ask for: each field's type, operators, and how to read it from a contact.

Dates match by calendar day in the workspace's zone up to 2.16, by the exact second as of 2.17
(custom dates then by UTC day). How filters combine is in `query`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from operator import attrgetter
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from intercom_assets.simulator.errors import Refused
from intercom_assets.simulator.records import Contact
from intercom_assets.simulator.wire import Call

Read: TypeAlias = Callable[[Contact], Any]

COLUMNS = ("id", "role", "name", "avatar", "owner_id", "email", "phone", "external_id")
COLUMN_DATES = ("created_at", "signed_up_at", "updated_at", "last_seen_at")
SEEN_DATES = (
    "last_contacted_at",
    "last_replied_at",
    "last_email_opened_at",
    "last_email_clicked_at",
    "ios_last_seen_at",
    "android_last_seen_at",
)
SEEN_TEXTS = (
    "language_override",
    "browser",
    "browser_version",
    "browser_language",
    "os",
    "ios_app_version",
    "ios_device",
    "ios_os_version",
    "ios_app_name",
    "ios_sdk_version",
    "android_app_version",
    "android_device",
    "android_app_name",
)
OPERATORS: Mapping[str, frozenset[str]] = {
    "string": frozenset(("=", "!=", "IN", "NIN", "~", "!~", "^", "$")),
    "boolean": frozenset(("=", "!=", "IN", "NIN")),
    "integer": frozenset(("=", "!=", "IN", "NIN", "<", ">", "<=", ">=")),
    "date": frozenset(("=", "<", ">")),
    "tag": frozenset(("=", "!=")),
}
EXACT_OPERATORS = frozenset(("=", "!=", "<", ">", "<=", ">="))
LATEST_DAY = 253_370_764_800  # the year 9999 has no next midnight left


@dataclass(frozen=True, slots=True)
class Field:
    """`kind`: string, boolean, integer, date or tag. `folded`: compared without case."""

    name: str
    kind: str
    read: Read
    folded: bool = False
    standard: bool = True


def _seen(name: str) -> Read:
    return lambda contact: contact.seen.get(name)


def _place(name: str) -> Read:
    return lambda contact: contact.location.get(name)


def _domain(contact: Contact) -> str | None:
    return contact.email.rpartition("@")[2] if contact.email and "@" in contact.email else None


def _standard() -> dict[str, Field]:
    fields = [Field(name, "string", attrgetter(name)) for name in COLUMNS if name != "email"]
    fields += [Field(name, "date", attrgetter(name)) for name in COLUMN_DATES]
    fields += [Field(name, "date", _seen(name)) for name in SEEN_DATES]
    fields += [Field(name, "string", _seen(name)) for name in SEEN_TEXTS]
    fields += [
        Field("email", "string", lambda contact: contact.email or None, folded=True),
        Field("email_domain", "string", _domain, folded=True),
        Field("formatted_phone", "string", attrgetter("phone")),
        Field("ios_app_device", "string", _seen("ios_device")),
        Field("andoid_sdk_version", "string", _seen("android_sdk_version")),
        Field("unsubscribed_from_emails", "boolean", attrgetter("unsubscribed_from_emails")),
        Field("marked_email_as_spam", "boolean", lambda contact: False),
        Field("has_hard_bounced", "boolean", lambda contact: False),
        Field("tag_id", "tag", attrgetter("tags")),
    ]
    fields += [Field(f"location.{n}", "string", _place(n)) for n in ("country", "region", "city")]
    return {field.name: field for field in fields}


STANDARD = _standard()
CUSTOM_KINDS = {"options": "string", "float": "integer", "datetime": "date"}
CUSTOM = "custom_attributes."


def find_field(call: Call, name: Any) -> Field:
    if name == "segment_id":
        segments_of = call.world.extras.segments_of
        return Field(name, "tag", lambda contact: [found.id for found in segments_of(contact.id)])
    if isinstance(name, str) and name in STANDARD:
        return STANDARD[name]
    if isinstance(name, str) and name.startswith(CUSTOM):
        key = name.removeprefix(CUSTOM)
        attribute = call.world.attribute_types["contact"].get(key)
        if attribute is not None:
            kind = CUSTOM_KINDS.get(attribute.data_type, attribute.data_type)
            return Field(name, kind, lambda contact: contact.custom.get(key), standard=False)
    raise Refused(400, "invalid_field", f"{name} is not a valid field")


# --- dates ---


def day_grained(call: Call, field: Field) -> tzinfo | None:
    """The zone whose days a date field is matched by; None if by the exact second."""
    exact = call.version >= (2, 17) or call.settings.exact_seconds
    if not exact:
        return ZoneInfo(call.settings.time_zone)
    return None if field.standard else UTC


def day_of(seconds: int, zone: tzinfo) -> tuple[int, int]:
    """First second of the calendar day of this moment, and of the next."""
    midnight = datetime.fromtimestamp(seconds, zone).replace(hour=0, minute=0, second=0)
    following = midnight + timedelta(days=1)
    return int(midnight.timestamp()), int(following.timestamp())
