"""Dagster's own history, pruned by SQL: what is superseded goes, what a page shows stays.

A run that holds a partition's latest event must not be deleted: Dagster forgets the partition, not
at once but when it rebuilds its cache (measured). So only materializations that a newer one of the
same partition supersedes are deleted, and then finished runs that hold nothing a page shows. The
floor that stays is one event per asset and partition: three a user. Of each health check the latest
result stays.

This is SQL against Dagster's tables, which are not ours: hence here and not in `database/`. It is
refused on a schema that it was not tried on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import dagster as dg
import psycopg

from intercom_assets.domain.errors import OperatorError

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

TABLES = {
    "event_logs": frozenset(
        {"id", "run_id", "event", "dagster_event_type", "timestamp", "asset_key", "partition"}
    ),
    "asset_check_executions": frozenset(
        {"id", "asset_key", "check_name", "partition", "create_timestamp"}
    ),
}
EVENTS_AT_ONCE = 5_000
RUNS_AT_ONCE = 200
_SUPERSEDED = """
    create temporary table superseded as
    select id, row_number() over (order by id) as place
    from (
        select id, timestamp, max(id) over (partition by asset_key, partition) as latest
        from event_logs
        where dagster_event_type = 'ASSET_MATERIALIZATION' and asset_key is not null
    ) e
    where id < latest and timestamp < %s
"""
_DELETE = """
    delete from event_logs
    where id in (select id from superseded where place > %s and place <= %s)
"""
_DELETE_CHECKS = """
    delete from asset_check_executions where create_timestamp < %s and id not in (
        select max(id) from asset_check_executions group by asset_key, check_name, partition
    )
"""
_NEEDED = """
    select distinct run_id from event_logs
    where run_id = any(%s) and (
        dagster_event_type = 'ASSET_MATERIALIZATION'
        or dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED' and run_id = any(%s)
    )
"""


_DRIVER = re.compile(r"\+\w+:")
"""SQLAlchemy's name of a driver, which Dagster takes in an address and PostgreSQL does not."""


class UnknownHistory(OperatorError):
    """Dagster's storage is not one whose history can be pruned; one sentence."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """`checks`: results of health checks."""

    events: int
    checks: int
    runs: int


def prune_history(instance: dg.DagsterInstance, url: str, before: datetime) -> Pruned:
    """Deletes what is superseded, and empty runs, of before `before` (aware, UTC).

    Raises `UnknownHistory`. Safe to interrupt: each piece of work is a transaction of its own.
    """
    try:
        with psycopg.connect(_DRIVER.sub(":", url, count=1)) as connection:
            _check(connection)
            events = _prune_events(connection, before)
            checks = connection.execute(_DELETE_CHECKS, (before.replace(tzinfo=None),)).rowcount
            connection.commit()
            runs = [run for part in _old_runs(instance, before) for run in _empty(connection, part)]
    except psycopg.OperationalError as error:
        raise UnknownHistory("Dagster's database cannot be reached; nothing was pruned.") from error
    for run_id in runs:
        instance.delete_run(run_id)
    return Pruned(events, checks, len(runs))


def _check(connection: Connection) -> None:
    found = connection.execute(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = current_schema()"
    ).fetchall()
    for table, columns in TABLES.items():
        if missing := columns - {column for name, column in found if name == table}:
            raise UnknownHistory(
                f"Dagster's history is not pruned: its table {table} lacks "
                f"{', '.join(sorted(missing))}, so this is a schema that we do not know."
            )


def _prune_events(connection: Connection, before: datetime) -> int:
    """Collected once and deleted by id: a join with the latest ones took 14 s, this 0.2 s."""
    count = connection.execute(_SUPERSEDED, (before.replace(tzinfo=None),)).rowcount
    connection.execute("analyze superseded")
    for place in range(0, count, EVENTS_AT_ONCE):
        connection.execute(_DELETE, (place, place + EVENTS_AT_ONCE))
        connection.commit()
    return count


def _old_runs(instance: dg.DagsterInstance, before: datetime) -> Iterator[list[tuple[str, bool]]]:
    """Finished runs, oldest last; and whether each failed."""
    ended = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.FAILURE]
    cursor = None
    while True:
        records = instance.get_run_records(
            dg.RunsFilter(statuses=ended, created_before=before), limit=RUNS_AT_ONCE, cursor=cursor
        )
        if not records:
            return
        runs = [record.dagster_run for record in records]
        yield [(run.run_id, run.status is dg.DagsterRunStatus.FAILURE) for run in runs]
        cursor = runs[-1].run_id


def _empty(connection: Connection, runs: list[tuple[str, bool]]) -> list[str]:
    """A failed run's planned partitions are the red ones: it is needed too."""
    ids = [run_id for run_id, _ in runs]
    failed = [run_id for run_id, is_failed in runs if is_failed]
    needed = {row[0] for row in connection.execute(_NEEDED, (ids, failed)).fetchall()}
    return [run_id for run_id in ids if run_id not in needed]
