"""The world of one test: a fresh app database, an empty workspace, and the engine between."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from intercom_assets_tests.sync.sync_world import Sql, SyncWorld, a_mapping, a_played_world
from intercom_assets_tests.sync.world import World, a_world


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with a_world(database) as one:
        yield one


class Worlds(Protocol):
    """Makes the world of a test; keyword arguments as `a_played_world`, the rest is settings."""

    def __call__(self, sql: Sql | None = None, **settings: Any) -> SyncWorld: ...


@pytest.fixture
def worlds(database: str, tmp_path: Path) -> Iterator[Worlds]:
    """For a test that wants another mapping, other settings or another clock."""
    with ExitStack() as stack:

        def make(sql: Sql | None = None, **settings: Any) -> SyncWorld:
            kept = {name: settings.pop(name) for name in ("now", "ahead") if name in settings}
            folder = a_mapping(tmp_path / "mapping", sql, **settings)
            return stack.enter_context(a_played_world(database, folder, **kept))

        yield make


@pytest.fixture
def played(worlds: Worlds) -> SyncWorld:
    """The sample's mapping, where time is skipped instead of waited for."""
    return worlds()


@pytest.fixture
def worlds_of_two(worlds: Worlds) -> SyncWorld:
    """Chunks of two users, so that several are in work at once."""
    return worlds(chunk_size=2)
