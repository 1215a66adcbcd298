"""Installs, removes and inspects the change log and its triggers in the app's database.

One transaction each, and only what is not there yet; `capture.sql` has the statements. All tables
are locked before the first statement, and that is given up before PostgreSQL looks for deadlocks
(a second): the app's own statements queue up behind ours no longer, and none is ever the victim.
Reading the log is `capture_log`.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from psycopg import errors
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from intercom_assets.database.capture.guards import (
    Permissions,
    foreign_tables,
    has_log,
    objections,
    objections_to_removal,
    other_owner,
    ownership,
)
from intercom_assets.database.capture.rights import not_logged, unwritable
from intercom_assets.database.capture.watches import (
    Present,
    TriggerKey,
    Wanted,
    present_functions,
    present_triggers,
    statements,
    wanted,
)
from intercom_assets.database.connections import AppConnection, Connections
from intercom_assets.database.failures import AppUnavailable, LockedOut, Refused, told
from intercom_assets.mapping.load import SYNC_YAML, AppMapping
from intercom_assets.mapping.problems import MappingError

_TRIES = 8
_LOCKING = "set local lock_timeout = 0; set local statement_timeout = '800ms'"
_LOCKED = "set local lock_timeout = '500ms'; set local statement_timeout = '60s'"
_LOCK = "do $intercom_capture$ begin {} end $intercom_capture$"
_LOG = ("intercom_capture", "change_log")
_BACKLOG = "select count(*), min(at) from intercom_capture.change_log"
_COUNTER_EXISTS = "select to_regclass('intercom_capture.not_logged') is not null"
_SCHEMA_EXISTS = "select to_regnamespace('intercom_capture') is not null"


@dataclass(frozen=True, slots=True)
class _Change:
    """A statement, and the table that it locks. `alone`: against readers too."""

    statement: Composed
    table: tuple[str, str] | None = None
    alone: bool = False


_MAY = Permissions()
Plan: TypeAlias = Callable[[AppConnection], Iterable[_Change]]


@dataclass(frozen=True, slots=True)
class CaptureState:
    """What differs from the mapping's `watch`, as `TABLE: what` for an operator.

    `stale`: of an older version or of a watch that is no longer listed. `blind`: partitions that
    cannot have triggers. `waiting`: log rows not drained yet, the oldest of `oldest_at`.
    `foreign`: tables that only another mapping watches. `owner`: the workspace whose log it is,
    if that is another one.
    `unwritable`: why the triggers cannot write to the log. `not_logged`: statements of the app that
    they could not log since the capture was last installed.
    """

    has_log: bool
    missing: tuple[str, ...]
    disabled: tuple[str, ...]
    stale: tuple[str, ...]
    blind: tuple[str, ...]
    waiting: int = 0
    oldest_at: datetime | None = None
    foreign: tuple[str, ...] = ()
    owner: str | None = None
    unwritable: tuple[str, ...] = ()
    not_logged: int = 0

    @property
    def complete(self) -> bool:
        found = self.missing or self.disabled or self.stale or self.writing_fails
        return self.has_log and not found

    @property
    def writing_fails(self) -> bool:
        """Now, or since the capture was last installed."""
        return bool(self.unwritable or self.not_logged)


def install_capture(
    url: str, mapping: AppMapping, dry_run: bool = False, may: Permissions = _MAY
) -> list[str]:
    """Makes what is missing, and drops what is stale; gives the statements, none if complete.

    A dry run begins with what would be objected to. Raises MappingError for a watch that cannot
    be, Refused for what needs a permission, AppUnavailable for what PostgreSQL refuses.
    """

    def plan(connection: AppConnection) -> Iterable[_Change]:
        wishes = _wishes(connection, mapping)
        found = present_triggers(connection)
        yield from _objected(objections(connection, found, wishes, may), dry_run, "install-capture")
        yield from _to_install(connection, wishes, found, may)

    return _changed(url, "install-capture", plan, dry_run)


def remove_capture(url: str, dry_run: bool = False, may: Permissions = _MAY) -> list[str]:
    """Takes every trigger and function of ours and the log away, whatever the mapping says now."""

    def plan(connection: AppConnection) -> Iterable[_Change]:
        yield from _objected(objections_to_removal(connection, may), dry_run, "remove-capture")
        yield from _to_remove(connection)

    return _changed(url, "remove-capture", plan, dry_run)


def capture_state(url: str, mapping: AppMapping, workspace: str = "") -> CaptureState:
    """Compares the app's database with the mapping. Raises MappingError and AppUnavailable."""
    with Connections(url) as connections, connections.reading("the capture") as connection:
        return _state(connection, mapping, workspace)


