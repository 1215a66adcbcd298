"""The PostgreSQL server of a test session, and a database for each test that wants one.

Belongs here: fixtures that tests of several rooms share. Without TEST_DATABASE_URL the server is
the embedded one, in memory where there is room; PostgreSQL missing is a failure, not a skip.
Must not: what is in a database beyond the template (`builders.py`), fixtures of one room.
"""

import os
import secrets
from collections.abc import Iterator

import pytest

from intercom_assets.demo.databases import Databases
from intercom_assets.supervision.postgres import EmbeddedPostgres
from intercom_assets_tests.abandoned import remove_abandoned
from intercom_assets_tests.clean_databases import CleanDatabases
from intercom_assets_tests.places import roomy_place
from intercom_assets_tests.template import fill_template

HOME_PREFIX = "intercom-assets-tests-"
LONGEST_FIRST = ("demo", "mortal")
"""Fixtures with processes of their own. What uses one runs in one worker, and begins at once."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Deals tests to the workers of `pytest -n`: a module stays together, and so does whatever
    shares a world of real processes, which waits more than it computes. Comes before xdist's own
    hook, which reads the groups."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_world_of(item) or item.nodeid.partition("::")[0]))
    items.sort(key=lambda item: _world_of(item) is None)


def _world_of(item: pytest.Item) -> str | None:
    used = getattr(item, "fixturenames", ())
    return next((name for name in LONGEST_FIRST if name in used), None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a server where the tests may create databases."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
        return
    place = roomy_place()
    remove_abandoned(place, HOME_PREFIX)
    server = EmbeddedPostgres(place / f"{HOME_PREFIX}{secrets.token_hex(4)}", durable=False)
    server.start()
    try:
        yield server.url()
    finally:
        server.remove()


@pytest.fixture(scope="session")
def databases(postgres: str) -> Iterator[Databases]:
    """The databases of this session; those that are left are dropped at its end."""
    with Databases(postgres, prefix=f"intercom_assets_test_{secrets.token_hex(4)}_") as ours:
        yield ours
        for name in ours.names():
            ours.drop(name)


@pytest.fixture(scope="session")
def template(databases: Databases) -> str:
    """A database with the sample app's tables (no rows), the triggers on them, and our schema."""
    name = f"{databases.prefix}template"
    fill_template(databases.create(name))
    databases.freeze(name)
    return name


@pytest.fixture
def empty_database(databases: Databases) -> Iterator[str]:
    """The address of a fresh database with nothing in it."""
    name = f"{databases.prefix}{secrets.token_hex(6)}"
    yield databases.create(name)
    databases.drop(name)


@pytest.fixture(scope="session")
def clean_databases(databases: Databases, template: str) -> CleanDatabases:
    return CleanDatabases(databases, template)


@pytest.fixture
def database(clean_databases: CleanDatabases) -> Iterator[str]:
    """The address of a database of this test's own, as `template` is."""
    with clean_databases.lent() as url:
        yield url
