"""The end of every line: how the sync itself is doing.

External, so that no run materializes it: its checks could otherwise be reset by a run that does not
ask them, and it would be upstream of nothing all the same.
"""

import dagster as dg

from intercom_assets.orchestration.sync_targets import OF_THE_SYNC, SYNC_HEALTH, TEAMS, USERS

HEALTH = dg.AssetSpec(
    SYNC_HEALTH,
    deps=[USERS.result_asset, TEAMS.result_asset],
    **OF_THE_SYNC,
    description="How the sync is doing.\n\nEvery run leaves its numbers under **Events**, and "
    "**Plots**, beside the metadata, shows them over time: users or teams handled, calls, calls "
    "refused by the rate limit, share of that limit, users a second, Intercom edits that were "
    "overruled.\n\nThe health checks are under **Checks**. The job `health_job` asks them every "
    "quarter of an hour, and notes here how long the queue is; before it first did, Dagster says "
    "*Never materialized* and *Not Evaluated*.\n\n**Materialize** is grey, since nothing is made "
    "here: to ask the checks now, press **Execute all** under **Checks**.",
)
