"""Changes of the app -> the queue: the drain of its log, on every tick of a sensor.

A feeder only says *whom* to look at, by putting keys into the queue; it writes nothing to either
side. What a look costs grows with the changes that it finds, never with the number of users.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from intercom_assets.database.records import QueueKind
from intercom_assets.sync.queue import drain
from intercom_assets.sync.services import Services
from intercom_assets.sync.users import read_users, user_rules

DRAINED_AT_ONCE = 5_000
"""Log rows in one transaction of the drain: enough for a burst, short enough to lose little."""


@dataclass(frozen=True, slots=True)
class Fed:
    """What a look put into the queue. `summary`: one line for a sensor's tick."""

    users: int = 0
    teams: int = 0
    calls: int = 0
    sweep_wanted: bool = False
    summary: str = "no change"


def feed_from_app(services: Services) -> Fed:
    """Moves the app's log into the queue; users who were only seen wait a while."""
    calm: dict[str, float] = {}

    def delay(kind: QueueKind, keys: Sequence[str]) -> Mapping[str, float]:
        calm.update(_waits(services, keys) if kind is QueueKind.USER else {})
        return calm if kind is QueueKind.USER else {}

    drained = drain(services.app, services.store, DRAINED_AT_ONCE, delay=delay)
    if not (drained.users or drained.teams or drained.sweep_wanted):
        return Fed()
    summary = f"{len(drained.users)} users and {len(drained.teams)} teams changed in the app"
    if calm:
        summary += f", {len(calm)} of them were only seen and wait"
    return Fed(len(drained.users), len(drained.teams), 0, drained.sweep_wanted, summary)


def _waits(services: Services, changed: Sequence[str]) -> dict[str, float]:
    """Page views must not become syncs: `last_request_at` alone waits for `last_seen_every`."""
    rules = user_rules(services, {})
    every = int(services.settings.last_seen_every.total_seconds())
    waits = {
        user.user_id: float(user.link.synced_at + every - rules.now)
        for user in read_users(services, changed, rules)
        if user.only_seen and user.link.synced_at is not None and not user.must_look
    }
    return {key: seconds for key, seconds in waits.items() if seconds > 0}
