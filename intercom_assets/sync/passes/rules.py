"""The mapping's choices as a user's pass needs them, and the hash by which a row is known again."""

from collections.abc import Mapping
from dataclasses import dataclass

from intercom_assets.domain.fields import LAST_SEEN, Field
from intercom_assets.domain.models import Values
from intercom_assets.domain.timezones import ZoneBook
from intercom_assets.domain.values import digest


@dataclass(frozen=True, slots=True)
class Rules:
    """`now` in Unix seconds, `intercom_now` by Intercom's clock; `merge_window` in seconds.

    `unwritable`: field -> why nobody writes it.
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
    unwritable: Mapping[str, str]


def user_hash(rules: Rules, values: Values, teams: frozenset[str], from_oauth: bool) -> str:
    """Of everything that the app decides, except `last_request_at`, which moves by itself."""
    steady = {name: value for name, value in values.items() if name != LAST_SEEN}
    return digest(rules.mapping_version, steady, teams, from_oauth)
