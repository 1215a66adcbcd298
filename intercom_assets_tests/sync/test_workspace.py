"""Which workspace our tables are about, and where its own screens are."""

from collections.abc import Callable, Iterator

import pytest

from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.sync.context.workspace import WrongWorkspace, screens
from intercom_assets.sync.feeders.audit import audit
from intercom_assets.sync.feeders.intercom_changes import feed_from_intercom
from intercom_assets.sync.operator.erase import erase_user
from intercom_assets.sync.operator.preview import previewing
from intercom_assets.sync.operator.undo.engine import plan_undo, undo
from intercom_assets_tests.sync.world import BASE_URL, TOKEN, World

US, EU, AU = "https://api.intercom.io", "https://api.eu.intercom.io", "https://api.au.intercom.io"


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    one = Store(database)
    yield one
    one.close()


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
    store.state.put(StateKey.WORKSPACE, {"id": "abc123", "region": region})

    found = screens(store, api)

    assert found is not None
    assert found.contact("c0ffee") == f"{host}/a/apps/abc123/users/c0ffee"
    assert found.company("a/b") == f"{host}/a/apps/abc123/companies/a%2Fb"


def test_nothing_is_linked_before_the_workspace_is_known(store: Store) -> None:
    assert screens(store, US) is None


def test_nothing_is_linked_where_the_token_may_not_ask(world: World) -> None:
    world.intercom.set(faults=[{"kind": "error", "status": 404, "endpoint": "GET /me"}])
    ada = world.given_user(email="ada@example.com")

    assert world.sync(ada)[ada].status == "changed"
    assert screens(world.services.store, US) is None


class TestWhose:
    """Our tables say what one workspace holds; asked of another they would call all unchanged."""

    def test_it_is_asked_for_once(self, world: World) -> None:
        ada = world.given_user(email="ada@example.com")

        assert world.sync(ada).calls.count("GET /me") == 1
        world.update_user(ada, name="Ada L.")
        assert world.sync(ada).calls == [f"PUT /contacts/{world.contact(ada)['id']}"]

    def test_another_token_of_it_costs_one_question(self, world: World) -> None:
        ada = world.given_user(email="ada@example.com")
        world.sync(ada)

        _renew_token(world)

        assert world.sync(ada).calls == ["GET /me"]
        assert world.sync(ada).calls == []

    @pytest.mark.parametrize(
        "act",
        [
            lambda world, ada: world.sync(ada),
            lambda world, _: world.sync_due(),
            lambda world, _: world.sync_teams(),
            lambda world, _: feed_from_intercom(world.services),
            lambda world, _: audit(world.services),
            lambda world, ada: erase_user(world.services, str(ada)),
            lambda world, _: plan_undo(world.services, "run-1"),
            lambda world, _: list(undo(world.services, "undo-1", "run-1")),
        ],
        ids=["sync", "queue", "teams", "search", "audit", "erase", "undo-plan", "undo"],
    )
    def test_nothing_is_done_to_another_workspace(
        self, world: World, act: Callable[[World, int], object]
    ) -> None:
        ada = world.given_user(email="ada@example.com")
        world.sync(ada)
        world.intercom.set(workspace_id="0ther")
        _renew_token(world)
        writes, contacts = world.intercom.stats()["writes"], world.intercom.contacts()

        with pytest.raises(WrongWorkspace, match=r"0ther.* about sim1w0rk\. .*SYNC_DATABASE_URL"):
            act(world, ada)

        assert world.intercom.stats()["writes"] == writes
        assert world.intercom.contacts() == contacts
        assert not world.services.store.tombstones.among([str(ada)])

    def test_a_plan_is_not_made_for_another_workspace(self, world: World) -> None:
        ada = world.given_user(email="ada@example.com")
        world.sync(ada)
        world.intercom.set(workspace_id="0ther")
        _renew_token(world)

        with pytest.raises(WrongWorkspace), previewing(world.services, None, ask=True):
            pass

    def test_tables_of_before_learn_whose_token_it_is(self, world: World) -> None:
        ada = world.given_user(email="ada@example.com")
        world.sync(ada)
        world.services.store.state.put(StateKey.WORKSPACE, {"id": "sim1w0rk", "region": "US"})

        assert world.sync(ada).calls == ["GET /me"]
        assert world.sync(ada).calls == []

    def test_neither_token_nor_host_can_be_had_from_what_is_kept(self, world: World) -> None:
        world.sync(world.given_user(email="ada@example.com"))

        kept = str(world.services.store.state.get(StateKey.WORKSPACE))

        assert TOKEN not in kept
        assert BASE_URL not in kept


def _renew_token(world: World) -> None:
    """As if the operator had set another one; the simulator takes it."""
    world.services.intercom.fingerprint = "another"
