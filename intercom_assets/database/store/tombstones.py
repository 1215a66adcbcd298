"""Users who were erased on request, and erasures that were taken back.

A tombstone is set before the first call of an erasure and keeps its receipt: whoever has one is not
created again until an operator lifts it and says why.
"""

from collections.abc import Mapping, Sequence

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.records import Json
from intercom_assets.database.reports import LiftedTombstone, Tombstone
from intercom_assets.database.store.connection import StorePart, run
from intercom_assets.database.store.encoding import document


class TombstoneStore(StorePart):
    """Who must not be created again."""

    def add(self, user_id: str, receipt: Mapping[str, Json] | None = None) -> None:
        """Before the first call of an erasure; again with what is to be added to the receipt."""
        self._pool.run("add_tombstone", user_id=user_id, receipt=document(receipt or {}))

    def among(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of the ids that were erased and must not be created again."""
        return frozenset(row[0] for row in self._pool.rows("tombstoned", ids=list(ids)))

    def find(self, ids: Sequence[str] | None = None) -> list[Tombstone]:
        """Of everybody who was erased, or of those of the ids."""
        named = None if ids is None else list(ids)
        return [Tombstone(*row) for row in self._pool.rows("tombstones", ids=named)]

    def lift(self, user_id: str, by: str, reason: str) -> bool:
        """True if there was one. The person may be created again; who said so, and why, stays."""
        return self._pool.run("lift_tombstone", user_id=user_id, by=by, reason=reason) == 1

    def lifted(self) -> list[LiftedTombstone]:
        return [LiftedTombstone(*row) for row in self._pool.rows("lifted_tombstones")]

    def forget_user(self, user_id: str) -> None:
        """Deletes all that we hold about a user but the tombstone. A run that works on the user at
        this moment finds its lease gone and writes nothing."""

        def work(cursor: Cursor[TupleRow]) -> None:
            for name in ("queue", "link", "edges", "journal", "gone", "sync_now"):
                run(cursor, f"forget_user_{name}", user_id=user_id)

        self._pool.transact(work)
