"""Making and upgrading our own schema."""

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from threading import Barrier, Thread
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from intercom_assets.database.queries import complete, query, query_names
from intercom_assets.database.queries import parse as parse_queries
from intercom_assets.database.store.connection import StoreNotReady, StoreUnavailable
from intercom_assets.database.store.schema import (
    Step,
    apply_schema,
    parse,
    schema_version,
    shipped_steps,
)
from intercom_assets.database.store.store import Store
from intercom_assets.demo.databases import Databases
from intercom_assets.domain.vocabulary import QueueKind, StateKey

NEWEST = len(shipped_steps())
NEXT = (
    *shipped_steps(),
    Step(NEWEST + 1, "a colour", "alter table intercom_sync.edge add colour text"),
)
RELEASED = Path(__file__).parent / "schemas"
"""schema.sql as each version had it. A new step adds a file here and edits none."""
MADE = """
select 'column', table_name, column_name, data_type || is_nullable || coalesce(column_default, '')
from information_schema.columns where table_schema = 'intercom_sync'
union all
select 'index', tablename, indexname, indexdef from pg_indexes where schemaname = 'intercom_sync'
union all
select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
from pg_constraint where connamespace = 'intercom_sync'::regnamespace
"""


def test_an_empty_database_gets_the_schema_and_a_second_run_changes_nothing(
    empty_database: str,
) -> None:
    assert schema_version(empty_database) is None

    done = apply_schema(empty_database)

    assert done[0] == "intercom_sync: step 1, the queue, links, journal and caches"
    assert len(done) == NEWEST
    assert schema_version(empty_database) == NEWEST
    assert apply_schema(empty_database) == []


def test_an_older_schema_gets_only_the_steps_that_it_lacks_and_keeps_its_rows(
    empty_database: str,
) -> None:
    apply_schema(empty_database)
    with Store(empty_database) as store:
        store.state.put(StateKey.LAST_SWEEP, True)

        [done] = apply_schema(empty_database, steps=NEXT)

        assert done == f"intercom_sync: step {NEWEST + 1}, a colour"
        assert store.state.get(StateKey.LAST_SWEEP) is True
        assert schema_version(empty_database) == NEWEST + 1


def made(url: str) -> set[tuple[str, ...]]:
    with psycopg.connect(url) as connection:
        return set(connection.execute(MADE).fetchall())


@pytest.mark.parametrize("version", sorted(int(file.stem) for file in RELEASED.glob("*.sql")))
def test_each_version_from_the_first_one_on_becomes_the_newest_and_keeps_its_rows(
    empty_database: str, databases: Databases, version: int
) -> None:
    apply_schema(empty_database, steps=parse((RELEASED / f"{version}.sql").read_text()))
    assert schema_version(empty_database) == version
    with psycopg.connect(empty_database) as old:
        old.execute("insert into intercom_sync.user_link (user_id, contact_id) values ('7', 'c7')")
        old.execute("insert into intercom_sync.queue (kind, key, lane) values ('user', '7', 0)")
        old.execute("insert into intercom_sync.edge values ('7', '3', 'co3', 'attached')")
    fresh = databases.create(f"{databases.prefix}fresh_{token_hex(4)}")
    apply_schema(fresh)

    apply_schema(empty_database)

    assert made(empty_database) == made(fresh)
    with Store(empty_database) as store:
        link = store.links.users(["7"])["7"]
        assert (link.contact_id, list(link.edges)) == ("c7", ["3"])
        assert store.queue.due(QueueKind.USER).sole_key == "7"


def test_a_step_that_was_released_is_never_edited() -> None:
    for file in RELEASED.glob("*.sql"):
        released = parse(file.read_text())
        ours = shipped_steps()[: len(released)]
        assert [step.sql.strip() for step in ours] == [step.sql.strip() for step in released]


def test_a_newer_schema_is_refused_in_one_sentence(empty_database: str) -> None:
    apply_schema(empty_database, steps=NEXT)

    with pytest.raises(StoreNotReady, match=f"of version {NEWEST + 1} and .* up to {NEWEST}: up"):
        apply_schema(empty_database)


def test_a_step_that_fails_leaves_nothing_of_itself(empty_database: str) -> None:
    broken = Step(NEWEST + 1, "broken", "create table intercom_sync.half (); select 1 / 0")

    with pytest.raises(StoreUnavailable, match="refused: division by zero"):
        apply_schema(empty_database, steps=(*shipped_steps(), broken))

    assert schema_version(empty_database) == NEWEST
    with psycopg.connect(empty_database) as connection:
        found = connection.execute("select to_regclass('intercom_sync.half')").fetchone()
    assert found == (None,)


