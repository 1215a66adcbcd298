"""The receipt of an erasure: what was deleted, how we know, and its form beside the tombstone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from intercom_assets.database.records import Json


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the erasure and its answer, as Intercom's own support can find it."""

    call: str
    status: int | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """What was deleted, and how we know. Times in Unix seconds.

    `contact_id` is None where Intercom never had a contact of this user. `deleted`: by this
    erasure, or by an attempt before it. `left`: a contact into which Intercom had merged this one,
    and which is another user's.
    """

    user_id: str
    at: int
    contact_id: str | None
    deleted: bool
    deleted_at: int | None
    by_id_is_404: bool
    by_external_id_is_404: bool
    requests: Sequence[Request] = ()
    left: str | None = None

    @property
    def complete(self) -> bool:
        return self.by_id_is_404 and self.by_external_id_is_404

    def document(self) -> dict[str, Json]:
        return {
            "at": self.at,
            "contact_id": self.contact_id,
            "deleted": self.deleted,
            "deleted_at": self.deleted_at,
            "by_id_is_404": self.by_id_is_404,
            "by_external_id_is_404": self.by_external_id_is_404,
            "left": self.left,
            "requests": [
                {"call": request.call, "status": request.status, "request_id": request.request_id}
                for request in self.requests
            ],
        }


def receipt_from(user_id: str, stored: Mapping[str, Json]) -> ErasureReceipt:
    requests = stored.get("requests")
    return ErasureReceipt(
        user_id=user_id,
        at=number_of(stored.get("at")) or 0,
        contact_id=text_of(stored.get("contact_id")),
        deleted=stored.get("deleted") is True,
        deleted_at=number_of(stored.get("deleted_at")),
        by_id_is_404=stored.get("by_id_is_404") is True,
        by_external_id_is_404=stored.get("by_external_id_is_404") is True,
        requests=[request_from(request) for request in requests]
        if isinstance(requests, list)
        else [],
        left=text_of(stored.get("left")),
    )


def as_json(request: Request) -> Json:
    return {
        "call": request.call,
        "status": request.status,
        "request_id": request.request_id,
    }


def request_from(stored: Json) -> Request:
    known = stored if isinstance(stored, Mapping) else {}
    return Request(
        text_of(known.get("call")) or "",
        number_of(known.get("status")),
        text_of(known.get("request_id")),
    )


def text_of(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def number_of(value: Json) -> int | None:
    return value if isinstance(value, int) else None
