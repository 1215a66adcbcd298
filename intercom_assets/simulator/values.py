"""Is this value one that Intercom takes? Standard texts, times and flags; custom attributes.

Each function returns the value to store or raises `Refused`. Nothing is stored here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from intercom_assets.simulator.errors import invalid, missing_attribute
from intercom_assets.simulator.records import Attribute, Scalar
from intercom_assets.simulator.settings import Settings

CUSTOM_TEXT_LIMIT = 255
PUNCTUATION = str.maketrans("", "", " ()-./")


def text(name: str, value: Any, settings: Settings) -> str:
    if not isinstance(value, str):
        raise invalid(f"{name} must be a string", name)
    limit = settings.choice("standard_text_limit")
    if len(value) > limit:
        raise invalid(f"{name} is too long (maximum is {limit} characters)", name)
    return value


def optional_text(name: str, value: Any, settings: Settings) -> str | None:
    return None if value is None else text(name, value, settings)


def email_address(value: Any, settings: Settings) -> str:
    """A cleared e-mail is "": that is how answers by id show it."""
    if value is None:
        return ""
    address = text("email", value, settings)
    local, at, domain = address.rpartition("@")
    if address and settings.choice("email_format") == "address" and not (local and at and domain):
        raise invalid("Email is invalid", "email")
    return address.lower() if settings.choice("email_case") == "lower" else address


def phone_number(value: Any, settings: Settings) -> str | None:
    number = optional_text("phone", value, settings)
    if number is None or settings.choice("phone_punctuation") == "keep":
        return number
    return number.translate(PUNCTUATION)


def whole(name: str, value: Any, settings: Settings) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(f"{name} must be an integer", name)
    if abs(value) > settings.choice("integer_limit"):
        raise invalid(f"{name} is out of range", name)
    return value


def unix_time(name: str, value: Any, settings: Settings) -> int | None:
    """Whole Unix seconds from 1970 to the year 9999, or null."""
    if value is None:
        return None
    seconds = whole(name, value, settings)
    if not 0 <= seconds < 253402300800:
        raise invalid(f"{name} must be a Unix timestamp in seconds", name)
    return seconds


def flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise invalid(f"{name} must be a boolean", name)
    return value


def avatar(value: Any, settings: Settings) -> str | None:
    """A URL or null; the object that the file's schema draws is taken too."""
    if isinstance(value, dict):
        value = value.get("image_url")
    if isinstance(value, str) and len(value) <= 2048:
        return value
    return optional_text("avatar", value, settings)


def custom_values(
    sent: Any, known: Mapping[str, Attribute], settings: Settings
) -> dict[str, Scalar]:
    """Every key must be a live attribute of this model; one bad value refuses the whole write."""
    if sent is None:
        return {}
    if not isinstance(sent, dict):
        raise invalid("custom_attributes must be an object", "custom_attributes")
    return {name: _custom(name, value, known, settings) for name, value in sent.items()}


def _custom(name: str, value: Any, known: Mapping[str, Attribute], settings: Settings) -> Scalar:
    attribute = known.get(name)
    if attribute is None:
        raise missing_attribute(name)
    return None if value is None else _fitting(attribute, value, settings)


def _fitting(attribute: Attribute, value: Any, settings: Settings) -> Scalar:
    match attribute.data_type:
        case "string":
            return _custom_text(attribute, value, settings)
        case "options":
            return _option(attribute, value, settings)
        case "integer":
            return _custom_whole(attribute, value, settings)
        case "float" if isinstance(value, int | float) and not isinstance(value, bool):
            if isinstance(value, float):
                return value
            return _custom_whole(attribute, value, settings)
        case "boolean" if isinstance(value, bool):
            return value
        case "date" | "datetime":
            return _custom_date(attribute, value, settings)
    raise _wrong_type(attribute)


def _wrong_type(attribute: Attribute) -> Exception:
    return invalid(
        f"Custom attribute '{attribute.name}' expects a value of type {attribute.data_type}",
        attribute.name,
    )


def _custom_text(attribute: Attribute, value: Any, settings: Settings) -> str:
    if not isinstance(value, str):
        raise _wrong_type(attribute)
    if len(value) <= CUSTOM_TEXT_LIMIT:
        return value
    if settings.choice("long_text") == "truncate":
        return value[:CUSTOM_TEXT_LIMIT]
    raise invalid(
        f"Custom attribute '{attribute.name}' is too long "
        f"(maximum is {CUSTOM_TEXT_LIMIT} characters)",
        attribute.name,
    )


def _option(attribute: Attribute, value: Any, settings: Settings) -> str:
    chosen = _custom_text(attribute, value, settings)
    if chosen in (attribute.options or ()) or settings.choice("unlisted_option") == "store":
        return chosen
    raise invalid(
        f"Custom attribute '{attribute.name}' does not have the option '{chosen}'", attribute.name
    )


def _custom_whole(attribute: Attribute, value: Any, settings: Settings) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type(attribute)
    return whole(attribute.name, value, settings)


def _custom_date(attribute: Attribute, value: Any, settings: Settings) -> int:
    if isinstance(value, str) and settings.choice("iso_dates"):
        try:
            return int(datetime.fromisoformat(value).timestamp())
        except ValueError as unreadable:
            raise _wrong_type(attribute) from unreadable
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type(attribute)
    seconds = unix_time(attribute.name, value, settings)
    return 0 if seconds is None else seconds
