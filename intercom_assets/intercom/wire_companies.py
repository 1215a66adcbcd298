"""Intercom's JSON of companies -> domain values: one, a contact's, and a step of the scroll.

Same rules as `wire.py`, from which the shared shapes come. Unset fields are left out by Intercom;
an unset plan is `{}` (docs/dev/intercom-facts.md#companies).
"""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import AliasChoices, BeforeValidator, Field

from intercom_assets.domain.models import Company
from intercom_assets.intercom.wire import Part, Payload
from intercom_assets.intercom.wire_values import (
    AppId,
    Name,
    PlanName,
    Scalars,
    Seconds,
    Text,
    Whole,
    object_or_nothing,
)


@dataclass(frozen=True, slots=True)
class CompanyPage:
    """Some of a contact's companies; `next` is what to ask for the next ones, None at the end."""

    companies: list[Company]
    next: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class ScrollStep:
    """`cursor` leads to the next step; an empty step is the last."""

    companies: list[Company]
    cursor: str | None


class _Tag(Part):
    id: str
    name: Text = None


class _TagList(Part):
    """All tags of a company, each with its name."""

    tags: tuple[_Tag, ...] | None = None


class CompanyPayload(Payload[Company]):
    id: Annotated[str, Field(min_length=1)]
    company_id: AppId = None
    name: Name = None
    plan: PlanName = None
    size: Whole = None
    website: Text = None
    industry: Text = None
    monthly_spend: Whole = None
    remote_created_at: Seconds = None
    created_at: Seconds = None
    user_count: Whole = None
    custom_attributes: Scalars = Field(default_factory=dict)
    tags: Annotated[_TagList | None, BeforeValidator(object_or_nothing)] = None

    def domain(self) -> Company:
        return Company(
            id=self.id,
            company_id=self.company_id,
            name=self.name,
            plan=self.plan,
            size=self.size,
            website=self.website,
            industry=self.industry,
            monthly_spend=self.monthly_spend,
            remote_created_at=self.remote_created_at,
            created_at=self.created_at,
            user_count=self.user_count,
            custom_attributes=self.custom_attributes,
            tags=self._tags(),
        )

    def _tags(self) -> dict[str, str] | None:
        if self.tags is None or self.tags.tags is None:
            return None
        return {tag.name: tag.id for tag in self.tags.tags if tag.name}


class _NumberedPages(Part):
    page: Whole = 1
    total_pages: Whole = 1
    next: Text = None


class CompanyListPayload(Payload[CompanyPage]):
    """A contact's companies: the spec's schema says `companies`, its captured examples `data`."""

    data: tuple[CompanyPayload, ...] = Field(validation_alias=AliasChoices("data", "companies"))
    pages: _NumberedPages | None = None

    def domain(self) -> CompanyPage:
        return CompanyPage([payload.domain() for payload in self.data], self._next())

    def _next(self) -> dict[str, str] | None:
        """What the next page's URL asks for; only its parameters are used, never its host."""
        if self.pages is None:
            return None
        if self.pages.next:
            return {
                key: found[-1] for key, found in parse_qs(urlsplit(self.pages.next).query).items()
            }
        page = self.pages.page or 1
        return {"page": str(page + 1)} if page < (self.pages.total_pages or 1) else None


class CompanyScrollPayload(Payload[ScrollStep]):
    data: tuple[CompanyPayload, ...]
    scroll_param: Text = None

    def domain(self) -> ScrollStep:
        return ScrollStep([payload.domain() for payload in self.data], self.scroll_param)
