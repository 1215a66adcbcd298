"""The companies that a round's users are to be attached to, made by bulk before the users.

A company without users is in no list of Intercom's, and a job tells no ids. So the teams' rows stay
leased until the users are attached by the app's ids; then one scroll shows the companies, and the
teams are passed. Must not: let an attach make a company: only teams of a job that ended without
errors count as made.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from intercom_assets.domain.bulk import BulkJob
from intercom_assets.domain.vocabulary import Cause, QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, NotFound
from intercom_assets.sync.context.failures import stops_everything
from intercom_assets.sync.context.leases import Lease
from intercom_assets.sync.context.work import Run
from intercom_assets.sync.engine.bulk_jobs import BulkJobs
from intercom_assets.sync.passes.teams.bulk_offers import TeamOffer, find_offers
from intercom_assets.sync.passes.teams.chunk import sync_team_chunk

FIRST_WAIT, LOOKS = 5.0, 6
"""Seconds before the companies are listed again where the list is behind, each time twice as many;
and how often they are listed."""
SAMPLES = 5
"""Companies that are read, until one is found that the list will have."""

log = logging.getLogger(__name__)


@dataclass
class Companies:
    """Of one round; `end` once its users are attached, `give_back` whatever happens."""

    run: Run
    jobs: BulkJobs[TeamOffer]
    _made: set[str] = field(default_factory=set)
    _leases: list[tuple[Lease, list[TeamOffer]]] = field(default_factory=list)

    def make(self, team_ids: Sequence[str], stopped: Callable[[], bool]) -> frozenset[str]:
        """Makes companies for these teams; which of them have one for sure. Those that were made
        in this round before are not made again."""
        if missing := [team for team in team_ids if team not in self._made]:
            self._make(missing, stopped)
        return frozenset(self._made.intersection(team_ids))

    def _make(self, team_ids: Sequence[str], stopped: Callable[[], bool]) -> None:
        self.run.services.store.queue.enqueue_missing(
            QueueKind.TEAM, team_ids, cause=Cause.MEMBERSHIP
        )
        lease = self.run.pulse.lease(QueueKind.TEAM, len(team_ids), keys=team_ids)
        offers: list[TeamOffer] = []
        self._leases.append((lease, offers))
        offers += find_offers(self.run.holding(lease), lease.rows)
        self.jobs.send(offers, upsert_companies)
        self.jobs.finish(self.run.services.intercom.with_deadline(None), stopped)
        self._made |= {offer.team_id for offer in offers} & self.jobs.done

    def end(self, stopped: Callable[[], bool]) -> None:
        """Lists the companies, and passes their teams. Whoever is not listed is read by id."""
        wanted = [offer for _, offers in self._leases for offer in offers]
        if wanted and not stopped():
            client = self.run.services.intercom.with_deadline(None)
            list_companies(client, wanted, self.run, stopped)
            for lease, offers in self._leases:
                offered = {offer.team_id for offer in offers}
                rows = [row for row in lease.rows if row.key in offered]
                size = self.run.services.settings.chunk_size
                for start in range(0, len(rows), size):
                    sync_team_chunk(self.run.holding(lease), rows[start : start + size])
        self.give_back()

    def give_back(self) -> None:
        for lease, _ in self._leases:
            lease.close()
        self._leases = []
        self._made.clear()
        self.run.companies_seen.clear()


def list_companies(
    client: IntercomClient, wanted: Sequence[TeamOffer], run: Run, stopped: Callable[[], bool]
) -> None:
    """Into `companies_seen` whatever shows what was sent, again while the list is behind: until it
    has a company that is known to show it by now. A list that fails costs calls only."""
    offers, seen, wait = {o.team_id: o for o in wanted}, run.companies_seen, FIRST_WAIT
    try:
        landed = _one_that_landed(client, wanted)
        for look in range(LOOKS):
            for companies in client.scroll_companies():
                for company in companies:
                    offer = offers.get(company.company_id or "")
                    if offer is not None and offer.is_shown_by(company):
                        seen[offer.team_id] = company
            is_enough = landed is None or landed in seen or look == LOOKS - 1
            if is_enough or stopped() or not client.pause(wait):
                return
            wait *= 2
    except IntercomError as error:
        if stops_everything(error):
            raise
        log.warning("companies could not be listed, so that each is read: %s", error)


def _one_that_landed(client: IntercomClient, offers: Sequence[TeamOffer]) -> str | None:
    """A team whose company has what was sent, and a user; of those that were sent last."""
    for offer in offers[:-SAMPLES:-1]:
        try:
            company = client.find_company(offer.team_id)
        except NotFound:
            continue
        if company.user_count and offer.is_shown_by(company):
            return offer.team_id
    return None


def upsert_companies(offers: Sequence[TeamOffer]) -> BulkJob:
    """One call for offers of one lease, which it does not outlast."""
    work = offers[0].work
    client = work.services.intercom.with_deadline(lambda: work.lease.deadline)
    return client.bulk_upsert_companies([offer.item for offer in offers])