def _objected(reasons: Iterable[str], dry_run: bool, doing: str) -> Iterable[_Change]:
    """Raises Refused; a dry run has them as comments."""
    for reason in reasons:
        if not dry_run:
            raise Refused(f"{doing}: {reason}")
        yield _Change(SQL("-- {} would stop: {}").format(SQL(doing), SQL(" ".join(reason.split()))))


def _changed(
    url: str,
    doing: str,
    plan: Plan,
    dry_run: bool,
) -> list[str]:
    with Connections(url) as connections:
        for attempt in range(1, _TRIES + 1):
            try:
                return _run(connections, doing, plan, dry_run)
            except LockedOut as error:
                if attempt == _TRIES:
                    raise AppUnavailable(
                        f"{doing}: a table was locked by the app at each of {_TRIES} tries; "
                        "nothing was changed"
                    ) from error
                time.sleep(0.5)
    raise AssertionError("the last try returns or raises")


def _allowed(doing: str, error: errors.InsufficientPrivilege) -> AppUnavailable:
    """What makes tables and triggers is the owner's to run; who reads and writes back is not."""
    return AppUnavailable(
        f"{doing}: {told(error)}: run it with APP_DATABASE_URL as the role that owns the tables in "
        "watch and has the right CREATE on the database (grant create on database NAME to ROLE); "
        "or give it the SQL that --dry-run prints"
    )


def _run(connections: Connections, doing: str, plan: Plan, dry_run: bool) -> list[str]:
    with connections.altering(doing) as connection:
        try:
            changes = list(plan(connection))
            if not dry_run:
                _lock(connection, doing, changes)
                for change in changes:
                    connection.execute(change.statement)
        except errors.InsufficientPrivilege as error:
            raise _allowed(doing, error) from error
        return [change.statement.as_string(connection) for change in changes]


def _lock(connection: AppConnection, doing: str, changes: Iterable[_Change]) -> None:
    """All that the changes lock, or nothing. Raises LockedOut."""
    alone = {change.table for change in changes if change.table and change.alone}
    beside = {change.table for change in changes if change.table} - alone
    locks = [
        SQL("lock table only {} in {} mode;").format(Identifier(*table), mode)
        for tables, mode in ((alone, SQL("access exclusive")), (beside, SQL("share row exclusive")))
        for table in sorted(tables)
    ]
    if not locks:
        return
    connection.execute(_LOCKING)
    try:
        connection.execute(SQL(_LOCK).format(SQL(" ").join(locks)))
    except (errors.QueryCanceled, errors.DeadlockDetected) as error:
        raise LockedOut(f"{doing}: the app's tables are in use") from error
    connection.execute(_LOCKED)


def _to_install(
    connection: AppConnection,
    wishes: Sequence[Wanted],
    found: dict[TriggerKey, Present],
    may: Permissions,
) -> Iterable[_Change]:
    triggers = {key: (event, w) for w in wishes for key, event in w.triggers().items()}
    functions = present_functions(connection)
    yield from _log_statements(connection)
    yield from (_Change(statement) for statement in ownership(connection, may))
    yield from _function_statements(wishes, functions)
    for key, (event, wish) in sorted(triggers.items(), key=lambda item: item[0]):
        present = found.get(key)
        if present is None:
            yield _on(key, event, function=Identifier(wish.function))
        if present is None or not present.enabled:
            yield _on(key, "enable")
    yield from _cleaning(found, functions, triggers, {wish.function for wish in wishes})


