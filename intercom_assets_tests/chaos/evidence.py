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
from psycopg.rows import dict_row

from intercom_assets_tests.chaos.worlds import World

OUR_TABLES = ("queue", "user_link", "team_link", "edge", "journal", "heartbeat", "run_member")


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
        rows = _rows(world.app_url, f"select * from intercom_sync.{table}")
        _write(directory / f"{table}.json", rows)
    if dagster := world.processes.environment.get("DAGSTER_DATABASE_URL"):
        _write(directory / "runs.json", _rows(dagster, "select * from runs order by id"))
        _write(directory / "ticks.json", _rows(dagster, "select * from job_ticks order by id"))


def _rows(url: str, query: str) -> list[dict[str, Any]]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(query.encode()).fetchall()


def _write(file: Path, told: object) -> None:
    file.write_text(json.dumps(told, default=_plain, indent=0))


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else str(value)
