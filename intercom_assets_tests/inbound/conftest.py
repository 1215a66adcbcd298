"""Our own tables, and a listener over them."""

from collections.abc import Iterator

import pytest

from intercom_assets.database.store.store import Store
from intercom_assets_tests.inbound.listening import Listener, listening


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with Store(database) as store:
        yield store


@pytest.fixture
def listener(store: Store) -> Iterator[Listener]:
    with listening(store) as listener:
        yield listener
