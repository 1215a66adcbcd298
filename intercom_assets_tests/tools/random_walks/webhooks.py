"""What Intercom tells of a walk: doubled, lost and out of order, and handed over between the runs.

One thread, so that a seed is the same walk again. Must not: judge what came of it.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from intercom_assets.database.store.store import Store
from intercom_assets.inbound.intake import Intake
from intercom_assets.inbound.notices import Notice as TakenNotice
from intercom_assets.inbound.notices import read_notice
from intercom_assets.simulator.deliveries import Deliveries
from intercom_assets.simulator.notifications import of_company, of_contact, of_memberships
from intercom_assets.simulator.records import Company, Contact
from intercom_assets.simulator.simulator import Simulator
from intercom_assets.simulator.subscription import Subscription
from intercom_assets.simulator.telling import Telling

UNRELIABLE = Subscription(
    "http://127.0.0.1:1/", "no secret", duplicate_share=0.3, lose_share=0.2, shuffle=60.0
)
"""Nothing goes over a wire here. What is shuffled is due within a minute of Intercom's clock."""


class WebhooksOfAWalk:
    """Writes by the API are told too: all that are ours are echoes."""

    def __init__(self, intercom: Simulator) -> None:
        self._world = intercom.world
        self._deliveries = Deliveries(UNRELIABLE, Telling(intercom.world, intercom.settings))
        self._world.watcher = self
        self._deliveries.next_job()
        self._deliveries.checked(200)

    def contact_changed(self, old: Contact | None, new: Contact) -> None:
        self._deliveries.tell(of_contact(old, new))
        self._deliveries.tell(of_memberships(self._world, old, new))

    def company_changed(self, old: Company | None, new: Company) -> None:
        self._deliveries.tell(of_company(old, new))

    def hand_over(self, store: Store) -> int:
        """All that is due; how many there were."""
        notices = []
        while (job := self._deliveries.next_job()) is not None:
            assert job.delivery is not None
            notices.append(read_notice(job.body))
            self._deliveries.answered(job.delivery, 200, 0.0)
        if notices:
            asyncio.run(_taken(store, notices))
        return len(notices)


async def _taken(store: Store, notices: Sequence[TakenNotice]) -> None:
    with ThreadPoolExecutor(1) as workers:
        intake = Intake(store, workers)
        await asyncio.gather(*map(intake.take, notices))
