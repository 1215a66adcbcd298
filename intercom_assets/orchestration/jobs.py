"""The jobs that sensors and operators launch. Their names are contracts.

Without checks: a check planned beside a batch that yields no output would be reset to skipped.
"""

import dagster as dg

from intercom_assets.orchestration.sync_targets import TEAMS, USERS

RETRIED_BY_THE_QUEUE = {"dagster/max_retries": "0"}
"""What a run that died had not finished is still in the queue, and the next run goes on with it."""
PRIORITY = {"dagster/priority": "10", **RETRIED_BY_THE_QUEUE}
"""Before backfills and bulk work in Dagster's queue; it orders the queue, it does not pre-empt."""

sync_users = dg.define_asset_job(
    USERS.job,
    selection=dg.AssetSelection.assets(*USERS.before_it, USERS.result_asset).without_checks(),
    tags=PRIORITY,
    description="Syncs users. The sensor `changed_users` launches it for those who changed; by "
    "hand, use **Materialize** on the page of `reconciled_profiles`. A run says whom it syncs in "
    "one way: by partitions, or in its config by `user_ids: [...]`, or by `from_queue: N` for as "
    "many of those who are due.",
)

sync_companies = dg.define_asset_job(
    TEAMS.job,
    selection=dg.AssetSelection.assets(TEAMS.result_asset).without_checks(),
    tags=PRIORITY,
    description="Syncs teams. The sensor `changed_teams` launches it for those that changed; by "
    "hand, use **Materialize** on the page of `intercom_companies`. A run says which it syncs in "
    "one way: by partitions, or in its config by `team_ids: [...]`, or by `from_queue: N` for as "
    "many of those that are due.",
)
