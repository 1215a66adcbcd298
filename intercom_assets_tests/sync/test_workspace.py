"""Where Intercom's own screens are: by region, by workspace, and where nobody may ask."""

from collections.abc import Iterator

import pytest

from intercom_assets.database.store import Store
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.simulator.adapter import InProcess
from intercom_assets.simulator.simulator import Simulator
from intercom_assets.sync.workspace import STATE, remember_workspace, screens

US, EU, AU = "https://api.intercom.io", "https://api.eu.intercom.io", "https://api.au.intercom.io"


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    one = Store(database)
    yield one
    one.close()


@pytest.fixture
def simulator() -> Simulator:
    return Simulator()


@pytest.mark.parametrize(
    ("region", "api", "host"),
    [
        ("US", US, "https://app.intercom.com"),
        ("EU", EU, "https://app.eu.intercom.com"),
        ("AU", AU, "https://app.au.intercom.com"),
        ("EU", US, "https://app.eu.intercom.com"),  # the US host finds the region by itself
        (None, AU, "https://app.au.intercom.com"),
        (None, US, "https://app.intercom.com"),
        ("EU", "https://proxy.example.com", "https://app.eu.intercom.com"),
        ("US", "http://127.0.0.1:8080/", "http://127.0.0.1:8080"),  # the stand-in's own page
    ],
)
def test_the_host_is_that_of_the_region(
    store: Store, region: str | None, api: str, host: str
) -> None:
    store.put_state(STATE, {"id": "abc123", "region": region})

    found = screens(store, api)

    assert found is not None
    assert found.contact("c0ffee") == f"{host}/a/apps/abc123/users/c0ffee"
    assert found.company("a/b") == f"{host}/a/apps/abc123/companies/a%2Fb"


def test_nothing_is_linked_before_the_workspace_is_known(store: Store) -> None:
    assert screens(store, US) is None


def test_the_workspace_is_that_of_the_token_and_is_asked_for_once(
    store: Store, simulator: Simulator
) -> None:
    client = IntercomClient("demo-token", adapter=InProcess(simulator.handle))

    remember_workspace(store, lambda: client)

    known = store.get_state(STATE)
    assert isinstance(known, dict)
    remember_workspace(store, lambda: client)
    assert client.counters().calls == {"GET /me": 1}
    assert known == {"id": client.me().id, "region": "US"}


def test_a_refusal_costs_the_links_and_nothing_else(store: Store, simulator: Simulator) -> None:
    simulator.set(faults=[{"kind": "error", "status": 404, "endpoint": "GET /me"}])
    client = IntercomClient("demo-token", adapter=InProcess(simulator.handle))

    remember_workspace(store, lambda: client)

    assert screens(store, US) is None
