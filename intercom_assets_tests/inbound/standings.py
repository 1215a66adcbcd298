"""Users as earlier passes left them in our own tables, in the states that the panel tells apart."""

import time
from uuid import uuid4

from intercom_assets.database.records import Done, Failure, Parked, UserRecord
from intercom_assets.database.store.store import Store
from intercom_assets.domain.models import UserLink
from intercom_assets.domain.vocabulary import QueueKind


def given_a_user(store: Store, user_id: str, contact_id: str) -> None:
    """In step since just now."""
    _ended(store, UserRecord(_link(user_id, contact_id), Done()))


def given_given_up_on(store: Store, user_id: str, failure: Failure) -> None:
    link = store.links.users([user_id])[user_id]
    _ended(store, UserRecord(link, Parked(failure)))


def _link(user_id: str, contact_id: str) -> UserLink:
    now = int(time.time())
    return UserLink(user_id, contact_id, shadow_read_at=now, synced_at=now)


def _ended(store: Store, record: UserRecord) -> None:
    token, key = uuid4(), record.link.user_id
    store.queue.enqueue(QueueKind.USER, [key])
    store.queue.lease(QueueKind.USER, "run", token=token, limit=1, seconds=60, keys=[key])
    store.records.record_users(token, "run", [record])
