"""The workspace's tags: known for a day, and read only where users.sql selects `tags`.

A list that cannot be read is no hindrance: a tag is made by its name, which finds one that is
there. What is made is written down at once, before anybody gets it, so that a run that follows a
death knows its id.
"""

from collections.abc import Callable, Iterable, Mapping
from threading import Lock

from intercom_assets.database.records import Json
from intercom_assets.domain.models import Column, Tag
from intercom_assets.domain.tags import TAGS, key_of
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, ScopeMissing
from intercom_assets.sync.context.services import Services

KEPT_FOR, AGAIN_AFTER = 86_400.0, 60.0
"""Seconds for which a list is believed, and a failure to read it."""
BY_NAME, READ_AT, IS_READ = "by_name", "read_at", "is_read"


class TagBook:
    """One serves all chunks of a run, and reads once."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = Lock()
        self._was_read = not selects_tags(services.app.users_columns)
        self._made: dict[str, str] = {}

    def ensure(self, client: Callable[[], IntercomClient]) -> None:
        """Costs no call where no tags are selected, or a list of today is there."""
        with self._lock:
            if not self._was_read and not self._is_current():
                self._read(client())
            self._was_read = True

    def known(self) -> Mapping[str, str]:
        return known_tags(self._services)

    def make(self, client: IntercomClient, name: str, *, instead_of: str | None = None) -> str:
        """The id of a tag of this name, which is made at most once a run.

        `instead_of`: an id that leads nowhere any more. Raises `IntercomError`.
        """
        key = key_of(name)
        with self._lock:
            known = self._made.get(key) or self.known().get(key)
            if known is not None and known != instead_of:
                return known
            self._made[key] = client.create_tag(name)
            self._write_down({key: self._made[key]})
            return self._made[key]

    def learn(self, found: Mapping[str, str]) -> None:
        """Tags that a contact carries: made by hand since the list was read."""
        with self._lock:
            if not found.items() <= self.known().items():
                self._write_down(found)

    def _write_down(self, more: Mapping[str, str]) -> None:
        kept = self._services.store.state.get(StateKey.TAGS)
        before = kept if isinstance(kept, dict) else {}
        by_name: dict[str, Json] = {**self.known(), **more}
        self._services.store.state.put(StateKey.TAGS, {**before, BY_NAME: by_name})

    def _is_current(self) -> bool:
        kept = self._services.store.state.get(StateKey.TAGS)
        if not isinstance(kept, dict):
            return False
        read_at = kept.get(READ_AT)
        at = float(read_at) if isinstance(read_at, int | float) else 0.0
        lasts = KEPT_FOR if kept.get(IS_READ) is True else AGAIN_AFTER
        return self._services.wall() - at <= lasts

    def _read(self, client: IntercomClient) -> None:
        now = read_tags(client)
        by_name = self.known() if now is None else now
        document: dict[str, Json] = {
            BY_NAME: dict(by_name),
            READ_AT: self._services.wall(),
            IS_READ: now is not None,
        }
        self._services.store.state.put(StateKey.TAGS, document)


def selects_tags(columns: Iterable[Column]) -> bool:
    return any(column.name == TAGS for column in columns)


def read_tags(client: IntercomClient) -> dict[str, str] | None:
    """By one call, key -> id; None where they cannot be read. Raises what stops every run, but not
    for a token that may not ask this."""
    try:
        return by_key(client.list_tags())
    except IntercomError as error:
        if error.fatal and not isinstance(error, ScopeMissing):
            raise
        return None


def by_key(tags: list[Tag]) -> dict[str, str]:
    return {key_of(tag.name): tag.id for tag in tags if tag.name}


def known_tags(services: Services) -> Mapping[str, str]:
    """As they were read last, with those made since: key -> id."""
    if services.tags is not None:
        return services.tags
    kept = services.store.state.get(StateKey.TAGS)
    by_name = kept.get(BY_NAME) if isinstance(kept, dict) else None
    return {k: str(v) for k, v in by_name.items()} if isinstance(by_name, dict) else {}
