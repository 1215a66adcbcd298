"""Every endpoint that this project calls: method, path template, and what repeating it would do.

The template is what logs, errors and counters show; ids never stand in it. An endpoint that is not
here is not called.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from intercom_assets.intercom.errors import Invalid, Refusal
from intercom_assets.intercom.retry import Effect


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`version`: of the API, where it is another than all other calls speak."""

    method: str
    template: str
    effect: Effect
    version: str | None = None

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    def path(self, ids: Sequence[str] = (), params: Mapping[str, str] | None = None) -> str:
        """The path, `ids` in its braces in order. Raises `Invalid` for an id no path can hold."""
        path = self.template
        for given in ids:
            head, _, rest = path.partition("{")
            path = f"{head}{self._segment(given)}{rest.partition('}')[2]}"
        return f"{path}?{urlencode(params)}" if params else path

    def _segment(self, given: str) -> str:
        """An empty or dotted id would address another endpoint (`DELETE /contacts/`)."""
        if given.strip(".") == "":
            raise Invalid(Refusal("an id is empty or made of dots only", endpoint=self.name))
        return quote(given, safe="", errors="replace")


READ, SAME, ONCE = Effect.READ, Effect.SAME, Effect.ONCE

ME = Endpoint("GET", "/me", READ)
LIST_ADMINS = Endpoint("GET", "/admins", READ)

LIST_CONTACTS = Endpoint("GET", "/contacts", READ)
SEARCH_CONTACTS = Endpoint("POST", "/contacts/search", READ)
CREATE_CONTACT = Endpoint("POST", "/contacts", ONCE)
GET_CONTACT = Endpoint("GET", "/contacts/{id}", READ)
FIND_CONTACT = Endpoint("GET", "/contacts/find_by_external_id/{external_id}", READ)
UPDATE_CONTACT = Endpoint("PUT", "/contacts/{id}", SAME)
UPDATE_CONTACT_ONCE = Endpoint("PUT", "/contacts/{id}", ONCE)
"""With a value that Intercom moves on by itself meanwhile: sent again only after a new look."""
DELETE_CONTACT = Endpoint("DELETE", "/contacts/{id}", SAME)
ARCHIVE_CONTACT = Endpoint("POST", "/contacts/{id}/archive", SAME)
UNARCHIVE_CONTACT = Endpoint("POST", "/contacts/{id}/unarchive", SAME)
MERGE_CONTACTS = Endpoint("POST", "/contacts/merge", ONCE)

CONTACT_COMPANIES = Endpoint("GET", "/contacts/{id}/companies", READ)
ATTACH_COMPANY = Endpoint("POST", "/contacts/{id}/companies", SAME)
DETACH_COMPANY = Endpoint("DELETE", "/contacts/{id}/companies/{company}", SAME)
LIST_TAGS = Endpoint("GET", "/tags", READ)
CREATE_TAG = Endpoint("POST", "/tags", SAME)
"""By its name: one that there is already is not made twice."""
CONTACT_TAGS = Endpoint("GET", "/contacts/{id}/tags", READ)
TAG_CONTACT = Endpoint("POST", "/contacts/{id}/tags", SAME)
UNTAG_CONTACT = Endpoint("DELETE", "/contacts/{id}/tags/{tag}", SAME)

FIND_COMPANY = Endpoint("GET", "/companies", READ)
UPSERT_COMPANY = Endpoint("POST", "/companies", SAME)
GET_COMPANY = Endpoint("GET", "/companies/{id}", READ)
DELETE_COMPANY = Endpoint("DELETE", "/companies/{id}", SAME)
SCROLL_COMPANIES = Endpoint("GET", "/companies/scroll", ONCE)
"""Each step moves the scroll on, so a step whose answer was lost would skip a page if repeated."""

LIST_ATTRIBUTES = Endpoint("GET", "/data_attributes", READ)
CREATE_ATTRIBUTE = Endpoint("POST", "/data_attributes", ONCE)

PREVIEW = "Preview"
"""The version that has the bulk endpoints; it is a header of each request."""
BULK_CREATE_CONTACTS = Endpoint("POST", "/contacts/bulk", SAME, PREVIEW)
"""A strict create: an item that is there already is left out, so that it may be sent again."""
BULK_UPDATE_CONTACTS = Endpoint("PUT", "/contacts/bulk", SAME, PREVIEW)
CONTACTS_JOB = Endpoint("GET", "/contacts/bulk/{id}", READ, PREVIEW)
BULK_UPSERT_COMPANIES = Endpoint("POST", "/companies/bulk", SAME, PREVIEW)
COMPANIES_JOB = Endpoint("GET", "/companies/bulk/{id}", READ, PREVIEW)
