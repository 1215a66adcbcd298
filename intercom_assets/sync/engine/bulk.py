"""Large batches by Intercom's bulk endpoints (`bulk: preview`): when they are worth it.

How a batch goes by them is `bulk_waves.py`'s; what the protocol makes of that,
docs/dev/protocol.md#by-bulk. Must not: send anything.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from intercom_assets.domain.bulk import calls_by_bulk
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.probed import read_probed
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.work import Run
from intercom_assets.sync.engine.bulk_teams import TeamsByBulk
from intercom_assets.sync.engine.bulk_users import Progress, UsersByBulk
from intercom_assets.sync.engine.bulk_waves import Waves
from intercom_assets.sync.engine.chunk_source import ChunkSource

LEAST_USERS = 1_000
"""By calls it is worth it from about twenty users on. But jobs and the index are waited for, twelve
seconds at the least, in which the limit lets 2,000 single calls through: those of 1,000 new users
with a membership each."""
LEAST_TEAMS = 200
"""A job's two calls a hundred are few; the scroll that proves them is one for each hundred
companies that the workspace has."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What bulk would save of a batch: for `users`, all in all `calls`. `hindrance`: why it is left
    out all the same; `is_on`: in sync.yaml."""

    users: int
    calls: int
    is_on: bool
    hindrance: str | None = None


def outlook(
    services: Services, *, users: int, companies: int, saved: int, calls: int
) -> Outlook | None:
    """None where too few may go by bulk for it to be used.

    `users`: who may; `saved`: the single calls of these and of `companies`; `calls`: of the whole
    batch, each by itself.
    """
    if users < LEAST_USERS:
        return None
    on = services.settings.bulk != "off"
    left = calls - saved + calls_by_bulk(users, companies)
    return Outlook(users, min(calls, left), on, hindrance_to_bulk(services))


def users_first(services: Services, users: int) -> bool:
    """Whether teams should come after so many users: new ones are found in Intercom's lists only
    once they have some."""
    is_large = services.settings.bulk != "off" and users >= LEAST_USERS
    return is_large and hindrance_to_bulk(services) is None


def hindrance_to_bulk(services: Services) -> str | None:
    """What `check --probe --save` found in this workspace that makes bulk useless, or None."""
    probed = read_probed(services.store)
    if probed.bulk_offered is False:
        return "the bulk endpoints were not offered when this workspace was probed"
    if probed.items_count_as_calls:
        return "each item counts as a call here, as the probe measured, so that nothing is saved"
    return None


def by_bulk(
    run: Run,
    source: ChunkSource,
    stopped: Callable[[], bool],
    progress: Progress | None,
    size: Callable[[], int],
) -> Waves | None:
    """None unless this batch goes by bulk. `size`: of the batch, counted only if it matters."""
    if not _is_on(run.services, source.kind, size):
        return None
    kind = UsersByBulk if source.kind is QueueKind.USER else TeamsByBulk
    return Waves(source, kind(run, progress), stopped)


def _is_on(services: Services, kind: QueueKind, size: Callable[[], int]) -> bool:
    if services.settings.bulk == "off":
        return False
    if size() < (LEAST_USERS if kind is QueueKind.USER else LEAST_TEAMS):
        return False
    if hindrance := hindrance_to_bulk(services):
        log.warning("bulk is left out, and each goes by itself: %s", hindrance)
    return hindrance is None
