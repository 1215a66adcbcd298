"""What a body says of a contact: which keys are known, and each one's value, checked.

Nothing is stored here, and no other contact is looked at.
"""

from typing import Any

from intercom_assets.simulator import errors
from intercom_assets.simulator.values import (
    avatar,
    custom_values,
    email_address,
    flag,
    optional_text,
    phone_number,
    text,
    unix_time,
    whole,
)
from intercom_assets.simulator.wire import Call, Version

WRITABLE = (
    "role",
    "external_id",
    "email",
    "phone",
    "name",
    "avatar",
    "signed_up_at",
    "last_seen_at",
    "owner_id",
    "unsubscribed_from_emails",
    "custom_attributes",
)
LANGUAGE = "language_override"
ROLES = {"user": "user", "contact": "user", "lead": "lead"}


def writable(version: Version) -> tuple[str, ...]:
    return (*WRITABLE, "email_verified") if version >= (2, 16) else WRITABLE


def allowed(call: Call) -> tuple[str, ...]:
    language = (LANGUAGE,) if call.settings.choice("language_override_writable") else ()
    return (*writable(call.version), *language)


def read_role(value: Any) -> str:
    if not isinstance(value, str) or value not in ROLES:
        raise errors.invalid("role must be either user or lead", "role")
    return ROLES[value]


def read_fields(call: Call, role: str) -> dict[str, Any]:
    """The body's fields, checked, by the names of `Contact`. `custom` is always there."""
    fields: dict[str, Any] = {"custom": {}}
    for key, value in call.body.items():
        fields.update(_read_field(call, role, key, value))
    return fields


def _read_field(call: Call, role: str, key: str, value: Any) -> dict[str, Any]:
    settings = call.settings
    match key:
        case "external_id":
            given = optional_text(key, value, settings)
            return {} if role == "lead" else {key: given}
        case "email":
            return {key: email_address(value, settings)}
        case "name" | "language_override":
            return {key: optional_text(key, value, settings)}
        case "phone":
            return {key: phone_number(value, settings)}
        case "avatar":
            return {key: avatar(value, settings)}
        case "signed_up_at" | "last_seen_at":
            return {key: unix_time(key, value, settings)}
        case "unsubscribed_from_emails":
            return {} if value is None else {key: flag(key, value)}
        case "owner_id":
            return {key: _owner(call, value)}
        case "email_verified":
            return _verified(call, value)
        case "custom_attributes":
            known = call.world.attribute_types["contact"]
            return {"custom": custom_values(value, known, settings)}
    return {}


def _owner(call: Call, value: Any) -> str | None:
    """Strings as of 2.16, integers before; both are taken, since the SDKs send either."""
    if value is None:
        return None
    is_text = isinstance(value, str)
    owner = text("owner_id", value, call.settings) if is_text else None
    owner = owner or str(whole("owner_id", value, call.settings))
    if owner not in call.world.admins:
        raise errors.invalid("The owner specified is not a member of the workspace")
    return owner


def _verified(call: Call, value: Any) -> dict[str, Any]:
    if not call.body.get("email"):
        raise errors.invalid("email_verified must be supplied together with an email")
    return {"email_verified": None if value is None else flag("email_verified", value)}
