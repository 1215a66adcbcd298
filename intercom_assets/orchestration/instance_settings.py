"""What of `dagster.yaml` the sync needs beyond Dagster's defaults, as an instance has it.

Where it is left out nothing breaks until a run dies, a code server restarts or much happens at
once; `check` and `init-db` say so before. Must not: changing it.
"""

from collections.abc import Iterator

import dagster as dg
from dagster._core.instance.config import PoolGranularity

BULK_TAGS = {"dagster/backfill", "intercom_assets/lane"}
SHIPPED = "as intercom_assets/deploy/dagster.yaml has it"


def missing_settings(instance: dg.DagsterInstance) -> Iterator[str]:
    """What is missing, each in a sentence that says what for."""
    yield from _of_backfills(instance)
    if not instance.run_monitoring_enabled:
        yield (
            "dagster.yaml: run_monitoring is off: a run whose process died may stay under way for "
            f"ever, and others wait for it. Set it {SHIPPED}."
        )
    concurrency = instance.get_concurrency_config()
    if concurrency.pool_config.pool_granularity is not PoolGranularity.RUN:
        yield (
            "dagster.yaml: concurrency.pools.granularity is not run: the slot of a run that died "
            f"is taken for a while longer. Set it {SHIPPED}."
        )
    queue = concurrency.run_queue_config
    limited = {limit.get("key") for limit in queue.tag_concurrency_limits or ()} if queue else set()
    if not limited >= BULK_TAGS:
        yield (
            "dagster.yaml: concurrency.runs.tag_concurrency_limits leave out "
            f"{' and '.join(sorted(BULK_TAGS - limited))}: live changes wait for bulk work. Set "
            f"them {SHIPPED}."
        )
    if not (instance.get_settings("sensors") or {}).get("use_threads"):
        yield (
            "dagster.yaml: sensors.use_threads is off: a sensor that waits for a change holds up "
            f"all others. Set it {SHIPPED}."
        )


def _of_backfills(instance: dg.DagsterInstance) -> Iterator[str]:
    queue = instance.get_concurrency_config().run_queue_config
    if queue is not None and not queue.max_user_code_failure_retries:
        yield (
            "dagster.yaml: run_coordinator.config.max_user_code_failure_retries is not set: a "
            f"queued run fails if its code server restarts just then. Set it {SHIPPED}."
        )
    retries = instance.get_settings("run_retries") if instance.run_retries_enabled else {}
    if not retries.get("max_retries"):
        yield (
            "dagster.yaml: run_retries are off: a backfill ends red if one of its runs died with "
            f"its code server, although all its users are synced later. Set it {SHIPPED}."
        )
    elif retries.get("retry_on_asset_or_op_failure", True):
        yield (
            "dagster.yaml: run_retries.retry_on_asset_or_op_failure is on: a run with parked users "
            f"is run again for nothing. Set it to false, {SHIPPED}."
        )
