"""The statements that make a capture, or take it away: only those for what is not there yet.

`capture.sql` has their texts. What they lock, when they run and what stops them is `installation`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from intercom_assets.database.capture.guards import Permissions, ownership
from intercom_assets.database.capture.log import has_log
from intercom_assets.database.capture.rights import not_logged
from intercom_assets.database.capture.watches import (
    Present,
    TriggerKey,
    Wanted,
    present_functions,
    present_triggers,
    statements,
)
from intercom_assets.database.connections import AppConnection

_LOG = ("intercom_capture", "change_log")
_COUNTER_EXISTS = "select to_regclass('intercom_capture.not_logged') is not null"
_SCHEMA_EXISTS = "select to_regnamespace('intercom_capture') is not null"


@dataclass(frozen=True, slots=True)
class Change:
    """A statement, and the table that it locks. `alone`: against readers too."""

    statement: Composed
    table: tuple[str, str] | None = None
    alone: bool = False


def to_install(
    connection: AppConnection,
    wishes: Sequence[Wanted],
    found: dict[TriggerKey, Present],
    may: Permissions,
) -> Iterable[Change]:
    triggers = {key: (event, w) for w in wishes for key, event in w.triggers().items()}
    functions = present_functions(connection)
    yield from _log_statements(connection)
    yield from (Change(statement) for statement in ownership(connection, may))
    yield from _function_statements(wishes, functions)
    for key, (event, wish) in sorted(triggers.items(), key=lambda item: item[0]):
        present = found.get(key)
        if present is None:
            yield _on(key, event, function=Identifier(wish.function))
        if present is None or not present.enabled:
            yield _on(key, "enable")
    yield from _cleaning(found, functions, triggers, {wish.function for wish in wishes})


def to_remove(connection: AppConnection) -> Iterable[Change]:
    yield from _cleaning(present_triggers(connection), present_functions(connection), (), ())
    if has_log(connection):
        yield Change(_named("drop_log"), _LOG, alone=True)
    if _is_there(connection, _COUNTER_EXISTS):
        yield Change(_named("drop_not_logged"))
    if _is_there(connection, _SCHEMA_EXISTS):
        yield Change(_named("drop_schema"))


def _cleaning(
    found: dict[TriggerKey, Present],
    functions: Iterable[str],
    kept_triggers: Iterable[TriggerKey],
    kept_functions: Iterable[str],
) -> Iterable[Change]:
    for key in sorted(set(found) - set(kept_triggers)):
        yield _on(key, "drop_trigger", alone=True)
    for function in sorted(set(functions) - set(kept_functions)):
        yield Change(_named("drop_function", function=Identifier(function)))


def _log_statements(connection: AppConnection) -> Iterable[Change]:
    if not _is_there(connection, _SCHEMA_EXISTS):
        yield Change(_named("schema"))
        yield Change(_named("closed_schema"))
    if not has_log(connection):
        yield Change(_named("log"))
        yield Change(_named("closed_log"))
    if not _is_there(connection, _COUNTER_EXISTS):
        yield Change(_named("not_logged"))
        yield Change(_named("closed_not_logged"))
    elif not_logged(connection):
        yield Change(_named("restart_not_logged"))


def _function_statements(wishes: Sequence[Wanted], present: frozenset[str]) -> Iterable[Change]:
    for wish in wishes:
        if wish.function not in present:
            function = Identifier(wish.function)
            yield Change(
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
            yield Change(_named("closed_function", function=function))


def _named(name: str, **parts: Composable) -> Composed:
    return SQL(statements()[name]).format(**parts)


def _on(key: TriggerKey, name: str, *, alone: bool = False, **parts: Composable) -> Change:
    """The named statement about a trigger."""
    table = (key.schema, key.table)
    named = _named(name, table=Identifier(*table), trigger=Identifier(key.name), **parts)
    return Change(named, table, alone)


def _is_there(connection: AppConnection, question: str) -> bool:
    return connection.execute(question).fetchone() == (True,)
