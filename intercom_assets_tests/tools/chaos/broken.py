"""Protocols with one safeguard taken out, to show that the checker would notice.

Belongs here: each shortcut as a change to the product's own engine, in the worker's process only.
Must not: anything that the harness itself uses.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from intercom_assets.database import queries
from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.domain.models import AppUser, Contact, ContactPatch, Gone, InvalidRow
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import ConnectionFailed, ServerError
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.passes.users import identity

STALE_FOR = 0.4
Rows: TypeAlias = Mapping[str, AppUser | InvalidRow | Gone]


class EarlyReader(AppDatabase):
    """Reads everybody now and then; what a batch asks for is what was read before its lease."""

    _now: Rows = MappingProxyType({})
    _early: Rows = MappingProxyType({})
    _read_at = float("-inf")

    def read_users(self, ids: Sequence[str]) -> dict[str, AppUser | InvalidRow | Gone]:
        if time.monotonic() > self._read_at + STALE_FOR:
            self._early, self._now = self._now, self._everybody()
            self._read_at = time.monotonic()
        known = {key: self._early[key] for key in ids if key in self._early}
        return {**super().read_users([key for key in ids if key not in known]), **known}

    def _everybody(self) -> Rows:
        keys = [row.id for rows in self.stream_users() for row in rows]
        return super().read_users(keys)


def reads_before_leasing(services: Services) -> Services:
    return replace(services, app=EarlyReader(services.app.url, services.app.mapping))


def checks_no_sequence(services: Services) -> Services:
    """A row is done once it was worked on, whatever changed meanwhile."""
    text = queries.query("finish_done")
    careless = text.replace(b" and seq = claim_seq", b"")
    assert careless != text, "finish_done compares no sequence number"
    queries._queries()["finish_done"] = careless
    return services


def posts_again(services: Services) -> Services:
    """After a reply that was lost it creates again, instead of looking first."""
    careful = identity.find_or_create

    def blind(
        client: IntercomClient, user_id: str, patch: ContactPatch, *, may_exist: bool
    ) -> tuple[Contact, bool]:
        try:
            return careful(client, user_id, patch, may_exist=False)
        except (ConnectionFailed, ServerError):
            return careful(client, user_id, patch, may_exist=False)

    identity.__dict__["find_or_create"] = blind
    return services


PROTOCOLS: Mapping[str, Callable[[Services], Services]] = {
    "reads-before-leasing": reads_before_leasing,
    "checks-no-sequence": checks_no_sequence,
    "posts-again": posts_again,
}
