"""A notification as it goes over the wire: its envelope, and the signature of the raw body."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import NamedTuple

from intercom_assets.simulator.notifications import PING, Notice
from intercom_assets.simulator.subscription import Subscription
from intercom_assets.simulator.telling import Telling

JSON = "application/json"


@dataclass(slots=True)
class Delivery:
    """`created_at`, `first_sent_at`: Unix seconds; the latter 0 before the first attempt."""

    id: str
    notice: Notice
    created_at: int
    first_sent_at: int = 0
    attempts: int = 0


class Job(NamedTuple):
    """One request to make. A `delivery` of None is the check of the address, by HEAD."""

    subscription: Subscription
    delivery: Delivery | None
    headers: dict[str, str]
    body: bytes


def write_job(subscription: Subscription, delivery: Delivery, telling: Telling) -> Job:
    body = json.dumps(_document(delivery, telling)).encode()
    return Job(subscription, delivery, _headers(subscription.secret, body), body)


def _document(delivery: Delivery, telling: Telling) -> dict[str, object]:
    """A ping's id is null (recorded)."""
    return {
        "type": "notification_event",
        "app_id": telling.world.workspace_id,
        "data": {"type": "notification_event_data", "item": delivery.notice.item(telling)},
        "links": {},
        "id": None if delivery.notice.topic == PING else delivery.id,
        "topic": telling.topic(delivery.notice.topic),
        "delivery_status": "pending",
        "delivery_attempts": delivery.attempts,
        "delivered_at": 0,
        "first_sent_at": delivery.first_sent_at,
        "created_at": delivery.created_at,
        "self": None,
    }


def _headers(secret: str, body: bytes) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    return {
        "Content-Type": JSON,
        "Accept": JSON,
        "User-Agent": "intercom-parrot-service-client/1.0",
        "X-Hub-Signature": f"sha1={signature}",
    }
