"""The world of one test: a fresh app database, an empty workspace, and the engine between."""

from collections.abc import Iterator

import pytest

from intercom_assets_tests.sync.world import World, a_world


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with a_world(database) as one:
        yield one
