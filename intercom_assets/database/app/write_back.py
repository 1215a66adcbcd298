"""Compare-and-set write-backs into the app's tables, read back and unlogged in one transaction.

A row that somebody else has locked is left alone (`busy`), one that moved on is not overwritten
(`changed`), one that the app's own checks or triggers reject costs its user only (`refused`). The
change log's rows that the write-back itself made are taken out again, and no others.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeAlias, TypeVar

import psycopg
from psycopg import errors

from intercom_assets.database.app.columns import Shape
from intercom_assets.database.app.read_back import (
    READS_OPPOSITE,
    ReadsOppositeError,
    require_same_flags,
)
from intercom_assets.database.app.reads import Source, read_some
from intercom_assets.database.app.write_target import Target, parameters
from intercom_assets.database.capture.log_removal import log_position, take_back
from intercom_assets.database.connections import AppConnection
from intercom_assets.database.failures import message_of
from intercom_assets.domain.models import AppTeam, AppUser, Gone, InvalidRow, Value, Values

T = TypeVar("T", AppUser, AppTeam)
Status = Literal["written", "busy", "changed", "refused"]
Verdict = tuple[Status, str | None]

_BUSY = (errors.LockNotAvailable, errors.DeadlockDetected, errors.QueryCanceled)
_OF_ROWS = (psycopg.Error, UnicodeError, ReadsOppositeError)
_OURS = (psycopg.OperationalError, psycopg.InterfaceError, errors.ReadOnlySqlTransaction)


@dataclass(frozen=True, slots=True)
class WriteBack:
    """`new` is stored if the row still has `expected`; both by field name, canonical.

    `intercom_id` goes where `write_back.intercom_id` says; None leaves what is there.
    """

    id: str
    expected: Values = field(default_factory=dict)
    new: Values = field(default_factory=dict)
    intercom_id: str | None = None


@dataclass(frozen=True, slots=True)
class Written(Generic[T]):
    """`row`: the mapped row after the write, which may not hold what was sent.

    written: stored, or there already. busy: another session has the row; try later. changed: the
    row is not as expected. refused: the app does not take the value, or has no row for it in the
    table that is written (a profile that is yet to be made), for `reason`.
    """

    id: str
    status: Status
    row: T | InvalidRow | Gone
    reason: str | None = None


WrittenBack: TypeAlias = Written[AppUser]
WrittenTeam: TypeAlias = Written[AppTeam]


@dataclass(frozen=True, slots=True)
class _Change:
    """What is left to store of a request. `fields` in the order of the statement."""

    request: WriteBack
    fields: tuple[str, ...]
    intercom_id: str | None

    @property
    def parameters(self) -> list[object]:
        return parameters(self.fields, self.request.new, self.intercom_id, self.request.id)

    @property
    def secrets(self) -> list[object]:
        return [*self.request.new.values(), *self.request.expected.values()]


def write_back(
    connection: AppConnection,
    target: Target,
    source: Source[T],
    kind: str,
    requests: Sequence[WriteBack],
) -> dict[str, Written[T]]:
    """In the caller's transaction. `kind`: whom the log wakes for such a row, user or team."""
    by_id = {request.id: request for request in requests}
    position = log_position(connection)
    slots = _lock(connection, target, source, list(by_id))
    rows = read_some(connection, source, list(by_id))
    verdicts: dict[str, Verdict] = {
        key: ("refused", "the table of write_back has no row for it")
        for key in without_row(connection, target, source.shape, by_id.keys() - slots.keys())
        if not isinstance(rows[key], Gone | InvalidRow)
    }
    changes: list[_Change] = []
    for key, request in by_id.items():
        if key in verdicts:
            continue
        found = _compared(request, rows[key], slots.get(key))
        if isinstance(found, _Change):
            changes.append(found)
        else:
            verdicts[key] = found
    verdicts |= _store(connection, target, source, changes)
    stored = [c.request.id for c in changes if verdicts[c.request.id][0] == "written"]
    rows |= read_some(connection, source, stored)
    take_back(connection, position, kind, stored)
    return {key: Written(key, verdicts[key][0], rows[key], verdicts[key][1]) for key in by_id}


@dataclass(frozen=True, slots=True)
class _Present:
    """What a locked row has where the Intercom id goes."""

    intercom_id: str | None
    blocked_by: str | None


