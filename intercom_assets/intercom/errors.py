"""What can go wrong with a call, as one tree, and the total mapping from an answer to it.

    IntercomError
    ├── Rejected                  asking again changes nothing
    │   ├── Unauthorized          401                             fatal: the run stops
    │   ├── PlanRestricted        402, 403 api_plan_restricted    fatal
    │   ├── ScopeMissing          403 forbidden, action_forbidden fatal
    │   ├── VersionUnknown        400 intercom_version_invalid    fatal
    │   ├── Forbidden             any other 403 (this request only)
    │   ├── NotFound              404; 410 that names no successor
    │   ├── Merged                410 with Link: carries `into`
    │   ├── Conflict              409 whose prose names the contact: `contact_id`, `archived`
    │   ├── UnknownConflict       409 with other prose, quoted
    │   ├── Invalid               400, 406, 422 and every other 4xx
    │   │   ├── UnknownAttribute  a custom attribute that does not exist: `attribute`
    │   │   └── NotRestorable     deleted for good, or merged
    │   └── WrongShape            an answer that is not what the API promises
    ├── Unavailable               asking again later may help: `may_have_landed`
    │   ├── RateLimited           429
    │   ├── ServerError           5xx, 408, 425
    │   ├── ConnectionFailed      no answer
    │   ├── NotFromIntercom       not Intercom's answer: no JSON, 3xx, a gateway's page
    │   └── ScrollOpen            400 scroll_exists: another scroll of this workspace is open
    └── LeaseRanOut               not asked: too little of the lease was left

No request, clock or decision to retry belongs here. Statuses and codes:
docs/dev/intercom-facts.md#errors.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from intercom_assets.domain.errors import OperatorError

_EMAIL = re.compile(r"[^\s'\"<>=]+@[^\s'\"<>,;]+")
_CONFLICT = re.compile(
    r"\b(archived )?contact matching those details already exists with id=(\w+)", re.IGNORECASE
)
_UNKNOWN_ATTRIBUTE = re.compile(r"custom attribute '(.+)' does not exist", re.IGNORECASE)
_NOT_RESTORABLE = re.compile(r"\bis not restorable\b", re.IGNORECASE)
_CANONICAL = re.compile(r"<[^>]*/contacts/(\w+)[^>]*>\s*;[^,]*\brel=\"?canonical\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an answer (or the lack of one) told. `link` and `retry_after` (s) are its headers'."""

    message: str
    status: int | None = None
    code: str | None = None
    field: str | None = None
    request_id: str | None = None
    endpoint: str = ""
    link: str = ""
    retry_after: float | None = None
    may_have_landed: bool = False


class IntercomError(OperatorError):
    """Any failure of a call. E-mail addresses are taken out of Intercom's message."""

    fatal: ClassVar[bool] = False

    def __init__(self, refusal: Refusal | str) -> None:
        details = Refusal(refusal) if isinstance(refusal, str) else refusal
        self.message = _EMAIL.sub("<e-mail>", details.message)
        self.status = details.status
        self.code = details.code
        self.field = details.field
        self.request_id = details.request_id
        self.endpoint = details.endpoint
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        what = " ".join(str(part) for part in (self.status, self.code) if part is not None)
        where = ": ".join(part for part in (self.endpoint, what) if part)
        asked = f" (request {self.request_id})" if self.request_id else ""
        return f"{where}: {self.message}{asked}" if where else f"{self.message}{asked}"


class Rejected(IntercomError):
    """Intercom understood and said no; the same request would be refused again."""


class Unauthorized(Rejected):
    fatal = True

    @property
    def advice(self) -> str:
        return "set INTERCOM_ACCESS_TOKEN to a token of this workspace"


class PlanRestricted(Rejected):
    fatal = True


class ScopeMissing(Rejected):
    fatal = True


class VersionUnknown(Rejected):
    fatal = True


class Forbidden(Rejected):
    pass


class NotFound(Rejected):
    """`code` tells a missing company (`company_not_found`) from a missing contact."""


