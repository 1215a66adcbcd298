"""What the two sides hold, and what we remember of them, as frozen values.

Every *value* here is canonical (see `domain/values.py`): a string that is not blank, an integer, a
finite float, a boolean, or None. Dates are whole Unix seconds (UTC), on both sides, so comparing
two values is `==`. App-side values are keyed by the column of the mapping's SELECT (`email`,
`phone_number`, `plan` ...); Intercom's own names appear only in `Contact`, `Company` and patches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from intercom_assets.domain.vocabulary import Action, QueueKind

Value: TypeAlias = str | int | float | bool | None
Values: TypeAlias = Mapping[str, Value]


class Side(StrEnum):
    APP = "app"
    INTERCOM = "intercom"


class Kind(StrEnum):
    """A value's declared type; the names are those of Intercom's `data_type`."""

    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Column:
    """One selected column of a mapping query; `is_attribute` if it becomes a custom attribute."""

    name: str
    kind: Kind
    is_attribute: bool


# --- the app side ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AppUser:
    """A user as the mapping's queries return it. `values` holds field columns and attributes.

    `unfit`: columns whose value has no form that Intercom could hold -> why. `tags`: the names in
    the array; None where the mapping selects none, or what it selects is no array.
    """

    id: str
    values: Values
    from_oauth: bool = False
    deleted: bool = False
    teams: frozenset[str] = frozenset()
    unfit: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[object, ...] | None = None


@dataclass(frozen=True, slots=True)
class AppTeam:
    id: str
    values: Values
    owner_id: str | None = None
    deleted: bool = False
    unfit: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[object, ...] | None = None


@dataclass(frozen=True, slots=True)
class InvalidRow:
    """A row that exists and cannot be synced as it is. `reason`: one sentence for the operator."""

    id: str
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Gone:
    """A *successful* read no longer returns this id. Never the answer to a read that failed."""

    id: str


# --- the Intercom side ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as one answer of Intercom told it. Times are whole Unix seconds.

    `companies_complete`: `company_ids` is all of them; `company_count` says how many there are.
    `tag_ids` likewise; documents that earlier versions stored have none.
    """

    id: str
    role: str
    external_id: str | None = None
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    signed_up_at: int | None = None
    last_seen_at: int | None = None
    created_at: int | None = None
    updated_at: int | None = None
    workspace_id: str | None = None
    unsubscribed_from_emails: bool | None = None
    avatar: str | None = None
    owner_id: str | None = None
    custom_attributes: Values = field(default_factory=dict)
    company_ids: tuple[str, ...] = ()
    companies_complete: bool = True
    company_count: int | None = None
    tag_ids: tuple[str, ...] = ()
    tags_complete: bool = False
    tag_count: int | None = None
    located_time_zone: str | None = None
    country_code: str | None = None


OF_EDGES = frozenset(
    {"company_ids", "companies_complete", "company_count"}
    | {"tag_ids", "tags_complete", "tag_count"}
)
"""What a contact says of its companies and tags; all else that it says is of the person."""


@dataclass(frozen=True, slots=True)
class ContactPatch:
    """What to write: `standard` by Intercom's field names, `custom` by attribute name."""

    standard: Values = field(default_factory=dict)
    custom: Values = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.standard or self.custom)


@dataclass(frozen=True, slots=True)
class Company:
    """`tags`: all of them, name -> Intercom's id; None where no answer told them."""

    id: str
    company_id: str | None = None
    name: str | None = None
    plan: str | None = None
    size: int | None = None
    website: str | None = None
    industry: str | None = None
    monthly_spend: int | None = None
    remote_created_at: int | None = None
    created_at: int | None = None
    user_count: int | None = None
    custom_attributes: Values = field(default_factory=dict)
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CompanyPatch:
    standard: Values = field(default_factory=dict)
    custom: Values = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.standard or self.custom)


@dataclass(frozen=True, slots=True)
class DataAttribute:
    """A custom or standard attribute of the workspace. `model` is `contact` or `company`."""

    name: str
    model: str
    data_type: str
    id: int | None = None
    custom: bool = True
    archived: bool = False
    api_writable: bool = True


@dataclass(frozen=True, slots=True)
class Admin:
    """A teammate of the workspace."""

    id: str
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of the workspace."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Workspace:
    """Who the token belongs to (`GET /me`)."""

    id: str
    name: str | None
    time_zone: str | None
    region: str | None


# --- what we remember -----------------------------------------------------------------------------


