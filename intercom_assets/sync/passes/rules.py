"""The mapping's choices as a pass over users or teams needs them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from intercom_assets.domain.fields import Field
from intercom_assets.domain.owners import Admins
from intercom_assets.domain.timezones import ZoneBook
from intercom_assets.sync.context.admins import known_admins, owner_column
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.tags import known_tags, selects_tags


@dataclass(frozen=True, slots=True)
class Rules:
    """`now` in Unix seconds, `intercom_now` by Intercom's clock; `merge_window` in seconds.

    `separate_merged`: whose contact was merged by hand into another user's gets one of their own.
    `unwritable`: field -> why nobody writes it. `owner`: the column that names a contact's owner,
    who is looked up among `admins`. `tags`: the workspace's, key -> id, none for teams, whose
    companies name theirs themselves; None where the mapping selects none.
    """

    fields: Mapping[str, Field]
    zones: ZoneBook
    mapping_version: str
    now: int
    intercom_now: int
    merge_window: int
    clear_unusable: bool
    truncate: bool
    mirror: bool
    archive: bool
    separate_merged: bool
    unwritable: Mapping[str, str]
    owner: str | None = None
    admins: Admins | None = None
    tags: Mapping[str, str] | None = None
    sync_now_tag: str | None = None

    def decidable(self, values: Mapping[str, object]) -> dict[str, Field]:
        """The fields that the app's row has a value for and that somebody can write."""
        unwritable = self.unwritable
        return {n: f for n, f in self.fields.items() if n in values and n not in unwritable}


def user_rules(services: Services, unwritable: Mapping[str, str]) -> Rules:
    rules = _rules(services, services.user_fields, unwritable)
    if selects_tags(services.app.users_columns):
        rules = replace(rules, tags=known_tags(services))
    owner = owner_column(services)
    return rules if owner is None else replace(rules, owner=owner, admins=known_admins(services))


def team_rules(services: Services, unwritable: Mapping[str, str]) -> Rules:
    rules = _rules(services, services.team_fields, unwritable)
    return replace(rules, tags={}) if selects_tags(services.app.teams_columns) else rules


def _rules(services: Services, fields: Mapping[str, Field], unwritable: Mapping[str, str]) -> Rules:
    settings = services.settings
    return Rules(
        fields=fields,
        zones=services.zones,
        mapping_version=services.app.mapping_version,
        now=services.now(),
        intercom_now=services.intercom_now(),
        merge_window=int(settings.merge_leads_for.total_seconds()),
        clear_unusable=settings.clear_unusable,
        truncate=settings.truncate,
        mirror=settings.memberships == "mirror",
        archive=settings.on_delete == "archive",
        separate_merged=settings.merged_users == "separate",
        sync_now_tag=settings.sync_now_tag,
        unwritable=dict(unwritable),
    )
