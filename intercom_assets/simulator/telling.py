"""Contacts and companies as notifications show them, which is not quite as the API does.

In the shape that was recorded in 2026: times are ISO strings, and a company holds nulls where the
API leaves a key out. Which change is told under which topic is in `notifications`.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from intercom_assets.simulator.documents import (
    Document,
    as_answered,
    contact_document,
    shape_of,
)
from intercom_assets.simulator.records import Company, Contact
from intercom_assets.simulator.settings import Settings
from intercom_assets.simulator.state import World

VERSION = (2, 16)
COMPANY_PLAIN = ("size", "website", "industry")
UNARCHIVE = "contact.unarchive"


class Telling(NamedTuple):
    """What items are made with."""

    world: World
    settings: Settings

    def contact(self, contact: Contact) -> Document:
        document = contact_document(
            contact, self.world.workspace_id, VERSION, shape_of(self.settings)
        )
        return self._timed(as_answered(document, self.settings))

    def company(self, company: Company, by_itself: bool = True) -> Document:
        """`by_itself`: not beside a contact, where fewer fields come."""
        document: Document = {
            "type": "company",
            "id": company.id,
            "company_id": company.company_id,
            "app_id": self.world.workspace_id,
            "name": company.name,
            "remote_created_at": company.remote_created_at,
            "created_at": company.created_at,
            "updated_at": company.updated_at,
            "last_request_at": company.last_request_at,
            "monthly_spend": company.monthly_spend,
            "session_count": company.session_count,
            "user_count": company.user_count,
            "tag_ids": list(company.tags),
            "custom_attributes": dict(company.custom),
        }
        if by_itself:
            document |= {name: getattr(company, name) for name in COMPANY_PLAIN}
            document["plan"] = self._plan(company)
        else:
            plan = self._plan(company)
            document["plan_id"] = plan["id"] if plan else None
        return self._timed(as_answered(document, self.settings))

    def _plan(self, company: Company) -> Document | None:
        if not company.plan:
            return None
        plans = self.world.plans
        plan_id = plans.setdefault(company.plan, str(269315 + len(plans)))
        return {"type": "plan", "id": plan_id, "name": company.plan}

    def _timed(self, document: Document) -> Document:
        if self.settings.choice("webhook_times") == "iso":
            for name, value in document.items():
                if name.endswith("_at") and isinstance(value, int):
                    document[name] = iso(value)
        return document

    def topic(self, topic: str) -> str:
        """As it is written: under one name it is subscribed to, and under another it may come."""
        choice = "webhook_unarchive_topic"
        return str(self.settings.choice(choice)) if topic == UNARCHIVE else topic


def iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
