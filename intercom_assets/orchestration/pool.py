"""The pool of all runs that call Intercom, and the row that gives it its size.

Dagster's own setting for it (`pools.default_limit`) switches a pool off when it is changed, and a
pool without a row is unlimited, silently. So the row is set here, by `init-db` and the demo, and
whoever launches runs asks first whether it is there.
"""

import dagster as dg

from intercom_assets.orchestration.workspace_names import in_workspace

POOL = in_workspace("intercom_api")
LIMIT = 3
"""One for a backfill, one for other bulk work, so that one is always free for live changes."""


def set_up_pool(instance: dg.DagsterInstance, limit: int = LIMIT) -> bool:
    """Gives the pool its row, unless it has one that an operator chose. True if it was missing."""
    if missing_pool(instance) is None:
        return False
    instance.event_log_storage.set_concurrency_slots(POOL, limit)
    return True


def missing_pool(instance: dg.DagsterInstance) -> str | None:
    """Why no run may be launched: the pool has no row of its own. None if it has one.

    Storage in memory knows no pools; it also launches nothing.
    """
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return None
    if any(pool.name == POOL and not pool.from_default for pool in storage.get_pool_limits()):
        return None
    return (
        f"The pool {POOL} has no limit of its own, so runs would not wait for each other: run "
        f"`intercom-assets init-db`, or `dagster instance concurrency set {POOL} {LIMIT}`."
    )
