"""The app's database and our own tables, in one database or in two, for tests of the queue.

Without Intercom and without an engine: those are in `world`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.store.schema import apply_schema
from intercom_assets.database.store.store import Store
from intercom_assets.mapping.load import load_mapping
from intercom_assets.sync.feeders.drain import DelayOf, Drained, drain


@dataclass(frozen=True)
class Sides:
    app: AppDatabase
    store: Store

    def drain(self, delay: DelayOf | None = None) -> Drained:
        return drain(self.app, self.store, delay=delay)

    def logged(self) -> int:
        """Rows of the app's log."""
        with psycopg.connect(self.app.url) as connection:
            row = connection.execute("select count(*) from intercom_capture.change_log").fetchone()
        return int(row[0]) if row else 0


@contextmanager
def the_sides(app_url: str, store_url: str) -> Iterator[Sides]:
    """`app_url` has the sample app with capture; `store_url` gets our schema if it has none."""
    apply_schema(store_url)
    with AppDatabase(app_url, load_mapping()) as app, Store(store_url) as store:
        yield Sides(app, store)
