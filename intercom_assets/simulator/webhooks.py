"""Webhooks of the stand-in, as the rest of it knows them: subscribe, notice changes, look.

What is told is `notifications`', by which rules `deliveries`', and over HTTP it goes by `sender`.
Without a subscription a commit costs nothing more.
"""

from collections.abc import Mapping
from threading import RLock
from typing import Any

from intercom_assets.simulator.deliveries import Deliveries
from intercom_assets.simulator.notifications import (
    of_company,
    of_contact,
    of_memberships,
    ping,
)
from intercom_assets.simulator.records import Company, Contact
from intercom_assets.simulator.sender import Sender
from intercom_assets.simulator.settings import BadSetting, Settings
from intercom_assets.simulator.state import World
from intercom_assets.simulator.subscription import read_subscription
from intercom_assets.simulator.telling import Telling


class ByApi:
    """What is committed inside is a write of the API, not an edit in Intercom's screens.

    Made once, since every call goes through it.
    """

    __slots__ = ("_depth",)

    def __init__(self) -> None:
        self._depth = 0

    @property
    def inside(self) -> bool:
        return self._depth > 0

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *error: object) -> None:
        self._depth -= 1


class Webhooks:
    """The caller holds the lock, save for `stop`."""

    def __init__(self, world: World, settings: Settings, lock: RLock) -> None:
        self._telling = Telling(world, settings)
        self.by_api = world.by_api = ByApi()
        self._deliveries: Deliveries | None = None
        self._sender = Sender(lock, lambda: self._deliveries)

    # --- what changed ---

    def contact_changed(self, old: Contact | None, new: Contact) -> None:
        if (deliveries := self._listening()) is not None:
            deliveries.tell(of_contact(old, new))
            deliveries.tell(of_memberships(self._telling.world, old, new))
            self._sender.wake()

    def company_changed(self, old: Company | None, new: Company) -> None:
        if (deliveries := self._listening()) is not None:
            deliveries.tell(of_company(old, new))
            self._sender.wake()

    def _listening(self) -> Deliveries | None:
        deliveries = self._deliveries
        if deliveries is None or (
            self.by_api.inside and not deliveries.subscription.fire_on_api_writes
        ):
            return None
        return deliveries

    # --- what is done by hand ---

    def subscribe(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """`{"url": null}` ends it. Raises BadSetting."""
        if "url" in body and body["url"] is None:
            self.clear()
            return self.document()
        present = self._deliveries
        subscription = read_subscription(body, present.subscription if present else None)
        if present is not None and "url" not in body:
            present.subscription = subscription
        else:
            self._deliveries = Deliveries(subscription, self._telling)
            self._telling.world.watcher = self
            self._sender.start()
        self._sender.wake()
        return self.document()

    def ping(self) -> dict[str, Any]:
        self._subscribed().tell([ping()])
        self._sender.wake()
        return self.document()

    def set_live(self) -> dict[str, Any]:
        """Resumes what Intercom suspended or refused, once the address answers HEAD."""
        self._subscribed().set_live()
        self._sender.wake()
        return self.document()

    def clear(self) -> None:
        self._telling.world.watcher = self._deliveries = None

    def stop(self) -> None:
        """Nothing is sent from here on. The caller must not hold the lock."""
        self._sender.stop()

    def document(self) -> dict[str, Any]:
        return self._deliveries.document() if self._deliveries is not None else {"url": None}

    def counts(self) -> dict[str, Any] | None:
        """For the page; None while nothing is subscribed."""
        return self._deliveries.numbers() if self._deliveries is not None else None

    def _subscribed(self) -> Deliveries:
        if self._deliveries is None:
            raise BadSetting("nothing is subscribed: webhooks need a url and a secret")
        return self._deliveries
