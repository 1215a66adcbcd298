"""Keys that spell an id otherwise than the app's own row does, put right before they are looked at.

A watched table may say 'ADA' where the user is 'ada' and the app takes both for one (citext, a
collation, char(n), a uuid as text). Whoever is linked is known by his own spelling already; only
the others are asked for.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.capture.log import EVERYBODY, LogRow
from intercom_assets.database.failures import AppUnavailable
from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import Cause, QueueKind
from intercom_assets.mapping.problems import MappingError
from intercom_assets.sync.context.services import Services


def own_keys(
    app: AppDatabase, store: Store, kind: QueueKind, keys: Collection[str]
) -> Mapping[str, str]:
    """Key -> the app's own, of those that differ. Raises `AppUnavailable` and `MappingError`."""
    return app.own_keys(kind, set(keys) - _linked(store, kind, sorted(keys)))


def named(services: Services, kind: QueueKind, keys: Iterable[str]) -> tuple[str, ...]:
    """These keys in the app's own spelling, each once."""
    wanted = tuple(dict.fromkeys(keys))
    own = own_keys(services.app, services.store, kind, wanted)
    return tuple(dict.fromkeys(own.get(key, key) for key in wanted))


def in_own_spelling(app: AppDatabase, store: Store, rows: Sequence[LogRow]) -> list[LogRow]:
    """What the log says, in the app's spelling.

    An app that cannot be read now keeps no change from the queue: `wake_owners` comes later.
    """
    try:
        own = {kind: own_keys(app, store, kind, _logged(rows, kind)) for kind in QueueKind}
    except (AppUnavailable, MappingError):
        return list(rows)
    return [_respelled(row, own[QueueKind(row.kind)]) for row in rows]


def wake_owners(services: Services, kind: QueueKind, absent: Collection[str]) -> None:
    """Of keys that neither side has: whose id they spell is due, whoever put them in the queue."""
    own = services.app.own_keys(kind, absent)
    if own:
        services.store.queue.enqueue(kind, sorted(set(own.values())), cause=Cause.RESPELLED)


def _logged(rows: Sequence[LogRow], kind: QueueKind) -> set[str]:
    return {key for row in rows if row.kind == kind for key in row.keys}.difference(EVERYBODY)


def _respelled(row: LogRow, own: Mapping[str, str]) -> LogRow:
    if own.keys().isdisjoint(row.keys):
        return row
    return replace(row, keys=tuple(own.get(key, key) for key in row.keys))


def _linked(store: Store, kind: QueueKind, keys: Sequence[str]) -> set[str]:
    if kind is QueueKind.USER:
        return set(store.linked.among(keys))
    return {key for key, link in store.links.teams(keys).items() if link.company_id}
