"""Our own tables, and a listener over them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom_assets.database.store.store import Store
from intercom_assets_tests.inbound.listening import Listener, listening
from intercom_assets_tests.inbound.told import Told, a_told_world


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with Store(database) as store:
        yield store


@pytest.fixture
def listener(store: Store) -> Iterator[Listener]:
    with listening(store) as listener:
        yield listener


@pytest.fixture
def told(database: str, tmp_path: Path) -> Iterator[Told]:
    """The sample's mapping with `sync_now_tag`; the workspace's id is known."""
    with a_told_world(database, tmp_path / "mapping") as told:
        yield told
