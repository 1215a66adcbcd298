"""What syncing users and syncing teams have in common in Dagster's eyes, as data.

Names of steps, jobs and assets are contracts: run config, links and alerts hang on them.
"""

from dataclasses import dataclass
from typing import TypedDict

import dagster as dg

from intercom_assets.domain.values import count_of
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.orchestration.partitions import APP_TEAM, APP_USER
from intercom_assets.orchestration.workspace_names import key_of

APP_USERS = key_of("app_users")
INTERCOM_CONTACTS = key_of("intercom_contacts")

SENSOR_TAG = "dagster/sensor_name"
LANE_TAG = "intercom_assets/lane"
LIVE, BULK = "live", "bulk"
STOPPED_TAG = "intercom_assets/stopped"
"""On a run that Intercom or a guard refused as a whole: why, in a sentence."""
CAUSE_TAG, CALLS_TAG = "intercom_assets/cause", "intercom_assets/calls"

SYNC_HEALTH = key_of("sync_health")
"""Where each run's own numbers are, and the health checks. No run materializes it."""


class _Shown(TypedDict):
    """What assets of one side have in common on their pages."""

    group_name: str
    kinds: set[str]


GROUP = "in_step"
OF_THE_APP = _Shown(group_name=GROUP, kinds={"postgres", "table"})
OF_THE_SYNC = _Shown(group_name=GROUP, kinds={"python"})
NOTHING_TO_PRESS = (
    "\n\nThere is nothing to press here, and Dagster says *Never materialized*: this is the app's "
    "own table, and no run makes it."
)
"""Ends the description of a table of the app's."""


@dataclass(frozen=True)
class SyncTarget:
    """`result_asset`: says that both sides hold the same; `before_it`: the assets of the same
    step that lead to it; `table`: the external asset where the line starts.

    `ids`: the key of the run config that names them.
    """

    kind: QueueKind
    noun: str
    ids: str
    step: str
    job: str
    partitions: dg.DynamicPartitionsDefinition
    result_asset: dg.AssetKey
    table: dg.AssetKey
    before_it: tuple[dg.AssetKey, ...] = ()

    def several(self, count: int) -> str:
        return count_of(count, self.noun)

    @property
    def count_tag(self) -> str:
        """The run tag that says how many it is about."""
        return f"intercom_assets/{self.noun}s"

    def run_config(self, **config: object) -> dict[str, object]:
        return {"ops": {self.step: {"config": config}}}


USERS = SyncTarget(
    kind=QueueKind.USER,
    noun="user",
    ids="user_ids",
    step="reconcile_users",
    job="sync_users",
    partitions=APP_USER,
    result_asset=key_of("reconciled_profiles"),
    table=key_of("users"),
    before_it=(APP_USERS, INTERCOM_CONTACTS),
)

TEAMS = SyncTarget(
    kind=QueueKind.TEAM,
    noun="team",
    ids="team_ids",
    step="reconcile_companies",
    job="sync_companies",
    partitions=APP_TEAM,
    result_asset=key_of("intercom_companies"),
    table=key_of("teams"),
)
