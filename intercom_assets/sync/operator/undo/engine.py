"""What a run wrote, taken back: from the journal, by compare-and-set, with a plan first.

An undo is a run of its own: it leases whom it touches, reads both sides by id, takes back what
still is as the run left it, and journals that. Both sides then stay so until one of them changes
(`UserLink.undone`), or the next sync would write the same again: an undo repairs the past, the next
change is decided by the mapping as ever.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from intercom_assets.database.records import (
    Done,
    Ending,
    InFlight,
    Leased,
    RetryIn,
    TeamRecord,
    UserRecord,
)
from intercom_assets.database.store.store import Store
from intercom_assets.domain.attempts import Attempt
from intercom_assets.domain.errors import OperatorError
from intercom_assets.domain.models import JournalEntry, Side
from intercom_assets.domain.vocabulary import Action, Cause, QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.pool import Answered, Failed, Pool
from intercom_assets.sync.context.leases import Heartbeat, Lease
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.usage import UsageRecorder
from intercom_assets.sync.context.work import left_parked
from intercom_assets.sync.context.workspace import require_workspace
from intercom_assets.sync.operator.undo.steps import Act, StepState, UndoStep
from intercom_assets.sync.operator.undo.teams import TeamUndo
from intercom_assets.sync.operator.undo.users import UserUndo

CHUNK = 100
"""Users or teams in one lease: each has a call or two of its own."""

Undo = UserUndo | TeamUndo
Entries = dict[str, list[JournalEntry]]


class UnknownRun(OperatorError):
    """No run, or more than one, is meant. One sentence."""


def find_run(store: Store, given: str) -> str:
    """The run whose id is, or begins with, what was given."""
    found = store.journal.runs_like(given, limit=5)
    if given in found:
        return given
    if not found:
        raise UnknownRun(f"no run {given} wrote anything that the journal still knows")
    if len(found) > 1:
        raise UnknownRun(f"{given} is not one run: {', '.join(found)}; give more of the id")
    return found[0]


def plan_undo(services: Services, run_id: str) -> list[UndoStep]:
    """What could be taken back of this run. Reads both sides (one call each), writes nothing."""
    require_workspace(services, remember=False)
    steps: list[UndoStep] = []
    with UsageRecorder(services), Pool(services.settings.threads) as pool:
        for kind, entries in _journal(services, run_id).items():
            for keys in _chunks(list(entries)):
                undos = _undos(services, kind, keys, entries)
                for ended in pool.run(
                    lambda undo: undo.look(services.intercom.with_deadline(None)), undos
                ):
                    if not isinstance(ended, Answered):
                        raise ended.error if isinstance(ended, Failed) else pool.fatal or KeyError
                steps += [step for undo in undos for step in undo.steps()]
    return steps


def undo(services: Services, undo_run: str, run_id: str) -> Iterator[list[UndoStep]]:
    """Takes back what is due, some users or teams at a time; yields their steps once durable.

    Raises `IntercomError` where it is fatal, and `AppUnavailable`; what was yielded stays done.
    """
    require_workspace(services)
    settings = services.settings
    with (
        UsageRecorder(services) as usage,
        Heartbeat(
            services.store, undo_run, Cause.UNDO, settings, on_heartbeat=usage.note
        ) as heartbeat,
        Pool(settings.threads) as pool,
    ):
        for kind, entries in _journal(services, run_id).items():
            run = _UndoRun(services, undo_run, kind, entries, heartbeat=heartbeat, pool=pool)
            for keys in _chunks(list(entries)):
                yield run.take_back(keys)


@dataclass(frozen=True, slots=True)
class _UndoRun:
    """Takes back what one run did to users, or to teams. `entries`: of the run's journal."""

    services: Services
    run_id: str
    kind: QueueKind
    entries: Entries
    heartbeat: Heartbeat
    pool: Pool

    def take_back(self, keys: Sequence[str]) -> list[UndoStep]:
        self.services.store.queue.enqueue_missing(self.kind, keys, cause=Cause.UNDO)
        with self.heartbeat.lease(self.kind, len(keys), keys=keys) as lease:
            leased = {row.key: row for row in lease.rows}
            undos = self._undos(sorted(leased))
            self._read_and_note(lease, undos)
            self.pool.run(lambda undo: undo.take_back(self._client(lease)), undos)
            if self.pool.fatal is not None:
                raise self.pool.fatal
            self._record(lease, undos, leased)
        busy = self._undos([key for key in keys if key not in leased])
        return [
            *(step for undo in undos for step in undo.steps()),
            *(replace(step, state=StepState.BUSY) for undo in busy for step in undo.steps()),
        ]

    def _undos(self, keys: Sequence[str]) -> list[Undo]:
        return _undos(self.services, self.kind, keys, self.entries)

    def _client(self, lease: Lease) -> IntercomClient:
        return self.services.intercom.with_deadline(lambda: lease.deadline)

    def _read_and_note(self, lease: Lease, undos: Sequence[Undo]) -> None:
        self.pool.run(lambda undo: undo.look(self._client(lease)), undos)
        attempt = Attempt(self.run_id, self.services.now(), undoes=True)
        notes = {undo.key: values for undo in undos if (values := undo.in_flight(attempt))}
        if not notes:
            return
        records = self.services.store.records
        if self.kind is QueueKind.USER:
            in_flight = [InFlight(key, values) for key, values in notes.items()]
            lost = records.note_in_flight(lease.token, in_flight)
        else:
            lost = records.note_teams_in_flight(lease.token, notes)
        for undo in undos:
            if undo.key in lost:
                undo.problem = "another run took it over"

    def _record(self, lease: Lease, undos: Sequence[Undo], leased: Mapping[str, Leased]) -> None:
        users, teams = [], []
        for undo in undos:
            ending = _ending(leased[undo.key], undo.settled)
            journal = [*undo.found, *map(_entry, undo.done)]
            if isinstance(undo, UserUndo):
                users.append(UserRecord(undo.link(), ending, journal))
            else:
                teams.append(TeamRecord(undo.link(), ending, journal))
        records = self.services.store.records
        if self.kind is QueueKind.USER:
            records.record_users(lease.token, self.run_id, users)
        else:
            records.record_teams(lease.token, self.run_id, teams)


