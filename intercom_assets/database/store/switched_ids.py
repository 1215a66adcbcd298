"""Ids that the app switched: whose e-mail or name it was, and links moved from old ids to new ones.

Which id is whose is decided elsewhere (`domain/switched_ids`). A link is moved only while both its
rows of the queue are the caller's, so no run is at work on either id.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.store.connection import StorePart, StorePool, run
from intercom_assets.database.store.endings import lock_rows
from intercom_assets.database.store.enqueuing import enqueue
from intercom_assets.database.store.journal import add_journal
from intercom_assets.domain.models import JournalEntry
from intercom_assets.domain.switched_ids import Identity
from intercom_assets.domain.vocabulary import Cause, QueueKind

_IDENTITIES = {QueueKind.USER: "user_identities", QueueKind.TEAM: "team_identities"}
_NEAR = {QueueKind.USER: "users_near", QueueKind.TEAM: "teams_near"}


class SwitchedIdStore(StorePart):
    """Who might be whom, and the move itself."""

    def __init__(self, pool: StorePool, *, journal_values: bool) -> None:
        super().__init__(pool)
        self._journal_values = journal_values

    def identities(self, kind: QueueKind, marks: Sequence[str]) -> list[Identity]:
        """Linked users (teams) whose remembered e-mail (name) is one of these."""
        found = self._pool.dicts(_IDENTITIES[kind], marks=list(marks)) if marks else []
        return [Identity(**row) for row in found]

    def near(self, kind: QueueKind, key: str, number: int) -> list[Identity]:
        """Linked ones with a mark, not marked as deleted: `number` on both sides of `key`."""
        return [Identity(**row) for row in self._pool.dicts(_NEAR[kind], key=key, number=number)]

    def unlinked_among(self, kind: QueueKind, ids: Sequence[str]) -> list[str]:
        """Those of the ids that have no contact (company), and were not erased."""
        known = {row[0] for row in self._pool.rows(f"linked_{kind}s_among", ids=list(ids))}
        unlinked = [key for key in dict.fromkeys(ids) if key not in known]
        if unlinked and kind is QueueKind.USER:
            erased = {row[0] for row in self._pool.rows("tombstoned", ids=unlinked)}
            unlinked = [key for key in unlinked if key not in erased]
        return unlinked

    def move_user_links(
        self,
        token: UUID,
        run_id: str,
        moves: Mapping[str, str],
        journal: Sequence[JournalEntry],
        made_for_it: Sequence[str] = (),
    ) -> frozenset[str]:
        """Gives each new id all that is remembered of the old one (old -> new), and queues it.

        Returns the old ids that another run has by now: of them nothing was moved. `journal`: by
        the new ids. `made_for_it`: rows of the queue that go, unless they changed since the lease.
        """

        def work(cursor: Cursor[TupleRow]) -> frozenset[str]:
            ours = lock_rows(cursor, QueueKind.USER, token, [*moves, *moves.values()])
            held = {old: new for old, new in moves.items() if {old, new} <= ours}
            ids = {"old": list(held), "new": list(held.values())}
            keys = [*held, *held.values()]
            for name in ("drop_new_links", "drop_new_edges"):
                run(cursor, name, new=ids["new"])
            for name in ("move_links", "move_edges"):
                run(cursor, name, **ids)
            run(cursor, "forget_gone", kind=QueueKind.USER, keys=keys)
            run(cursor, "drop_queued", kind=QueueKind.USER, keys=keys, token=token)
            run(cursor, "finish_done", kind=QueueKind.USER, keys=list(made_for_it), token=token)
            entries = [entry for entry in journal if entry.key in ids["new"]]
            add_journal(cursor, run_id, entries, values=self._journal_values)
            queued = dict.fromkeys(ids["new"], 0.0)
            enqueue(cursor, QueueKind.USER, queued, cause=Cause.RELINKED, needs_read=True)
            return frozenset(moves) - held.keys()

        return self._pool.transact(work)
