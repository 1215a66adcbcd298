"""Intercom's JSON of the bulk endpoints (Preview): items out, a job back.

Same rules as `wire.py`. Of a job only its id and state are read: its tasks count items and say
nothing about any of them (docs/dev/intercom-facts.md#bulk-calls-preview).
"""

from typing import Annotated

from pydantic import Field

from intercom_assets.domain.bulk import BulkJob, CompanyItem, ContactItem, JobState
from intercom_assets.intercom.wire import Payload, body_of


class JobPayload(Payload[BulkJob]):
    id: Annotated[str, Field(min_length=1)]
    state: JobState

    def domain(self) -> BulkJob:
        return BulkJob(self.id, self.state)


def contact_item(item: ContactItem) -> dict[str, object]:
    body = body_of(item.patch)
    if item.id is not None:
        body["id"] = item.id
    edges = [{"company_id": team, "remove": True} for team in item.leaving]
    edges += [{"company_id": team} for team in item.companies]
    if edges:
        body["companies"] = edges
    return body


def company_item(item: CompanyItem) -> dict[str, object]:
    return body_of(item.patch, company_id=item.company_id)