class Reason(StrEnum):
    """Why a field is left out: `UNFIT`, Intercom cannot hold the value; `REFUSED`, it said no;
    `CONTESTED`, somebody else keeps writing over it; `UNWRITABLE`, nobody can write it just now.
    """

    UNFIT = "unfit"
    REFUSED = "refused"
    CONTESTED = "contested"
    UNWRITABLE = "barred"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A field that is not sent, while all others are. `why`: one sentence, without the value.

    `value`: which one was refused or written over; another one is sent.
    """

    reason: Reason
    why: str
    value: Value = None

    @property
    def is_of_value(self) -> bool:
        return self.reason in (Reason.REFUSED, Reason.CONTESTED)


class EdgeState(StrEnum):
    """`ATTACHING` is written before the call: a crash between leaves us the owner of the edge."""

    ATTACHING = "attaching"
    ATTACHED = "attached"
    DETACHING = "detaching"


@dataclass(frozen=True, slots=True)
class Membership:
    """A membership that we made in Intercom (or took over because its company is an app team)."""

    team_id: str
    company_id: str
    state: EdgeState


@dataclass(frozen=True, slots=True)
class UserLink:
    """All that earlier passes left us about one user.

    `base`: the value both sides agreed on last, by field. A missing key means "never agreed".
    `shadow`: Intercom's side, from its last answer *by id*, read at `shadow_read_at` (Unix s).
    `in_flight`: what was about to be sent when the last pass noted it; empty once recorded.
    `accepted`: field -> (sent, got) where Intercom stored another form of what we sent.
    `refused`: field -> Intercom's value that the app would not store.
    `overwritten`: field -> Unix seconds at which somebody else wrote over our value.
    `left_out`: fields that are not sent as they are.
    `lead_email`: the address that leads were last searched for.
    `refused_leads`: lead -> hashes of the app's row and of the lead when Intercom refused a merge.
    `listed`: the shadow comes from a listing, which may be minutes old, not from an answer by id.
    `archived`: we archived the contact ourselves (`on_delete: archive`).
    `undone`: field -> what the app and Intercom held when an operator took a write back: both stay
    so until one of them changes. `undone_teams`, `undone_companies`: teams not attached again and
    companies (Intercom's ids) not detached again for the same reason; `undone_archive`: likewise.
    `others_contact`: the id of a contact that was another user's until its external id was moved:
    nothing that it holds is about this user.
    `tags`: those that we put on, key (`domain/tags.py`) -> Intercom's id. `undone_tags`: keys of
    those that an operator took off again. `others_tags`: ids of those that the app wants and that
    were there before us. `email_held_by`: the contact of another user that held the e-mail which is
    left out.
    """

    user_id: str
    contact_id: str | None = None
    row_hash: str | None = None
    shadow: Contact | None = None
    shadow_read_at: int | None = None
    base: Values = field(default_factory=dict)
    in_flight: Values = field(default_factory=dict)
    accepted: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    refused: Values = field(default_factory=dict)
    overwritten: Mapping[str, Sequence[int]] = field(default_factory=dict)
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)
    needs_read: bool = False
    listed: bool = False
    archived: bool = False
    lead_email: str | None = None
    refused_leads: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    synced_at: int | None = None
    edges: Mapping[str, Membership] = field(default_factory=dict)
    undone: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    undone_teams: Sequence[str] = ()
    undone_companies: Sequence[str] = ()
    undone_archive: bool = False
    others_contact: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    undone_tags: Sequence[str] = ()
    others_tags: Sequence[str] = ()
    email_held_by: str | None = None


@dataclass(frozen=True, slots=True)
class TeamLink:
    """All that earlier passes left us about one team; as a user's."""

    team_id: str
    company_id: str | None = None
    row_hash: str | None = None
    shadow: Company | None = None
    shadow_read_at: int | None = None
    base: Values = field(default_factory=dict)
    accepted: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    synced_at: int | None = None
    undone: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    in_flight: Values = field(default_factory=dict)
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    undone_tags: Sequence[str] = ()
    others_tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One write, or one decision against an edit, as `explain` and `undo` read it back.

    `policy`, `base`: of a field, who wins it and what both sides had agreed on last. `by`: the run
    that did it, where that is another than the one that writes it down.
    """

    kind: QueueKind
    key: str
    action: Action
    field: str | None = None
    side: Side | None = None
    old: Value = None
    new: Value = None
    why: str = ""
    request_id: str | None = None
    policy: str | None = None
    base: Value = None
    by: str | None = None
