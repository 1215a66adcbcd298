"""Dagster's storages keep their connections to PostgreSQL, and share them within a process.

By default each statement of Dagster's opens a connection and closes it, 5 to 10 ms of CPU on both
ends, sixty times in a run of one user. Dagster's webserver alone keeps one for each storage. What
was kept is tried before it is used, unless it was used just now, so that a server that restarts
costs no statement. Where a name of Dagster's is gone, connections are opened and closed as ever.
"""

from functools import wraps
from importlib import import_module
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import create_engine, event, exc

KEPT = 2
"""Connections that stay open once they are idle: for each process, however many storages."""
RENEWED_AFTER_S = 1_800
TRIED_AFTER_S = 0.2
"""Seconds without use. A run's statements come closer together, and would take twice as long."""
_STORAGES = (
    "dagster_postgres.run_storage.run_storage",
    "dagster_postgres.event_log.event_log",
    "dagster_postgres.schedule_storage.schedule_storage",
)
_MAKES = "create_pg_engine"
_OF_AN_INSTANCE = ("_run_storage", "_event_storage", "_schedule_storage")
_engines: dict[str, Any] = {}
_lock = Lock()


def keep_connections() -> None:
    """Storages that are made in this process from now on share connections that are kept."""
    for name in _STORAGES:
        try:
            module = import_module(name)
        except ImportError:
            continue
        make = getattr(module, _MAKES, None)
        if make is not None and not hasattr(make, "__wrapped__"):
            setattr(module, _MAKES, _keeping(make))


def keep_connections_of(instance: Any) -> None:
    """The storages of an instance that is there already; those that keep some are left alone."""
    for name in _OF_AN_INSTANCE:
        storage: Any = getattr(instance, name, None)
        engine, url = getattr(storage, "_engine", None), getattr(storage, "postgres_url", None)
        if url and _opens_each_time(engine) and getattr(storage, "_token_provider", None) is None:
            storage._engine = _shared(url)


def _keeping(make: Any) -> Any:
    """`token_provider`: of logins that run out; their connections are Dagster's to make."""

    @wraps(make)
    def made(url: str, token_provider: Any = None, **options: Any) -> Any:
        pool = options.get("poolclass")
        if token_provider is not None or getattr(pool, "__name__", "") != "NullPool":
            return make(url, token_provider, **options)
        return _shared(url)

    return made


def _opens_each_time(engine: Any) -> bool:
    return type(getattr(engine, "pool", None)).__name__ == "NullPool"


def _shared(url: str) -> Any:
    with _lock:
        if url not in _engines:
            _engines[url] = create_engine(
                url,
                isolation_level="AUTOCOMMIT",
                pool_size=KEPT,
                max_overflow=-1,
                pool_recycle=RENEWED_AFTER_S,
                pool_use_lifo=True,
            )
            event.listen(_engines[url], "checkin", _note_use)
            event.listen(_engines[url], "checkout", _try_if_rested)
        return _engines[url]


def _note_use(_: Any, record: Any) -> None:
    record.info["used"] = monotonic()


def _try_if_rested(connection: Any, record: Any, _: Any) -> None:
    """What it raises has the pool open another one instead."""
    used = record.info.get("used")
    if used is None or monotonic() - used < TRIED_AFTER_S:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except Exception:
        raise exc.DisconnectionError from None
