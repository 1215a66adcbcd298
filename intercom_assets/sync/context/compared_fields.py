"""What a process must know of the mapping that has neither the mapping nor the app: `listen`.

Whoever has them writes it down with our own tables whenever it changed. Must not: a value.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from intercom_assets.database.records import Json
from intercom_assets.database.store.store import Store
from intercom_assets.domain.fields import Field, Policy
from intercom_assets.domain.models import Kind
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.sync.context.services import Services

USERS, TEAMS, SYNC_NOW_TAG, ADMIN_URL = "users", "teams", "sync_now_tag", "admin_url"


@dataclass(frozen=True)
class ComparedFields:
    """Fields of users and of teams by name; None where nobody has said yet which there are.

    `sync_now_tag`: the tag that asks for a sync, and `admin_url`: a user's page in the app's admin,
    as the mapping has them.
    """

    users: Mapping[str, Field] | None = None
    teams: Mapping[str, Field] | None = None
    sync_now_tag: str | None = None
    admin_url: str | None = None


def write_compared_fields(services: Services) -> None:
    """Costs a read of one row where nothing changed."""
    present: Json = {
        USERS: _listed(services.user_fields.values()),
        TEAMS: _listed(services.team_fields.values()),
        SYNC_NOW_TAG: services.settings.sync_now_tag,
        ADMIN_URL: services.settings.admin_url,
    }
    if services.store.state.get(StateKey.COMPARED_FIELDS) != present:
        services.store.state.put(StateKey.COMPARED_FIELDS, present)


def read_compared_fields(store: Store) -> ComparedFields:
    stored = store.state.get(StateKey.COMPARED_FIELDS)
    if not isinstance(stored, dict):
        return ComparedFields()
    return ComparedFields(
        _fields(stored.get(USERS)),
        _fields(stored.get(TEAMS)),
        _text(stored.get(SYNC_NOW_TAG)),
        _text(stored.get(ADMIN_URL)),
    )


def _text(stored: Json) -> str | None:
    return stored if isinstance(stored, str) else None


def _listed(fields: Iterable[Field]) -> list[Json]:
    return [
        {
            "name": item.name,
            "intercom": item.intercom,
            "kind": str(item.kind),
            "policy": str(item.policy),
            "custom": item.custom,
        }
        for item in fields
        if item.told
    ]


def _fields(stored: Json) -> Mapping[str, Field] | None:
    if not isinstance(stored, list):
        return None
    found = [_field(item) for item in stored if isinstance(item, dict)]
    return {item.name: item for item in found}


def _field(stored: Mapping[str, Json]) -> Field:
    """As far as telling an echo goes: by what name Intercom has it, and of which kind it is."""
    return Field(
        name=str(stored["name"]),
        intercom=str(stored["intercom"]),
        kind=Kind(str(stored["kind"])),
        policy=Policy(str(stored["policy"])),
        custom=bool(stored["custom"]),
    )
