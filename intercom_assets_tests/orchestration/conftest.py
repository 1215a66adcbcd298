"""A real Dagster instance on PostgreSQL, one per module, so that later tests find earlier events.

Runs are executed in this process, as the daemon's workers execute them; what needs webserver and
daemon as processes of their own is in `end_to_end/`.
"""

import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import dagster as dg
import pytest

from intercom_assets.demo.databases import Databases
from intercom_assets.pool import set_up_pool
from intercom_assets_tests.orchestration.stage import Stage, a_mapping, a_stage


@pytest.fixture(scope="module")
def instance(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dg.DagsterInstance]:
    """Dagster as an operator sets it up: the shipped dagster.yaml, and the pool's row."""
    home = tmp_path_factory.mktemp("dagster")
    shipped = Path(str(files("intercom_assets") / "deploy" / "dagster.yaml"))
    shutil.copy(shipped, home / "dagster.yaml")
    name = f"{databases.prefix}dagster_{request.module.__name__.rpartition('.')[2]}"[:63]
    with pytest.MonkeyPatch.context() as env:
        env.setenv("DAGSTER_HOME", str(home))
        env.setenv("DAGSTER_DATABASE_URL", databases.create(name))
        env.setenv("DAGSTER_EVENT_BATCH_SIZE", "500")
        env.setenv("DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS", "1")
        with dg.DagsterInstance.from_config(str(home)) as one:
            set_up_pool(one)
            yield one
    databases.drop(name)


@pytest.fixture(scope="session")
def mapping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_mapping(tmp_path_factory.mktemp("mapping") / "quick")


@pytest.fixture
def stage(database: str, instance: dg.DagsterInstance, mapping: Path) -> Iterator[Stage]:
    with a_stage(database, instance, mapping) as one:
        yield one
