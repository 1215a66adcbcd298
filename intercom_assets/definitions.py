"""What Dagster loads: the assets, jobs, sensors and resources, listed by hand.

Nothing here connects, logs in or decides by environment; the resources read the environment when
a tick or a run builds its clients. Only the pages' texts come from the mapping's files.
"""

import warnings
from collections.abc import Mapping, Sequence

import dagster as dg

from intercom_assets.orchestration.alerts import failed_runs
from intercom_assets.orchestration.assets.asset_metadata import Assets, with_mapping
from intercom_assets.orchestration.assets.companies import TEAMS_TABLE, reconcile_companies
from intercom_assets.orchestration.assets.sync_health import HEALTH
from intercom_assets.orchestration.assets.users import (
    MEMBERSHIPS_TABLE,
    USERS_TABLE,
    reconcile_users,
)
from intercom_assets.orchestration.checks import CHECKS, health, health_job
from intercom_assets.orchestration.internals.warm_runs import serve_warm_runs
from intercom_assets.orchestration.jobs import sync_companies, sync_users
from intercom_assets.orchestration.resources import all_resources, mapping_folder
from intercom_assets.orchestration.schedules import JOBS, SCHEDULES
from intercom_assets.orchestration.sensors import changed_teams, changed_users, intercom_changes

warnings.filterwarnings(
    "ignore", message="Parameter `owners` of initializer `SensorDefinition", category=dg.BetaWarning
)
"""Dagster warns of an argument that it passes itself, in each process that loads this."""


def build_defs(
    resources: Mapping[str, object] | None = None,
    schedules: Sequence[dg.ScheduleDefinition] = (*SCHEDULES, health),
) -> dg.Definitions:
    """`resources`: others in place of those that read the environment; see `all_resources`."""
    assets: Assets = [
        USERS_TABLE,
        MEMBERSHIPS_TABLE,
        TEAMS_TABLE,
        reconcile_users,
        reconcile_companies,
        HEALTH,
    ]
    given = all_resources(resources)
    mapping = mapping_folder(given)
    serve_warm_runs(*[mapping] if mapping else [])
    return dg.Definitions(
        assets=with_mapping(assets, mapping),
        jobs=[sync_users, sync_companies, *JOBS, health_job],
        asset_checks=CHECKS,
        schedules=schedules,
        sensors=[changed_users, changed_teams, intercom_changes, failed_runs],
        resources=given,
        # Clicks and backfills run as Dagster's own job, which takes its executor from here: one
        # process a run, since a run is one step that waits for the network.
        executor=dg.in_process_executor,
    )


defs = build_defs()
