"""What becomes of the queue's rows that a run has leased, inside the caller's transaction.

Who is still ours is asked first, with the rows locked. What is done goes at the number that was
leased; the rest is given back, and whoever changed meanwhile stays due.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.records import (
    Done,
    Ending,
    Failure,
    Parked,
    Recorded,
    RetryIn,
    TeamRecord,
    UserRecord,
)
from intercom_assets.database.store.connection import rows, run
from intercom_assets.database.store.encoding import document, failure_document
from intercom_assets.database.store.enqueuing import enqueue
from intercom_assets.domain.vocabulary import Cause, QueueKind


def lock_rows(
    cursor: Cursor[TupleRow], kind: QueueKind, token: UUID, keys: Sequence[str]
) -> frozenset[str]:
    """Locks the rows; those that still carry our token."""
    found = rows(cursor, "lock_rows", kind=kind, token=token, keys=list(keys))
    return frozenset(key for key, ours in found if ours)


def endings(
    held: Mapping[str, UserRecord] | Mapping[str, TeamRecord], conflicts: Mapping[str, Failure]
) -> dict[str, Ending]:
    return {
        key: Parked(conflicts[key], record.link.row_hash) if key in conflicts else record.outcome
        for key, record in held.items()
    }


def finish(
    cursor: Cursor[TupleRow],
    kind: QueueKind,
    token: UUID,
    ended: Mapping[str, Ending],
    known: Collection[str] = (),
) -> None:
    """Deletes what is done at the number that was leased; gives the rest back.

    `known`: who need no look at Intercom any more, although they are not done.
    """
    done = [key for key, ending in ended.items() if isinstance(ending, Done)]
    deleted = run(cursor, "finish_done", kind=kind, token=token, keys=done) if done else 0
    if deleted < len(ended):
        documents = [
            {**_ending_document(key, ending), "known": key in known}
            for key, ending in ended.items()
        ]
        run(cursor, "finish_rest", kind=kind, token=token, endings=document(documents))


def _ending_document(key: str, ending: Ending) -> dict[str, Any]:
    empty = {"key": key, "done": False, "parked": False, "delay": None, "attempts": 0}
    match ending:
        case Done():
            return {**empty, "done": True}
        case RetryIn(seconds, error, attempts, row_hash):
            facts = {"delay": seconds, "attempts": attempts, "hash": row_hash}
        case Parked(error, row_hash, attempts, seconds, until):
            facts = {"parked": True, "delay": seconds, "attempts": attempts, "hash": row_hash}
            facts["until"] = until.isoformat() if until else None
    return {**empty, **facts, "error": failure_document(error)}


def hand_over(
    cursor: Cursor[TupleRow], kind: QueueKind, lost: set[str], conflicts: Mapping[str, Failure]
) -> Recorded:
    """Queues again whom another run took over: to be read first, whatever that run did."""
    enqueue(cursor, kind, dict.fromkeys(lost, 0.0), cause=Cause.LEASE_LOST, needs_read=True)
    return Recorded(frozenset(lost), conflicts)
