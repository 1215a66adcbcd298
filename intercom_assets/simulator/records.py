"""What the stand-in remembers, as frozen versions.

A write makes a new version of a record; the delayed index simply keeps the old one. Wire forms
are made in `documents`. No rule lives here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
NOTHING: Mapping[str, Any] = MappingProxyType({})


class State(StrEnum):
    LIVE = "live"
    ARCHIVED = "archived"
    DELETED = "deleted"
    BLOCKED = "blocked"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Merge:
    source_id: str
    source_role: str
    at: int


class Contact(NamedTuple):
    """`email` is "" once cleared, None if never set. `seen`: what only Intercom itself fills in.

    `tags`: tag id -> when applied; `subscriptions`: type id -> opt_in or opt_out. `seq` orders
    contacts by creation. Times are Unix seconds.
    A tuple, since every write makes a new version and that has to be cheap.
    """

    id: str
    seq: int
    role: str
    created_at: int
    updated_at: int
    external_id: str | None = None
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    avatar: str | None = None
    owner_id: str | None = None
    signed_up_at: int | None = None
    last_seen_at: int | None = None
    unsubscribed_from_emails: bool = False
    email_verified: bool | None = None
    custom: Mapping[str, Scalar] = NOTHING
    companies: tuple[str, ...] = ()
    tags: Mapping[str, int] = NOTHING
    location: Mapping[str, str | None] = NOTHING
    seen: Mapping[str, Scalar] = NOTHING
    merges: tuple[Merge, ...] = ()
    state: State = State.LIVE
    merged_into: str | None = None
    deleted_at: int | None = None
    notes: tuple[str, ...] = ()
    subscriptions: Mapping[str, str] = NOTHING

    @property
    def live(self) -> bool:
        return self.state is State.LIVE


@dataclass(frozen=True, slots=True)
class Company:
    id: str
    seq: int
    company_id: str
    created_at: int
    updated_at: int
    name: str | None = None
    plan: str | None = None
    size: int | None = None
    website: str | None = None
    industry: str | None = None
    monthly_spend: int = 0
    remote_created_at: int | None = None
    last_request_at: int | None = None
    session_count: int = 0
    user_count: int = 0
    custom: Mapping[str, Scalar] = field(default_factory=dict)
    tags: Mapping[str, int] = field(default_factory=dict)
    deleted_at: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attribute:
    """A custom attribute. `data_type` is the one asked for at creation (`options`, `datetime` too).

    `depended_on`: something in the workspace uses it, so it cannot be archived.
    """

    id: int
    name: str
    model: str
    data_type: str
    created_at: int
    updated_at: int
    description: str | None = None
    options: tuple[str, ...] | None = None
    messenger_writable: bool = False
    archived: bool = False
    depended_on: bool = False


@dataclass(frozen=True, slots=True)
class Tag:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Admin:
    id: str
    name: str
    email: str


@dataclass(slots=True)
class Scroll:
    """The one scroll over companies. `left`: what is still to come, as it was at its opening."""

    param: str
    left: list[Company]
    used_at: float
