"""What a run wrote, taken back: from the journal, by compare-and-set, with a plan first.

An undo is a run of its own: it leases whom it touches, reads both sides by id, takes back what
still is as the run left it, and journals that. Both sides then stay so until one of them changes
(`UserLink.undone`), or the next sync would write the same again: an undo repairs the past, the next
change is decided by the mapping as ever.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

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
from intercom_assets.intercom.pool import Done as Answered
from intercom_assets.intercom.pool import Failed, Pool
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
            for keys in _some(list(entries)):
                undos = _undos(services, kind, keys, entries)
                for one in pool.run(
                    lambda undo: undo.look(services.intercom.with_deadline(None)), undos
                ):
                    if not isinstance(one, Answered):
                        raise one.error if isinstance(one, Failed) else pool.fatal or KeyError
                steps += [step for undo in undos for step in undo.steps()]
    return steps


def undo(services: Services, undo_run: str, run_id: str) -> Iterator[list[UndoStep]]:
    """Takes back what is due, some users or teams at a time; yields their steps once durable.

    Raises `IntercomError` where it is fatal, and `AppUnavailable`; what was yielded stays done.
    """
    require_workspace(services)
    settings = services.settings
    with (
        UsageRecorder(services) as meter,
        Heartbeat(services.store, undo_run, Cause.UNDO, settings, on_heartbeat=meter.note) as pulse,
        Pool(settings.threads) as pool,
    ):
        for kind, entries in _journal(services, run_id).items():
            for keys in _some(list(entries)):
                yield _some_undone(services, pulse, pool, undo_run, kind, keys, entries)


def _some_undone(
    services: Services,
    pulse: Heartbeat,
    pool: Pool,
    undo_run: str,
    kind: QueueKind,
    keys: Sequence[str],
    entries: Entries,
) -> list[UndoStep]:
    services.store.queue.enqueue_missing(kind, keys, cause=Cause.UNDO)
    with pulse.lease(kind, len(keys), keys=keys) as lease:
        leased = {row.key: row for row in lease.rows}
        undos = _undos(services, kind, sorted(leased), entries)
        attempt = Attempt(undo_run, services.now(), undoes=True)
        _look_and_note(services, pool, lease, kind, undos, attempt)
        pool.run(lambda each: each.take_back(services.intercom.with_deadline(_until(lease))), undos)
        if pool.fatal is not None:
            raise pool.fatal
        _record(services, lease, undo_run, kind, undos, leased)
    busy = _undos(services, kind, [key for key in keys if key not in leased], entries)
    return [
        *(step for each in undos for step in each.steps()),
        *(replace(step, state=StepState.BUSY) for each in busy for step in each.steps()),
    ]


def _look_and_note(
    services: Services,
    pool: Pool,
    lease: Lease,
    kind: QueueKind,
    undos: Sequence[Undo],
    attempt: Attempt,
) -> None:
    pool.run(lambda each: each.look(services.intercom.with_deadline(_until(lease))), undos)
    notes = {each.key: note for each in undos if (note := each.in_flight(attempt))}
    if not notes:
        return
    if kind is QueueKind.USER:
        lost = services.store.records.note_in_flight(
            lease.token, [InFlight(key, note) for key, note in notes.items()]
        )
    else:
        lost = services.store.records.note_teams_in_flight(lease.token, notes)
    for each in undos:
        if each.key in lost:
            each.problem = "another run took it over"


def _until(lease: Lease) -> Callable[[], float]:
    return lambda: lease.deadline


def _record(
    services: Services,
    lease: Lease,
    undo_run: str,
    kind: QueueKind,
    undos: Sequence[Undo],
    leased: dict[str, Leased],
) -> None:
    journals = {
        each.key: [*each.found_done(), *(_entry(step) for step in each.done)] for each in undos
    }
    endings = {each.key: _ending(leased[each.key], each.settled) for each in undos}
    if kind is QueueKind.USER:
        users = [
            UserRecord(each.link(), endings[each.key], journals[each.key])
            for each in undos
            if isinstance(each, UserUndo)
        ]
        services.store.records.record_users(lease.token, undo_run, users)
        return
    teams = [
        TeamRecord(each.link(), endings[each.key], journals[each.key])
        for each in undos
        if isinstance(each, TeamUndo)
    ]
    services.store.records.record_teams(lease.token, undo_run, teams)


def _ending(row: Leased, settled: bool) -> Ending:
    """The row goes back as it was found; one that was made for the undo goes, if it may."""
    if parked := left_parked(row):
        return parked
    if row.cause == Cause.UNDO and settled:
        return Done()
    return RetryIn(0.0, row.error, row.attempts, row.failed_hash)


def _entry(step: UndoStep) -> JournalEntry:
    """In the words of the journal, so that an undo can be undone like any run."""
    why = "reverted by an operator"
    match step.act:
        case Act.ATTACHED:
            action, old, new = Action.DETACHED, step.journaled_as, None
        case Act.DETACHED:
            action, old, new = Action.ATTACHED, None, step.journaled_as
        case Act.ARCHIVED:
            return JournalEntry(
                step.kind, step.key, Action.UNARCHIVED, None, Side.INTERCOM, None, None, why
            )
        case _:
            return JournalEntry(
                step.kind, step.key, Action.UNDONE, step.what, step.side, step.wrote, step.was, why
            )
    return JournalEntry(step.kind, step.key, action, None, Side.INTERCOM, old, new, why)


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


def _some(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]
