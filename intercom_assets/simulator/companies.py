"""Companies one by one: upsert, read, update, delete.

A company is known by its `company_id` (yours) and its `id` (Intercom's). Lists are in
`company_lists`, edges to contacts in `memberships`.
"""

from dataclasses import replace
from typing import Any

from intercom_assets.simulator import errors
from intercom_assets.simulator.company_documents import company_document
from intercom_assets.simulator.documents import Document, as_answered
from intercom_assets.simulator.records import Company
from intercom_assets.simulator.values import custom_values, flag, text, unix_time, whole
from intercom_assets.simulator.wire import Call, Reply

UPDATABLE = ("name", "plan", "size", "website", "industry", "monthly_spend", "custom_attributes")
LARGEST_SPEND = 2**31 - 1
SOURCE = "creation_source"


def find_company(call: Call, intercom_id: str) -> Company:
    company = call.world.companies.get(intercom_id)
    if company is None or not readable(call, company):
        raise errors.no_such_company()
    return company


def readable(call: Call, company: Company) -> bool:
    """A deleted company can be read until its archival is through."""
    if company.deleted_at is None:
        return True
    return bool(
        call.world.clock() < company.deleted_at + call.settings.choice("company_archival_s")
    )


def document_of(call: Call, company: Company) -> Document:
    document = company_document(company, call.world, call.version, call.settings)
    return as_answered(document, call.settings)


def show(call: Call, company: Company) -> Reply:
    return Reply(document_of(call, company))


def get_company(call: Call) -> Reply:
    return show(call, find_company(call, call.ids[0]))


def upsert_company(call: Call) -> Reply:
    """Looked up by `company_id`; created if that finds nothing.

    The Ruby client sends Intercom's `id` along with every save, so that key is taken too.
    """
    extra = ("update_last_request_at",) if call.version >= (2, 16) else ()
    call.allow(*UPDATABLE, "id", "company_id", "remote_created_at", *extra)
    company_id = call.body.get("company_id")
    if not company_id and call.body.get("id"):
        return write_fields(call, live_company(call, text("id", call.body["id"], call.settings)))
    if company_id is None or company_id == "":
        raise errors.missing("company_id not specified")
    known = call.world.company_by_key.get(text("company_id", company_id, call.settings))
    if known is not None:
        _refuse_race(call, company_id)
        return write_fields(call, call.world.companies[known])
    if call.settings.choice("company_name_required") and not call.body.get("name"):
        raise errors.missing("name not specified")
    return _create(call, company_id)


def live_company(call: Call, intercom_id: str) -> Company:
    company = find_company(call, intercom_id)
    if company.deleted_at is not None:
        raise errors.no_such_company()
    return company


def _create(call: Call, company_id: str) -> Reply:
    fields = read_fields(call)
    custom = {name: value for name, value in fields.pop("custom", {}).items() if value is not None}
    if call.settings.choice("creation_source"):
        custom[SOURCE] = "api"
    seq, now = call.world.next_seq(), call.world.now
    company = Company(
        id=call.world.object_id(seq),
        seq=seq,
        company_id=company_id,
        created_at=now,
        updated_at=now,
        custom=custom,
        **fields,
    )
    call.world.commit_company(company)
    call.world.being_made[company_id] = call.world.clock() + call.settings.latency_ms / 1000
    return _answer(call, company)


def _refuse_race(call: Call, company_id: str) -> None:
    """Its maker's answer is still on the way: two at once cannot both make it."""
    made_at = call.world.being_made.get(company_id)
    if made_at is None:
        return
    if call.world.clock() >= made_at:
        del call.world.being_made[company_id]
    elif call.settings.choice("company_race"):
        raise errors.Refused(400, "unique_company_constraint", "Company already exists.")


def update_company(call: Call) -> Reply:
    call.allow(*UPDATABLE)
    return write_fields(call, live_company(call, call.ids[0]))


def write_fields(call: Call, company: Company) -> Reply:
    """The body's fields, whichever of them the caller let in."""
    fields = read_fields(call)
    custom = dict(company.custom)
    for name, value in fields.pop("custom", {}).items():
        if value is not None or name in custom:
            custom[name] = value
    changed = replace(company, custom=custom, **fields)
    if changed == company:
        return show(call, company)
    changed = replace(changed, updated_at=call.world.now)
    call.world.commit_company(changed)
    return _answer(call, changed)


def _answer(call: Call, company: Company) -> Reply:
    return Reply(document_of(call, company), changed=True)


def delete_company(call: Call) -> Reply:
    """Contacts stay and are detached."""
    company = live_company(call, call.ids[0])
    for contact_id in list(call.world.members.get(company.id, {})):
        contact = call.world.contacts[contact_id]
        left = tuple(i for i in contact.companies if i != company.id)
        call.world.commit_contact(contact._replace(companies=left))
    emptied = call.world.companies[company.id]
    call.world.commit_company(replace(emptied, deleted_at=call.world.now))
    return Reply({"id": company.id, "object": "company", "deleted": True}, changed=True)


# --- one field after the other ---


def read_fields(call: Call) -> dict[str, Any]:
    """The body's fields, checked, by the names of `Company`. Null clears."""
    fields: dict[str, Any] = {}
    for key, value in call.body.items():
        fields.update(_read_field(call, key, value))
    return fields


def _read_field(call: Call, key: str, value: Any) -> dict[str, Any]:
    settings = call.settings
    match key:
        case "name" | "plan" | "website" | "industry":
            return {key: None if value is None else text(key, value, settings)}
        case "size":
            return {key: None if value is None else whole(key, value, settings)}
        case "monthly_spend":
            return {key: _spend(value)}
        case "remote_created_at":
            return {key: unix_time(key, value, settings)}
        case "update_last_request_at":
            asked = value is not None and flag(key, value)
            return {"last_request_at": call.world.now} if asked else {}
        case "custom_attributes":
            return {"custom": _custom(call, value)}
    return {}


def _custom(call: Call, value: Any) -> dict[str, Any]:
    """The Ruby client sends back all that it was shown, so Intercom's own key is passed over."""
    if isinstance(value, dict) and SOURCE not in call.world.attribute_types["company"]:
        value = {name: sent for name, sent in value.items() if name != SOURCE}
    return custom_values(value, call.world.attribute_types["company"], call.settings)


def _spend(value: Any) -> int:
    """Floats are truncated; the limit is documented."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise errors.invalid("monthly_spend must be a number", "monthly_spend")
    if not abs(value) <= LARGEST_SPEND:
        raise errors.invalid("monthly_spend is out of range", "monthly_spend")
    return int(value)
