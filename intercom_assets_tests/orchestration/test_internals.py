"""The private names of Dagster's that we use are there, and only `internals` uses them.

What a new Dagster takes away is seen here before it is seen in a run.
"""

import re
from importlib import import_module
from pathlib import Path

import pytest
from dagster_postgres.event_log import PostgresEventLogStorage

import intercom_assets
from intercom_assets.orchestration.internals.event_batches import _NAMES, _STORAGE_NAMES

PACKAGE = Path(intercom_assets.__file__).parent
USED = {
    "dagster._core.events": _NAMES,
    "dagster._core.errors": ("DagsterUserCodeProcessError",),
    "dagster._utils.error": ("SerializableErrorInfo",),
    "dagster._grpc.client": ("DagsterGrpcClient",),
    "dagster._grpc.types": ("CanCancelExecutionRequest", "ExecuteExternalJobArgs"),
    "dagster._grpc.server": ("DagsterApiServer",),
    "dagster._grpc.impl": (),
    "dagster._core.executor.in_process": (),
    "dagster._core.instance.factory": (),
    "dagster._core.secrets": (),
    "dagster._serdes": ("deserialize_value", "serialize_value"),
    "dagster._core.storage.event_log.schema": ("SqlEventLogStorageTable",),
    "dagster._daemon.sensor": ("MIN_INTERVAL_LOOP_TIME",),
    "dagster._core.instance.config": ("PoolGranularity",),
    "dagster._daemon": (),
}
OUTSIDE = {"orchestration/instance_settings.py", "launch/services.py"}
"""A setting whose type has no public name; and the daemon, started as a module."""


def named() -> dict[str, set[str]]:
    """Module of ours -> Dagster's private modules that it names."""
    found = {
        path.relative_to(PACKAGE).as_posix(): set(
            re.findall(r"\bdagster\._[\w.]*\w", path.read_text("utf-8"))
        )
        for path in PACKAGE.rglob("*.py")
    }
    return {module: names for module, names in found.items() if names}


@pytest.mark.parametrize("module", USED)
def test_what_is_used_of_dagsters_insides_is_there(module: str) -> None:
    inside = import_module(module)

    assert [name for name in USED[module] if not hasattr(inside, name)] == []


def test_the_storages_own_ways_are_there() -> None:
    assert [n for n in _STORAGE_NAMES if not hasattr(PostgresEventLogStorage, n)] == []


def test_nothing_else_of_dagsters_insides_is_used() -> None:
    assert set().union(*named().values()) == USED.keys()


def test_only_internals_knows_dagsters_insides() -> None:
    others = {module for module in named() if not module.startswith("orchestration/internals/")}

    assert others == OUTSIDE
