"""What was done and why, read back; and what is kept of it.

The journal is append-only: it is written with the outcome of a pass (`record`).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.records import TeamRecord, UserRecord
from intercom_assets.database.reports import JournalRow
from intercom_assets.database.store.connection import StorePart, StorePool, aware, run
from intercom_assets.database.store.encoding import document, journal_document, journal_entry
from intercom_assets.domain.models import JournalEntry
from intercom_assets.domain.vocabulary import QueueKind

PRUNED_AT_ONCE = 10_000


class JournalStore(StorePart):
    """Every write, and every decision against somebody's edit. Append-only."""

    def __init__(self, pool: StorePool, *, journal_values: bool) -> None:
        super().__init__(pool)
        self._journal_values = journal_values

    def add(self, run_id: str, entries: Sequence[JournalEntry]) -> None:
        """For what is written outside a pass, as `undo` and `erase` do."""
        self._pool.transact(
            lambda cursor: add_journal(cursor, run_id, entries, values=self._journal_values)
        )

    def of_key(
        self, key: str, limit: int = 100, kind: QueueKind = QueueKind.USER
    ) -> list[JournalRow]:
        """One user's (team's) journal, newest first."""
        return [
            _row(r) for r in self._pool.dicts("journal_of_key", kind=kind, key=key, limit=limit)
        ]

    def of_run(self, run_id: str) -> list[JournalRow]:
        """What a run did, in the order of doing."""
        return [_row(row) for row in self._pool.dicts("journal_of_run", run_id=run_id)]

    def runs_like(self, start: str, limit: int = 2) -> list[str]:
        """Runs of the journal whose id begins so."""
        return [row[0] for row in self._pool.rows("runs_like", start=start, limit=limit)]

    def count(self, since: datetime) -> dict[str, int]:
        """action -> entries since then, as `status` shows overruled edits."""
        return dict(self._pool.rows("count_journal", since=aware(since)))

    def prune(self, older_than: datetime) -> int:
        """Deletes journal, counters and run members of before; how many journal entries."""
        before = aware(older_than)
        self._pool.run("prune_members", before=before)
        self._pool.run("prune_counters", before=before)
        self._pool.run("prune_notifications", before=before)
        pruned = 0
        while deleted := self._pool.run("prune_journal", before=before, limit=PRUNED_AT_ONCE):
            pruned += deleted
        return pruned


def _row(row: dict[str, Any]) -> JournalRow:
    return JournalRow(row["id"], row["at"], row["run_id"], journal_entry(row))


def add_journal(
    cursor: Cursor[TupleRow], run_id: str, entries: Sequence[JournalEntry], *, values: bool
) -> None:
    _add(cursor, "add_journal", run_id, entries, values=values)


def _add(
    cursor: Cursor[TupleRow],
    statement: str,
    run_id: str,
    entries: Sequence[JournalEntry],
    *,
    values: bool,
) -> None:
    if entries:
        documents = [journal_document(entry, values=values) for entry in entries]
        run(cursor, statement, run_id=run_id, entries=document(documents))


def add_entries(
    cursor: Cursor[TupleRow],
    run_id: str,
    records: Sequence[UserRecord] | Sequence[TeamRecord],
    lost: Collection[str],
    *,
    values: bool,
) -> None:
    """Of everybody, also of the `lost`: what was written there was written. Once, whoever says it:
    of these the run that took them over may have found it done."""
    plain: list[JournalEntry] = []
    once: list[JournalEntry] = []
    for entry in (entry for record in records for entry in record.journal):
        (once if entry.by is not None or entry.key in lost else plain).append(entry)
    _add(cursor, "add_journal_once", run_id, once, values=values)
    _add(cursor, "add_journal", run_id, plain, values=values)
