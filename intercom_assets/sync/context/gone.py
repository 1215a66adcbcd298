"""Who is believed to be gone: a changed WHERE clause must not mark thousands as deleted.

Of the linked users and teams that a successful read no longer returned, more than `max_gone` within
a day are held until an operator says that they are gone indeed. Whoever any later read returns was
not: off the list, whatever it said of them, and judged anew if they go again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from intercom_assets.domain.models import AppTeam, AppUser, Gone, InvalidRow
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.switched_ids import stop_before_marking

Row: TypeAlias = AppUser | AppTeam | InvalidRow | Gone
READ_AT_ONCE = 1_000


def hold_gone(services: Services, kind: QueueKind, gone: Sequence[str]) -> frozenset[str]:
    """Of those linked that a read no longer returned, who is to be left alone for now.

    Raises `GuardStopped` where they seem to have got other ids.
    """
    if not gone:
        return frozenset()
    stop_before_marking(services, kind, gone)
    most = _allowed(services, kind)
    return frozenset(gone) - services.store.gone.admit(kind, gone, most=most)


def hold_gone_among(services: Services, kind: QueueKind, linked: Sequence[str]) -> None:
    """Before a batch's first chunk, so that together they are too many, not chunk by chunk.

    Fewer than may be gone anyway are not looked for: their chunks find them.
    """
    if len(linked) <= _allowed(services, kind):
        return
    gone: list[str] = []
    for start in range(0, len(linked), READ_AT_ONCE):
        rows = _read(services, kind, linked[start : start + READ_AT_ONCE])
        gone += [key for key, row in rows.items() if isinstance(row, Gone)]
    hold_gone(services, kind, gone)


def let_go(services: Services, kind: QueueKind, rows: Iterable[Row]) -> None:
    """These rows were read just now."""
    forget_returned(services, kind, [row.id for row in rows if not isinstance(row, Gone)])


def forget_returned(services: Services, kind: QueueKind, returned: Collection[str]) -> None:
    if back := services.store.gone.found(kind, list(returned)) if returned else None:
        services.store.gone.forget(kind, sorted(back))


def _allowed(services: Services, kind: QueueKind) -> int:
    return services.settings.max_gone.allowed(services.store.links.count(kind))


def _read(services: Services, kind: QueueKind, keys: Sequence[str]) -> Mapping[str, Row]:
    if kind is QueueKind.TEAM:
        return services.app.read_teams(keys)
    return services.app.read_users(keys)
