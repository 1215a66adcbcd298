"""Notes that teammates write about contacts and companies.

Whether one moves `updated_at` is unknown; here it does not.
"""

from dataclasses import replace

from intercom_assets.simulator import errors
from intercom_assets.simulator.companies import live_company
from intercom_assets.simulator.contacts import find_for_write, find_live
from intercom_assets.simulator.documents import Document
from intercom_assets.simulator.extras import Note
from intercom_assets.simulator.paging import cursor_page, page_number, page_size, read_cursor
from intercom_assets.simulator.records import Admin
from intercom_assets.simulator.values import text
from intercom_assets.simulator.wire import Call, Reply

PAGE = 50
LONGEST = 1_000_000


def list_contact_notes(call: Call) -> Reply:
    contact = find_live(call, call.ids[0])
    return _listed(call, contact.notes)


def list_company_notes(call: Call) -> Reply:
    company = live_company(call, call.ids[0])
    return _listed(call, company.notes)


def _listed(call: Call, ids: tuple[str, ...]) -> Reply:
    """Newest first; by cursor, as Intercom's file draws it, or by `page`."""
    size = page_size(call, call.query.get("per_page"), PAGE)
    place = read_cursor(call.query.get("starting_after"), int)
    number = place[0] if place else page_number(call.query.get("page"))
    start = max(place[2], 0) if place else (number - 1) * size
    newest = ids[::-1][start : start + size]
    rows = [_document(call, call.world.extras.notes[note_id]) for note_id in newest]
    end = start + len(rows)
    after = [number + 1, None, end] if rows and end < len(ids) else None
    return Reply(cursor_page(call, rows, len(ids), size, number, after))


def get_note(call: Call) -> Reply:
    note = call.world.extras.notes.get(call.ids[0])
    if note is None:
        raise errors.no_such_resource()
    return Reply(_document(call, note))


def note_contact(call: Call) -> Reply:
    contact = find_for_write(call, call.ids[0])
    note = _written(call, "contact", contact.id)
    call.world.commit_contact(contact._replace(notes=(*contact.notes, note.id)))
    return Reply(_document(call, note), changed=True)


def note_company(call: Call) -> Reply:
    company = live_company(call, call.ids[0])
    note = _written(call, "company", company.id)
    call.world.commit_company(replace(company, notes=(*company.notes, note.id)))
    return Reply(_document(call, note), changed=True)


def _written(call: Call, kind: str, about: str) -> Note:
    call.allow("body", "admin_id", "contact_id", "company_id")
    body = call.body.get("body")
    if not body:
        raise errors.missing("body not specified")
    if not isinstance(body, str) or len(body) > LONGEST:
        raise errors.invalid("body must be a string", "body")
    author = _author(call)
    marked = body if body.lstrip().startswith("<") else f"<p>{body}</p>"
    note_id = str(call.world.next_seq())
    note = Note(note_id, kind, about, marked, author.id, call.world.now)
    call.world.extras.notes[note.id] = note
    return note


def _author(call: Call) -> Admin:
    """Whoever the token belongs to, if nobody is named."""
    named = call.body.get("admin_id")
    if named is None:
        return next(iter(call.world.admins.values()))
    known = str(named) if isinstance(named, int) else text("admin_id", named, call.settings)
    if known not in call.world.admins:
        raise errors.no_such_resource()
    return call.world.admins[known]


def _document(call: Call, note: Note) -> Document:
    author = call.world.admins[note.author_id]
    return {
        "type": "note",
        "id": note.id,
        "created_at": note.created_at,
        note.kind: {"type": note.kind, "id": note.about},
        "author": {
            "type": "admin",
            "id": author.id,
            "name": author.name,
            "email": author.email,
            "away_mode_enabled": False,
            "away_mode_reassign": False,
        },
        "body": note.body,
    }
