"""Waves of users by bulk: contacts that are made, and contacts that change.

Must not: decide who may go by bulk (`bulk_items.py`), or what came of it (`bulk_proof.py`).
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from intercom_assets.domain.bulk import WAVE, BulkJob
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.sync.context.work import Run
from intercom_assets.sync.engine.bulk_companies import Companies, Made, companies_endpoint
from intercom_assets.sync.engine.bulk_index import wait_for_index
from intercom_assets.sync.engine.bulk_jobs import BulkEndpoint, Jobs
from intercom_assets.sync.engine.bulk_waves import Offered, Portion
from intercom_assets.sync.engine.chunk_source import Chunk
from intercom_assets.sync.passes.users.bulk_offers import (
    BulkCandidate,
    Offer,
    find_candidates,
    note_offers,
    offers_of,
)
from intercom_assets.sync.passes.users.bulk_proof import know_companies
from intercom_assets.sync.passes.users.chunk import begin_chunk

AT_ONCE = WAVE
"""Users whose companies are made, and whose items are sent, together."""
LEAST_ITEMS = 100
"""Fewer of a wave go alone at once: most of a large batch may be unchanged, and nobody waits for
an index then."""
FEW_TEAMS = 5
"""So many companies cost no more one by one."""

Progress: TypeAlias = Callable[[str, int], None]


class UsersByBulk:
    def __init__(self, run: Run, progress: Progress | None) -> None:
        self.run, self.progress = run, progress
        self.creating, self.changing = (
            BulkEndpoint[Offer](
                run, QueueKind.USER, IntercomClient.contacts_job, lambda o: o.user_id
            )
            for _ in range(2)
        )
        self.companies = Companies(run, companies_endpoint(run))

    @property
    def refusal(self) -> str | None:
        return self.creating.refusal or self.changing.refusal

    def begin(self) -> "UserWave":
        return UserWave(self)


class UserWave:
    def __init__(self, bulk: UsersByBulk) -> None:
        self._bulk = bulk
        self._candidates: list[BulkCandidate] = []
        self._jobs: list[Jobs[Offer]] = []
        self._made: list[Made] = []

    @property
    def is_full(self) -> bool:
        return len(self._candidates) >= AT_ONCE

    def offer(self, chunk: Chunk) -> Offered:
        """Who is no candidate waits for nothing, but for a company that is about to be made."""
        work = self._bulk.run.holding(chunk.lease)
        begun = begin_chunk(work, chunk.lease.rows)
        candidates = find_candidates(work, begun)
        self._candidates += candidates
        waits = {candidate.user.user_id for candidate in candidates}
        waits |= {user.user_id for user in begun.active if user.state.teams_without_company}
        waiting, at_once = begun.split(waits)
        return Offered(
            Portion(chunk, list(at_once.leased.values()), at_once) if at_once.leased else None,
            Portion(chunk, list(waiting.leased.values()), waiting, waited=True) if waits else None,
        )

    def send(self, stopped: Callable[[], bool]) -> None:
        candidates, self._candidates = self._candidates, []
        if len(candidates) < LEAST_ITEMS:
            return
        offers = offers_of(candidates, self._made_for(candidates, stopped))
        for endpoint in (self._bulk.creating, self._bulk.changing):
            is_new = endpoint is self._bulk.creating
            mine = [offer for offer in offers if (offer.item.id is None) is is_new]
            jobs = Jobs(endpoint)
            self._jobs.append(jobs)
            for part in endpoint.parts(mine):
                jobs.send(note_offers(part), _call_of(self._bulk.run, part))
                if self._bulk.progress:
                    self._bulk.progress("users by bulk", len(part))

    def settle(self, stopped: Callable[[], bool]) -> None:
        """Waits until the jobs are done and the index shows it, then passes the teams."""
        client = self._bulk.run.services.intercom.with_deadline(None)
        for jobs in self._jobs:
            jobs.finish(client, stopped)
        for jobs in self._jobs:
            if jobs.keys and not wait_for_index(client, jobs.last, stopped):
                self._bulk.run.not_indexed.update(jobs.keys)
        for made in self._made:
            made.end(stopped)

    def give_back(self) -> None:
        for made in self._made:
            made.give_back()

    def _made_for(
        self, candidates: Sequence[BulkCandidate], stopped: Callable[[], bool]
    ) -> frozenset[str]:
        missing = {team for each in candidates for team in each.teams_without_company}
        unknown = missing - self._bulk.companies.known
        if 0 < len(unknown) <= FEW_TEAMS:
            know_companies(candidates[0].work, [each.user for each in candidates])
            return frozenset(self._bulk.companies.known)
        return self._bulk.companies.make(missing, stopped, self._made)


def _call_of(run: Run, offers: Sequence[Offer]) -> Callable[[Sequence[Offer]], BulkJob]:
    """No call outlasts the first of the leases that its users are under."""
    leases = {id(offer.work): offer.work.lease for offer in offers}.values()
    is_new = offers[0].item.id is None

    def call(part: Sequence[Offer]) -> BulkJob:
        client = run.services.intercom.with_deadline(lambda: min(x.deadline for x in leases))
        send = client.bulk_create_contacts if is_new else client.bulk_update_contacts
        return send([offer.item for offer in part])

    return call
