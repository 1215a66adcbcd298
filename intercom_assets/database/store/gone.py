"""Linked users and teams that a successful read no longer returned: admitted as gone, or held.

More than a few in a day look like a mistake in the app (a restored copy, a wrong database), so they
wait for an operator.
"""

from collections.abc import Sequence

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.reports import HeldGone
from intercom_assets.database.store.connection import StorePart, rows, run
from intercom_assets.database.store.enqueuing import enqueue
from intercom_assets.domain.vocabulary import Cause, QueueKind


class GoneStore(StorePart):
    """The guard against a mass deletion."""

    def admit(self, kind: QueueKind, keys: Sequence[str], *, most: int) -> frozenset[str]:
        """Those of the gone who may be treated as gone; the others are held for an operator.

        Held are: who was held before, and, if more than `most` were found within a day by all runs
        together, everybody found now for the first time. Who was once released or admitted stays so
        until `forget`, which is for whoever a read returns again.
        """

        def work(cursor: Cursor[TupleRow]) -> frozenset[str]:
            ordered = sorted(set(keys))
            run(cursor, "lock_gone")
            new = [row[0] for row in rows(cursor, "note_gone", kind=kind, keys=ordered)]
            if new and rows(cursor, "count_gone", kind=kind)[0][0] > most:
                run(cursor, "hold_gone", kind=kind, keys=new)
            held = {row[0] for row in rows(cursor, "held_among", kind=kind, keys=ordered)}
            return frozenset(ordered) - held

        return self._pool.transact(work) if keys else frozenset()

    def held(self, kind: QueueKind = QueueKind.USER) -> HeldGone:
        found = self._pool.rows("held_gone", kind=kind)
        return HeldGone([row[0] for row in found], min((row[1] for row in found), default=None))

    def release(self, kind: QueueKind = QueueKind.USER) -> int:
        """The operator's word that they are gone indeed: back to the queue, and not held again."""

        def work(cursor: Cursor[TupleRow]) -> int:
            released = [row[0] for row in rows(cursor, "release_gone", kind=kind)]
            enqueue(cursor, kind, dict.fromkeys(released, 0.0), cause=Cause.RELEASED)
            return len(released)

        return self._pool.transact(work)

    def found(self, kind: QueueKind, keys: Sequence[str] | None = None) -> frozenset[str]:
        """Who is on the list, held or not: all of the kind, or those among `keys`."""
        named = None if keys is None else list(keys)
        return frozenset(row[0] for row in self._pool.rows("found_gone", kind=kind, keys=named))

    def forget(self, kind: QueueKind, keys: Sequence[str]) -> None:
        """They are back in the app: off the list, and judged anew if they go again."""
        self._pool.run("forget_gone", kind=kind, keys=list(keys))
