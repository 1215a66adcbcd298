"""A hundred in one call: what is checked before a job takes its items, and the job's answer.

Preview alone has it, and says nothing of single items: no ids, no errors. What becomes of an item
is in `bulk_contacts` and `bulk_companies`; when it is done, in `bulk_jobs`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from intercom_assets.simulator.bulk_jobs import BulkJob, Task
from intercom_assets.simulator.errors import Refused, not_in_version
from intercom_assets.simulator.wire import PREVIEW, Call, Reply

Item: TypeAlias = Mapping[str, Any]
Perform: TypeAlias = Callable[[Call], None]
SINGULAR = {"contacts": "contact", "companies": "company"}
ACCEPTED = 202


def accept(call: Call, model: str, perform: Perform, identified_by: str | None = None) -> Reply:
    """A job that does `perform` for each item, with the item as the call's body.

    Without `identified_by` an item needs no key. The answer is the job as it is before any work.
    """
    refuse_version(call)
    call.allow(model, "job")
    items = _items(call, model, identified_by)
    job = _job(call, model)
    now = call.world.clock()
    task = Task(
        id=f"task_{call.world.next_seq()}",
        item_count=len(items),
        accepted_at=now,
        due_at=now + call.settings.bulk_job_delay_s,
        work=lambda: sum(not _made(call, item, perform) for item in items),
    )
    call.world.bulk.add(job, task)
    document = job.document(now, call.base_url)
    call.world.catch_up()
    counted = len(items) if call.settings.choice("bulk_counts") == "item" else 1
    return Reply(document, changed=True, status=ACCEPTED, counts_as=counted)


def show_job(call: Call, model: str) -> Reply:
    refuse_version(call)
    job = _known_job(call, model, call.ids[0])
    return Reply(job.document(call.world.clock(), call.base_url))


def refuse_version(call: Call) -> None:
    if call.version < PREVIEW and call.settings.choice("bulk_since") == "Preview":
        raise not_in_version()


# --- the call ---


def _items(call: Call, model: str, identified_by: str | None) -> Sequence[Item]:
    items, one = call.body.get(model), SINGULAR[model]
    if items is None:
        raise Refused(422, "field_not_found", f"{model} field must be supplied")
    if not isinstance(items, list):
        raise Refused(422, "type_mismatch", f"{model} must be an array")
    if not all(isinstance(item, dict) for item in items):
        raise Refused(422, "type_mismatch", f"each {one} must be an object")
    limit = call.settings.bulk_item_limit
    if len(items) > limit:
        raise _unfit(f"maximum number of {model} per request is {limit}")
    if not items:
        raise _unfit(f"{model} must not be empty")
    if identified_by and not all(_identified(item, identified_by) for item in items):
        raise Refused(422, "field_not_found", f"{model} must be identified by {identified_by}")
    if call.settings.choice("bulk_null") == "refuse_call" and any(map(has_null, items)):
        raise Refused(422, "type_mismatch", f"no field of a {one} may be null")
    return items


def _identified(item: Item, key: str) -> bool:
    return isinstance(item.get(key), str) and item[key] != ""


def _unfit(message: str) -> Refused:
    return Refused(422, "parameter_invalid", message)


def _job(call: Call, model: str) -> BulkJob:
    """The one that the call names, if it still takes tasks; else a new one."""
    named = call.body.get("job")
    if named is None:
        return BulkJob(f"job_v2_{call.world.next_seq()}", model, call.world.clock())
    if not isinstance(named, dict) or not isinstance(named.get("id"), str):
        raise Refused(422, "type_mismatch", "job must be an object with an id")
    job = _known_job(call, model, named["id"])
    closes = call.settings.choice("bulk_job_closes")
    if closes == "at_once" or (closes == "when_done" and job.done):
        raise Refused(403, "forbidden", f"job {job.id} is closed for new task updates")
    return job


def _known_job(call: Call, model: str, job_id: str) -> BulkJob:
    job = call.world.bulk.jobs.get(job_id)
    if job is None or job.model != model:
        raise Refused(404, "job_not_found", f"job {job_id} not found")
    return job


# --- an item ---


def has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(has_null, value.values()))
    if isinstance(value, list):
        return any(map(has_null, value))
    return value is None


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(kept) for key, kept in value.items() if kept is not None}
    if isinstance(value, list):
        return [without_nulls(kept) for kept in value if kept is not None]
    return value


def only(item: Item, keys: Sequence[str]) -> Item:
    """What an endpoint does not know of an item is dropped without a word."""
    return {key: value for key, value in item.items() if key in keys}


def _made(call: Call, item: Item, perform: Perform) -> bool:
    """Whether the job counts this item as done. A lost one may be counted so too."""
    jobs, nulls = call.world.bulk, call.settings.choice("bulk_null")
    if not jobs.begin_item(call.settings.bulk_lose_every):
        jobs.not_made += 1
        return bool(call.settings.choice("bulk_lost_state") == "completed")
    try:
        if nulls == "reject_item" and has_null(item):
            raise _unfit("a field is null")
        perform(call._replace(body=without_nulls(item) if nulls == "ignore" else item))
    except Refused:
        jobs.not_made += 1
        return False
    return True
