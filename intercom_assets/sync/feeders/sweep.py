"""The nightly sweep: everybody on the app's side by hash, and only the differences queued.

Streams the app once; costs no call and writes nothing but queue rows, in the bulk lane. It finds
what capture cannot see: hand-made log losses, tables nobody watches, users who are gone. "Missing"
is never concluded from the stream: those users are queued and read again, one by one.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from intercom_assets.database.failures import AppUnavailable
from intercom_assets.database.records import (
    Lane,
)
from intercom_assets.domain.models import AppTeam, AppUser, InvalidRow
from intercom_assets.domain.vocabulary import Cause, QueueKind, StateKey
from intercom_assets.sync.context.gc import frozen_collector
from intercom_assets.sync.context.gone import forget_returned
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.passes.app_rows import row_hash
from intercom_assets.sync.passes.rules import Rules, team_rules, user_rules

CAUSE = "sweep"
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """`looked`: rows read. `queued`: rows that differ. `missing`: linked, and not in the stream."""

    looked: int
    queued: int
    missing: int


def sweep(services: Services) -> tuple[Swept, Swept]:
    """Users and teams. A wish for a sweep (a TRUNCATE) from before it began is fulfilled by it."""
    wanted = services.store.state.sweep_wanted()
    teams, users = sweep_teams(services), sweep_users(services)
    waiting = services.store.linked.with_a_free_email()
    services.store.queue.enqueue(QueueKind.USER, waiting, lane=Lane.BULK, cause=Cause.EMAIL_FREE)
    if wanted is not None:
        services.store.state.sweep_started(wanted)
    queued = users.queued + users.missing + teams.queued + teams.missing
    counted = {"at": services.now(), "queued": queued, **_sharing(services)}
    services.store.state.put(StateKey.LAST_SWEEP, counted)
    return users, teams


def _sharing(services: Services) -> dict[str, int]:
    """Users who share an e-mail address, and how many addresses; none where they cannot be counted,
    which is no reason to end a sweep that was done."""
    try:
        shared = services.app.shared_emails(most=1)
    except AppUnavailable as error:
        LOG.warning("who shares an e-mail address was not counted: %s", error)
        return {}
    return {"sharing_email": shared.users, "shared_emails": shared.addresses}


def sweep_users(services: Services, progress: Callable[[int], None] | None = None) -> Swept:
    rows = services.app.stream_users()
    return _sweep(services, QueueKind.USER, user_rules(services, {}), rows, progress)


def sweep_teams(services: Services, progress: Callable[[int], None] | None = None) -> Swept:
    rows = services.app.stream_teams()
    return _sweep(services, QueueKind.TEAM, team_rules(services, {}), rows, progress)


@frozen_collector()
def _sweep(
    services: Services,
    kind: QueueKind,
    rules: Rules,
    stream: Iterable[Sequence[AppUser | InvalidRow] | Sequence[AppTeam | InvalidRow]],
    progress: Callable[[int], None] | None,
) -> Swept:
    seen: set[str] = set()
    queued, gone = 0, services.store.gone.found(kind)
    for rows in stream:
        known = services.store.linked.hashes([row.id for row in rows], kind)
        differing = [row.id for row in rows if known.get(row.id) != row_hash(kind, rules, row)]
        if kind is QueueKind.USER and differing:
            erased = services.store.tombstones.among(differing)
            differing = [key for key in differing if key not in erased]
        services.store.queue.enqueue(kind, differing, lane=Lane.BULK, cause=Cause.SWEEP)
        forget_returned(services, kind, gone.intersection(row.id for row in rows))
        seen.update(row.id for row in rows)
        queued += len(differing)
        if progress:
            progress(len(rows))
    return Swept(len(seen), queued, _queue_missing(services, kind, seen))


def _queue_missing(services: Services, kind: QueueKind, seen: set[str]) -> int:
    missing = 0
    for linked in services.store.linked.ids(kind):
        gone = [key for key in linked if key not in seen]
        services.store.queue.enqueue(kind, gone, lane=Lane.BULK, cause=Cause.SWEEP)
        missing += len(gone)
    return missing
