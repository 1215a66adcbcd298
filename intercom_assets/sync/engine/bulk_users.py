"""A round of users by bulk: contacts that are made, and contacts that change.

Must not: decide who may go by bulk (`bulk_items.py`), or what came of it (`bulk_proof.py`).
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from intercom_assets.domain.bulk import BulkJob
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.sync.context.work import Run
from intercom_assets.sync.engine.bulk_companies import Companies
from intercom_assets.sync.engine.bulk_index import wait_for_index
from intercom_assets.sync.engine.bulk_jobs import BulkJobs
from intercom_assets.sync.engine.chunk_source import Chunk
from intercom_assets.sync.passes.users.bulk_offers import (
    BulkCandidate,
    Offer,
    find_candidates,
    note_offers,
    offers_of,
)
from intercom_assets.sync.passes.users.bulk_proof import know_companies

AT_ONCE = 2_500
"""Users whose companies are made, and whose items are sent, together."""
LEAST_ITEMS = 100
"""Fewer of a round go alone at once: most of a large batch may be unchanged, and nobody waits for
an index then."""
FEW_TEAMS = 5
"""So many companies cost no more one by one."""

Progress: TypeAlias = Callable[[str, int], None]


class UsersByBulk:
    def __init__(self, run: Run, stopped: Callable[[], bool], progress: Progress | None) -> None:
        self._run, self._stopped, self._progress = run, stopped, progress
        self._creating = BulkJobs[Offer](run, IntercomClient.contacts_job, lambda o: o.user_id)
        self._changing = BulkJobs[Offer](run, IntercomClient.contacts_job, lambda o: o.user_id)
        look = IntercomClient.companies_job
        self._companies = Companies(run, BulkJobs(run, look, lambda o: o.team_id))
        self._waiting: list[BulkCandidate] = []
        self._sent_before = 0

    @property
    def refusal(self) -> str | None:
        return self._creating.refusal or self._changing.refusal

    def offer(self, chunk: Chunk) -> None:
        if self.refusal or self._stopped():
            return
        self._waiting += find_candidates(self._run.holding(chunk.lease), chunk.lease.rows)
        if len(self._waiting) >= AT_ONCE:
            self._send()

    def end(self) -> None:
        """Sends what is left, and waits until the jobs are done and the index shows it."""
        self._send()
        client = self._run.services.intercom.with_deadline(None)
        for jobs in (self._creating, self._changing):
            jobs.finish(client, self._stopped)
        for jobs in (self._creating, self._changing):
            wait_for_index(client, jobs.last, self._stopped)
            jobs.last = ()
        self._sent_before = self._sent
        self._companies.end(self._stopped)

    @property
    def _sent(self) -> int:
        return self._creating.sent + self._changing.sent

    def give_back(self) -> None:
        self._companies.give_back()

    def _send(self) -> None:
        candidates, self._waiting = self._waiting, []
        if len(candidates) < LEAST_ITEMS and self._sent == self._sent_before:
            return
        offers = offers_of(candidates, self._made_for(candidates))
        for jobs in (self._creating, self._changing):
            is_new = jobs is self._creating
            mine = [offer for offer in offers if (offer.item.id is None) is is_new]
            # Whether the endpoint takes any is asked with as few as can be.
            first = 0 if jobs.sent else jobs.size
            self._send_noted(jobs, mine[:first])
            self._send_noted(jobs, mine[first:])

    def _made_for(self, candidates: Sequence[BulkCandidate]) -> frozenset[str]:
        missing = {team for each in candidates for team in each.teams_without_company}
        if not missing or self._stopped():
            return frozenset()
        if len(missing) <= FEW_TEAMS:
            know_companies(candidates[0].work, [each.user for each in candidates])
            return frozenset()
        return self._companies.make(sorted(missing), self._stopped)

    def _send_noted(self, jobs: BulkJobs[Offer], offers: Sequence[Offer]) -> None:
        if offers and not (self.refusal or self._stopped()):
            jobs.send(note_offers(offers), _call_of(self._run, offers))
            if self._progress:
                self._progress("users by bulk", len(offers))


def _call_of(run: Run, offers: Sequence[Offer]) -> Callable[[Sequence[Offer]], BulkJob]:
    """No call outlasts the first of the leases that its users are under."""
    leases = {id(offer.work): offer.work.lease for offer in offers}.values()
    is_new = offers[0].item.id is None

    def call(part: Sequence[Offer]) -> BulkJob:
        client = run.services.intercom.with_deadline(lambda: min(x.deadline for x in leases))
        send = client.bulk_create_contacts if is_new else client.bulk_update_contacts
        return send([offer.item for offer in part])

    return call
