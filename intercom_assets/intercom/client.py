"""Intercom's REST API 2.16 as methods: one per endpoint, named as Intercom names things.

A method says which endpoint, what to send and what comes back; everything that all calls share is
`calls.py`'s. What to do about an answer (adopt, merge, forget, park) is decided elsewhere.

Every method raises `Unauthorized`, `PlanRestricted`, `ScopeMissing` or `VersionUnknown` (fatal),
`Unavailable` and its kinds after the retries that are due, `LeaseRanOut`, `WrongShape`; docstrings
name only what is special to an endpoint. Facts: docs/dev/intercom-facts.md.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from intercom_assets.domain.bulk import BulkJob, CompanyItem, ContactItem
from intercom_assets.domain.models import (
    Admin,
    Company,
    CompanyPatch,
    Contact,
    ContactPatch,
    DataAttribute,
    Tag,
    Workspace,
)
from intercom_assets.domain.vocabulary import AttributeModel
from intercom_assets.intercom import endpoints, paging
from intercom_assets.intercom.calls import Call, Caller, CallScope, Counters
from intercom_assets.intercom.endpoints import Endpoint
from intercom_assets.intercom.http.addresses import (
    checked_token,
    checked_url,
    checked_version,
    headers_of,
)
from intercom_assets.intercom.http.messages import HttpTransport, Timeouts
from intercom_assets.intercom.http.transport import Urllib3Transport
from intercom_assets.intercom.query import NEWEST_FIRST, Query, Sort, as_json
from intercom_assets.intercom.rate import Clocks, limiter_of
from intercom_assets.intercom.wire import (
    AdminListPayload,
    AttributeListPayload,
    AttributePayload,
    ContactListPayload,
    ContactPayload,
    MePayload,
    Page,
    Payload,
    RawPayload,
    Receipt,
    ReceiptPayload,
    TagListPayload,
    TagPayload,
    body_of,
)
from intercom_assets.intercom.wire_bulk import JobPayload, company_item, contact_item
from intercom_assets.intercom.wire_companies import (
    CompanyListPayload,
    CompanyPage,
    CompanyPayload,
    CompanyScrollPayload,
    ScrollStep,
)

API_VERSION = "2.16"
PER_PAGE = 150
"""The most that list and search give (docs/dev/intercom-facts.md#pages)."""

T = TypeVar("T")


class IntercomClient:
    """Safe for any number of threads. `repr` shows the host, never the token.

    `rate_share`: the part of the limit to live on. `connections`: as many as threads that call.
    `transport`: another one than the network (tests). Raises `ValueError` for an address that
    is not https and not loopback, a token or version that is none, or a proxy of the environment
    that cannot be used; without a token every call raises `Unauthorized`.
    `fingerprint`: tells this host and token from others; neither can be had from it.
    """

    def __init__(
        self,
        token: str,
        base_url: str = "https://api.intercom.io",
        *,
        version: str = API_VERSION,
        rate_share: float = 0.8,
        connections: int = 32,
        transport: HttpTransport | None = None,
        timeouts: Timeouts | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        clocks = Clocks(clock, wall, sleep)
        token, self._base_url = checked_token(token), checked_url(base_url)
        limiter = limiter_of(token, self._base_url, rate_share, clocks, transport)
        self._caller = Caller(
            transport or Urllib3Transport(self._base_url, connections=connections, clock=clock),
            limiter,
            clocks,
            headers=headers_of(token, checked_version(version)),
            timeouts=timeouts or Timeouts(),
            has_token=bool(token),
        )
        self._scope = CallScope(lambda: None)
        identity = f"{self._base_url}\n{token}".encode()
        self.fingerprint = hashlib.sha256(identity).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"IntercomClient({self._base_url!r})"

    def with_deadline(
        self, deadline: float | Callable[[], float | None] | None
    ) -> "IntercomClient":
        """The same client with `calls` of its own, that starts none which could outlast `deadline`.

        Monotonic seconds, or what tells them (a lease that is renewed). `LeaseRanOut` otherwise.
        """
        client = object.__new__(IntercomClient)
        client._base_url, client._caller = self._base_url, self._caller
        client.fingerprint = self.fingerprint
        if callable(deadline):
            client._scope = CallScope(deadline, renewed=True)
        else:
            client._scope = CallScope(lambda: deadline)
        return client

    @property
    def calls(self) -> list[Call]:
        """The requests of this scope in order, every attempt of them."""
        return self._scope.calls

    def their_time(self) -> float | None:
        """Intercom's present time by the `Date` of its last answer; None before there was one."""
        return self._caller.their_time()

    def counters(self) -> Counters:
        """What this client did so far, with whatever deadline."""
        return self._caller.counters()

    def pause(self, seconds: float) -> bool:
        """Waits for something that takes Intercom time; False if the deadline does not allow it."""
        return self._caller.sleep(self._scope, seconds)

    def close(self) -> None:
        """Close idle connections, of all deadlines. Calling again opens new ones."""
        self._caller.close()

    # --- the workspace ----------------------------------------------------------------------------

    def me(self) -> Workspace:
        return self._ask(MePayload, endpoints.ME)

    def list_admins(self) -> list[Admin]:
        """The workspace's teammates, all of them in one answer."""
        return self._ask(AdminListPayload, endpoints.LIST_ADMINS)

    # --- contacts ---------------------------------------------------------------------------------

    def create_contact(self, patch: ContactPatch) -> Contact:
        """Raises `Conflict`; `Unavailable.may_have_landed`: look it up before creating again."""
        return self._ask(ContactPayload, endpoints.CREATE_CONTACT, body=body_of(patch))

    def get_contact(self, contact_id: str) -> Contact:
        """Fresh, never from the index. Raises `NotFound` (also if archived), `Merged`."""
        return self._ask(ContactPayload, endpoints.GET_CONTACT, contact_id)

    def find_contact(self, external_id: str) -> Contact:
        """A user by the app's id. Raises `NotFound`, `Merged`."""
        return self._ask(ContactPayload, endpoints.FIND_CONTACT, external_id)

    def update_contact(
        self, contact_id: str, patch: ContactPatch, *, repeat: bool = True
    ) -> Contact:
        """Writes what the patch holds; None clears. Raises `NotFound`, `Merged`, `Conflict`.

        `repeat`: it may be sent again where nobody knows whether it landed.
        """
        endpoint = endpoints.UPDATE_CONTACT if repeat else endpoints.UPDATE_CONTACT_ONCE
        return self._ask(ContactPayload, endpoint, contact_id, body=body_of(patch))

    def archive_contact(self, contact_id: str) -> Receipt:
        return self._ask(ReceiptPayload, endpoints.ARCHIVE_CONTACT, contact_id)

    def unarchive_contact(self, contact_id: str) -> Receipt:
        """Raises `NotRestorable` if it is to be deleted for good, or was merged."""
        return self._ask(ReceiptPayload, endpoints.UNARCHIVE_CONTACT, contact_id)

    def delete_contact(self, contact_id: str) -> Receipt:
        """Raises `NotFound`, also where an attempt whose answer was lost had deleted it."""
        return self._ask(ReceiptPayload, endpoints.DELETE_CONTACT, contact_id)

    def merge_contacts(self, lead_id: str, into: str) -> Contact:
        """The user `into`, who takes the lead over. Raises `NotFound`, `Invalid`."""
        body = {"from": lead_id, "into": into}
        return self._ask(ContactPayload, endpoints.MERGE_CONTACTS, body=body)

    def list_contacts(
        self, per_page: int = PER_PAGE, *, starting_after: str | None = None
    ) -> Iterator[Page[Contact]]:
        """All live contacts, from an index that may be minutes old."""

        def fetch(cursor: str | None) -> Page[Contact]:
            params = {"per_page": str(per_page)}
            if cursor is not None:
                params["starting_after"] = cursor
            return self._ask(ContactListPayload, endpoints.LIST_CONTACTS, params=params)

        return paging.pages(endpoints.LIST_CONTACTS, fetch, starting_after)

    def search_contacts(
        self,
        query: Query,
        *,
        sort: Sort = NEWEST_FIRST,
        per_page: int = PER_PAGE,
        starting_after: str | None = None,
    ) -> Iterator[Page[Contact]]:
        """Live contacts that match, as they were when last indexed: whom to read, not what is."""
        order = "descending" if sort.descending else "ascending"

        def fetch(cursor: str | None) -> Page[Contact]:
            pagination: dict[str, object] = {"per_page": per_page}
            if cursor is not None:
                pagination["starting_after"] = cursor
            body = {
                "query": as_json(query),
                "pagination": pagination,
                "sort": {"field": sort.field, "order": order},
            }
            return self._ask(ContactListPayload, endpoints.SEARCH_CONTACTS, body=body)

        return paging.pages(endpoints.SEARCH_CONTACTS, fetch, starting_after)

    # --- companies --------------------------------------------------------------------------------

    def upsert_company(self, company_id: str, patch: CompanyPatch) -> Company:
        """Creates or updates by the app's id, in one call."""
        body = body_of(patch, company_id=company_id)
        return self._ask(CompanyPayload, endpoints.UPSERT_COMPANY, body=body)

    def find_company(self, company_id: str) -> Company:
        """By the app's id. Raises `NotFound` (company_not_found)."""
        return self._ask(CompanyPayload, endpoints.FIND_COMPANY, params={"company_id": company_id})

    def get_company(self, intercom_id: str) -> Company:
        """By Intercom's id. Raises `NotFound` (company_not_found)."""
        return self._ask(CompanyPayload, endpoints.GET_COMPANY, intercom_id)

    def attach_company(self, contact_id: str, company_id: str) -> Company:
        """Both by Intercom's ids. `NotFound.code` tells which is missing (company_not_found)."""
        return self._ask(
            CompanyPayload, endpoints.ATTACH_COMPANY, contact_id, body={"id": company_id}
        )

    def detach_company(self, contact_id: str, company_id: str) -> Company:
        """Both by Intercom's ids. `NotFound`: not attached (any more), or no such company."""
        return self._ask(CompanyPayload, endpoints.DETACH_COMPANY, contact_id, company_id)

    def list_tags(self) -> list[Tag]:
        """The workspace's tags, all of them in one answer."""
        return self._ask(TagListPayload, endpoints.LIST_TAGS)

    def create_tag(self, name: str) -> str:
        """The tag's id; of one that has the name already, where there is one."""
        return self._ask(TagPayload, endpoints.CREATE_TAG, body={"name": name}).id

    def contact_tags(self, contact_id: str) -> list[Tag]:
        """All tags of a contact, in one answer."""
        return self._ask(TagListPayload, endpoints.CONTACT_TAGS, contact_id)

    def tag_contact(self, contact_id: str, tag_id: str) -> Tag:
        """The tag as it is called now. `NotFound`: there is no such tag, or no such contact."""
        return self._ask(TagPayload, endpoints.TAG_CONTACT, contact_id, body={"id": tag_id})

    def untag_contact(self, contact_id: str, tag_id: str) -> str:
        """The tag's id. `NotFound`: the contact has no such tag (any more), or is gone."""
        return self._ask(TagPayload, endpoints.UNTAG_CONTACT, contact_id, tag_id).id

    def tag_company(self, name: str, company_id: str) -> str:
        """By the tag's name, which makes it where there is none, and Intercom's id of the company.

        The tag's id. `NotFound`: there is no such company.
        """
        body = {"name": name, "companies": [{"id": company_id}]}
        return self._ask(TagPayload, endpoints.CREATE_TAG, body=body).id

    def untag_company(self, name: str, company_id: str) -> str:
        """The tag's id; a tag that the company has not stays off it. A name that no tag has makes
        one. `NotFound`: there is no such company."""
        body = {"name": name, "companies": [{"id": company_id, "untag": True}]}
        return self._ask(TagPayload, endpoints.CREATE_TAG, body=body).id

    def contact_companies(self, contact_id: str) -> list[Company]:
        """All companies of a contact, from every page."""

        def fetch(params: dict[str, str] | None) -> CompanyPage:
            return self._ask(
                CompanyListPayload, endpoints.CONTACT_COMPANIES, contact_id, params=params
            )

        return paging.all_companies(endpoints.CONTACT_COMPANIES, fetch)

    def scroll_companies(self) -> Iterator[list[Company]]:
        """All companies, each once. A broken scroll is begun anew; companies seen are left out.

        Raises `ScrollOpen` if another scroll of the workspace does not end in 75 s, and the last
        failure after five new beginnings.
        """

        def fetch(cursor: str | None) -> ScrollStep:
            params = None if cursor is None else {"scroll_param": cursor}
            return self._ask(CompanyScrollPayload, endpoints.SCROLL_COMPANIES, params=params)

        caller, scope = self._caller, self._scope
        return paging.scroll(fetch, lambda seconds: caller.sleep(scope, seconds), caller.clock)

    # --- many at once (Preview) -------------------------------------------------------------------

    def bulk_create_contacts(self, items: Sequence[ContactItem]) -> BulkJob:
        """Each is made unless one with its external id or e-mail exists. Raises `Invalid`, where
        there are too many in a call; `VersionUnknown`, `NotFound`, if there is no such endpoint."""
        body = {"contacts": [contact_item(item) for item in items]}
        return self._ask(JobPayload, endpoints.BULK_CREATE_CONTACTS, body=body)

    def bulk_update_contacts(self, items: Sequence[ContactItem]) -> BulkJob:
        """By Intercom's ids; raises as `bulk_create_contacts`."""
        body = {"contacts": [contact_item(item) for item in items]}
        return self._ask(JobPayload, endpoints.BULK_UPDATE_CONTACTS, body=body)

    def contacts_job(self, job_id: str) -> BulkJob:
        """Raises `NotFound` (job_not_found)."""
        return self._ask(JobPayload, endpoints.CONTACTS_JOB, job_id)

    def bulk_upsert_companies(self, items: Sequence[CompanyItem]) -> BulkJob:
        """By the app's ids; raises as `bulk_create_contacts`."""
        body = {"companies": [company_item(item) for item in items]}
        return self._ask(JobPayload, endpoints.BULK_UPSERT_COMPANIES, body=body)

    def companies_job(self, job_id: str) -> BulkJob:
        """Raises `NotFound` (job_not_found)."""
        return self._ask(JobPayload, endpoints.COMPANIES_JOB, job_id)

    # --- data attributes --------------------------------------------------------------------------

    def list_attributes(
        self, model: AttributeModel, *, archived: bool = True
    ) -> list[DataAttribute]:
        """Of `contact` or `company`, standard ones too; archived ones still hold their names."""
        params = {"model": model, "include_archived": "true" if archived else "false"}
        return self._ask(AttributeListPayload, endpoints.LIST_ATTRIBUTES, params=params)

    def create_attribute(
        self, name: str, model: AttributeModel, data_type: str, *, description: str | None = None
    ) -> DataAttribute:
        """Raises `Invalid` if the name is taken, on either model, or not allowed."""
        body: dict[str, object] = {"name": name, "model": model, "data_type": data_type}
        if description is not None:
            body["description"] = description
        return self._ask(AttributePayload, endpoints.CREATE_ATTRIBUTE, body=body)

    # --- what is measured -------------------------------------------------------------------------

    def ask_raw(
        self,
        endpoint: Endpoint,
        *ids: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Mapping[str, Any]:
        """The answer's JSON as it came, to a body as it is given: to measure, not to sync."""
        return self._ask(RawPayload, endpoint, *ids, params=params, body=body)

    def _ask(
        self,
        shape: type[Payload[T]],
        endpoint: Endpoint,
        *ids: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> T:
        return self._caller.call(self._scope, shape, endpoint, *ids, params=params, body=body)
