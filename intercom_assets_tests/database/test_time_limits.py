"""Time limits that the app's operators gave our role or database: each transaction sets its own."""

import time

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.capture.installation import install_capture, remove_capture
from intercom_assets.database.store.schema import apply_schema
from intercom_assets.database.store.store import Store
from intercom_assets.mapping.load import load_mapping
from intercom_assets_tests.builders import insert_user

LIMITS = (
    "transaction_timeout",
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "lock_timeout",
)


@pytest.fixture(params=LIMITS)
def limited(request: pytest.FixtureRequest, database: str) -> str:
    """The sample app in a database that ends whatever takes longer than a tenth of a second."""
    with psycopg.connect(database, autocommit=True) as connection:
        if request.param == "transaction_timeout" and connection.info.server_version < 170_000:
            pytest.skip("new in PostgreSQL 17")
        connection.execute(
            SQL("alter database {} set {} = '100ms'").format(
                Identifier(connection.info.dbname), Identifier(request.param)
            )
        )
    return database


def test_a_long_read_goes_on_to_its_end(limited: str) -> None:
    for n in range(3):
        insert_user(limited, email=f"u{n}@b.example")
    found = []
    with AppDatabase(limited, load_mapping()) as app:
        for rows in app.stream_users(chunk=1):
            found += rows
            time.sleep(0.15)
        app.reading(lambda connection, _: connection.execute("select pg_sleep(0.15)").fetchone())
        time.sleep(0.15)
        assert app.read_users([row.id for row in found])

    assert len(found) == 3


def test_our_own_tables_and_the_capture_take_their_time(limited: str) -> None:
    apply_schema(limited)
    remove_capture(limited)
    install_capture(limited, load_mapping())
    with Store(limited) as store:

        def work(cursor: psycopg.Cursor[tuple[object, ...]]) -> None:
            cursor.execute("select pg_sleep(0.15)")
            time.sleep(0.15)
            cursor.execute("select 1")

        store.pool.transact(work)
        time.sleep(0.15)
        assert store.state.sweep_wanted() is None
