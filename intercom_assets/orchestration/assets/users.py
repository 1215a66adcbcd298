"""The three user assets: one step, since one pass over a user brings all of them.

    users, memberships -> app_users -> intercom_contacts -> reconciled_profiles

No partitioned asset of another step may be upstream of these: a run without a partition then
breaks as soon as that asset has an event. That a company exists before a user is attached to it
is seen to by the pass itself.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from intercom_assets.orchestration.assets.launch import UserConfig
from intercom_assets.orchestration.assets.run_step import work_through
from intercom_assets.orchestration.partitions import APP_USER
from intercom_assets.orchestration.pool import POOL
from intercom_assets.orchestration.resources import SyncResource
from intercom_assets.orchestration.sync_targets import (
    NOTHING_TO_PRESS,
    OF_THE_APP,
    OF_THE_SYNC,
    USERS,
)
from intercom_assets.orchestration.workspace_names import key_of

MATERIALIZE = (
    "\n\n**Materialize** syncs the users that you choose by their ids, now. On whichever of a "
    "user's three assets you press it, all three are brought up to date; a user who is in step "
    "costs no call. You need not press it: the sensor `changed_users` syncs a user within seconds "
    "of a change.\n\nA user who is not in the list has never been synced: choose **Add partition** "
    "and type the id. Dagster may then warn of *Upstream data missing*: launch all the same, "
    "since the run reads both sides itself."
)

USERS_TABLE = dg.AssetSpec(
    key_of("users"),
    **OF_THE_APP,
    description="The app's users, as users.sql selects them. A column that is not selected never "
    "leaves the app. A change here is noticed by the sensor `changed_users`." + NOTHING_TO_PRESS,
)
MEMBERSHIPS_TABLE = dg.AssetSpec(
    key_of("memberships"),
    **OF_THE_APP,
    description="Who is in which team of the app, as memberships.sql selects it. A contact is "
    "attached to the companies of its user's teams." + NOTHING_TO_PRESS,
)

APP_USERS = dg.AssetSpec(
    key_of("app_users"),
    deps=[USERS_TABLE],
    skippable=True,
    **OF_THE_SYNC | {"kinds": {"python", "postgres"}},
    description="The app's side of each user, as a run read it. One partition per user, named by "
    "the user's id in the app. No copy of the row is kept." + MATERIALIZE,
)
INTERCOM_CONTACTS = dg.AssetSpec(
    key_of("intercom_contacts"),
    deps=[APP_USERS],
    skippable=True,
    **OF_THE_SYNC | {"kinds": {"python", "intercom"}},
    description="The contact that is matched to each user, as Intercom last told it: by the id "
    "that is stored, by external id, or by e-mail if it has no other owner." + MATERIALIZE,
)
RECONCILED_PROFILES = dg.AssetSpec(
    key_of("reconciled_profiles"),
    deps=[APP_USERS, INTERCOM_CONTACTS, MEMBERSHIPS_TABLE],
    skippable=True,
    **OF_THE_SYNC | {"kinds": {"python", "postgres", "intercom"}},
    description="The profile that both sides agreed on: decided field by field, and held by both. "
    "A partition is green once app and Intercom hold the same, and red while its user is parked: "
    "given up on until the row changes or an operator runs `intercom-assets retry`, or presses "
    "**Materialize** for it." + MATERIALIZE,
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
    sync: SyncResource,
) -> Iterator[Any]:
    """Brings users into step, both ways, and reports each of them."""
    yield from work_through(
        context,
        USERS,
        sync,
        from_queue=config.from_queue,
        ids=config.user_ids,
    )
