"""A sync worker in a process of its own, without Dagster: feeds the queue and works it off, again.

Belongs here: the loop, with time-outs short enough for a short lease. What it does in a round is
the product's own. `--broken` takes one safeguard away (`broken.py`); with `--bulk` a few users are
a large batch. Must not: dying or pausing by itself; that is done to it.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.domain.errors import OperatorError
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError
from intercom_assets.intercom.http.messages import Timeouts
from intercom_assets.mapping.load import load_mapping
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.engine.batch import new_run_id, run_batch
from intercom_assets.sync.engine.chunk_source import Batch
from intercom_assets.sync.environment import (
    open_store,
    read_environment,
)
from intercom_assets.sync.feeders.app_changes import feed_from_app
from intercom_assets.sync.feeders.intercom_changes import feed_from_intercom
from intercom_assets_tests.sync.small_bulk import SMALL, sizes_of_bulk
from intercom_assets_tests.tools.chaos.broken import PROTOCOLS

SEARCH_EVERY = 5.0
"""Seconds: slow, since webhooks tell of most changes at once."""
TIMEOUTS = Timeouts(connect=1.0, answer=2.0)
LEASE = timedelta(seconds=6)
"""Shorter than a `sync.yaml` may have it, as are the calls."""
AT_ONCE = 40
"""Users a round, so that several workers share what is due."""
BULK_SIZES = {**SMALL, "AT_ONCE": 10, "JOB_LASTS": 20}
"""Jobs take a second here, so that one that nobody saw the end of is not waited for for long."""


@contextmanager
def services_of_worker() -> Iterator[Services]:
    """As `opened`, with time-outs that fit into a lease of a few seconds."""
    printed = read_environment()
    mapping = load_mapping(printed.mapping_folder)
    settings = mapping.settings.model_copy(update={"lease": LEASE})
    app = AppDatabase(printed.app_url, replace(mapping, settings=settings))
    store = open_store(printed, settings)
    client = IntercomClient(
        printed.token,
        printed.base_url,
        rate_share=1.0,
        connections=settings.threads,
        timeouts=TIMEOUTS,
    )
    try:
        yield Services(app, store, client)
    finally:
        client.close()
        store.close()
        app.close()


def work(services: Services, search: bool) -> int:
    """One round; how many outcomes it had."""
    feed_from_app(services)
    if search:
        with suppress(IntercomError):
            feed_from_intercom(services)
    done = 0
    for kind in (QueueKind.TEAM, QueueKind.USER):
        for report in run_batch(services, Batch(kind, from_queue=AT_ONCE), new_run_id("chaos")):
            done += len(report.outcomes)
    return done


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broken", choices=sorted(PROTOCOLS))
    parser.add_argument("--bulk", action="store_true")
    options = parser.parse_args()
    parent, searched_at = os.getppid(), 0.0
    sizes = BULK_SIZES if options.bulk else {}
    with sizes_of_bulk(sizes), services_of_worker() as services:
        if options.broken:
            services = PROTOCOLS[options.broken](services)
        while os.getppid() == parent:
            search = time.monotonic() > searched_at + SEARCH_EVERY
            searched_at = time.monotonic() if search else searched_at
            try:
                idle = not work(services, search)
            except OperatorError as error:
                sys.stderr.write(f"{error}\n")
                idle = True
            time.sleep(0.05 if idle else 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
