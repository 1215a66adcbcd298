"""What a run of the harness leaves behind for whoever looks for the cause of a loss.

Belongs here: copies of both histories, our tables, Dagster's runs and the processes' logs, as files
in one directory. Must not: judging any of it.
"""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg

from intercom_assets_tests.tools.chaos.worlds import World

OUR_TABLES = ("queue", "user_link", "team_link", "edge", "journal", "heartbeat", "run_member")
DAGSTERS_TABLES = ("runs", "job_ticks")


def keep(world: World, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for log in world.processes.home.glob("*.log"):
        shutil.copy(log, directory)
    histories = world.bystander.histories()
    _write(directory / "app.json", [asdict(change) for change in histories.app])
    _write(directory / "versions.json", [asdict(version) for version in histories.versions])
    _write(directory / "calls.json", [asdict(call) for call in histories.calls.values()])
    _write(directory / "present.json", asdict(world.bystander.present()))
    for table in OUR_TABLES:
        _write(directory / f"{table}.json", _rows(world.app_url, f"intercom_sync.{table}"))
    if dagster := world.processes.environment.get("DAGSTER_DATABASE_URL"):
        for table in DAGSTERS_TABLES:
            _write(directory / f"{table}.json", _rows(dagster, table))


def _rows(url: str, table: str) -> list[Any]:
    """As PostgreSQL writes them: Python has no time for "infinity"."""
    with psycopg.connect(url) as connection:
        return [row for (row,) in connection.execute(f"select to_jsonb(t) from {table} t".encode())]


def _write(file: Path, answer: object) -> None:
    file.write_text(json.dumps(answer, default=_plain, indent=0))


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else str(value)
