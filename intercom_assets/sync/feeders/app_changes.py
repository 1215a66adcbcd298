"""Changes of the app -> the queue, on every tick of a sensor: its log drained, or its rows polled.

A feeder only says *whom* to look at, by putting keys into the queue; it writes nothing to either
side. What a look costs grows with the changes that it finds, never with the number of users.

Polling sees what moves `updated_at`. It does not see deletions without `deleted_at`, memberships
without `updated_at`, or transactions longer than the overlap: the nightly sweep finds those.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from intercom_assets.database.failures import AppUnavailable
from intercom_assets.domain.models import Gone
from intercom_assets.domain.vocabulary import Cause, QueueKind
from intercom_assets.mapping.problems import MappingError
from intercom_assets.sync.context.gone import let_go
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.feeders.drain import drain
from intercom_assets.sync.feeders.polling import (
    poll,
)
from intercom_assets.sync.passes.app_rows import row_hash
from intercom_assets.sync.passes.rules import team_rules, user_rules
from intercom_assets.sync.passes.users.calls_due import must_read_first
from intercom_assets.sync.passes.users.reading import read_users
from intercom_assets.sync.passes.users.state import UserState

DRAINED_AT_ONCE = 5_000
"""Keys in one transaction of the drain: it holds their locks for some 100 ms."""
LOOKED_AT_ONCE = 1_000
"""Users read in one transaction to see whether they were only seen."""
MOST_LOOKED_AT = 2 * DRAINED_AT_ONCE
"""Users looked at for one read of the log; of more, which a watch's SELECT found, all are due."""
FEED_SECONDS = 5.0
"""After so many, what is left waits for the next tick, which Dagster ends after a minute."""


@dataclass(frozen=True, slots=True)
class Fed:
    """What a look put into the queue. `summary`: one line for a sensor's tick."""

    users: int = 0
    teams: int = 0
    calls: int = 0
    sweep_wanted: bool = False
    summary: str = "no change"


def feed_from_app(services: Services) -> Fed:
    """Queues who changed in the app; users who were only seen wait a while.

    Raises `AppUnavailable` and `StoreUnavailable`.
    """
    if services.settings.capture == "polling":
        return _poll(services)
    return _drain(services)


def _drain(services: Services) -> Fed:
    """Piece by piece until the log is empty, or `FEED_SECONDS` have passed."""
    look = _SeenOnly(services)
    users, teams, until = 0, 0, monotonic() + FEED_SECONDS
    while True:
        drained = drain(services.app, services.store, DRAINED_AT_ONCE, delay=look.delays)
        users, teams = users + len(drained.users), teams + len(drained.teams)
        look.raise_failure()
        if not drained.more or monotonic() >= until:
            break
    if not (users or teams or drained.sweep_wanted):
        return Fed()
    return Fed(users, teams, 0, drained.sweep_wanted, _summary(users, teams, len(look.calm)))


class _SeenOnly:
    """Who of the changed users was only seen and may wait. `calm`: all whom it found so.

    Whoever a run has in hand at this moment is due: what is remembered of him may be older than
    what that run has read. An app that cannot be read delays nobody; that is raised afterwards.
    """

    def __init__(self, services: Services) -> None:
        self.calm: set[str] = set()
        self._services = services
        self._failure: Exception | None = None

    def delays(self, kind: QueueKind, keys: Sequence[str]) -> Mapping[str, float]:
        if kind is not QueueKind.USER or len(keys) > MOST_LOOKED_AT:
            return {}
        found: dict[str, float] = {}
        try:
            for at in range(0, len(keys), LOOKED_AT_ONCE):
                found |= self._delays(keys[at : at + LOOKED_AT_ONCE])
        except (AppUnavailable, MappingError) as error:
            self._failure = error
        self.calm |= found.keys()
        return found

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _delays(self, keys: Sequence[str]) -> Mapping[str, float]:
        store = self._services.store
        in_work = store.queue.in_work_among(QueueKind.USER, keys)
        known = store.linked.hashes(keys)
        looked = [key for key in keys if known.get(key) is not None and key not in in_work]
        return _waits(self._services, _read(self._services, looked)) if looked else {}


def _poll(services: Services) -> Fed:
    """Rows inside the overlap come again; those that we have seen are left out."""
    found: dict[QueueKind, dict[str, float]] = {kind: {} for kind in QueueKind}

    def queue(kind: QueueKind, keys: Sequence[str]) -> int:
        of_kind = _polled_users if kind is QueueKind.USER else _polled_teams
        due = of_kind(services, keys) if keys else {}
        found[kind] |= due
        return len(due)

    poll(services, queue, FEED_SECONDS)
    users, teams = found[QueueKind.USER], found[QueueKind.TEAM]
    calm = sum(wait > 0 for wait in users.values())
    return Fed(len(users), len(teams), 0, False, _summary(len(users), len(teams), calm))


def _polled_teams(services: Services, keys: Sequence[str]) -> dict[str, float]:
    due = dict.fromkeys(_changed_teams(services, keys), 0.0)
    services.store.queue.enqueue_each(QueueKind.TEAM, due, cause=Cause.POLLED)
    return due


def _polled_users(services: Services, keys: Sequence[str]) -> dict[str, float]:
    """Queues those who differ; each with the seconds for which they wait."""
    users = [user for user in _read(services, keys) if user.differs]
    calm = _waits(services, users)
    due = {user.user_id: calm.get(user.user_id, 0.0) for user in users}
    services.store.queue.enqueue_each(QueueKind.USER, due, cause=Cause.POLLED)
    return due


def _changed_teams(services: Services, keys: Sequence[str]) -> list[str]:
    known = services.store.linked.hashes(keys, QueueKind.TEAM)
    rows, rules = services.app.read_teams(keys), team_rules(services, {})
    let_go(services, QueueKind.TEAM, rows.values())
    return [
        key
        for key, row in rows.items()
        if isinstance(row, Gone)
        or known.get(key) is None
        or known[key] != row_hash(QueueKind.TEAM, rules, row)
    ]


def _read(services: Services, keys: Sequence[str]) -> list[UserState]:
    users = read_users(services, keys, user_rules(services, {}))
    let_go(services, QueueKind.USER, [user.app.row for user in users])
    return users


def _waits(services: Services, users: Iterable[UserState]) -> dict[str, float]:
    """Page views must not become syncs: `last_request_at` alone waits for `last_seen_every`."""
    every = int(services.settings.last_seen_every.total_seconds())
    waits = {
        user.user_id: float(user.link.synced_at + every - user.rules.now)
        for user in users
        if user.only_seen and user.link.synced_at is not None and not must_read_first(user)
    }
    return {key: seconds for key, seconds in waits.items() if seconds > 0}


def _summary(users: int, teams: int, calm: int) -> str:
    summary = f"{users} users and {teams} teams changed in the app"
    return f"{summary}, {calm} of them were only seen and wait" if calm else summary
