"""The steps of a command that are about Dagster: the pool's row, and the keys of partitions.

Both need DAGSTER_HOME. Commands import this module only where it is set: importing Dagster takes
two seconds. Must not: launching anything.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster_postgres.utils import DagsterPostgresException
from sqlalchemy.exc import SQLAlchemyError

from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import QueueKind, StateKey
from intercom_assets.launch.dagster_storage import require_storage
from intercom_assets.orchestration.instance_settings import missing_settings
from intercom_assets.orchestration.partitions import APP_TEAM, APP_USER, add_keys
from intercom_assets.orchestration.pool import LIMIT, POOL, missing_pool, set_up_pool
from intercom_assets.orchestration.recording import record_chunk, record_unshown
from intercom_assets.orchestration.sync_targets import TEAMS, USERS
from intercom_assets.sync.context.outcomes import ChunkReport
from intercom_assets.sync.context.workspace import screens
from intercom_assets.sync.environment import ConfigurationError, read_environment

KEYS_AT_ONCE = 10_000


def set_pool() -> str:
    """Gives the pool of all runs that call Intercom its size, and says so in one line."""
    with _instance() as instance:
        made = set_up_pool(instance)
    return f"Dagster: pool {POOL} {f'set to {LIMIT}' if made else 'already had its size'}"


def pool_problem() -> str | None:
    """Why no run may be launched yet; None if the pool has its row. Writes nothing."""
    with _instance() as instance:
        return missing_pool(instance)


def missing_dagster_settings() -> list[str]:
    """What dagster.yaml lacks, in sentences; nothing where the instance cannot be read at all."""
    with _instance() as instance:
        return list(missing_settings(instance))


@contextmanager
def recorder(
    store: Store, base_url: str, *, nobodies: bool
) -> Iterator[Callable[[ChunkReport, str], None]]:
    """Shows in Dagster what a command did, chunk by chunk.

    `nobodies`: everybody of the app is a partition, also who has nothing to be synced.
    """
    subjects = {USERS.kind: USERS, TEAMS.kind: TEAMS}
    with _instance() as instance:

        def record(report: ChunkReport, run_id: str) -> None:
            subject = subjects[QueueKind(report.kind)]
            try:
                pages = screens(store, base_url)
                record_chunk(instance, subject, report, run_id, pages, nobodies=nobodies)
            except (dg.DagsterError, SQLAlchemyError):
                # Dagster's storage went away: what is synced is synced, and is shown later.
                store.state.put(StateKey.NOT_SHOWN_IN_DAGSTER, True)

        yield record


def show_unshown(store: Store) -> str | None:
    """Materializations for who is in step and has none, in one line; None if everybody has."""
    with _instance() as instance:
        counts = record_unshown(instance, store)
    if not any(counts.values()):
        return None
    registered = " and ".join(f"{count:,} {noun}s" for noun, count in counts.items())
    return f"Dagster: {registered} were in step already and are shown as materialized"


def register_partitions(keys: dict[QueueKind, Sequence[str]]) -> str:
    """Makes every key a partition, and says so in one line."""
    with _instance() as instance:
        for kind, chunk in keys.items():
            partitions = APP_USER if kind is QueueKind.USER else APP_TEAM
            for start in range(0, len(chunk), KEYS_AT_ONCE):
                add_keys(instance, partitions, list(chunk[start : start + KEYS_AT_ONCE]))
    counts = " and ".join(f"{len(part):,} {kind}s" for kind, part in keys.items())
    return f"Dagster: {counts} are partitions"


def register_linked(store: Store) -> str | None:
    """Makes everybody whom the sync knows already a partition; None if all of them are."""
    kinds = {QueueKind.USER: APP_USER, QueueKind.TEAM: APP_TEAM}
    missing: dict[QueueKind, Sequence[str]] = {}
    with _instance() as instance:
        for kind, partitions in kinds.items():
            there = set(instance.get_dynamic_partitions(partitions.name or ""))
            linked = (key for part in store.linked.ids(kind) for key in part)
            missing[kind] = [key for key in linked if key not in there]
    return register_partitions(missing) if any(missing.values()) else None


@contextmanager
def _instance() -> Iterator[dg.DagsterInstance]:
    """The instance of DAGSTER_HOME. Raises `ConfigurationError` for whatever is wrong with it."""
    home = Path(os.environ.get("DAGSTER_HOME", "")).expanduser()
    require_storage(home, os.environ, read_environment().sync_url)
    try:
        with dg.DagsterInstance.get() as instance:
            yield instance
    except (dg.DagsterError, SQLAlchemyError, DagsterPostgresException) as error:
        raise ConfigurationError(
            f"DAGSTER_HOME is {os.environ.get('DAGSTER_HOME')}, and Dagster's instance there "
            f"cannot be used: {_first_line(error)}"
        ) from error


def _first_line(error: Exception) -> str:
    """Dagster's own words, which may go on with the text of an object."""
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return text.partition("{")[0].strip()[:300]
