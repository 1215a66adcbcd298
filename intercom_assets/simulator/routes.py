"""Which operation a method and path mean, since which version, and whether it writes.

The one list of what the stand-in can do. `template` is also the name under which calls are
counted. Literal segments win over braces.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from intercom_assets.simulator import (
    attributes,
    bulk_companies,
    bulk_contacts,
    companies,
    company_lists,
    contacts,
    events,
    lifecycle,
    listing,
    memberships,
    merging,
    messages,
    notes,
    segments,
    subscriptions,
    tags,
    visitors,
    workspace,
)
from intercom_assets.simulator.wire import Call, Reply, Version

Operation: TypeAlias = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    template: str
    operation: Operation
    writes: bool = False
    since: Version = (2, 0)

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"


WRITES = True
BULK: Version = (2, 17)
"""Which of these two versions has bulk, 2.17 or Preview alone, is a choice."""
ROUTES: tuple[Route, ...] = (
    Route("GET", "/me", workspace.get_me),
    Route("GET", "/admins", workspace.list_admins),
    Route("GET", "/admins/{id}", workspace.get_admin),
    Route("GET", "/contacts", listing.list_contacts),
    Route("POST", "/contacts", contacts.create_contact, WRITES),
    Route("POST", "/contacts/search", listing.search_contacts),
    Route("POST", "/contacts/merge", merging.merge_contacts, WRITES),
    Route(
        "GET",
        "/contacts/find_by_external_id/{external_id}",
        contacts.find_by_external_id,
        since=(2, 13),
    ),
    Route("POST", "/contacts/bulk", bulk_contacts.create_contacts, WRITES, BULK),
    Route("PUT", "/contacts/bulk", bulk_contacts.update_contacts, WRITES, BULK),
    Route("POST", "/contacts/bulk/delete", bulk_contacts.delete_contacts, WRITES, BULK),
    Route("GET", "/contacts/bulk/{id}", bulk_contacts.get_contacts_job, since=BULK),
    Route("GET", "/contacts/{id}", contacts.get_contact),
    Route("PUT", "/contacts/{id}", contacts.update_contact, WRITES),
    Route("DELETE", "/contacts/{id}", lifecycle.delete_contact, WRITES),
    Route("POST", "/contacts/{id}/archive", lifecycle.archive_contact, WRITES),
    Route("POST", "/contacts/{id}/unarchive", lifecycle.unarchive_contact, WRITES),
    Route("POST", "/contacts/{id}/block", lifecycle.block_contact, WRITES, (2, 13)),
    Route("GET", "/contacts/{id}/merge_history", merging.list_merge_history, since=(2, 16)),
    Route("GET", "/contacts/{id}/companies", memberships.list_contact_companies),
    Route("POST", "/contacts/{id}/companies", memberships.attach_company, WRITES),
    Route("DELETE", "/contacts/{id}/companies/{company_id}", memberships.detach_company, WRITES),
    Route("GET", "/contacts/{id}/tags", tags.list_contact_tags),
    Route("POST", "/contacts/{id}/tags", tags.tag_contact, WRITES),
    Route("DELETE", "/contacts/{id}/tags/{tag_id}", tags.untag_contact, WRITES),
    Route("GET", "/companies", company_lists.retrieve_companies),
    Route("POST", "/companies", companies.upsert_company, WRITES),
    Route("POST", "/companies/list", company_lists.list_companies),
    Route("GET", "/companies/scroll", company_lists.scroll_companies),
    Route("POST", "/companies/bulk", bulk_companies.upsert_companies, WRITES, BULK),
    Route("PUT", "/companies/bulk", bulk_companies.update_companies, WRITES, BULK),
    Route("POST", "/companies/bulk/delete", bulk_companies.delete_companies, WRITES, BULK),
    Route("GET", "/companies/bulk/{id}", bulk_companies.get_companies_job, since=BULK),
    Route("GET", "/companies/{id}", companies.get_company),
    Route("PUT", "/companies/{id}", companies.update_company, WRITES),
    Route("DELETE", "/companies/{id}", companies.delete_company, WRITES),
    Route("GET", "/companies/{id}/contacts", listing.list_company_contacts),
    Route("GET", "/data_attributes", attributes.list_attributes),
    Route("POST", "/data_attributes", attributes.create_attribute, WRITES),
    Route("PUT", "/data_attributes/{id}", attributes.update_attribute, WRITES),
    Route("GET", "/tags", tags.list_tags),
    Route("POST", "/tags", tags.create_tag, WRITES),
    Route("GET", "/tags/{id}", tags.get_tag),
    Route("DELETE", "/tags/{id}", tags.delete_tag, WRITES),
    Route("POST", "/events", events.submit_event, WRITES),
    Route("GET", "/events", events.list_events),
    Route("GET", "/segments", segments.list_segments),
    Route("GET", "/segments/{id}", segments.get_segment),
    Route("GET", "/contacts/{id}/segments", segments.list_contact_segments),
    Route("GET", "/companies/{id}/segments", segments.list_company_segments),
    Route("GET", "/teams", segments.list_teams),
    Route("GET", "/teams/{id}", segments.get_team),
    Route("GET", "/contacts/{id}/notes", notes.list_contact_notes),
    Route("POST", "/contacts/{id}/notes", notes.note_contact, WRITES),
    Route("GET", "/companies/{id}/notes", notes.list_company_notes),
    Route("POST", "/companies/{id}/notes", notes.note_company, WRITES),
    Route("GET", "/notes/{id}", notes.get_note),
    Route("GET", "/subscription_types", subscriptions.list_subscription_types),
    Route("GET", "/contacts/{id}/subscriptions", subscriptions.list_contact_subscriptions),
    Route("POST", "/contacts/{id}/subscriptions", subscriptions.subscribe_contact, WRITES),
    Route(
        "DELETE",
        "/contacts/{id}/subscriptions/{subscription_id}",
        subscriptions.unsubscribe_contact,
        WRITES,
    ),
    Route("POST", "/messages", messages.create_message, WRITES),
    Route("GET", "/visitors", visitors.get_visitor),
    Route("PUT", "/visitors", visitors.update_visitor, WRITES),
    Route("POST", "/visitors/convert", visitors.convert_visitor, WRITES),
    Route("GET", "/jobs/status/{id}", messages.get_job, since=(2, 14)),
)


def _by_shape() -> dict[tuple[str, int], list[tuple[tuple[str, ...], Route]]]:
    table: dict[tuple[str, int], list[tuple[tuple[str, ...], Route]]] = {}
    for route in ROUTES:
        segments = tuple(route.template.strip("/").split("/"))
        table.setdefault((route.method, len(segments)), []).append((segments, route))
    return table


TABLE = _by_shape()


def find_route(method: str, segments: tuple[str, ...]) -> tuple[Route, tuple[str, ...]] | None:
    """The route, and what stands in its braces; None where there is no such resource."""
    for pattern, route in TABLE.get((method, len(segments)), ()):
        ids = _match(pattern, segments)
        if ids is not None:
            return route, ids
    return None


def _match(pattern: tuple[str, ...], segments: tuple[str, ...]) -> tuple[str, ...] | None:
    ids = []
    for expected, given in zip(pattern, segments, strict=True):
        if expected[0] == "{":
            if not given:
                return None
            ids.append(given)
        elif expected != given:
            return None
    return tuple(ids)
