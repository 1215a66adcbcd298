"""The companies that a wave's users are to be attached to, made by bulk before the users.

A company without users is in no list of Intercom's, and a job tells no ids. So the teams' rows stay
leased until the users are attached by the app's ids; then one scroll shows the companies, and the
teams are passed. Must not: let an attach make a company: only teams of a job that ended without
errors count as made.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from intercom_assets.domain.bulk import BulkJob
from intercom_assets.domain.vocabulary import Cause, QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, NotFound
from intercom_assets.sync.context.failures import stops_everything
from intercom_assets.sync.context.leases import Lease
from intercom_assets.sync.context.work import Run
from intercom_assets.sync.engine.bulk_jobs import BulkEndpoint, Jobs, wait_for
from intercom_assets.sync.passes.teams.bulk_offers import TeamOffer, find_offers
from intercom_assets.sync.passes.teams.chunk import sync_team_chunk

FIRST_WAIT, LOOKS = 5.0, 6
"""Seconds before the companies are listed again where the list is behind, each time twice as many;
and how often they are listed."""
SAMPLES = 5
"""Companies that are read, until one is found that the list will have."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Made:
    """Companies that were sent together, and the teams' lease. `end` once their users are
    attached, `give_back` whatever happens."""

    run: Run
    lease: Lease
    offers: Sequence[TeamOffer] = ()

    def end(self, stopped: Callable[[], bool]) -> None:
        """Lists the companies, and passes their teams. Whoever is not listed is read by id."""
        if not self.offers or stopped():
            return
        client = self.run.services.intercom.with_deadline(None)
        list_companies(client, self.offers, self.run, stopped)
        offered = {offer.team_id for offer in self.offers}
        rows = [row for row in self.lease.rows if row.key in offered]
        size = self.run.services.settings.chunk_size
        for start in range(0, len(rows), size):
            sync_team_chunk(self.run.holding(self.lease), rows[start : start + size])

    def give_back(self) -> None:
        self.lease.close()


@dataclass
class Companies:
    """Of one run. `known`: teams whose companies it made for sure."""

    run: Run
    endpoint: BulkEndpoint[TeamOffer]
    known: set[str] = field(default_factory=set)

    def make(
        self, team_ids: Collection[str], stopped: Callable[[], bool], made: list[Made]
    ) -> frozenset[str]:
        """Which of these teams have a company for sure; those that are `made` now are added there,
        each once a run."""
        if missing := sorted(set(team_ids) - self.known):
            self.run.services.store.queue.enqueue_missing(
                QueueKind.TEAM, missing, cause=Cause.MEMBERSHIP
            )
            pulse = self.run.pulse
            lease = pulse.lease(QueueKind.TEAM, len(missing), keys=missing, waits=True)
            now = Made(self.run, lease)
            made.append(now)
            self._send(now, stopped)
        return frozenset(self.known.intersection(team_ids))

    def _send(self, made: Made, stopped: Callable[[], bool]) -> None:
        made.offers = find_offers(self.run.holding(made.lease), made.lease.rows)
        jobs = Jobs(self.endpoint)
        jobs.send(made.offers, upsert_companies)
        jobs.finish(self.run.services.intercom.with_deadline(None), stopped)
        self.known |= {offer.team_id for offer in made.offers} & self.endpoint.done


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
            if is_enough or not wait_for(client, wait, stopped):
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


def companies_endpoint(run: Run) -> BulkEndpoint[TeamOffer]:
    return BulkEndpoint(run, QueueKind.TEAM, IntercomClient.companies_job, lambda o: o.team_id)


def upsert_companies(offers: Sequence[TeamOffer]) -> BulkJob:
    """One call for offers of one lease, which it does not outlast."""
    work = offers[0].work
    client = work.services.intercom.with_deadline(lambda: work.lease.deadline)
    return client.bulk_upsert_companies([offer.item for offer in offers])
