"""A round of teams by bulk: one upsert for many that changed, and a scroll that shows it.

New teams are left to the round of their users (`bulk_companies.py`), or to calls of their own: a
company without users is in no list. Must not: decide what a team's company shall hold
(`passes/teams`).
"""

from collections.abc import Callable

from intercom_assets.intercom.client import IntercomClient
from intercom_assets.sync.context.work import Run
from intercom_assets.sync.engine.bulk_companies import list_companies, upsert_companies
from intercom_assets.sync.engine.bulk_jobs import BulkJobs
from intercom_assets.sync.engine.bulk_users import Progress
from intercom_assets.sync.engine.chunk_source import Chunk
from intercom_assets.sync.passes.teams.bulk_offers import TeamOffer, find_offers


class TeamsByBulk:
    def __init__(self, run: Run, stopped: Callable[[], bool], progress: Progress | None) -> None:
        self._run, self._stopped, self._progress = run, stopped, progress
        self._jobs = BulkJobs[TeamOffer](run, IntercomClient.companies_job, lambda o: o.team_id)
        self._wanted: list[TeamOffer] = []

    @property
    def refusal(self) -> str | None:
        return self._jobs.refusal

    def offer(self, chunk: Chunk) -> None:
        if self.refusal or self._stopped():
            return
        work = self._run.holding(chunk.lease)
        offers = find_offers(work, chunk.lease.rows, known_only=True)
        self._wanted += offers
        self._jobs.send(offers, upsert_companies)
        if self._progress and offers:
            self._progress("teams by bulk", len(offers))

    def end(self) -> None:
        """Waits until the jobs are done, and until the list of companies shows it."""
        client = self._run.services.intercom.with_deadline(None)
        self._jobs.finish(client, self._stopped)
        self._run.companies_seen.clear()
        if self._wanted:
            list_companies(client, self._wanted, self._run, self._stopped)
        self._wanted = []

    def give_back(self) -> None:
        """Its rows are the chunks'."""
