"""Messages that an app starts, and jobs that Intercom says to be at work on. Nothing is sent."""

from typing import Any

from intercom_assets.simulator import errors
from intercom_assets.simulator.documents import Document
from intercom_assets.simulator.extras import Job
from intercom_assets.simulator.records import Admin, Contact
from intercom_assets.simulator.values import text
from intercom_assets.simulator.wire import Call, Reply

KEYS = (
    "message_type",
    "subject",
    "body",
    "template",
    "from",
    "to",
    "cc",
    "bcc",
    "created_at",
    "create_conversation_without_contact_reply",
)
KINDS = {"inapp": "inapp", "in_app": "inapp", "email": "email"}
PEOPLE = ("user", "lead", "contact")


def create_message(call: Call) -> Reply:
    """From a teammate to a contact, or from a contact: then a conversation is begun by it."""
    call.allow(*KEYS)
    if not call.body.get("body"):
        raise errors.invalid("Body is required")
    body = call.body["body"]
    if not isinstance(body, str):
        raise errors.invalid("body must be a string", "body")
    sender = _sender(call, call.body.get("from"))
    document: Document = {
        "id": str(call.world.next_seq()),
        "created_at": call.world.now,
        "body": body,
    }
    if isinstance(sender, Contact):
        conversation = str(call.world.next_seq())
        begun = {"message_type": "inapp", "conversation_id": conversation}
        return Reply({"type": "user_message", **document, **begun}, changed=True)
    return Reply(_admin_message(call, sender, document), changed=True)


def _admin_message(call: Call, admin: Admin, document: Document) -> Document:
    asked = call.body.get("message_type")
    kind = KINDS.get(asked) if isinstance(asked, str) else None
    if kind is None:
        raise errors.invalid("message_type must be one of: in_app, email", "message_type")
    subject = call.body.get("subject")
    if kind == "email" and not subject:
        raise errors.Refused(422, "parameter_not_found", "No subject supplied for email message")
    for person in _people(call.body.get("to")):
        _person(call, person)
    owner = {"type": "admin", "id": admin.id, "name": admin.name, "email": admin.email}
    document |= {"message_type": kind, "owner": owner}
    if subject:
        document["subject"] = text("subject", subject, call.settings)
    return {"type": "admin_message", **document}


def _sender(call: Call, named: Any) -> Admin | Contact:
    if not isinstance(named, dict):
        raise errors.missing("from not specified")
    if named.get("type") in PEOPLE:
        return _person(call, named)
    admin = call.world.admins.get(str(named.get("id")))
    if named.get("type") != "admin" or admin is None:
        raise errors.Refused(404, "admin_not_found", "Admin for admin_id not found")
    return admin


def _people(to: Any) -> list[dict[str, Any]]:
    people = to if isinstance(to, list) else [to]
    if not people or not all(isinstance(person, dict) for person in people):
        raise errors.missing("to not specified")
    return people


def _person(call: Call, named: dict[str, Any]) -> Contact:
    contact = call.world.contacts.get(str(named.get("id")))
    if contact is None and not named.get("id"):
        found = call.world.holders(_given(named, "user_id"), _given(named, "email"))
        contact = next((holder for holder in found if holder.live), None)
    if contact is None or not contact.live:
        raise errors.no_such_user()
    return contact


def _given(named: dict[str, Any], key: str) -> str | None:
    return str(named[key]) if named.get(key) else None


# --- jobs ---


def get_job(call: Call) -> Reply:
    job = call.world.extras.jobs.get(call.ids[0])
    if job is None:
        raise errors.Refused(404, "job_not_found", "Job Not Found")
    return Reply(_job_document(call, job))


def _job_document(call: Call, job: Job) -> Document:
    document: Document = {
        "type": "job",
        "id": job.id,
        "url": f"{call.base_url}/jobs/status/{job.id}",
        "status": job.status,
        "resource_type": job.resource_type,
        "resource_id": job.resource_id,
    }
    if job.resource_id is not None:
        document["resource_url"] = f"{call.base_url}/{job.resource_type}s/{job.resource_id}"
    return document
