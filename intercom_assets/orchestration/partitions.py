"""The two sets of partitions, one key per user and one per team of the app.

Keys are added as users and teams are first synced, so nothing here lists or counts them.
"""

import dagster as dg

from intercom_assets.orchestration.workspace_names import in_workspace

APP_USER = dg.DynamicPartitionsDefinition(name=in_workspace("app_user"))
APP_TEAM = dg.DynamicPartitionsDefinition(name=in_workspace("app_team"))


def add_keys(
    instance: dg.DagsterInstance, partitions: dg.DynamicPartitionsDefinition, keys: list[str]
) -> None:
    """Makes these keys known. One statement, however many there are and were there before."""
    if keys and partitions.name:
        instance.add_dynamic_partitions(partitions.name, keys)
