"""Events that an app tells of its contacts: stored, listed for 90 days, counted for ever.

One that is told twice (name, contact and second) is dropped, and answered as the first was.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from intercom_assets.simulator import errors
from intercom_assets.simulator.documents import Document
from intercom_assets.simulator.extras import Event
from intercom_assets.simulator.paging import page_number, page_size
from intercom_assets.simulator.records import Contact
from intercom_assets.simulator.values import text, unix_time
from intercom_assets.simulator.wire import Call, Reply

PAGE = 50
LISTED_S = 90 * 86_400
METADATA_KEYS = 10
ACCEPTED = 202


def submit_event(call: Call) -> Reply:
    call.allow("event_name", "created_at", "user_id", "id", "email", "metadata")
    if not call.body.get("event_name"):
        raise errors.missing("event_name not specified")
    name = text("event_name", call.body["event_name"], call.settings)
    created_at = unix_time("created_at", call.body.get("created_at"), call.settings)
    if created_at is None:
        raise errors.missing("created_at not specified")
    contact = _whose(call, call.body, intercom_id="id")
    event = Event(name, contact.id, created_at, _metadata(call.body.get("metadata")))
    told = call.world.extras.events.setdefault(contact.id, [])
    new = not any((known.name, known.created_at) == (name, created_at) for known in told)
    if new:
        told.append(event)
    return Reply(None, changed=new, status=ACCEPTED)


def _whose(call: Call, names: Mapping[str, Any], intercom_id: str) -> Contact:
    """Users by any name, leads by Intercom's id alone."""
    if names.get(intercom_id):
        contact = call.world.contacts.get(str(names[intercom_id]))
        if contact is not None and contact.live:
            return contact
        raise errors.no_such_user()
    user_id, email = names.get("user_id"), names.get("email")
    if not user_id and not email:
        raise errors.missing(f"user_id, email or {intercom_id} must be specified")
    holders = call.world.holders(str(user_id), None) if user_id else iter(())
    for holder in holders if user_id else call.world.holders(None, str(email)):
        if holder.live and holder.role == "user":
            return holder
    raise errors.no_such_user()


def _metadata(sent: Any) -> dict[str, Any]:
    """What is beyond ten keys is dropped without a word."""
    if sent is None:
        return {}
    if not isinstance(sent, dict):
        raise errors.invalid("metadata must be an object", "metadata")
    return dict(list(sent.items())[:METADATA_KEYS])


def list_events(call: Call) -> Reply:
    """Newest first; with `summary=true` one row for each name, of all time."""
    if call.query.get("type") != "user":
        raise errors.invalid("type must be user", "type")
    contact = _whose(call, call.query, intercom_id="intercom_user_id")
    events = sorted(
        call.world.extras.events.get(contact.id, ()),
        key=lambda event: event.created_at,
        reverse=True,
    )
    answer: Document = {
        "email": contact.email or None,
        "intercom_user_id": contact.id,
        "user_id": contact.external_id,
    }
    if call.flag("summary"):
        return Reply({"type": "event.summary", "events": _summaries(events), **answer})
    since = call.world.now - LISTED_S
    recent = [event for event in events if event.created_at >= since]
    size = page_size(call, call.query.get("per_page"), PAGE)
    number = page_number(call.query.get("page"))
    shown = recent[(number - 1) * size : number * size]
    pages = {
        "next": _following(call, contact, size, number) if len(recent) > number * size else None
    }
    rows = [_document(contact, event) for event in shown]
    return Reply({"type": "event.list", "events": rows, "pages": pages, **answer})


def _following(call: Call, contact: Contact, size: int, number: int) -> str:
    query = f"type=user&intercom_user_id={contact.id}&per_page={size}&page={number + 1}"
    return f"{call.base_url}/events?{query}"


def _document(contact: Contact, event: Event) -> Document:
    return {
        "type": "event",
        "event_name": event.name,
        "created_at": event.created_at,
        "user_id": contact.external_id,
        "intercom_user_id": contact.id,
        "email": contact.email or None,
        "metadata": dict(event.metadata),
    }


def _summaries(newest_first: Iterable[Event]) -> list[Document]:
    by_name: dict[str, list[int]] = {}
    for event in newest_first:
        by_name.setdefault(event.name, []).append(event.created_at)
    return [
        {"name": name, "first": _iso(times[-1]), "last": _iso(times[0]), "count": len(times)}
        for name, times in by_name.items()
    ]


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
