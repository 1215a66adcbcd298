"""Companies as Intercom writes them. Nothing is decided here, and no status or header is known."""

from intercom_assets.simulator.documents import Document, embedded, tag_document
from intercom_assets.simulator.extras import Segment
from intercom_assets.simulator.records import Company
from intercom_assets.simulator.settings import Settings
from intercom_assets.simulator.state import World

OMITTED_WHEN_UNSET = ("remote_created_at", "last_request_at", "size", "website", "industry")


def company_document(
    company: Company, world: World, version: tuple[int, int], settings: Settings
) -> Document:
    document: Document = {
        "type": "company",
        "company_id": company.company_id,
        "id": company.id,
        "app_id": world.workspace_id,
        "name": company.name or "",
        "created_at": company.created_at,
        "updated_at": company.updated_at,
        "monthly_spend": company.monthly_spend,
        "session_count": company.session_count,
        "user_count": company.user_count,
        "tags": {
            "type": "tag.list",
            "tags": [tag_document(world.tags[i]) for i in company.tags if i in world.tags],
        },
        "segments": {
            "type": "segment.list",
            "segments": [segment_document(s) for s in world.extras.segments_of(company.id)],
        },
        "plan": _plan(company.plan, world),
        "custom_attributes": dict(company.custom),
    }
    for name in OMITTED_WHEN_UNSET:
        value = getattr(company, name)
        if value is not None:
            document[name] = value
    if version >= (2, 16):
        document["notes"] = _notes(company, settings)
    return document


def _notes(company: Company, settings: Settings) -> Document:
    if settings.choice("company_notes") == "note.list":
        return {"type": "note.list", "notes": []}
    return embedded("note", f"/companies/{company.id}/notes", company.notes, "notes")


def _plan(name: str | None, world: World) -> Document:
    if not name:
        return {}
    plan_id = world.plans.setdefault(name, str(269315 + len(world.plans)))
    return {"type": "plan", "id": plan_id, "name": name}


def segment_document(segment: Segment, counted: bool = False) -> Document:
    document: Document = {
        "type": "segment",
        "id": segment.id,
        "name": segment.name,
        "created_at": segment.created_at,
        "updated_at": segment.updated_at,
        "person_type": segment.person_type,
    }
    if counted:
        document["count"] = len(segment.members)
    return document
