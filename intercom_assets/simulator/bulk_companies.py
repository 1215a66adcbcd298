"""Companies by the hundred: upserted by `company_id`, updated by Intercom's id, deleted."""

from intercom_assets.simulator.bulk import accept, only, show_job
from intercom_assets.simulator.companies import (
    UPDATABLE,
    delete_company,
    live_company,
    upsert_company,
    write_fields,
)
from intercom_assets.simulator.wire import Call, Reply

MODEL = "companies"
BULK_UPDATABLE = (*UPDATABLE, "remote_created_at", "update_last_request_at")


def upsert_companies(call: Call) -> Reply:
    return accept(call, MODEL, _upsert, identified_by="company_id")


def update_companies(call: Call) -> Reply:
    return accept(call, MODEL, _update, identified_by="id")


def delete_companies(call: Call) -> Reply:
    return accept(call, MODEL, _delete, identified_by="id")


def get_companies_job(call: Call) -> Reply:
    return show_job(call, MODEL)


def _upsert(call: Call) -> None:
    """As one by one: a key that a single call refuses rejects the item."""
    upsert_company(call)
    call.world.being_made.pop(call.body["company_id"], None)


def _update(call: Call) -> None:
    """An unknown id makes no company."""
    fields = only(call.body, BULK_UPDATABLE)
    write_fields(call._replace(body=fields), live_company(call, call.body["id"]))


def _delete(call: Call) -> None:
    delete_company(call._replace(ids=(call.body["id"],)))
