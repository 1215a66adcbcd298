"""What a workspace holds besides contacts, companies, attributes and tags, as frozen records.

Notes and subscriptions of a contact are also named in the contact itself, so that its document
and the index know of them. No rule lives here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from intercom_assets.simulator.records import Scalar


@dataclass(frozen=True, slots=True)
class Note:
    """`kind`: contact or company, and `about` its id. Times are Unix seconds."""

    id: str
    kind: str
    about: str
    body: str
    author_id: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    contact_id: str
    created_at: int
    metadata: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Segment:
    """`members`: ids of contacts, or of companies. Who belongs to it is said, not worked out."""

    id: str
    name: str
    person_type: str
    created_at: int
    updated_at: int
    members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Team:
    id: str
    name: str
    admin_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SubscriptionType:
    """`consent_type`: opt_in or opt_out."""

    id: str
    name: str
    consent_type: str


@dataclass(frozen=True, slots=True)
class Visitor:
    id: str
    user_id: str
    created_at: int
    updated_at: int
    name: str | None = None
    email: str = ""
    custom: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """`status`: pending, success or failed."""

    id: str
    status: str
    resource_type: str
    resource_id: str | None


@dataclass(slots=True)
class Extras:
    notes: dict[str, Note] = field(default_factory=dict)
    events: dict[str, list[Event]] = field(default_factory=dict)
    segments: dict[str, Segment] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    subscription_types: dict[str, SubscriptionType] = field(default_factory=dict)
    visitors: dict[str, Visitor] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)

    def segments_of(self, record_id: str) -> list[Segment]:
        return [found for found in self.segments.values() if record_id in found.members]
