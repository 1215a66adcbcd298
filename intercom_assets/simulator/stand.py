"""What the stand-in is made of, before anything can be asked of it over HTTP.

Its people and companies, settings, limits, faults and calls, each made elsewhere; reads for tests
and seeding stand here, since the control endpoints use them too. Must not: answer a call.
"""

import time
from collections.abc import Callable
from random import Random
from threading import RLock
from typing import Any

from intercom_assets.simulator.by_hand import ByHand
from intercom_assets.simulator.faults import Faults
from intercom_assets.simulator.inbox import Inbox
from intercom_assets.simulator.journal import Journal
from intercom_assets.simulator.rate import Rate
from intercom_assets.simulator.reading import Reading
from intercom_assets.simulator.seeding import seed_contacts
from intercom_assets.simulator.settings import Settings
from intercom_assets.simulator.state import World
from intercom_assets.simulator.webhooks import Webhooks


class Stand(Reading):
    """`clock`: Unix seconds, for everything that has a time. Settings as in `settings.Settings`."""

    def __init__(self, clock: Callable[[], float] = time.time, **settings: Any) -> None:
        self.settings = Settings()
        self.settings.change(settings)
        self.initial = dict(settings)
        self.lock = RLock()
        self.world = World(
            clock,
            lambda: self.settings.index_delay_s,
            self.settings.seed,
            lambda: self.settings.workspace_id,
            lambda: bool(self.settings.choice("index_order") == "as_written"),
        )
        self.rate = Rate(self.settings)
        self.faults = Faults(Random(self.settings.seed))
        self.journal = Journal()
        self.webhooks = Webhooks(self.world, self.settings, self.lock)
        self.inbox = Inbox(self.world, self.lock)
        self.by_hand = ByHand(self.world, self.settings, self.lock)

    def seed(self, contacts: Any) -> list[str]:
        """Contacts as if they had been there for long; see `seeding`. Returns their ids."""
        with self.lock:
            return seed_contacts(self.world, contacts)
