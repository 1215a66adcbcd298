"""Keys into the queue, inside a transaction of any part: a change of the app, a claim, a release.

Every call raises the number of each row, so that nobody deletes what changed after it was leased.
"""

from collections.abc import Iterator, Mapping, Sequence

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.records import Lane
from intercom_assets.database.store.connection import run
from intercom_assets.domain.vocabulary import Cause, QueueKind

MOST_KEYS_AT_ONCE = 10_000
"""Keys that one transaction queues: it holds their locks for some 100 ms."""


def enqueue(
    cursor: Cursor[TupleRow],
    kind: QueueKind,
    delays: Mapping[str, float],
    *,
    lane: Lane = Lane.LIVE,
    cause: Cause = Cause.NONE,
    needs_read: bool = False,
    since: Mapping[str, float] | None = None,
) -> None:
    """They may differ now, each due in its own number of seconds.

    `since`: when a key changed (Unix s), if that was before now.
    """
    if not delays:
        return
    keys = sorted(delays)
    run(
        cursor,
        "enqueue",
        kind=kind,
        keys=keys,
        delays=[float(delays[key]) for key in keys],
        since=[since.get(key) if since else None for key in keys],
        lane=int(lane),
        cause=cause,
        needs_read=needs_read,
    )


def pieces(keys: Sequence[str]) -> Iterator[list[str]]:
    ordered = sorted(set(keys))
    for at in range(0, len(ordered), MOST_KEYS_AT_ONCE):
        yield ordered[at : at + MOST_KEYS_AT_ONCE]