def _ending(row: Leased, settled: bool) -> Ending:
    """The row goes back as it was found; one that was made for the undo goes, if it may."""
    if parked := left_parked(row):
        return parked
    if row.cause == Cause.UNDO and settled:
        return Done()
    return RetryIn(0.0, row.error, row.attempts, row.failed_hash)


def _entry(step: UndoStep) -> JournalEntry:
    """In the words of the journal, so that an undo can be undone like any run."""
    entry = JournalEntry(
        step.kind,
        step.key,
        Action.UNDONE,
        side=Side.INTERCOM,
        why="reverted by an operator",
    )
    match step.act:
        case Act.ATTACHED:
            return replace(entry, action=Action.DETACHED, old=step.journaled_as)
        case Act.DETACHED:
            return replace(entry, action=Action.ATTACHED, new=step.journaled_as)
        case Act.TAGGED:
            return replace(entry, action=Action.UNTAGGED, old=step.what)
        case Act.UNTAGGED:
            return replace(entry, action=Action.TAGGED, new=step.what)
        case Act.ARCHIVED:
            return replace(entry, action=Action.UNARCHIVED)
        case _:
            return replace(entry, field=step.what, side=step.side, old=step.wrote, new=step.was)


def _journal(services: Services, run_id: str) -> dict[QueueKind, Entries]:
    """Of each kind, what the run journaled of whom, in order."""
    found: dict[QueueKind, Entries] = {}
    for row in services.store.journal.of_run(run_id):
        kind = found.setdefault(QueueKind(row.entry.kind), {})
        kind.setdefault(row.entry.key, []).append(row.entry)
    return found


def _undos(
    services: Services, kind: QueueKind, keys: Sequence[str], entries: Entries
) -> list[Undo]:
    if kind is QueueKind.USER:
        return list(UserUndo.read(services, keys, entries))
    return list(TeamUndo.read(services, keys, entries))


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]