class Merged(Rejected):
    """The contact lives on as `into`."""

    def __init__(self, refusal: Refusal | str, *, into: str) -> None:
        super().__init__(refusal)
        self.into = into


class Conflict(Rejected):
    """A contact with these details exists: `contact_id`. Archived ones must be unarchived first."""

    def __init__(self, refusal: Refusal | str, *, contact_id: str, archived: bool) -> None:
        super().__init__(refusal)
        self.contact_id = contact_id
        self.archived = archived


class UnknownConflict(Rejected):
    pass


class Invalid(Rejected):
    pass


class UnknownAttribute(Invalid):
    """The workspace has no custom attribute of this name (or it is archived)."""

    def __init__(self, refusal: Refusal | str, *, attribute: str) -> None:
        super().__init__(refusal)
        self.attribute = attribute


class NotRestorable(Invalid):
    pass


class WrongShape(Rejected):
    pass


class Unavailable(IntercomError):
    """Not now. `may_have_landed`: a write that Intercom may have carried out all the same."""

    def __init__(self, refusal: Refusal | str, *, may_have_landed: bool | None = None) -> None:
        super().__init__(refusal)
        details = Refusal(refusal) if isinstance(refusal, str) else refusal
        self.retry_after = details.retry_after
        self.may_have_landed = (
            details.may_have_landed if may_have_landed is None else may_have_landed
        )


class RateLimited(Unavailable):
    pass


class ServerError(Unavailable):
    pass


class ConnectionFailed(Unavailable):
    pass


class NotFromIntercom(Unavailable):
    pass


class ScrollOpen(Unavailable):
    pass


class LeaseRanOut(IntercomError):
    pass


_BY_CODE: Mapping[tuple[int, str], type[IntercomError]] = {
    (400, "intercom_version_invalid"): VersionUnknown,
    (400, "scroll_exists"): ScrollOpen,
    (400, "not_restorable"): NotRestorable,
    (403, "api_plan_restricted"): PlanRestricted,
    (403, "forbidden"): ScopeMissing,
    (403, "action_forbidden"): ScopeMissing,
}
_BY_STATUS: Mapping[int, type[IntercomError]] = {
    401: Unauthorized,
    402: PlanRestricted,
    403: Forbidden,
    404: NotFound,
    408: ServerError,
    409: UnknownConflict,
    410: NotFound,
    425: ServerError,
    429: RateLimited,
}
STATUS_OF_CODE: Mapping[str, int] = {
    "unauthorized": 401,
    "token_unauthorized": 401,
    "api_plan_restricted": 403,
    "action_forbidden": 403,
    "forbidden": 403,
    "not_found": 404,
    "company_not_found": 404,
    "conflict": 409,
    "contact_merged": 410,
    "rate_limit_exceeded": 429,
    "server_error": 500,
    "service_unavailable": 503,
    "server_timeout": 504,
}
"""The status that belongs to a code, for error bodies that come with a success status."""


def error_for(refusal: Refusal) -> IntercomError:
    """The error for an answer that is no success. Total: every status and code has one."""
    return _named(refusal) or _kind(refusal)(refusal)


def _named(refusal: Refusal) -> IntercomError | None:
    """Errors that carry what the prose or a header names."""
    if refusal.status == 409 and (found := _CONFLICT.search(refusal.message)):
        return Conflict(refusal, contact_id=found[2], archived=found[1] is not None)
    if refusal.status == 410 and (found := _CANONICAL.search(refusal.link)):
        return Merged(refusal, into=found[1])
    if refusal.status in (400, 422):
        if found := _UNKNOWN_ATTRIBUTE.search(refusal.message):
            return UnknownAttribute(refusal, attribute=found[1])
        if _NOT_RESTORABLE.search(refusal.message):
            return NotRestorable(refusal)
    return None


def _kind(refusal: Refusal) -> type[IntercomError]:
    status = refusal.status or 0
    known = _BY_CODE.get((status, refusal.code or "")) or _BY_STATUS.get(status)
    if known is not None:
        return known
    if status >= 500:
        return ServerError
    if 300 <= status < 400:
        return NotFromIntercom
    return Invalid if 400 <= status < 500 else WrongShape
