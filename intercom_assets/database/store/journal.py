"""What was done and why, read back; and what becomes of it: history kept, pruned or erased.

The journal is append-only: it is written with the outcome of a pass (`store_record`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.records import JournalRow, Json, LiftedTombstone, QueueKind, Tombstone
from intercom_assets.database.store.connection import Connected, aware, run
from intercom_assets.database.store.encoding import document, journal_entry

PRUNED_AT_ONCE = 10_000


class JournalStore(Connected):
    def explain(
        self, key: str, limit: int = 100, kind: QueueKind = QueueKind.USER
    ) -> list[JournalRow]:
        """One user's (team's) journal, newest first."""
        return [_row(r) for r in self.dicts("journal_of_key", kind=kind, key=key, limit=limit)]

    def journal_of_run(self, run_id: str) -> list[JournalRow]:
        """What a run did, in the order of doing."""
        return [_row(row) for row in self.dicts("journal_of_run", run_id=run_id)]

    def runs_like(self, start: str, limit: int = 2) -> list[str]:
        """Runs of the journal whose id begins so."""
        return [row[0] for row in self.rows("runs_like", start=start, limit=limit)]

    def count_journal(self, since: datetime) -> dict[str, int]:
        """action -> entries since then, as `status` shows overruled edits."""
        return dict(self.rows("count_journal", since=aware(since)))

    def prune_journal(self, older_than: datetime) -> int:
        """Deletes journal, counters and run members of before; how many journal entries."""
        before = aware(older_than)
        self.run("prune_members", before=before)
        self.run("prune_counters", before=before)
        pruned = 0
        while some := self.run("prune_journal", before=before, limit=PRUNED_AT_ONCE):
            pruned += some
        return pruned

    # --- erased users -----------------------------------------------------------------------------

    def add_tombstone(self, user_id: str, receipt: Mapping[str, Json] | None = None) -> None:
        """Before the first call of an erasure; again with what is to be added to the receipt."""
        self.run("add_tombstone", user_id=user_id, receipt=document(receipt or {}))

    def tombstoned(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of the ids that were erased and must not be created again."""
        return frozenset(row[0] for row in self.rows("tombstoned", ids=list(ids)))

    def tombstones(self, ids: Sequence[str] | None = None) -> list[Tombstone]:
        """Of everybody who was erased, or of those of the ids."""
        named = None if ids is None else list(ids)
        return [Tombstone(*row) for row in self.rows("tombstones", ids=named)]

    def lift_tombstone(self, user_id: str, by: str, reason: str) -> bool:
        """True if there was one. The person may be created again; who said so, and why, stays."""
        return self.run("lift_tombstone", user_id=user_id, by=by, reason=reason) == 1

    def lifted_tombstones(self) -> list[LiftedTombstone]:
        return [LiftedTombstone(*row) for row in self.rows("lifted_tombstones")]

    def remove_tombstone(self, user_id: str) -> bool:
        """True if there was one: the person may be created again."""
        return self.run("remove_tombstone", user_id=user_id) == 1

    def forget_user(self, user_id: str) -> None:
        """Deletes all that we hold about a user but the tombstone. A run that works on the user at
        this moment finds its lease gone and writes nothing."""

        def work(cursor: Cursor[TupleRow]) -> None:
            for name in ("queue", "link", "edges", "journal", "gone"):
                run(cursor, f"forget_user_{name}", user_id=user_id)

        self.transact(work)


def _row(row: dict[str, Any]) -> JournalRow:
    return JournalRow(row["id"], row["at"], row["run_id"], journal_entry(row))
