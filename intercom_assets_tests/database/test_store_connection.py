"""How the store stands a database that goes away, and transactions that meet."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import psycopg
import pytest
from psycopg import Cursor

from intercom_assets.database.store.connection import StoreUnavailable
from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import QueueKind, StateKey

USER = QueueKind.USER


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with Store(database) as store:
        yield store


def end_connections(store: Store) -> None:
    """As a restart of the database does."""
    with psycopg.connect(store.url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )


def test_idle_connections_that_broke_meanwhile_are_replaced_unnoticed(store: Store) -> None:
    store.queue.enqueue(USER, ["a"])
    end_connections(store)

    assert store.queue.due(USER).sole_key == "a"


def test_a_connection_that_breaks_in_a_transaction_is_told_and_nothing_of_it_stays(
    store: Store,
) -> None:
    def work(cursor: Cursor[Any]) -> None:
        cursor.execute("insert into intercom_sync.workspace (key, value) values ('half', '1')")
        end_connections(store)
        cursor.execute("select 1")

    with pytest.raises(StoreUnavailable, match="did not answer"):
        store.pool.transact(work)

    assert store.state.get(StateKey.LAST_SWEEP) is None


def test_an_error_in_a_transaction_takes_all_of_it_back(store: Store) -> None:
    def work(cursor: Cursor[Any]) -> None:
        cursor.execute("insert into intercom_sync.workspace (key, value) values ('half', '1')")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.pool.transact(work)

    assert store.state.get(StateKey.LAST_SWEEP) is None


def test_two_transactions_that_deadlock_both_end_well(store: Store) -> None:
    store.queue.enqueue(USER, ["a", "b"])
    together, tries = Barrier(2), list[str]()
    locking = "select 1 from intercom_sync.queue where key = %s for update"

    def lock(first: str, second: str) -> None:
        met = False

        def work(cursor: Cursor[Any]) -> None:
            nonlocal met
            tries.append(first)
            cursor.execute("set local deadlock_timeout = '50ms'")
            cursor.execute(locking, (first,))
            if not met:
                met = True
                together.wait()
            cursor.execute(locking, (second,))

        store.pool.transact(work)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lock, "ab", "ba"))

    assert sorted(tries) in (["a", "a", "b"], ["a", "b", "b"])


def test_more_threads_than_connections_wait_for_their_turn(database: str) -> None:
    with Store(database, max_connections=2) as store, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.queue.enqueue(USER, [str(n)]), range(40)))

        assert store.queue.due(USER).count == 40


def test_every_transaction_is_read_committed_in_utc_and_cannot_hang(store: Store) -> None:
    """Whatever the database's defaults are: the protocol rests on READ COMMITTED."""
    with psycopg.connect(store.url, autocommit=True) as connection:
        name = connection.info.dbname
        for default in (
            "default_transaction_isolation = 'serializable'",
            "timezone = 'Asia/Tokyo'",
        ):
            connection.execute(f'alter database "{name}" set {default}'.encode())

    def settings(cursor: Cursor[Any]) -> list[str]:
        names = ("transaction_isolation", "timezone", "idle_in_transaction_session_timeout")
        return [str(cursor.execute("select current_setting(%s)", (n,)).fetchone()) for n in names]

    assert store.pool.transact(settings) == ["('read committed',)", "('UTC',)", "('10s',)"]


def test_a_closed_store_connects_again_when_asked(store: Store) -> None:
    store.close()

    assert store.queue.due(USER).count == 0
