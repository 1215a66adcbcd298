"""The three user assets: one step, since one pass over a user brings all of them.

    users, memberships -> app_users -> intercom_contacts -> reconciled_profiles

No partitioned asset of another step may be upstream of these: a run without a partition then
breaks as soon as that asset has an event. That a company exists before a user is attached to it
is seen to by the pass itself.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from intercom_assets.assets.batch import UserConfig
from intercom_assets.assets.step import work_through
from intercom_assets.assets.subjects import USERS
from intercom_assets.partitions import APP_USER
from intercom_assets.pool import POOL
from intercom_assets.resources import (
    AppDatabaseResource,
    IntercomResource,
    SyncDatabaseResource,
    configuration,
)

USERS_TABLE = dg.AssetSpec("users", description="The app's users, as users.sql selects them.")
MEMBERSHIPS_TABLE = dg.AssetSpec(
    "memberships", description="Who is in which team, as memberships.sql selects it."
)

APP_USERS = dg.AssetSpec(
    "app_users",
    deps=[USERS_TABLE],
    skippable=True,
    description="One user of the app, as it was read last.",
)
INTERCOM_CONTACTS = dg.AssetSpec(
    "intercom_contacts",
    deps=[APP_USERS],
    skippable=True,
    description="The contact matched to that user, as Intercom last told it.",
)
RECONCILED_PROFILES = dg.AssetSpec(
    "reconciled_profiles",
    deps=[APP_USERS, INTERCOM_CONTACTS, MEMBERSHIPS_TABLE],
    skippable=True,
    description="The profile both sides agreed on: decided field by field, and held by both.",
)


@dg.multi_asset(
    name=USERS.step,
    specs=[APP_USERS, INTERCOM_CONTACTS, RECONCILED_PROFILES],
    partitions_def=APP_USER,
    can_subset=True,
    backfill_policy=dg.BackfillPolicy.multi_run(10_000),
    pool=POOL,
)
def reconcile_users(
    context: dg.AssetExecutionContext,
    config: UserConfig,
    app_database: AppDatabaseResource,
    sync_database: SyncDatabaseResource,
    intercom: IntercomResource,
) -> Iterator[Any]:
    """Brings users into step, both ways, and reports each of them."""
    yield from work_through(
        context,
        USERS,
        configuration(app_database, sync_database, intercom),
        from_queue=config.from_queue,
        ids=config.user_ids,
    )
