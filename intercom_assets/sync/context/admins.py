"""The workspace's teammates: known for a day, and read only where the mapping names owners.

A list that cannot be read keeps the owner back and nothing else; the next run asks again, once a
minute at most. Who waits for a teammate is queued when the list is another one.
"""

from collections.abc import Callable
from threading import Lock

from intercom_assets.database.records import Json
from intercom_assets.domain.fields import OWNERS
from intercom_assets.domain.owners import Admins, admins_of
from intercom_assets.domain.vocabulary import Cause, QueueKind, StateKey
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, ScopeMissing
from intercom_assets.sync.context.services import Services

KEPT_FOR, AGAIN_AFTER = 86_400.0, 60.0
"""Seconds for which a list is believed, and a failure to read it."""
IDS, BY_EMAIL, FAILED = "ids", "by_email", "failed"


class AdminBook:
    """One serves all chunks of a run, and reads once."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = Lock()
        self._was_read = owner_column(services) is None

    def ensure(self, client: Callable[[], IntercomClient]) -> None:
        """Costs no call where no owner is named, or a list of today is there."""
        with self._lock:
            if not self._was_read and not self._is_current():
                self._read(client)

    def ask_again(self, client: Callable[[], IntercomClient]) -> bool:
        """An operator waits for somebody whom the list lacks. Whether it was read again."""
        with self._lock:
            if self._was_read:
                return False
            self._read(client)
            return True

    def _is_current(self) -> bool:
        kept = self._services.store.state.get_at(StateKey.ADMINS)
        if kept is None:
            return False
        age = self._services.wall() - kept[1].timestamp()
        failed = isinstance(kept[0], dict) and FAILED in kept[0]
        return age <= (AGAIN_AFTER if failed else KEPT_FOR)

    def _read(self, client: Callable[[], IntercomClient]) -> None:
        self._was_read = True
        state, before = self._services.store.state, known_admins(self._services)
        now = read_admins(client())
        if now.unread is not None and before is not None and before.unread is None:
            return  # yesterday's list is better than none
        state.put(StateKey.ADMINS, _document(now))
        if now != before:
            self._wake()

    def _wake(self) -> None:
        column, store = owner_column(self._services), self._services.store
        waiting = store.linked.left_out_for(QueueKind.USER, [column]) if column else []
        store.queue.enqueue(QueueKind.USER, waiting, cause=Cause.ATTRIBUTE_WRITABLE)


def owner_column(services: Services) -> str | None:
    """The column of users.sql that names the owner."""
    return next((name for name in OWNERS if name in services.user_fields), None)


def read_admins(client: IntercomClient) -> Admins:
    """By one call. Raises what stops every run, but not for a token that may not ask this."""
    try:
        return admins_of(client.list_admins())
    except IntercomError as error:
        if error.fatal and not isinstance(error, ScopeMissing):
            raise
        return Admins(unread=f"the workspace's teammates could not be read: {error}")


def known_admins(services: Services) -> Admins | None:
    """As they were read last; None where nobody has asked yet."""
    if services.admins is not None:
        return services.admins
    kept = services.store.state.get(StateKey.ADMINS)
    if not isinstance(kept, dict):
        return None
    if FAILED in kept:
        return Admins(unread=str(kept[FAILED]))
    ids, by_email = kept.get(IDS), kept.get(BY_EMAIL)
    return Admins(
        frozenset(map(str, ids)) if isinstance(ids, list) else frozenset(),
        {k: str(v) for k, v in by_email.items()} if isinstance(by_email, dict) else {},
    )


def _document(admins: Admins) -> dict[str, Json]:
    if admins.unread is not None:
        return {FAILED: admins.unread}
    return {IDS: [*sorted(admins.ids)], BY_EMAIL: dict(admins.by_email or {})}
