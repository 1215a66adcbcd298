"""Lists of contacts: `GET /contacts`, `POST /contacts/search` and a company's contacts.

All read the delayed index and show its old whole documents; all are cut by cursor. What a query
means is in `query`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from intercom_assets.simulator import errors
from intercom_assets.simulator.contacts import with_history
from intercom_assets.simulator.documents import (
    Document,
    as_answered,
    contact_document,
    shape_of,
)
from intercom_assets.simulator.fields import Field, find_field
from intercom_assets.simulator.filters import Plan
from intercom_assets.simulator.index import Index
from intercom_assets.simulator.paging import cursor_page, page_size, read_cursor
from intercom_assets.simulator.query import read_query
from intercom_assets.simulator.records import Contact
from intercom_assets.simulator.wire import Call, Reply

SEARCH_PAGE = 50
COMPANY_CONTACTS_PAGE = 50


def show_indexed(call: Call, contacts: Iterable[Contact]) -> list[Document]:
    workspace, shape = call.world.workspace_id, shape_of(call.settings)
    return [
        with_history(call, contact, as_answered(document, call.settings))
        for contact in contacts
        if (document := contact_document(contact, workspace, call.version, shape, True))
    ]


def list_contacts(call: Call) -> Reply:
    """In the order of creation (recorded)."""
    size = page_size(call, call.query.get("per_page"), call.settings.choice("list_page_size"))
    index = call.world.contact_index()
    place = read_cursor(call.query.get("starting_after"), int)
    number, after = (place[0], place[2]) if place else (1, None)
    rows = list(islice(index.oldest_first(after), size + 1))
    return _cut(call, rows, len(index.versions), size, number, lambda last: [None, last.seq])


def _cut(
    call: Call,
    rows: list[Contact],
    total: int,
    size: int,
    number: int,
    place: Callable[[Contact], list[Any]],
) -> Reply:
    """`rows` holds one more than fits if another page follows."""
    shown = rows[:size]
    after = [number + 1, *place(shown[-1])] if len(rows) > size else None
    page = cursor_page(call, show_indexed(call, shown), total, size, number, after)
    return Reply(page)


def list_company_contacts(call: Call) -> Reply:
    company = call.world.companies.get(call.ids[0])
    if company is None or company.deleted_at is not None:
        raise errors.no_such_company()
    size = page_size(call, call.query.get("per_page"), COMPANY_CONTACTS_PAGE)
    place = read_cursor(call.query.get("starting_after"), int)
    number, after = (place[0], place[2]) if place else (1, None)
    members = sorted(_members(call, company.id), key=lambda contact: contact.seq)
    rows = [contact for contact in members if after is None or contact.seq > after]
    return _cut(call, rows, len(members), size, number, lambda last: [None, last.seq])


def _members(call: Call, company_id: str) -> list[Contact]:
    """As the index has it if companies lag, else as it is."""
    if not call.settings.choice("companies_lag") or not call.settings.index_delay_s:
        ids = call.world.members.get(company_id, {})
        return [call.world.contacts[contact_id] for contact_id in ids]
    versions = call.world.contact_index().versions.values()
    return [contact for contact in versions if company_id in contact.companies]


# --- search ---


def search_contacts(call: Call) -> Reply:
    # A `per_page` outside of `pagination` is accepted, and sizes nothing.
    call.allow("query", "pagination", "sort", "per_page")
    if "query" not in call.body:
        raise errors.missing("query not specified")
    plan = read_query(call, call.body["query"])
    field, ascending = _read_sort(call)
    size, cursor = _read_pagination(call)
    found = _sorted(_matches(call.world.contact_index(), plan), field, ascending)
    number, start = _resume(found, cursor, field, ascending)
    return _cut(
        call,
        found[start : start + size + 1],
        len(found),
        size,
        number,
        lambda last: [field.read(last), last.id],
    )


def _read_sort(call: Call) -> tuple[Field, bool]:
    sort = call.body.get("sort")
    if sort is None:
        oldest_first = call.settings.choice("unsorted_search") == "ascending"
        return find_field(call, "created_at"), oldest_first
    if not isinstance(sort, dict):
        raise errors.invalid("sort must be an object", "sort")
    for key in sort:
        if key not in ("field", "order"):
            raise errors.bad_parameter(key)
    field = find_field(call, sort.get("field") or "created_at")
    if field.kind == "tag":
        raise errors.Refused(400, "invalid_field", f"{field.name} is not a valid field")
    order = sort.get("order") or "descending"
    if call.version < (2, 16) and isinstance(order, str):
        return field, order in ("ascending", "asc")
    if order not in ("ascending", "descending"):
        raise errors.Refused(
            400,
            "invalid_sort_order",
            f"Invalid sort order '{order}'. Must be one of: ascending, descending",
        )
    return field, order == "ascending"


def _read_pagination(call: Call) -> tuple[int, tuple[int, Any, Any] | None]:
    """Only the body counts: a cursor in the query string is ignored."""
    pagination = call.body.get("pagination")
    if pagination is None:
        return SEARCH_PAGE, None
    if not isinstance(pagination, dict):
        raise errors.invalid("pagination must be an object", "pagination")
    for key in pagination:
        if key not in ("per_page", "starting_after"):
            raise errors.bad_parameter(key)
    size = page_size(call, pagination.get("per_page"), SEARCH_PAGE)
    return size, read_cursor(pagination.get("starting_after"), str)


def _matches(index: Index[Contact], plan: Plan) -> list[Contact]:
    """In the order of (updated_at, id), by the cheapest way that the plan offers."""
    versions = index.versions
    if plan.keys is not None:
        ids = {i for key in plan.keys for i in index.by_key.get(key, ())}
        found = [versions[i] for i in ids if plan.test(versions[i])]
        return sorted(found, key=lambda contact: (contact.updated_at, contact.id))
    candidates = [versions[i] for i in index.by_update.between(plan.low, plan.high)]
    return candidates if plan.exact else [c for c in candidates if plan.test(c)]


def _sorted(found: list[Contact], field: Field, ascending: bool) -> list[Contact]:
    if field.name != "updated_at":
        found.sort(key=_sort_key(field), reverse=not ascending)
    elif not ascending:
        found.reverse()
    return found


def _sort_key(field: Field) -> Callable[[Contact], tuple[bool, Any, str]]:
    """Contacts without a value come first when ascending."""
    read = field.read
    if field.kind == "string":
        return lambda contact: ((v := read(contact)) is not None, str(v), contact.id)
    return lambda contact: ((v := read(contact)) is not None, v or 0, contact.id)


def _resume(
    found: list[Contact], cursor: tuple[int, Any, Any] | None, field: Field, ascending: bool
) -> tuple[int, int]:
    """(page, place of its first row): just after where the cursor's row stands or stood."""
    if cursor is None:
        return 1, 0
    number, value, record_id = cursor
    key = _sort_key(field)
    last = (value is not None, str(value) if field.kind == "string" else value or 0, record_id)
    try:
        if ascending:
            return number, bisect_right(found, last, key=key)
        ahead = found[::-1]
        return number, len(ahead) - bisect_left(ahead, last, key=key)
    except TypeError as foreign:
        raise errors.bad_cursor() from foreign