def test_two_processes_that_start_together_apply_each_step_once(empty_database: str) -> None:
    together, done = Barrier(2), list[str]()

    def apply() -> None:
        together.wait()
        done.extend(apply_schema(empty_database))

    threads = [Thread(target=apply) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(done) == NEWEST


@pytest.fixture
def reader(postgres: str) -> Iterator[str]:
    """A role that may connect and nothing else."""
    name = f"reader_{token_hex(4)}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"create role {name} login password '{name}'".encode())
        yield name
        connection.execute(f"drop role {name}".encode())


def test_a_role_without_the_right_to_create_is_told_what_to_do(
    empty_database: str, reader: str
) -> None:
    url = make_conninfo(empty_database, user=reader, password=reader)

    with pytest.raises(StoreNotReady, match="may not create the schema intercom_sync"):
        apply_schema(url)


def test_without_the_schema_a_store_says_to_run_init_db(empty_database: str) -> None:
    with Store(empty_database) as store, pytest.raises(StoreNotReady, match="init-db"):
        store.queue.depth()


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    with (
        Store("postgresql://nobody@127.0.0.1:1/none") as store,
        pytest.raises(
            StoreUnavailable, match=r"^the sync's own database did not answer: .*refused"
        ),
    ):
        store.queue.depth()


@pytest.mark.parametrize("address", ["me:p@s3cret@host/x", "postgresql://me:p@s3cret@host:5/x"])
def test_an_address_that_is_none_is_told_without_its_password(address: str) -> None:
    with Store(address) as store, pytest.raises(StoreUnavailable) as caught:
        store.queue.depth()
    assert "s3cret" not in str(caught.value)


def test_a_role_without_rights_on_our_tables_is_told_so(database: str, reader: str) -> None:
    with Store(make_conninfo(database, user=reader, password=reader)) as store:
        for ask in (store.queue.depth, lambda: apply_schema(store.url)):
            with pytest.raises(StoreNotReady, match="this role may not use the sync"):
                ask()


def test_steps_have_to_count_up() -> None:
    with pytest.raises(ValueError, match="count up"):
        parse("-- step 2: late\nselect 1;\n")


def test_every_query_is_named_once_and_runs_as_written(database: str) -> None:
    """Planned with no values, so a misspelt column is found even in a query that no test runs."""
    with pytest.raises(ValueError, match="names a twice"):
        parse_queries("-- name: a\nselect 1\n-- name: a\nselect 2\n")
    with psycopg.connect(database) as connection:
        for name in query_names() - {"lock_gone"}:
            names = {part.split(b")s")[0].decode() for part in query(name).split(b"%(")[1:]}
            connection.execute(b"explain " + query(name), dict.fromkeys(names) or None)


def test_a_shared_text_is_filled_in_and_a_statement_of_both_kinds_is_two() -> None:
    texts = {
        "_waits": "-- since when\nfirst_at",
        "oldest": "select min({_waits})",
        "{kind}s_by_{other}": "select {kind}_id, '{kept}' from {other}",
    }

    assert complete(texts) == {
        "oldest": "select min(first_at)",
        "users_by_contact": "select user_id, '{kept}' from contact",
        "teams_by_company": "select team_id, '{kept}' from company",
    }
    with pytest.raises(KeyError):
        complete({"oldest": "select {_misspelt}"})


@pytest.mark.parametrize("name", ["lock_rows", "lease_keys", "user_links"])
def test_a_chunk_is_looked_up_by_key_also_while_statistics_say_that_the_queue_is_empty(
    database: str, name: str
) -> None:
    """Else a first sync reads the whole queue for each of its chunks."""
    given = {
        "kind": "user",
        "token": uuid4(),
        "keys": ["1", "2"],
        "ids": ["1", "2"],
        "first_lane": 0,
        "last_lane": 1,
        "limit": 2,
        "seconds": 30,
        "run_id": "run",
    }
    with Store(database) as store:
        store.queue.enqueue(QueueKind.USER, [str(n) for n in range(5_000)])
    with psycopg.connect(database) as connection:
        found = connection.execute(b"explain " + query(name), given).fetchall()

    plan = "\n".join(row[0] for row in found)
    assert "Index Scan using queue_pkey" in plan
    assert "queue_due" not in plan
    assert "Seq Scan on queue" not in plan
