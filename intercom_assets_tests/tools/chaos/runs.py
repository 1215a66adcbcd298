"""Dagster's runs as processes: which are there, and which of them holds a lease.

Belongs here: finding them, by what Linux, Dagster and the queue say. Must not: striking them
(`dagster_world.py`).
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event

import psycopg

from intercom_assets_tests.processes import BY_NAME, RUN, TEMPLATE, name_of

POLL_INTERVAL_S = 0.05
ENDED = "select 1 from runs where status = 'SUCCESS' and end_time > %s limit 1"
HOLDERS = "select distinct claim_run from intercom_sync.queue where claim_until > now()"
PROCESS = r"""
select (regexp_match(event, 'Started process for run \(pid: (\d+)\)'))[1]::int from event_logs
where run_id = any(%s) and event like '%%Started process for run (pid: %%'
"""


def runs_of(group: int) -> list[int]:
    """Processes in which Dagster executes runs: what a code server spawned, or had forked."""
    return [
        int(process.name)
        for process, command in _of(group)
        if b"spawn_main" in command or BY_NAME.get(name_of(process)) == RUN
    ]


def templates_of(group: int) -> list[int]:
    """The processes that a code server has runs forked from."""
    return [
        int(process.name) for process, _ in _of(group) if BY_NAME.get(name_of(process)) == TEMPLATE
    ]


def _of(group: int) -> Iterator[tuple[Path, bytes]]:
    """Those that live, with their command lines."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            command = (process / "cmdline").read_bytes()
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] not in "ZX":
                yield process, command


@dataclass(frozen=True, slots=True)
class Runs:
    """`app_url`: where the queue is; `dagster_url`: where Dagster keeps its events."""

    app_url: str
    dagster_url: str
    random: Random

    def any_of(self, group: int, seconds: float, stop: Event) -> int | None:
        """One that turns up within so many seconds, at any point of its life."""
        for _ in _looks(seconds, stop):
            if found := runs_of(group):
                return self.random.choice(found)
        return None

    def holding(self, group: int, seconds: float, stop: Event) -> int | None:
        """One that has leased rows, within so many seconds."""
        for _ in _looks(seconds, stop):
            if found := set(runs_of(group)) & set(self._holders()):
                return self.random.choice(sorted(found))
        return None

    def holds(self, pid: int) -> bool:
        return pid in self._holders()

    def succeeded_since(self, at: float) -> bool:
        """Whether a run has ended well since `at` (Unix seconds)."""
        try:
            with psycopg.connect(self.dagster_url, connect_timeout=3) as dagster:
                return dagster.execute(ENDED.encode(), [at]).fetchone() is not None
        except psycopg.OperationalError:
            return False

    def _holders(self) -> list[int]:
        """Process ids; of runs that ended too, whose numbers may be others' by now."""
        try:
            with psycopg.connect(self.app_url, connect_timeout=3) as app:
                runs = [str(run) for (run,) in app.execute(HOLDERS)]
            if not runs:
                return []
            with psycopg.connect(self.dagster_url, connect_timeout=3) as dagster:
                return [pid for (pid,) in dagster.execute(PROCESS.encode(), [runs])]
        except psycopg.OperationalError:
            return []  # the database has just been killed


def _looks(seconds: float, stop: Event) -> Iterator[int]:
    for look in range(int(seconds / POLL_INTERVAL_S)):
        if stop.wait(POLL_INTERVAL_S):
            return
        yield look
