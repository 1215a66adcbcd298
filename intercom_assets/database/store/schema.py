"""Makes and upgrades the schema `intercom_sync`, forward only, from the steps of `schema.sql`.

The only place that writes DDL for our own tables; it never touches the app's. A database of a newer
version than this code is refused, so an old process cannot work on tables that it does not know.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files

import psycopg
from psycopg.rows import TupleRow

from intercom_assets.database.failures import Refused
from intercom_assets.database.publications import noting, read_note, refusal, unaccepted
from intercom_assets.database.queries import query
from intercom_assets.database.store.connection import StoreNotReady, StorePool, Work

SCHEMA = "intercom_sync"
_STEP = re.compile(r"^-- step (\d+): (.+)$", re.MULTILINE)
_ONE_AT_A_TIME = b"select pg_advisory_xact_lock(hashtext('intercom_sync.schema_step'))"
_EXISTS = b"""
    select exists (select from pg_catalog.pg_tables
                   where schemaname = 'intercom_sync' and tablename = 'schema_step')
"""
"""Not to_regclass, which may answer from a cache of before another process made the table."""


@dataclass(frozen=True, slots=True)
class Step:
    number: int
    title: str
    sql: str


def apply_schema(
    url: str, *, steps: tuple[Step, ...] | None = None, accept: Collection[str] = ()
) -> list[str]:
    """Brings the schema to this version; says what it did, one line a step, nothing if nothing.

    Each step commits by itself. `accept`: publications whose subscribers have the tables already.
    Raises `StoreNotReady` if the schema is newer than this code or the role may not create it,
    `Refused` if another publication would carry it, `StoreUnavailable` if nobody answers.
    """
    steps = shipped_steps() if steps is None else steps
    with StorePool(url) as database:
        database.transact(_refuse_small_alphabet)
        if (found := database.transact(_version)) is not None:
            _refuse_newer(found, steps)
        if (found or 0) < len(steps):
            database.transact(lambda cursor: _refuse_published(cursor, accept))
        done = [
            f"intercom_sync: step {step.number}, {step.title}"
            for step in steps
            if step.number > (found or 0) and database.transact(_applying(step, steps))
        ]
        if accept:
            database.transact(lambda cursor: _note_accepted(cursor, accept))
        return done


def schema_version(url: str) -> int | None:
    """The last step that was applied; None without a schema. Changes nothing."""
    with StorePool(url) as database:
        return database.transact(_version)


def published(url: str) -> list[str]:
    """Publications that carry our tables, or would, and that nobody accepted."""

    def work(cursor: psycopg.Cursor[TupleRow]) -> list[str]:
        growing = (_version(cursor) or 0) < len(shipped_steps())
        return unaccepted(cursor.connection, SCHEMA, growing=growing)

    with StorePool(url) as database:
        return database.transact(work)


def shipped_steps() -> tuple[Step, ...]:
    return parse((files("intercom_assets.database.store") / "schema.sql").read_text("utf-8"))


def parse(text: str) -> tuple[Step, ...]:
    """Splits at lines `-- step N: what`. Steps that do not count up from 1 are a ValueError."""
    _, *parts = _STEP.split(text)
    steps = tuple(
        Step(int(number), title, sql)
        for number, title, sql in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    )
    if [step.number for step in steps] != list(range(1, len(steps) + 1)):
        raise ValueError("the steps of schema.sql do not count up from 1")
    return steps


def _version(cursor: psycopg.Cursor[tuple[object, ...]]) -> int | None:
    if cursor.execute(_EXISTS).fetchone() != (True,):
        return None
    row = cursor.execute(query("schema_step")).fetchone()
    return int(str(row[0])) if row else None


def _refuse_small_alphabet(cursor: psycopg.Cursor[tuple[object, ...]]) -> None:
    """What Intercom answers is kept, in whatever alphabet it is written."""
    [(encoding,)] = cursor.execute("show server_encoding").fetchall()
    if encoding not in ("UTF8", "SQL_ASCII"):
        raise StoreNotReady(
            f"the sync's own tables need a database in UTF8, and this one is in {encoding}: set "
            "SYNC_DATABASE_URL to the address of one that is"
        )


def _refuse_published(cursor: psycopg.Cursor[TupleRow], accept: Collection[str]) -> None:
    """Tables of ours in the app's publication would end its subscribers' replication."""
    if names := unaccepted(cursor.connection, SCHEMA, accept, growing=True):
        raise Refused(
            f"init-db: {refusal(names, SCHEMA, 'init-db')}; or set SYNC_DATABASE_URL to the "
            "address of a database of its own"
        )


def _note_accepted(cursor: psycopg.Cursor[TupleRow], accept: Collection[str]) -> None:
    note = read_note(cursor.connection, SCHEMA)
    cursor.execute(noting(SCHEMA, note | {"publications": sorted(accept)}))


def _refuse_newer(found: int, steps: tuple[Step, ...]) -> None:
    if found > len(steps):
        raise StoreNotReady(
            f"the sync's own tables are of version {found} and this program knows versions up to "
            f"{len(steps)}: upgrade intercom_assets here, or use the newer program"
        )


def _applying(step: Step, steps: tuple[Step, ...]) -> Work[bool]:
    """One step in one transaction. False if another process was quicker."""

    def work(cursor: psycopg.Cursor[tuple[object, ...]]) -> bool:
        cursor.execute(_ONE_AT_A_TIME)
        found = _version(cursor)
        _refuse_newer(found or 0, steps)
        if (found or 0) >= step.number:
            return False
        try:
            cursor.execute("create schema if not exists intercom_sync")
            cursor.execute(step.sql.encode())
        except psycopg.errors.InsufficientPrivilege as error:
            raise StoreNotReady(
                "this role may not create the schema intercom_sync: run `intercom-assets init-db` "
                "as a role that has the right CREATE on the database"
            ) from error
        cursor.execute("insert into intercom_sync.schema_step (step) values (%s)", (step.number,))
        return True

    return work
