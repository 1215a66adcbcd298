"""Installs and removes the change log and its triggers in the app's database.

One transaction each, and only what is not there yet; `changes` has what is done. All tables
are locked before the first statement, and that is given up before PostgreSQL looks for deadlocks
(a second): the app's own statements queue up behind ours no longer, and none is ever the victim.
"""

import time
from collections.abc import Callable, Iterable
from typing import TypeAlias

from psycopg import errors
from psycopg.sql import SQL, Identifier

from intercom_assets.database.capture.changes import Change, to_install, to_remove
from intercom_assets.database.capture.guards import (
    Permissions,
    objections,
    objections_to_removal,
)
from intercom_assets.database.capture.watches import present_triggers, wanted_triggers
from intercom_assets.database.connections import AppConnection, Connections
from intercom_assets.database.failures import AppUnavailable, LockedOut, Refused, message_of
from intercom_assets.mapping.load import AppMapping

_TRIES = 8
_LOCKING = "set local lock_timeout = 0; set local statement_timeout = '800ms'"
_LOCKED = "set local lock_timeout = '500ms'; set local statement_timeout = '60s'"
_LOCK = "do $intercom_capture$ begin {} end $intercom_capture$"
_MAY = Permissions()
Plan: TypeAlias = Callable[[AppConnection], Iterable[Change]]


def install_capture(
    url: str, mapping: AppMapping, dry_run: bool = False, may: Permissions = _MAY
) -> list[str]:
    """Makes what is missing, and drops what is stale; gives the statements, none if complete.

    A dry run begins with what would be objected to. Raises MappingError for a watch that cannot
    be, Refused for what needs a permission, AppUnavailable for what PostgreSQL refuses.
    """

    def plan(connection: AppConnection) -> Iterable[Change]:
        wishes = wanted_triggers(connection, mapping)
        found = present_triggers(connection)
        yield from _objected(objections(connection, found, wishes, may), dry_run, "install-capture")
        yield from to_install(connection, wishes, found, may)

    return _changed(url, "install-capture", plan, dry_run)


def remove_capture(url: str, dry_run: bool = False, may: Permissions = _MAY) -> list[str]:
    """Takes every trigger and function of ours and the log away, whatever the mapping says now."""

    def plan(connection: AppConnection) -> Iterable[Change]:
        yield from _objected(objections_to_removal(connection, may), dry_run, "remove-capture")
        yield from to_remove(connection)

    return _changed(url, "remove-capture", plan, dry_run)


def _objected(reasons: Iterable[str], dry_run: bool, doing: str) -> Iterable[Change]:
    """Raises Refused; a dry run has them as comments."""
    for reason in reasons:
        if not dry_run:
            raise Refused(f"{doing}: {reason}")
        yield Change(SQL("-- {} would stop: {}").format(SQL(doing), SQL(" ".join(reason.split()))))


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
        f"{doing}: {message_of(error)}: run it with APP_DATABASE_URL as the role that owns the "
        "tables in watch and has the right CREATE on the database (grant create on database NAME "
        "to ROLE); or give it the SQL that --dry-run prints"
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


def _lock(connection: AppConnection, doing: str, changes: Iterable[Change]) -> None:
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
