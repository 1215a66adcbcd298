"""Waves of teams by bulk: one upsert for many that changed, and a scroll that shows it.

New teams are left to the wave of their users (`bulk_companies.py`), or to calls of their own: a
company without users is in no list. Must not: decide what a team's company shall hold
(`passes/teams`).
"""

from collections.abc import Callable

from intercom_assets.sync.context.work import Run
from intercom_assets.sync.engine.bulk_companies import (
    companies_endpoint,
    list_companies,
    upsert_companies,
)
from intercom_assets.sync.engine.bulk_jobs import Jobs
from intercom_assets.sync.engine.bulk_users import Progress
from intercom_assets.sync.engine.bulk_waves import Offered, Portion
from intercom_assets.sync.engine.chunk_source import Chunk
from intercom_assets.sync.passes.teams.bulk_offers import TeamOffer, find_offers


class TeamsByBulk:
    def __init__(self, run: Run, progress: Progress | None) -> None:
        self.run, self.progress = run, progress
        self.endpoint = companies_endpoint(run)

    @property
    def refusal(self) -> str | None:
        return self.endpoint.refusal

    def begin(self) -> "TeamWave":
        return TeamWave(self)


class TeamWave:
    def __init__(self, bulk: TeamsByBulk) -> None:
        self._bulk, self._jobs = bulk, Jobs(bulk.endpoint)
        self._wanted: list[TeamOffer] = []

    @property
    def is_full(self) -> bool:
        return False

    def offer(self, chunk: Chunk) -> Offered:
        """All of them wait: the listing that proves a part of them costs no less."""
        bulk, rows = self._bulk, chunk.lease.rows
        offers = find_offers(bulk.run.holding(chunk.lease), rows, known_only=True)
        self._wanted += offers
        self._jobs.send(offers, upsert_companies)
        if bulk.progress and offers:
            bulk.progress("teams by bulk", len(offers))
        return Offered(None, Portion(chunk, rows))

    def send(self, stopped: Callable[[], bool]) -> None:
        """They were sent chunk by chunk: no call outlasts a lease."""

    def settle(self, stopped: Callable[[], bool]) -> None:
        """Waits until the jobs are done, and until the list of companies shows it."""
        client = self._bulk.run.services.intercom.with_deadline(None)
        self._jobs.finish(client, stopped)
        if self._wanted:
            list_companies(client, self._wanted, self._bulk.run, stopped)

    def give_back(self) -> None:
        """Its rows are the chunks'."""
