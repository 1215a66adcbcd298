"""What every pass needs: both sides, our own tables, the mapping's rules, and a clock.

Built once per process by Dagster's resources or by the CLI; holds no state of a run.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.store.store import Store
from intercom_assets.domain.fields import Field, fields_of_teams, fields_of_users
from intercom_assets.domain.owners import Admins
from intercom_assets.domain.timezones import ZoneBook
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.mapping.settings import SyncSettings
from intercom_assets.sync.context.zones import zone_book


@dataclass(frozen=True)
class Services:
    """`wall` gives Unix seconds; tests hand in their own. `admins`: in place of those that are
    kept, for a plan; `tags` likewise, key -> id."""

    app: AppDatabase
    store: Store
    intercom: IntercomClient
    wall: Callable[[], float] = time.time
    zones: ZoneBook = field(default_factory=zone_book)
    admins: Admins | None = None
    tags: Mapping[str, str] | None = None

    @property
    def settings(self) -> SyncSettings:
        return self.app.mapping.settings

    @cached_property
    def user_fields(self) -> dict[str, Field]:
        """The mapping's fields by name, with who wins and what is written back."""
        settings = self.settings
        fields = fields_of_users(
            self.app.users_columns, settings.fields, settings.write_back.columns
        )
        return {field.name: field for field in fields}

    @cached_property
    def team_fields(self) -> dict[str, Field]:
        return {
            fields_of_team.name: fields_of_team
            for fields_of_team in fields_of_teams(self.app.teams_columns)
        }

    def now(self) -> int:
        return int(self.wall())

    def intercom_now(self) -> int:
        """What Intercom's clock says, for comparing with its own times; ours before it answered."""
        theirs = self.intercom.their_time()
        return self.now() if theirs is None else int(theirs)
