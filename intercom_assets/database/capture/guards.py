"""Whose the change log in the app's database is, and what an installation would take from others.

A log is drained by one sync only: a second one would take changes that the first never hears of.
Whoever installs it is noted on its schema; triggers on tables that this mapping does not watch
may be another mapping's, so they go only where the operator says so.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from psycopg.sql import Composed

from intercom_assets.database.capture.log import has_log
from intercom_assets.database.capture.watches import Present, TriggerKey, Wanted
from intercom_assets.database.connections import AppConnection
from intercom_assets.database.publications import (
    accepted_publications,
    noting,
    read_note,
    refusal,
    unaccepted,
)

SCHEMA = "intercom_capture"
_TRIGGER = re.compile(
    r"^(?P<doing>create|drop) trigger .*? (?:after \w+ )?on "
    r"(?P<table>\"(?:[^\"]|\"\")*\"\.\"(?:[^\"]|\"\")*\")",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Permissions:
    """`workspace`: INTERCOM_WORKSPACE. `accept`: publications that may carry the log.

    `take_over`: also what belongs to another workspace or mapping.
    """

    workspace: str = ""
    accept: Collection[str] = ()
    take_over: bool = False


def objections(
    connection: AppConnection,
    found: dict[TriggerKey, Present],
    wishes: Iterable[Wanted],
    may: Permissions,
) -> Iterator[str]:
    """Why nothing is installed, each with what to do."""
    names = unaccepted(connection, SCHEMA, may.accept, growing=not has_log(connection))
    if names:
        yield refusal(names, SCHEMA, "install-capture")
    if may.take_over:
        return
    if owner := other_owner(connection, may.workspace):
        yield (
            f"the change log in this database is {owner}'s, and a log serves one workspace: use "
            "capture: polling for this one; or, if the other one no longer syncs this database, "
            "add --take-over"
        )
    elif tables := foreign_tables(found, wishes):
        yield (
            f"it would drop the triggers on {', '.join(tables)}, which this sync.yaml does not "
            "watch and another mapping may need: add what is missing to watch, since one database "
            "has one mapping; or, if nobody needs them, add --take-over"
        )


def objections_to_removal(connection: AppConnection, may: Permissions) -> Iterator[str]:
    owner = other_owner(connection, may.workspace)
    if owner and not may.take_over:
        yield f"the change log in this database is {owner}'s; if it is to go, add --take-over"


def ownership(connection: AppConnection, may: Permissions) -> Iterator[Composed]:
    """What is noted on the schema, where that differs from what is noted there."""
    before = read_note(connection, SCHEMA)
    accepted = {*may.accept, *accepted_publications(connection, SCHEMA)}
    after = {**before, "workspace": may.workspace, "publications": sorted(accepted)}
    if after != before:
        yield noting(SCHEMA, after)


def other_owner(connection: AppConnection, workspace: str) -> str | None:
    """The workspace that the log was made for, where it is another one."""
    owner = read_note(connection, SCHEMA).get("workspace")
    if owner is None or owner == workspace:
        return None
    return f"the workspace {owner}" if owner else "the workspace without INTERCOM_WORKSPACE"


def foreign_tables(found: dict[TriggerKey, Present], wishes: Iterable[Wanted]) -> list[str]:
    """Tables with triggers of ours that wake a kind for which this mapping does not watch them."""
    watched = {(*table, wish.watch.wakes) for wish in wishes for table in wish.tables}
    return sorted(
        {
            f"{key.schema}.{key.table}"
            for key, present in found.items()
            if (key.schema, key.table, present.function.partition("_")[0]) not in watched
        }
    )


def replaced_and_dropped(statements: Iterable[str]) -> tuple[list[str], list[str]]:
    """Tables that have other triggers of ours after these statements, and those that have none."""
    made, gone = set[str](), set[str]()
    for statement in statements:
        if found := _TRIGGER.search(statement):
            (made if found["doing"] == "create" else gone).add(found["table"].replace('"', ""))
    return sorted(gone & made), sorted(gone - made)
