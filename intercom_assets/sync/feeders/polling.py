"""How far polling has come: what changed in the app by `updated_at`, a bounded part at every look.

Per file of the mapping there is a window that begins a little behind the newest change, since a
transaction may commit late. A look reads the newest page of it, so that no burst holds up a small
change, and goes through the rest from its oldest end, as long as that finds somebody new. A window
of which nothing has moved since it was gone through is not read.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from time import monotonic
from typing import Any, TypeAlias

from intercom_assets.database.app.polling import Polled, PolledPage, page, window
from intercom_assets.domain.vocabulary import QueueKind, StateKey
from intercom_assets.sync.context.services import Services

Queue: TypeAlias = Callable[[QueueKind, Sequence[str]], int]
"""Queues those of the keys that are new; how many."""

PAGE = 1_000
"""Rows read at once, and users looked at in one transaction."""


@dataclass(frozen=True, slots=True)
class Mark:
    """`since`: where the window begins. `after`: how far it has been gone through; None: it is
    begun anew, and then begins at `next_since`. `sum`: of that, when it was begun; `seen`: of one
    that was gone through to its end."""

    since: int
    next_since: int = 0
    after: tuple[int, str] | None = None
    sum: str = ""
    seen: str | None = None


def poll(services: Services, queue: Queue, seconds: float) -> None:
    """Calls `queue` with the keys of whoever changed, and some that were seen before.

    Ends soon after `seconds`; what is left is read in the next looks.
    """
    until = monotonic() + seconds
    marks = _stored(services)
    for polled in Polled:
        marks[polled] = _begun(services, polled, marks[polled])
    for polled in Polled:
        if not _is_seen(marks[polled]):
            marks[polled] = _newest(services, polled, marks[polled], queue)
    for polled in Polled:
        if not _is_seen(marks[polled]):
            marks[polled] = _further(services, polled, marks[polled], queue, until)
    services.store.state.put(
        StateKey.POLLED_ROWS, {polled: asdict(mark) for polled, mark in marks.items()}
    )


def _begun(services: Services, polled: Polled, mark: Mark) -> Mark:
    """A window that was gone through is begun anew, as of now."""
    if mark.after is not None:
        return mark
    overlap = int(services.settings.poll_overlap.total_seconds())
    now = services.app.reading(lambda c, shapes: window(c, shapes, polled, mark.since))
    next_since = max(mark.since, now.newest - overlap)
    if next_since != mark.since:
        now = services.app.reading(lambda c, shapes: window(c, shapes, polled, next_since))
    return replace(mark, next_since=next_since, sum=now.sum)


def _is_seen(mark: Mark) -> bool:
    return mark.after is None and mark.seen == mark.sum


def _newest(services: Services, polled: Polled, mark: Mark, queue: Queue) -> Mark:
    """The newest page; it may be all."""
    found = _page(services, polled, mark.since, newest_first=True)
    queue(_kind(polled), found.keys)
    return mark if found.last or mark.after else _ended(mark)


def _further(services: Services, polled: Polled, mark: Mark, queue: Queue, until: float) -> Mark:
    """On from the oldest end: one page, and more of them while somebody is new and time is left."""
    while True:
        found = _page(services, polled, mark.since, after=mark.after)
        new = queue(_kind(polled), found.keys)
        if found.last is None:
            return _ended(mark)
        mark = replace(mark, after=found.last)
        if not new or monotonic() >= until:
            return mark


def _ended(mark: Mark) -> Mark:
    return Mark(mark.next_since, seen=mark.sum, sum=mark.sum)


def _page(services: Services, polled: Polled, since: int, **where: Any) -> PolledPage:
    return services.app.reading(
        lambda c, shapes: page(c, shapes, polled, since, limit=PAGE, **where)
    )


def _kind(polled: Polled) -> QueueKind:
    return QueueKind.TEAM if polled is Polled.TEAMS else QueueKind.USER


def _stored(services: Services) -> dict[Polled, Mark]:
    """The first look of all begins now, less the overlap: the first sync reads what was before."""
    stored = services.store.state.get(StateKey.POLLED_ROWS)
    if isinstance(stored, dict):
        return {polled: _mark(stored[polled]) for polled in Polled}
    reached = services.store.state.get(StateKey.POLLED_UNTIL)
    newest = reached if isinstance(reached, int) else services.app.now()
    overlap = int(services.settings.poll_overlap.total_seconds())
    return {polled: Mark(newest - overlap) for polled in Polled}


def _mark(stored: dict[str, Any]) -> Mark:
    after = stored["after"]
    return Mark(**{**stored, "after": None if after is None else (int(after[0]), str(after[1]))})
