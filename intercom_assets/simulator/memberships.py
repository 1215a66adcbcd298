"""Edges between contacts and companies: attach, detach, and a contact's companies.

One call per edge, by Intercom's company id; at most 1,000 companies per contact.
"""

from intercom_assets.simulator import errors
from intercom_assets.simulator.companies import show
from intercom_assets.simulator.company_lists import show_all
from intercom_assets.simulator.contacts import find_for_write, find_live
from intercom_assets.simulator.paging import numbered_page, page_number, page_size
from intercom_assets.simulator.records import Company, Contact
from intercom_assets.simulator.wire import Call, Reply

LIMIT = 1000
PAGE = 50


def attach_company(call: Call) -> Reply:
    """Attaching once more changes nothing and answers 200."""
    call.allow("id")
    contact = find_for_write(call, call.ids[0])
    company_id = call.body.get("id")
    if company_id is None or company_id == "":
        raise errors.missing("company not specified")
    company = _live_company(call, company_id)
    if company.id in contact.companies:
        return show(call, company)
    if len(contact.companies) >= LIMIT:
        raise too_many_companies()
    stored = _store(call, contact, company, (*contact.companies, company.id))
    if call.settings.choice("attach_user_count") == "after":
        return stored
    return show(call, company)._replace(changed=True)


def too_many_companies() -> errors.Refused:
    return errors.Refused(
        400,
        "contact_company_limit_exceeded",
        f"Contact has reached the maximum of {LIMIT} company associations",
    )


def detach_company(call: Call) -> Reply:
    contact = find_for_write(call, call.ids[0])
    company = _live_company(call, call.ids[1])
    if company.id not in contact.companies:
        if call.settings.choice("detach_unattached") == 200:
            return show(call, company)
        raise errors.no_such_company()
    left = tuple(i for i in contact.companies if i != company.id)
    return _store(call, contact, company, left)


def _live_company(call: Call, company_id: object) -> Company:
    company = call.world.companies.get(company_id) if isinstance(company_id, str) else None
    if company is None or company.deleted_at is not None:
        raise errors.no_such_company()
    return company


def _store(call: Call, contact: Contact, company: Company, companies: tuple[str, ...]) -> Reply:
    moved = bool(call.settings.choice("attach_moves_updated_at"))
    updated_at = call.world.now if moved else contact.updated_at
    call.world.commit_contact(contact._replace(companies=companies, updated_at=updated_at))
    return show(call, call.world.companies[company.id])._replace(changed=True)


def list_contact_companies(call: Call) -> Reply:
    contact = find_live(call, call.ids[0])
    size = page_size(call, call.query.get("per_page"), PAGE)
    number = page_number(call.query.get("page"))
    cut = contact.companies[(number - 1) * size : number * size]
    rows = show_all(call, [call.world.companies[company_id] for company_id in cut])
    url = f"{call.base_url}/contacts/{contact.id}/companies"
    page = numbered_page(rows, len(contact.companies), size, number, url)
    if call.settings.choice("attached_companies_keys") == "both":
        page["companies"] = rows
    return Reply(page)
