"""Writes down what a pass is about to do, and what it did: the two ends of every chunk.

Both happen only for rows that still carry the run's token, checked with the rows locked, so a run
that was overtaken cannot write an older truth over a newer one. One statement per table, however
many users; one transaction per chunk.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.records import (
    Done,
    Ending,
    Failure,
    InFlight,
    Parked,
    Recorded,
    RetryIn,
    TeamRecord,
    UserRecord,
)
from intercom_assets.database.store.connection import StorePart, StorePool, rows, run
from intercom_assets.database.store.encoding import (
    document,
    edge_documents,
    failure_document,
    journal_document,
    team_document,
    user_document,
)
from intercom_assets.database.store.queue import enqueue
from intercom_assets.domain.models import JournalEntry, Values
from intercom_assets.domain.vocabulary import Cause, QueueKind

Documents: TypeAlias = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Table:
    """The statements that differ between users and teams, and what Intercom calls theirs."""

    yielding: str
    owners: str
    write: str
    noun: str


_USERS = _Table("yield_contacts", "contact_owners", "write_user_links", "contact")
_TEAMS = _Table("yield_companies", "company_owners", "write_team_links", "company")


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
                noted: Documents = [{"user_id": n.user_id, "values": n.values} for n in held]
                run(cursor, "note_in_flight", notes=document(noted))
                _write_edges(cursor, [e for n in held for e in edge_documents(n.user_id, n.edges)])
            return frozenset(note.user_id for note in notes) - ours

        return self._pool.transact(work)

    def note_teams_in_flight(self, token: UUID, notes: Mapping[str, Values]) -> frozenset[str]:
        """`note_in_flight` for teams, which are looked at anew until a pass is recorded."""

        def work(cursor: Cursor[TupleRow]) -> frozenset[str]:
            ours = lock_rows(cursor, QueueKind.TEAM, token, list(notes))
            noted: Documents = [{"team_id": key, "values": notes[key]} for key in sorted(ours)]
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
            conflicts = _write_links(cursor, _USERS, map(_user_link_document, held.values()))
            linked = {key: record for key, record in held.items() if key not in conflicts}
            _replace_edges(cursor, linked)
            kept = _not_erased(cursor, records, set(by_id) - ours)
            _add_entries(cursor, run_id, kept, set(by_id) - ours, values=self._journal_values)
            _finish(cursor, QueueKind.USER, token, _endings(held, conflicts))
            return _recorded(cursor, QueueKind.USER, set(by_id) - ours, conflicts)

        return self._pool.transact(work)

    def record_teams(self, token: UUID, run_id: str, records: Sequence[TeamRecord]) -> Recorded:
        """`record_users` for teams."""
        by_id = {record.link.team_id: record for record in records}

        def work(cursor: Cursor[TupleRow]) -> Recorded:
            ours = lock_rows(cursor, QueueKind.TEAM, token, list(by_id))
            held = {key: record for key, record in by_id.items() if key in ours}
            conflicts = _write_links(
                cursor, _TEAMS, (team_document(record.link) for record in held.values())
            )
            _add_entries(cursor, run_id, records, set(by_id) - ours, values=self._journal_values)
            known = {key for key, record in held.items() if record.is_known}
            _finish(cursor, QueueKind.TEAM, token, _endings(held, conflicts), known)
            return _recorded(cursor, QueueKind.TEAM, set(by_id) - ours, conflicts)

        return self._pool.transact(work)


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


def _add_entries(
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


def lock_rows(
    cursor: Cursor[TupleRow], kind: QueueKind, token: UUID, keys: Sequence[str]
) -> frozenset[str]:
    """Locks the rows; those that still carry our token."""
    found = rows(cursor, "lock_rows", kind=kind, token=token, keys=list(keys))
    return frozenset(key for key, ours in found if ours)


def _write_links(
    cursor: Cursor[TupleRow], table: _Table, links: Iterable[dict[str, Any]]
) -> dict[str, Failure]:
    """Writes the links but those whose contact or company is somebody else's: these are returned.

    A link that comes in between raises a unique violation, and the transaction is tried again.
    """
    documents = sorted(links, key=lambda link: str(link["id"]))
    if not documents:
        return {}
    claimed = {
        "ids": [link["id"] for link in documents],
        "contacts": [link["other_id"] for link in documents],
    }
    run(cursor, table.yielding, **claimed)
    owners = {**_claimed_twice(documents), **dict(rows(cursor, table.owners, **claimed))}
    run(
        cursor,
        table.write,
        links=document([link for link in documents if link["id"] not in owners]),
    )
    return {key: _conflict(table.noun, owner) for key, owner in owners.items()}


def _claimed_twice(documents: Documents) -> dict[str, str]:
    """Within the chunk, the first by id gets the contact: the others -> that id."""
    first: dict[str, str] = {}
    return {
        link["id"]: owner
        for link in documents
        if link["other_id"] is not None
        and (owner := first.setdefault(link["other_id"], link["id"])) != link["id"]
    }


def _conflict(noun: str, owner: str) -> Failure:
    return Failure(
        f"the {noun} in Intercom is already linked to id {owner} of the app", code="linked_twice"
    )


def _replace_edges(cursor: Cursor[TupleRow], records: Mapping[str, UserRecord]) -> None:
    edges = [
        edge
        for key, record in records.items()
        for edge in edge_documents(key, record.link.edges.values())
    ]
    if records:
        run(cursor, "delete_other_edges", ids=list(records), edges=document(edges))
        _write_edges(cursor, edges)


def _write_edges(cursor: Cursor[TupleRow], edges: Sequence[dict[str, str]]) -> None:
    if edges:
        run(cursor, "write_edges", edges=document(list(edges)))


def _not_erased(
    cursor: Cursor[TupleRow], records: Sequence[UserRecord], lost: set[str]
) -> list[UserRecord]:
    """Without those of the lost who were erased meanwhile: nothing of them is written again."""
    found = rows(cursor, "tombstoned", ids=sorted(lost)) if lost else []
    erased = {row[0] for row in found}
    return [record for record in records if record.link.user_id not in erased]


def _endings(
    held: Mapping[str, UserRecord] | Mapping[str, TeamRecord], conflicts: Mapping[str, Failure]
) -> dict[str, Ending]:
    return {
        key: Parked(conflicts[key], record.link.row_hash) if key in conflicts else record.outcome
        for key, record in held.items()
    }


def _finish(
    cursor: Cursor[TupleRow],
    kind: QueueKind,
    token: UUID,
    endings: Mapping[str, Ending],
    known: Collection[str] = (),
) -> None:
    """Deletes what is done at the number that was leased; gives the rest back.

    `known`: who need no look at Intercom any more, although they are not done.
    """
    done = [key for key, ending in endings.items() if isinstance(ending, Done)]
    deleted = run(cursor, "finish_done", kind=kind, token=token, keys=done) if done else 0
    if deleted < len(endings):
        documents = [
            {**_ending_document(key, ending), "known": key in known}
            for key, ending in endings.items()
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


def _recorded(
    cursor: Cursor[TupleRow], kind: QueueKind, lost: set[str], conflicts: Mapping[str, Failure]
) -> Recorded:
    enqueue(cursor, kind, dict.fromkeys(lost, 0.0), cause=Cause.LEASE_LOST, needs_read=True)
    return Recorded(frozenset(lost), conflicts)


def _user_link_document(record: UserRecord) -> dict[str, Any]:
    in_flight = {} if isinstance(record.outcome, Done) else record.link.in_flight
    return user_document(record.link, in_flight=in_flight)
