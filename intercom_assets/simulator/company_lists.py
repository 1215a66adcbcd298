"""Lists of companies: by number of page, filtered, and the one scroll that an app may have open.

Companies without users are in none of them.
"""

from urllib.parse import urlencode

from intercom_assets.simulator import errors
from intercom_assets.simulator.companies import document_of, show
from intercom_assets.simulator.documents import Document
from intercom_assets.simulator.paging import (
    LARGEST_COMPANY_PAGE,
    numbered_page,
    page_number,
    page_size,
)
from intercom_assets.simulator.records import Company, Scroll
from intercom_assets.simulator.wire import Call, Reply

PAGE = 15
REACH = 10_000
SCROLL_PAGE = 100
SCROLL_IDLE_S = 60


def listed(call: Call) -> list[Company]:
    """Most recently active first."""
    index = call.world.company_index(bool(call.settings.choice("companies_lag")))
    found = list(index.versions.values())
    found.sort(key=lambda company: (company.last_request_at or 0, company.seq), reverse=True)
    return found


def retrieve_companies(call: Call) -> Reply:
    """One company by `company_id` or `name`; without them a list, by tag or segment if asked."""
    if "company_id" in call.query or "name" in call.query:
        return show(call, _the_one(call))
    found = listed(call)
    if "tag_id" in call.query:
        found = [company for company in found if call.query["tag_id"] in company.tags]
    if "segment_id" in call.query:
        segment = call.world.extras.segments.get(call.query["segment_id"])
        members = segment.members if segment is not None else frozenset()
        found = [company for company in found if company.id in members]
    return _page(call, found, "companies", "tag_id", "segment_id")


def _the_one(call: Call) -> Company:
    if "company_id" in call.query:
        known = call.world.company_by_key.get(call.query["company_id"])
        if known is not None:
            return call.world.companies[known]
        raise errors.no_such_company()
    for company in call.world.companies.values():
        if company.deleted_at is None and company.name == call.query["name"]:
            return company
    raise errors.no_such_company()


def list_companies(call: Call) -> Reply:
    order = call.query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise errors.invalid("order must be asc or desc", "order")
    found = listed(call)
    if order == "asc":
        found.reverse()
    return _page(call, found, "companies/list", "order")


def _page(call: Call, found: list[Company], path: str, *repeated: str) -> Reply:
    size = page_size(call, call.query.get("per_page"), PAGE, LARGEST_COMPANY_PAGE)
    number = page_number(call.query.get("page"))
    if number * size > REACH:
        raise errors.client_error("page limit reached, please use scroll API")
    rows = show_all(call, found[(number - 1) * size : number * size])
    kept = urlencode({name: call.query[name] for name in repeated if name in call.query})
    url = f"{call.base_url}/{path}" + (f"?{kept}" if kept else "")
    return Reply(numbered_page(rows, len(found), size, number, url))


def show_all(call: Call, companies: list[Company]) -> list[Document]:
    return [document_of(call, company) for company in companies]


# --- scroll ---


def scroll_companies(call: Call) -> Reply:
    now = call.world.clock()
    scroll = call.world.scroll
    if scroll is not None and now >= scroll.used_at + SCROLL_IDLE_S:
        scroll = call.world.scroll = None
    asked = call.query.get("scroll_param")
    if not asked:
        if scroll is not None:
            raise errors.Refused(400, "scroll_exists", "scroll already exists for this workspace")
        scroll = call.world.scroll = Scroll(call.world.uuid(), listed(call), now)
    elif scroll is None or scroll.param != asked:
        raise errors.Refused(404, "not_found", "scroll parameter not found")
    return _next_rows(call, scroll, now)


def _next_rows(call: Call, scroll: Scroll, now: float) -> Reply:
    """An empty answer is the last one, and ends the scroll."""
    end = call.settings.choice("scroll_end")
    if not scroll.left and end == "not_found":
        call.world.scroll = None
        raise errors.Refused(404, "not_found", "scroll parameter not found")
    rows, scroll.left = scroll.left[:SCROLL_PAGE], scroll.left[SCROLL_PAGE:]
    scroll.used_at = now
    answer: Document = {
        "type": "list",
        "data": show_all(call, rows),
        "pages": None,
        "total_count": None,
    }
    if rows or end != "bare_page":
        answer["scroll_param"] = scroll.param
    if not rows:
        call.world.scroll = None
    return Reply(answer)
