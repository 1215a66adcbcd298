"""A real Dagster instance on PostgreSQL, one per module, so that later tests find earlier events.

Runs are executed in this process, as the daemon's workers execute them; what needs webserver and
daemon as processes of their own is in `end_to_end/`.
"""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import create_engine

from intercom_assets.demo.databases import Databases
from intercom_assets.orchestration.pool import set_up_pool
from intercom_assets_tests.orchestration.stage import Stage, a_mapping, a_stage


@pytest.fixture(scope="session")
def dagster_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As an operator sets it up: the shipped dagster.yaml."""
    home = tmp_path_factory.mktemp("dagster")
    shipped = Path(str(files("intercom_assets") / "deploy" / "dagster.yaml"))
    shutil.copy(shipped, home / "dagster.yaml")
    return home


@pytest.fixture(scope="session")
def dagster_template(databases: Databases, dagster_home: Path) -> str:
    """A database with Dagster's own tables, and the pool's row."""
    name = f"{databases.prefix}dagster_{secrets.token_hex(4)}"
    with a_dagster(dagster_home, databases.create(name)) as instance:
        set_up_pool(instance)
    databases.freeze(name)
    return name


@pytest.fixture(scope="module")
def instance(
    databases: Databases,
    dagster_home: Path,
    dagster_template: str,
    request: pytest.FixtureRequest,
) -> Iterator[dg.DagsterInstance]:
    name = f"{databases.prefix}{request.module.__name__.rpartition('.')[2]}"[:63]
    with a_dagster(dagster_home, databases.copy(dagster_template, name)) as one:
        yield one
    databases.drop(name)


@pytest.fixture(scope="session")
def mapping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_mapping(tmp_path_factory.mktemp("mapping") / "quick")


@pytest.fixture
def stage(database: str, instance: dg.DagsterInstance, mapping: Path) -> Iterator[Stage]:
    with a_stage(database, instance, mapping) as one:
        yield one


@contextmanager
def a_dagster(home: Path, url: str) -> Iterator[dg.DagsterInstance]:
    with pytest.MonkeyPatch.context() as env:
        env.setenv("DAGSTER_HOME", str(home))
        env.setenv("DAGSTER_DATABASE_URL", url)
        env.setenv("DAGSTER_EVENT_BATCH_SIZE", "500")
        env.setenv("DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS", "1")
        with dg.DagsterInstance.from_config(str(home)) as instance, _kept_connections(instance):
            yield instance


@contextmanager
def _kept_connections(instance: dg.DagsterInstance) -> Iterator[None]:
    """Dagster opens two connections for each event; half of a run's time would go into that."""
    storages: list[Any] = [instance.run_storage, instance.event_log_storage]
    engine = create_engine(storages[0].postgres_url, isolation_level="AUTOCOMMIT")
    for storage in storages:
        storage._engine = engine
    try:
        yield
    finally:
        engine.dispose()