def _lock(
    connection: AppConnection, target: Target, source: Source[T], keys: Sequence[str]
) -> dict[str, _Present]:
    ids = source.shape.ids["id"]
    spelled = [key for key in keys if ids.spells(key)]
    rows = connection.execute(target.locking(), (spelled,)).fetchall()
    return {key: _Present(present, blocked) for key, present, blocked in rows}


def without_row(
    connection: AppConnection, target: Target, shape: Shape, keys: Collection[str]
) -> set[str]:
    """Of the keys that could not be locked: those that are nobody's lock, but not there."""
    if not keys:
        return set()
    spelled = [key for key in keys if shape.ids["id"].spells(key)]
    there = {key for (key,) in connection.execute(target.keys(), (spelled,)).fetchall()}
    return set(keys) - there


def _compared(
    request: WriteBack, row: AppUser | AppTeam | InvalidRow | Gone, present: _Present | None
) -> _Change | Verdict:
    """What is to be stored, or the verdict without storing anything."""
    if isinstance(row, Gone | InvalidRow):
        return "changed", None
    if present is None:
        return "busy", None
    now = row.values
    fields = tuple(sorted(n for n, value in request.new.items() if not _same(now.get(n), value)))
    moved = [
        name
        for name, value in request.expected.items()
        if not _same(now.get(name), value) and (name in fields or name not in request.new)
    ]
    if moved:
        return "changed", None
    wanted = request.intercom_id if request.intercom_id != present.intercom_id else None
    if wanted is not None and present.blocked_by:
        return "refused", f"the column for the Intercom id holds a JSON {present.blocked_by}"
    return _Change(request, fields, wanted) if fields or wanted is not None else ("written", None)


def _same(value: Value, other: Value) -> bool:
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def _store(
    connection: AppConnection, target: Target, source: Source[T], changes: Sequence[_Change]
) -> Mapping[str, Verdict]:
    """All rows that change the same columns at once; if one is refused, each by itself."""
    groups: dict[tuple[tuple[str, ...], bool], list[_Change]] = defaultdict(list)
    for change in changes:
        groups[change.fields, change.intercom_id is not None].append(change)
    verdicts: dict[str, Verdict] = {}
    for group in groups.values():
        try:
            verdicts |= _stored(connection, target, source, group)
        except _OF_ROWS as error:
            if connection.broken:
                raise
            verdicts |= _one_by_one(connection, target, source, group, error)
    return verdicts


def _one_by_one(
    connection: AppConnection,
    target: Target,
    source: Source[T],
    group: Sequence[_Change],
    error: Exception,
) -> dict[str, Verdict]:
    if len(group) == 1:
        return {group[0].request.id: _verdict(error, group[0])}
    verdicts: dict[str, Verdict] = {}
    for change in group:
        try:
            verdicts |= _stored(connection, target, source, [change])
        except _OF_ROWS as own:
            verdicts[change.request.id] = _verdict(own, change)
    return verdicts


def _stored(
    connection: AppConnection, target: Target, source: Source[T], group: Sequence[_Change]
) -> dict[str, Verdict]:
    """Within a savepoint. A row that a trigger of the app passed over was refused by it."""
    statement = target.update(group[0].fields, group[0].intercom_id is not None)
    returned: set[str] = set()
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(statement, [change.parameters for change in group], returning=True)
        more: bool | None = True
        while more:
            returned.update(key for (key,) in cursor.fetchall())
            more = cursor.nextset()
        new = {c.request.id: c.request.new for c in group if c.request.id in returned}
        require_same_flags(connection, source, new)
    passed_over: Verdict = ("refused", "a trigger of the app's table passed the row over")
    ids = [change.request.id for change in group]
    return {key: ("written", None) if key in returned else passed_over for key in ids}


def _verdict(error: Exception, change: _Change) -> Verdict:
    """Raises what is no row's fault: a lost connection, a missing right, a wrong mapping."""
    if isinstance(error, ReadsOppositeError):
        return "refused", READS_OPPOSITE
    if isinstance(error, _BUSY):
        return "busy", None
    if isinstance(error, _OURS):
        raise error
    if isinstance(error, psycopg.ProgrammingError) and error.diag.context is None:
        # Errors inside the app's triggers have a context; ours, in the statement itself, do not.
        raise error
    return "refused", message_of(error, change.secrets)
