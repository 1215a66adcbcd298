"""Intercom's JSON and what leaves this room: payload -> domain value, patch -> body.

Only here is pydantic. Unknown keys are ignored, missing optional ones tolerated; anything else that
does not fit raises pydantic's `ValidationError`, which `calls.py` turns into an error with the
endpoint. Values leave in their canonical form (`domain/values.py`): Intercom itself says `""` here
and null there for the same cleared e-mail. No call is made here.

What Intercom sends: docs/dev/intercom-facts.md#contacts.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from intercom_assets.domain.models import (
    Admin,
    CompanyPatch,
    Contact,
    ContactPatch,
    DataAttribute,
    Tag,
    Value,
    Workspace,
)
from intercom_assets.intercom.wire_values import (
    AppId,
    Cursor,
    Email,
    Flag,
    FlagOrNothing,
    FlagUnlessFalse,
    Name,
    Picture,
    Scalars,
    Seconds,
    Text,
    Whole,
    object_or_nothing,
)

EMBEDDED = 10
"""Companies, and tags, that a contact's answer holds at most."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing. `total` is Intercom's count; `next` the cursor of the page after."""

    items: tuple[T, ...]
    total: int | None
    next: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Intercom's short answer to archive, unarchive and delete."""

    id: str
    external_id: str | None = None
    archived: bool = False
    deleted: bool = False


class Part(BaseModel):
    """A JSON object, as far as this project reads it."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class Payload(Part, ABC, Generic[T]):
    """The whole of an answer's JSON, and the domain value that it stands for."""

    @abstractmethod
    def domain(self) -> T: ...


# --- contacts -------------------------------------------------------------------------------------


class _Ref(Part):
    id: str


class _Embedded(Part):
    """At most ten of a contact's companies, or tags."""

    data: tuple[_Ref, ...]
    has_more: Flag = False
    total_count: Whole = None

    @property
    def complete(self) -> bool:
        if self.has_more:
            return False
        total = self.total_count
        return len(self.data) < EMBEDDED if total is None else len(self.data) >= total


class _Location(Part):
    timezone: Text = None
    country_code: Text = None


class ContactPayload(Payload[Contact]):
    id: Annotated[str, Field(min_length=1)]
    role: str = "user"
    external_id: AppId = None
    email: Email = None
    name: Name = None
    phone: Text = None
    signed_up_at: Seconds = None
    last_seen_at: Seconds = None
    created_at: Seconds = None
    updated_at: Seconds = None
    workspace_id: Text = None
    unsubscribed_from_emails: FlagOrNothing = None
    avatar: Picture = None
    owner_id: Text = None
    custom_attributes: Scalars = Field(default_factory=dict)
    companies: Annotated[_Embedded | None, BeforeValidator(object_or_nothing)] = None
    tags: Annotated[_Embedded | None, BeforeValidator(object_or_nothing)] = None
    location: Annotated[_Location | None, BeforeValidator(object_or_nothing)] = None

    def domain(self) -> Contact:
        """The contact. Companies or tags that Intercom did not tell are incomplete, not none."""
        embedded, tags, place = self.companies, self.tags, self.location
        return Contact(
            id=self.id,
            role=self.role,
            external_id=self.external_id,
            email=self.email,
            name=self.name,
            phone=self.phone,
            signed_up_at=self.signed_up_at,
            last_seen_at=self.last_seen_at,
            created_at=self.created_at,
            updated_at=self.updated_at,
            workspace_id=self.workspace_id,
            unsubscribed_from_emails=self.unsubscribed_from_emails,
            avatar=self.avatar,
            owner_id=self.owner_id,
            custom_attributes=self.custom_attributes,
            company_ids=tuple(ref.id for ref in embedded.data) if embedded else (),
            companies_complete=embedded is not None and embedded.complete,
            company_count=embedded.total_count if embedded else None,
            tag_ids=tuple(ref.id for ref in tags.data) if tags else (),
            tags_complete=tags is not None and tags.complete,
            tag_count=tags.total_count if tags else None,
            located_time_zone=place.timezone if place else None,
            country_code=place.country_code.upper() if place and place.country_code else None,
        )


class _CursorPages(Part):
    next: Cursor = None


class ContactListPayload(Payload[Page[Contact]]):
    data: tuple[ContactPayload, ...]
    total_count: Whole = None
    pages: _CursorPages | None = None

    def domain(self) -> Page[Contact]:
        contacts = tuple(payload.domain() for payload in self.data)
        return Page(contacts, self.total_count, self.pages.next if self.pages else None)


class ReceiptPayload(Payload[Receipt]):
    type: Literal["contact"] | None = Field(
        default=None, validation_alias=AliasChoices("type", "object")
    )
    id: str
    external_id: AppId = None
    archived: Flag = False
    deleted: Flag = False

    def domain(self) -> Receipt:
        return Receipt(self.id, self.external_id, self.archived, self.deleted)


class TagPayload(Payload[Tag]):
    """A tag as it is called now; without a name where the answer tells none."""

    id: str
    name: Text = None

    def domain(self) -> Tag:
        return Tag(self.id, str(self.name or ""))


class _NamedTag(Part):
    id: str
    name: Text = None


class TagListPayload(Payload[list[Tag]]):
    data: tuple[_NamedTag | None, ...]

    def domain(self) -> list[Tag]:
        return [Tag(tag.id, str(tag.name or "")) for tag in self.data if tag is not None]


class RawPayload(Payload[Mapping[str, Any]]):
    """An answer as it came, for whoever measures what Intercom sends."""

    model_config = ConfigDict(extra="allow")

    def domain(self) -> Mapping[str, Any]:
        return self.model_extra or {}


# --- attributes, workspace ------------------------------------------------------------------------


class AttributePayload(Payload[DataAttribute]):
    name: str
    data_type: str
    model: str
    id: Whole = None
    custom: FlagUnlessFalse = True
    archived: Flag = False
    api_writable: FlagUnlessFalse = True

    def domain(self) -> DataAttribute:
        return DataAttribute(**self.model_dump())


class AttributeListPayload(Payload[list[DataAttribute]]):
    data: tuple[AttributePayload, ...]

    def domain(self) -> list[DataAttribute]:
        return [payload.domain() for payload in self.data]


class _Admin(Part):
    id: Annotated[str, Field(min_length=1)]
    email: Email = None


class AdminListPayload(Payload[list[Admin]]):
    admins: tuple[_Admin | None, ...]

    def domain(self) -> list[Admin]:
        return [Admin(admin.id, admin.email) for admin in self.admins if admin is not None]


class _App(Part):
    id_code: str
    name: Text = None
    timezone: Text = None
    region: Text = None


class MePayload(Payload[Workspace]):
    app: _App

    def domain(self) -> Workspace:
        return Workspace(self.app.id_code, self.app.name, self.app.timezone, self.app.region)


class _ErrorItem(Part):
    code: Text = None
    message: Text = None
    field: Text = None


class ErrorPayload(Part):
    """`errors` make it one, whatever type it says: other answers have none."""

    type: Text = None
    request_id: Text = None
    errors: tuple[_ErrorItem, ...]


# --- bodies ---------------------------------------------------------------------------------------


def body_of(patch: ContactPatch | CompanyPatch, **more: Value) -> dict[str, object]:
    """What to send: standard fields, and custom attributes only if there are any."""
    body: dict[str, object] = {**more, **patch.standard}
    if patch.custom:
        body["custom_attributes"] = dict(patch.custom)
    return body