def _to_remove(connection: AppConnection) -> Iterable[_Change]:
    yield from _cleaning(present_triggers(connection), present_functions(connection), (), ())
    if has_log(connection):
        yield _Change(_named("drop_log"), _LOG, alone=True)
    if _is(connection, _COUNTER_EXISTS):
        yield _Change(_named("drop_not_logged"))
    if _is(connection, _SCHEMA_EXISTS):
        yield _Change(_named("drop_schema"))


def _cleaning(
    found: dict[TriggerKey, Present],
    functions: Iterable[str],
    kept_triggers: Iterable[TriggerKey],
    kept_functions: Iterable[str],
) -> Iterable[_Change]:
    for key in sorted(set(found) - set(kept_triggers)):
        yield _on(key, "drop_trigger", alone=True)
    for function in sorted(set(functions) - set(kept_functions)):
        yield _Change(_named("drop_function", function=Identifier(function)))


def _log_statements(connection: AppConnection) -> Iterable[_Change]:
    if not _is(connection, _SCHEMA_EXISTS):
        yield _Change(_named("schema"))
        yield _Change(_named("closed_schema"))
    if not has_log(connection):
        yield _Change(_named("log"))
        yield _Change(_named("closed_log"))
    if not _is(connection, _COUNTER_EXISTS):
        yield _Change(_named("not_logged"))
        yield _Change(_named("closed_not_logged"))
    elif not_logged(connection):
        yield _Change(_named("restart_not_logged"))


def _function_statements(wishes: Sequence[Wanted], present: frozenset[str]) -> Iterable[_Change]:
    for wish in wishes:
        if wish.function not in present:
            function = Identifier(wish.function)
            yield _Change(
                _named(
                    "function",
                    function=function,
                    column=Identifier(wish.column),
                    column_name=Literal(wish.column),
                    kind=Literal(wish.watch.wakes),
                    via=Literal(wish.function if wish.watch.select else None),
                    spelling=_named("spelling") if wish.watch.select else SQL(""),
                )
            )
            yield _Change(_named("closed_function", function=function))


def _wishes(connection: AppConnection, mapping: AppMapping) -> list[Wanted]:
    watches = mapping.settings.watch
    if not watches:
        raise MappingError(
            f"{SYNC_YAML}: watch is empty; allowed: the tables that the mapping's queries read, "
            "as in: {table: users, wakes: user, key: id}"
        )
    return [wanted(connection, watch, place) for place, watch in enumerate(watches, start=1)]


def _state(connection: AppConnection, mapping: AppMapping, workspace: str) -> CaptureState:
    wishes = _wishes(connection, mapping)
    triggers = {key: event for wish in wishes for key, event in wish.triggers().items()}
    found = present_triggers(connection)
    is_there = has_log(connection)
    waiting, oldest = (
        (connection.execute(_BACKLOG).fetchone() or (0, None)) if is_there else (0, None)
    )
    return CaptureState(
        is_there,
        missing=tuple(_told(key, triggers[key]) for key in sorted(set(triggers) - set(found))),
        disabled=tuple(
            _told(key, triggers[key])
            for key in sorted(triggers)
            if key in found and not found[key].enabled
        ),
        stale=tuple(_told(key, key.name) for key in sorted(set(found) - set(triggers))),
        blind=tuple(name for wish in wishes for name in wish.blind),
        waiting=waiting,
        oldest_at=oldest,
        foreign=tuple(foreign_tables(found, wishes)),
        owner=other_owner(connection, workspace),
        unwritable=unwritable(connection) if is_there else (),
        not_logged=not_logged(connection),
    )


def _told(key: TriggerKey, what: str) -> str:
    return f"{key.schema}.{key.table}: {what}"


def _named(name: str, **parts: Composable) -> Composed:
    return SQL(statements()[name]).format(**parts)


def _on(key: TriggerKey, name: str, *, alone: bool = False, **parts: Composable) -> _Change:
    """The named statement about a trigger."""
    table = (key.schema, key.table)
    named = _named(name, table=Identifier(*table), trigger=Identifier(key.name), **parts)
    return _Change(named, table, alone)


def _is(connection: AppConnection, question: str) -> bool:
    return connection.execute(question).fetchone() == (True,)
