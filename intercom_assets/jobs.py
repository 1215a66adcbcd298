"""The jobs that sensors and operators launch. Their names are contracts.

Without checks: a check planned beside a batch that yields no output would be reset to skipped.
"""

import dagster as dg

from intercom_assets.assets.subjects import TEAMS, USERS

RETRIED_BY_THE_QUEUE = {"dagster/max_retries": "0"}
"""What a run that died had not finished is still in the queue, and the next run goes on with it."""
PRIORITY = {"dagster/priority": "10", **RETRIED_BY_THE_QUEUE}
"""Before backfills and bulk work in Dagster's queue; it orders the queue, it does not pre-empt."""

sync_users = dg.define_asset_job(
    USERS.job,
    selection=dg.AssetSelection.assets(*USERS.before_it, USERS.settled).without_checks(),
    tags=PRIORITY,
    description="Brings users into step: a partition, `user_ids: [...]` or `from_queue: N`.",
)

sync_companies = dg.define_asset_job(
    TEAMS.job,
    selection=dg.AssetSelection.assets(TEAMS.settled).without_checks(),
    tags=PRIORITY,
    description="Brings companies into step: a partition, `team_ids: [...]` or `from_queue: N`.",
)
