"""Installs, removes and inspects the change log and its triggers in the app's database.

One transaction each, and only what is not there yet; `capture.sql` has the statements. A lock is
waited for a second at a time, so that the app's own statements never queue up behind ours for
longer. Reading the log is `capture_log`.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from intercom_assets.database.app_connections import AppConnection, Connections
from intercom_assets.database.capture_log import LogRow, delete_log, read_log, take_log
from intercom_assets.database.failures import AppUnavailable, LockedOut
from intercom_assets.database.watches import (
    Present,
    TriggerKey,
    Wanted,
    present_functions,
    present_triggers,
    statements,
    wanted,
)
from intercom_assets.mapping.load import SYNC_YAML, AppMapping
from intercom_assets.mapping.problems import MappingError

__all__ = [
    "CaptureState",
    "LogRow",
    "capture_state",
    "delete_log",
    "install_capture",
    "read_log",
    "remove_capture",
    "take_log",
]

T = TypeVar("T")
_TRIES = 8
_BACKLOG = "select count(*), min(at) from intercom_capture.change_log"
_LOG_EXISTS = "select to_regclass('intercom_capture.change_log') is not null"
_SCHEMA_EXISTS = "select to_regnamespace('intercom_capture') is not null"


@dataclass(frozen=True, slots=True)
class CaptureState:
    """What differs from the mapping's `watch`, as `TABLE: what` for an operator.

    `stale`: of an older version or of a watch that is no longer listed. `blind`: partitions that
    cannot have triggers. `waiting`: log rows not drained yet, the oldest of `oldest_at`.
    """

    has_log: bool
    missing: tuple[str, ...]
    disabled: tuple[str, ...]
    stale: tuple[str, ...]
    blind: tuple[str, ...]
    waiting: int = 0
    oldest_at: datetime | None = None

    @property
    def complete(self) -> bool:
        return self.has_log and not (self.missing or self.disabled or self.stale)


def install_capture(url: str, mapping: AppMapping, dry_run: bool = False) -> list[str]:
    """Makes what is missing, and drops what is stale; gives the statements, none if complete.

    Raises MappingError for a watch that cannot be, AppUnavailable for what PostgreSQL refuses.
    """
    return _changed(url, "install-capture", lambda c: _to_install(c, mapping), dry_run)


def remove_capture(url: str, dry_run: bool = False) -> list[str]:
    """Takes every trigger and function of ours and the log away, whatever the mapping says now."""
    return _changed(url, "remove-capture", _to_remove, dry_run)


def capture_state(url: str, mapping: AppMapping) -> CaptureState:
    """Compares the app's database with the mapping. Raises MappingError and AppUnavailable."""
    with Connections(url) as connections, connections.reading("the capture") as connection:
        return _state(connection, mapping)


def _changed(
    url: str,
    doing: str,
    plan: Callable[[AppConnection], Iterable[Composed]],
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


def _run(
    connections: Connections,
    doing: str,
    plan: Callable[[AppConnection], Iterable[Composed]],
    dry_run: bool,
) -> list[str]:
    with connections.altering(doing) as connection:
        texts = []
        for statement in list(plan(connection)):
            texts.append(statement.as_string(connection))
            if not dry_run:
                connection.execute(statement)
    return texts


def _to_install(connection: AppConnection, mapping: AppMapping) -> Iterable[Composed]:
    wishes = _wishes(connection, mapping)
    triggers = {key: (event, w) for w in wishes for key, event in w.triggers().items()}
    found, functions = present_triggers(connection), present_functions(connection)
    yield from _log_statements(connection)
    yield from _function_statements(wishes, functions)
    for key, (event, wish) in sorted(triggers.items(), key=lambda item: item[0]):
        present = found.get(key)
        if present is None:
            yield _named(event, **_of(key), function=Identifier(wish.function))
        if present is None or not present.enabled:
            yield _named("enable", **_of(key))
    yield from _cleaning(found, functions, triggers, {wish.function for wish in wishes})


def _to_remove(connection: AppConnection) -> Iterable[Composed]:
    yield from _cleaning(present_triggers(connection), present_functions(connection), (), ())
    if _is(connection, _LOG_EXISTS):
        yield _named("drop_log")
    if _is(connection, _SCHEMA_EXISTS):
        yield _named("drop_schema")


def _cleaning(
    found: dict[TriggerKey, Present],
    functions: Iterable[str],
    kept_triggers: Iterable[TriggerKey],
    kept_functions: Iterable[str],
) -> Iterable[Composed]:
    for key in sorted(set(found) - set(kept_triggers)):
        yield _named("drop_trigger", **_of(key))
    for function in sorted(set(functions) - set(kept_functions)):
        yield _named("drop_function", function=Identifier(function))


def _log_statements(connection: AppConnection) -> Iterable[Composed]:
    if not _is(connection, _SCHEMA_EXISTS):
        yield _named("schema")
        yield _named("closed_schema")
    if not _is(connection, _LOG_EXISTS):
        yield _named("log")
        yield _named("closed_log")


def _function_statements(wishes: Sequence[Wanted], present: frozenset[str]) -> Iterable[Composed]:
    for wish in wishes:
        if wish.function not in present:
            yield _named(
                "function",
                function=Identifier(wish.function),
                column=Identifier(wish.column),
                column_name=Literal(wish.column),
                kind=Literal(wish.watch.wakes),
                via=Literal(wish.function if wish.watch.select else None),
            )
            yield _named("closed_function", function=Identifier(wish.function))


def _wishes(connection: AppConnection, mapping: AppMapping) -> list[Wanted]:
    watches = mapping.settings.watch
    if not watches:
        raise MappingError(
            f"{SYNC_YAML}: watch is empty; allowed: the tables that the mapping's queries read, "
            "as in: {table: users, wakes: user, key: id}"
        )
    return [wanted(connection, watch, place) for place, watch in enumerate(watches, start=1)]


def _state(connection: AppConnection, mapping: AppMapping) -> CaptureState:
    wishes = _wishes(connection, mapping)
    triggers = {key: event for wish in wishes for key, event in wish.triggers().items()}
    found = present_triggers(connection)
    has_log = _is(connection, _LOG_EXISTS)
    waiting, oldest = (
        (connection.execute(_BACKLOG).fetchone() or (0, None)) if has_log else (0, None)
    )
    return CaptureState(
        has_log,
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
    )


def _told(key: TriggerKey, what: str) -> str:
    return f"{key.schema}.{key.table}: {what}"


def _named(name: str, **parts: Composable) -> Composed:
    return SQL(statements()[name]).format(**parts)


def _of(key: TriggerKey) -> dict[str, Composable]:
    return {"table": Identifier(key.schema, key.table), "trigger": Identifier(key.name)}


def _is(connection: AppConnection, question: str) -> bool:
    return connection.execute(question).fetchone() == (True,)
