"""Intercom's refusals: one exception, and a function for each error the API is known to answer.

Texts and codes are wire literals of the fact sheet and belong nowhere else. Raising one of them
is how an operation refuses; nothing has been stored then. No transport, no state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Refused(Exception):
    """An answer other than 2xx. `anonymous`: the body carries `request_id: null`."""

    status: int
    code: str
    message: str
    field_name: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    anonymous: bool = False

    def document(self, request_id: str) -> dict[str, object]:
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.field_name is not None:
            error["field"] = self.field_name
        return {
            "type": "error.list",
            "request_id": None if self.anonymous else request_id,
            "errors": [error],
        }


def bad_parameter(name: str) -> Refused:
    return Refused(400, "bad_request", f"bad '{name}' parameter", anonymous=True)


def bad_request(message: str) -> Refused:
    return Refused(400, "bad_request", message)


def client_error(message: str) -> Refused:
    return Refused(400, "client_error", message)


def invalid(message: str, field_name: str | None = None) -> Refused:
    return Refused(400, "parameter_invalid", message, field_name)


def missing(message: str) -> Refused:
    return Refused(400, "parameter_not_found", message)


def bad_cursor() -> Refused:
    return client_error(
        "Invalid starting_after param. Please try again using a starting_after value "
        "from a paginated response"
    )


def unauthorized() -> Refused:
    return Refused(401, "unauthorized", "Access Token Invalid")


def not_acceptable() -> Refused:
    return Refused(
        406,
        "media_type_not_acceptable",
        "The Accept header should send a media type of application/json",
    )


def unknown_version() -> Refused:
    return Refused(400, "intercom_version_invalid", "The requested version could not be found")


def not_in_version() -> Refused:
    return Refused(
        400,
        "intercom_version_invalid",
        "Requested resource is not available in current API version.",
    )


def too_many_calls(limit: int, window_s: int) -> Refused:
    return Refused(
        429, "rate_limit_exceeded", f"Exceeded rate limit of {limit} in {window_s}_seconds"
    )


def no_such_resource() -> Refused:
    return Refused(404, "not_found", "Resource Not Found")


def no_such_user() -> Refused:
    return Refused(404, "not_found", "User Not Found")


def no_such_contact(text: str = "Contact Not Found") -> Refused:
    return Refused(404, "not_found", text)


def no_such_company() -> Refused:
    return Refused(404, "company_not_found", "Company Not Found")


def no_such_attribute() -> Refused:
    return Refused(404, "field_not_found", "We couldn't find that data attribute to update")


def merged(canonical_id: str) -> Refused:
    return Refused(
        410,
        "contact_merged",
        "This contact has been merged. See the 'Link' header for the canonical contact.",
        headers={"Link": f'</contacts/{canonical_id}>; rel="canonical"'},
    )


def conflict(contact_id: str, archived: bool) -> Refused:
    who = "An archived contact" if archived else "A contact"
    return Refused(
        409, "conflict", f"{who} matching those details already exists with id={contact_id}"
    )


def invalid_merge(message: str) -> Refused:
    return Refused(400, "invalid_merge", message)


def external_lead() -> Refused:
    return Refused(
        422,
        "unprocessable_entity",
        "User merge for external leads is disabled by default unless explicitly allowed "
        "by passing allowed channels array",
    )


def parameter_not_allowed(name: str) -> Refused:
    return Refused(400, "parameter_not_allowed", f"{name} is not allowed when merging users")


def missing_attribute(name: str) -> Refused:
    return invalid(f"Custom attribute '{name}' does not exist")
