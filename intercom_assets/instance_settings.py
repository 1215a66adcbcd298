"""What of `dagster.yaml` a backfill needs to outlive a restart of its code server.

Where it is left out nothing breaks until a code server restarts in a backfill; `check` asks before.
"""

from collections.abc import Iterator

import dagster as dg

SHIPPED = "as intercom_assets/deploy/dagster.yaml has it"


def missing_settings(instance: dg.DagsterInstance) -> Iterator[str]:
    """What is missing, each in a sentence that says what for."""
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
