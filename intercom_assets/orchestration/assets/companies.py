"""The team asset: each of the app's teams as the company that Intercom holds for it."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from intercom_assets.orchestration.assets.launch import TeamConfig
from intercom_assets.orchestration.assets.run_step import work_through
from intercom_assets.orchestration.partitions import APP_TEAM
from intercom_assets.orchestration.pool import POOL
from intercom_assets.orchestration.resources import SyncResource
from intercom_assets.orchestration.sync_targets import (
    NOTHING_TO_PRESS,
    OF_THE_APP,
    OF_THE_SYNC,
    TEAMS,
)
from intercom_assets.orchestration.workspace_names import key_of

TEAMS_TABLE = dg.AssetSpec(
    key_of("teams"),
    **OF_THE_APP,
    description="The app's teams, as teams.sql selects them. A change here is noticed by the "
    "sensor `changed_teams`." + NOTHING_TO_PRESS,
)

INTERCOM_COMPANIES = dg.AssetSpec(
    key_of("intercom_companies"),
    deps=[TEAMS_TABLE],
    skippable=True,
    **OF_THE_SYNC | {"kinds": {"python", "postgres", "intercom"}},
    description="Each team's company as Intercom holds it. One partition per team, named by the "
    "team's id in the app; red while the team is parked.\n\n**Materialize** syncs the teams "
    "that you choose by their ids, now; a team in step costs no call. You need not press it: the "
    "sensor `changed_teams` syncs a team within seconds of a change.\n\nA team that is not in the "
    "list has never been synced: choose **Add partition** and type its id.",
)


@dg.multi_asset(
    name=TEAMS.step,
    specs=[INTERCOM_COMPANIES],
    partitions_def=APP_TEAM,
    backfill_policy=dg.BackfillPolicy.multi_run(10_000),
    pool=POOL,
)
def reconcile_companies(
    context: dg.AssetExecutionContext,
    config: TeamConfig,
    sync: SyncResource,
) -> Iterator[Any]:
    """Brings companies into step with their teams, and reports each of them."""
    yield from work_through(
        context,
        TEAMS,
        sync,
        from_queue=config.from_queue,
        ids=config.team_ids,
    )
