"""Why the runs of a kind stop: the sentence of the last one that did, until one goes through.

A run that a guard or a refused token ends leaves its users waiting, and the next one ends alike:
`status` would show only that they wait. Kept in our own tables. Must not: decide when to stop.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from intercom_assets.database.store.connection import StoreNotReady, StoreUnavailable
from intercom_assets.database.store.store import Store
from intercom_assets.domain.errors import OperatorError
from intercom_assets.domain.vocabulary import QueueKind, StateKey

_STOPPED = {
    QueueKind.USER: StateKey.USERS_STOPPED,
    QueueKind.TEAM: StateKey.TEAMS_STOPPED,
}


@dataclass(frozen=True, slots=True)
class Stop:
    kind: QueueKind
    at: datetime
    why: str


@contextmanager
def noted(store: Store, kind: QueueKind) -> Iterator[None]:
    """Notes the error that ends a run of this kind; a run that ends well takes the note away.

    One that is interrupted, or breaks by a fault of ours, does neither. Where our tables cannot be
    written, the run's own end says so, and the next run's note holds.
    """
    away = (StoreUnavailable, StoreNotReady)
    try:
        yield
    except OperatorError as error:
        with suppress(*away):
            store.state.put(_STOPPED[kind], {"why": error.sentence})
        raise
    with suppress(*away):
        store.state.delete(_STOPPED[kind])


def stops(store: Store) -> list[Stop]:
    found = []
    for kind in QueueKind:
        kept = store.state.get_at(_STOPPED[kind])
        if kept is not None and isinstance(kept[0], dict):
            found.append(Stop(kind, kept[1], str(kept[0].get("why", ""))))
    return found
