"""What Dagster configures: the two databases and Intercom. Knows variables, no endpoint, no query.

Every field may be left empty; the environment is then read when the clients are built, not when
the code is loaded, so that a tick or a run can say in a sentence what is missing. The clients
themselves are plain and know nothing of Dagster.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import dagster as dg
from pydantic import Field

from intercom_assets.domain.errors import OperatorError
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.environment import (
    APP_DATABASE_URL,
    INTERCOM_ACCESS_TOKEN,
    INTERCOM_ALERT_WEBHOOK,
    INTERCOM_BASE_URL,
    INTERCOM_SYNC_CONFIG,
    INTERCOM_SYNC_ENABLED,
    SYNC_DATABASE_URL,
    Configuration,
    opened,
    read_environment,
)

T = TypeVar("T")


class AppDatabaseResource(dg.ConfigurableResource[None]):
    """The app's database, and the mapping that says what of it leaves the app."""

    url: str = Field(default="", repr=False, description=f"default: {APP_DATABASE_URL}")
    mapping: str = Field(
        default="", description=f"the mapping's folder; default: {INTERCOM_SYNC_CONFIG}"
    )

    def variables(self) -> dict[str, str]:
        return {APP_DATABASE_URL: self.url, INTERCOM_SYNC_CONFIG: self.mapping}


class SyncDatabaseResource(dg.ConfigurableResource[None]):
    """Where our own tables are."""

    url: str = Field(
        default="", repr=False, description=f"default: {SYNC_DATABASE_URL}, or the app's database"
    )

    def variables(self) -> dict[str, str]:
        return {SYNC_DATABASE_URL: self.url}


class IntercomResource(dg.ConfigurableResource[None]):
    """The workspace, and whether it may be synced at all."""

    access_token: str = Field(
        default="", repr=False, description=f"default: {INTERCOM_ACCESS_TOKEN}"
    )
    base_url: str = Field(default="", description=f"default: {INTERCOM_BASE_URL}, or the US host")
    sync_enabled: str = Field(
        default="", description=f"true, 1, yes or on; default: {INTERCOM_SYNC_ENABLED}"
    )

    def variables(self) -> dict[str, str]:
        return {
            INTERCOM_ACCESS_TOKEN: self.access_token,
            INTERCOM_BASE_URL: self.base_url,
            INTERCOM_SYNC_ENABLED: self.sync_enabled,
        }


class AlertsResource(dg.ConfigurableResource[None]):
    """Who is told when a run fails; nobody, unless an address is set."""

    webhook: str = Field(
        default="",
        repr=False,
        description=f"an https address that takes JSON; default: {INTERCOM_ALERT_WEBHOOK}",
    )

    def address(self) -> str:
        return self.webhook.strip() or os.environ.get(INTERCOM_ALERT_WEBHOOK, "").strip()


class SyncResource(dg.ConfigurableResource[None]):
    """All that a tick, a run or a check works with: the two databases and the workspace."""

    app_database: AppDatabaseResource
    sync_database: SyncDatabaseResource
    intercom: IntercomResource

    @property
    def configuration(self) -> Configuration:
        """What the three say, and the environment where they say nothing."""
        return _read(
            self.app_database.variables()
            | self.sync_database.variables()
            | self.intercom.variables()
        )

    def attempt(self, work: Callable[[Services], T], otherwise: Callable[[OperatorError], T]) -> T:
        """What `work` returns; what `otherwise` does, where an operator has to mend something.

        Opens the services for as long as `work` needs them. Raises what is a fault of ours.
        """
        try:
            with opened(self.configuration) as services:
                return work(services)
        except OperatorError as error:
            return otherwise(error)


def mapping_folder(resources: Mapping[str, object]) -> Path | None:
    """Where the mapping is that runs will go by; None is the shipped sample's."""
    sync = resources.get("sync")
    given = sync.app_database.variables() if isinstance(sync, SyncResource) else {}
    return _read(given).mapping_folder


def _read(given: Mapping[str, str]) -> Configuration:
    return read_environment({**os.environ, **{name: text for name, text in given.items() if text}})


def all_resources(given: Mapping[str, object] | None = None) -> dict[str, object]:
    """`given` has `app_database`, `sync_database`, `intercom` or `alerts` in place of those that
    read the environment."""
    parts = {
        "app_database": AppDatabaseResource(),
        "sync_database": SyncDatabaseResource(),
        "intercom": IntercomResource(),
        "alerts": AlertsResource(),
        **(given or {}),
    }
    alerts = parts.pop("alerts")
    return {"sync": SyncResource(**parts), "alerts": alerts}
