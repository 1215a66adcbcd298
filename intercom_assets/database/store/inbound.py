"""What Intercom sent, and whom it woke: everything that one batch of notifications leads to.

A notification and the rows that it queues are committed together, so that one that is delivered
again after a crash is either known, with its rows, or new, without. Must not: a value of a body.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.store.connection import StorePart, rows, run
from intercom_assets.database.store.enqueuing import enqueue
from intercom_assets.database.store.state import put_state
from intercom_assets.domain.vocabulary import Cause, InboundCount, QueueKind, StateKey

REMEMBERED_FOR = timedelta(days=2)
"""Intercom tries once more, after a minute; an hour was seen."""


@dataclass(frozen=True, slots=True)
class SyncNow:
    """Somebody put this tag on a user's contact, to have the user synced."""

    contact_id: str
    tag_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class TakenNotifications:
    """What a batch leads to. `seen`: it has one that is about somebody, so that webhooks arrive."""

    ids: Collection[str]
    users: Collection[str] = ()
    teams: Collection[str] = ()
    sync_now: Sequence[SyncNow] = ()
    counts: Mapping[InboundCount, int] = field(default_factory=dict)
    seen: bool = False


class InboundStore(StorePart):
    """Notifications, and tags that ask for a sync."""

    def known(self, ids: Collection[str]) -> frozenset[str]:
        """Those of the notifications that were taken before."""
        return frozenset(row[0] for row in self._pool.rows("known_notifications", ids=list(ids)))

    def take(self, batch: TakenNotifications) -> int:
        """Queues whom the batch wakes, all to be read in Intercom, in one transaction with its ids.

        Returns how many of the ids were new.
        """

        def work(cursor: Cursor[TupleRow]) -> int:
            new = rows(cursor, "add_notifications", ids=list(batch.ids)) if batch.ids else []
            _wake(cursor, QueueKind.TEAM, batch.teams, Cause.WEBHOOK)
            _wake(cursor, QueueKind.USER, [tag.user_id for tag in batch.sync_now], Cause.SYNC_NOW)
            _wake(cursor, QueueKind.USER, batch.users, Cause.WEBHOOK)
            _add_sync_now(cursor, batch.sync_now)
            _count(cursor, batch.counts)
            if batch.seen:
                put_state(cursor, StateKey.WEBHOOK_SEEN, True)
            return len(new)

        return self._pool.transact(work)

    def prune(self) -> int:
        """Forgets notifications that cannot come again."""
        before = datetime.now(UTC) - REMEMBERED_FOR
        return self._pool.run("prune_notifications", before=before)

    def sync_now_of(self, user_ids: Collection[str]) -> list[SyncNow]:
        """Tags of these users' contacts that are to be taken off."""
        found = self._pool.rows("sync_now_of", ids=list(user_ids))
        return [SyncNow(contact, tag, user) for user, contact, tag in found]

    def drop_sync_now(self, tags: Sequence[SyncNow]) -> None:
        """They are off."""
        contacts, ids = [tag.contact_id for tag in tags], [tag.tag_id for tag in tags]
        self._pool.run("drop_sync_now", contacts=contacts, tags=ids)


def _wake(cursor: Cursor[TupleRow], kind: QueueKind, keys: Collection[str], cause: Cause) -> None:
    enqueue(cursor, kind, dict.fromkeys(keys, 0.0), cause=cause, needs_read=True)


def _add_sync_now(cursor: Cursor[TupleRow], tags: Sequence[SyncNow]) -> None:
    unique = {(tag.contact_id, tag.tag_id): tag.user_id for tag in tags}
    if unique:
        contacts, ids = [contact for contact, _ in unique], [tag for _, tag in unique]
        run(cursor, "add_sync_now", contacts=contacts, tags=ids, users=list(unique.values()))


def _count(cursor: Cursor[TupleRow], counts: Mapping[InboundCount, int]) -> None:
    names = sorted(name for name, number in counts.items() if number)
    if names:
        run(cursor, "count", names=names, numbers=[counts[name] for name in names])
