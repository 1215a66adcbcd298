"""A world of app, Intercom and our own tables, and webhooks about what happens in that Intercom.

Bodies hold what the API answers about the contact or company at this moment, as Intercom's do.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import requests

from intercom_assets.domain.vocabulary import InboundCount, QueueKind
from intercom_assets.sync.context.compared_fields import write_compared_fields
from intercom_assets.sync.context.workspace import remember_workspace
from intercom_assets_tests.inbound.listening import Listener, listening
from intercom_assets_tests.sync.sync_world import a_mapping
from intercom_assets_tests.sync.world import TOKEN, World, a_world

HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Intercom-Version": "2.16",
    "Accept": "application/json",
    "Content-Type": "application/json",
}
OLD = datetime.now(UTC) - timedelta(days=400)


def notification(topic: str, item: object, **more: object) -> dict[str, object]:
    """As documented; `more` over the parts around the item."""
    now = int(time.time())
    return {
        "type": "notification_event",
        "app_id": "sim1w0rk",
        "data": {"type": "notification_event_data", "item": item},
        "links": {},
        "id": f"notif_{next(_NUMBERS)}",
        "topic": topic,
        "delivery_status": "pending",
        "delivery_attempts": 1,
        "delivered_at": 0,
        "first_sent_at": now,
        "created_at": now,
        "self": None,
        **more,
    }


_NUMBERS = count(1)


class Told:
    """`world`: both sides and the engine. What Intercom would send goes through `listener`."""

    def __init__(self, world: World, listener: Listener) -> None:
        self.world, self.listener = world, listener

    def tell(self, topic: str, item: object, **more: object) -> requests.Response:
        return self.listener.post("/webhooks", notification(topic, item, **more))

    def contact(self, user: int | str) -> dict[str, Any]:
        """The contact's document, by the app's id or by Intercom's."""
        found = [c for c in self.world.intercom.contacts() if c["external_id"] == str(user)]
        return self.document(f"/contacts/{found[0]['id'] if found else user}")

    def company(self, team: int) -> dict[str, Any]:
        return self.document(f"/companies?company_id={team}")

    def document(self, path: str) -> dict[str, Any]:
        answer = self.world.intercom.handle("GET", path, HEADERS)
        assert answer.status == 200, answer.body
        document: dict[str, Any] = json.loads(answer.body)
        return document

    def queued(self, kind: QueueKind = QueueKind.USER) -> list[str]:
        return sorted(self.world.services.store.queue.due_keys(kind, 1_000))

    def counted(self, name: InboundCount) -> int:
        since = datetime.now(UTC) - timedelta(hours=1)
        rows = self.world.services.store.state.counted(since)
        return sum(row.value for row in rows if row.name == name)


@contextmanager
def a_told_world(url: str, folder: Path, *secrets: bytes, **settings: Any) -> Iterator[Told]:
    """The sample's mapping, with these settings of `sync.yaml`."""
    mapping = a_mapping(folder, None, **{"sync_now_tag": "sync now", **settings})
    with a_world(url, mapping) as world, listening(world.services.store, *secrets) as listener:
        write_compared_fields(world.services)
        remember_workspace(world.services.store, world.services.intercom)
        yield Told(world, listener)
