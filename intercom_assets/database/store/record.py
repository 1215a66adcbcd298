"""Writes down what a pass is about to do, and what it did: the two ends of every chunk.

Both happen only for rows that still carry the run's token, checked with the rows locked, so a run
that was overtaken cannot write an older truth over a newer one. One statement per table, however
many users; one transaction per chunk.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.records import Done, InFlight, Recorded, TeamRecord, UserRecord
from intercom_assets.database.store.connection import StorePart, StorePool, rows, run
from intercom_assets.database.store.encoding import (
    document,
    edge_documents,
    team_document,
    user_document,
)
from intercom_assets.database.store.endings import endings, finish, hand_over, lock_rows
from intercom_assets.database.store.journal import add_entries
from intercom_assets.database.store.link_writes import (
    Document,
    replace_edges,
    write_edges,
    write_links,
)
from intercom_assets.domain.models import Values
from intercom_assets.domain.vocabulary import QueueKind


class RecordStore(StorePart):
    """Both ends of a chunk. `journal_values=False`: names of fields, not what was in them."""

    def __init__(self, pool: StorePool, *, journal_values: bool) -> None:
        super().__init__(pool)
        self._journal_values = journal_values

    def note_in_flight(self, token: UUID, notes: Sequence[InFlight]) -> frozenset[str]:
        """Notes what is about to be sent, before the first call of the chunk.

        Returns the users whom another run took over: nothing was noted for them, and nothing must
        be sent. Notes of one pass add up, field by field, until the pass is recorded.
        """

        def work(cursor: Cursor[TupleRow]) -> frozenset[str]:
            ours = lock_rows(cursor, QueueKind.USER, token, [note.user_id for note in notes])
            held = [note for note in notes if note.user_id in ours]
            if held:
                noted: list[Document] = [{"user_id": n.user_id, "values": n.values} for n in held]
                run(cursor, "note_in_flight", notes=document(noted))
                write_edges(cursor, [e for n in held for e in edge_documents(n.user_id, n.edges)])
            return frozenset(note.user_id for note in notes) - ours

        return self._pool.transact(work)

    def note_teams_in_flight(self, token: UUID, notes: Mapping[str, Values]) -> frozenset[str]:
        """`note_in_flight` for teams, which are looked at anew until a pass is recorded."""

        def work(cursor: Cursor[TupleRow]) -> frozenset[str]:
            ours = lock_rows(cursor, QueueKind.TEAM, token, list(notes))
            noted: list[Document] = [{"team_id": key, "values": notes[key]} for key in sorted(ours)]
            run(cursor, "note_teams_in_flight", keys=list(ours))
            run(cursor, "note_team_values", notes=document(noted))
            return frozenset(notes) - ours

        return self._pool.transact(work)

    def record_users(self, token: UUID, run_id: str, records: Sequence[UserRecord]) -> Recorded:
        """Makes the chunk durable: links, edges, journal, and what becomes of the queue's rows.

        A row whose number moved since the lease stays due, whatever the outcome. If the answer to
        the commit is lost, recording again is safe: who was recorded comes back as `lost`, which
        costs one read each.
        """
        by_id = {record.link.user_id: record for record in records}

        def work(cursor: Cursor[TupleRow]) -> Recorded:
            ours = lock_rows(cursor, QueueKind.USER, token, list(by_id))
            held = {key: record for key, record in by_id.items() if key in ours}
            conflicts = write_links(cursor, QueueKind.USER, map(_user_link_document, held.values()))
            linked = {key: record for key, record in held.items() if key not in conflicts}
            replace_edges(cursor, linked)
            kept = _not_erased(cursor, records, set(by_id) - ours)
            add_entries(cursor, run_id, kept, set(by_id) - ours, values=self._journal_values)
            finish(cursor, QueueKind.USER, token, endings(held, conflicts))
            return hand_over(cursor, QueueKind.USER, set(by_id) - ours, conflicts)

        return self._pool.transact(work)

    def record_teams(self, token: UUID, run_id: str, records: Sequence[TeamRecord]) -> Recorded:
        """`record_users` for teams."""
        by_id = {record.link.team_id: record for record in records}

        def work(cursor: Cursor[TupleRow]) -> Recorded:
            ours = lock_rows(cursor, QueueKind.TEAM, token, list(by_id))
            held = {key: record for key, record in by_id.items() if key in ours}
            conflicts = write_links(
                cursor, QueueKind.TEAM, (team_document(record.link) for record in held.values())
            )
            add_entries(cursor, run_id, records, set(by_id) - ours, values=self._journal_values)
            known = {key for key, record in held.items() if record.is_known}
            finish(cursor, QueueKind.TEAM, token, endings(held, conflicts), known)
            return hand_over(cursor, QueueKind.TEAM, set(by_id) - ours, conflicts)

        return self._pool.transact(work)


def _not_erased(
    cursor: Cursor[TupleRow], records: Sequence[UserRecord], lost: set[str]
) -> list[UserRecord]:
    """Without those of the lost who were erased meanwhile: nothing of them is written again."""
    found = rows(cursor, "tombstoned", ids=sorted(lost)) if lost else []
    erased = {row[0] for row in found}
    return [record for record in records if record.link.user_id not in erased]


def _user_link_document(record: UserRecord) -> dict[str, Any]:
    in_flight = {} if isinstance(record.outcome, Done) else record.link.in_flight
    return user_document(record.link, in_flight=in_flight)
