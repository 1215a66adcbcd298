"""A workspace that was there before: many contacts at once, without the API's rules or counts.

Each seed is an object of contact fields, plus what only Intercom fills in: `location`, `timezone`
and `country` (shorthands for it), read-only times and devices, `created_at`, `updated_at`,
`state` or `archived`, and `companies` (your company ids, made if missing). Attributes that do not
exist are made with the value's type. Lists and searches show seeds at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from intercom_assets.simulator.documents import SEEN
from intercom_assets.simulator.records import Attribute, Company, Contact, State
from intercom_assets.simulator.settings import Settings
from intercom_assets.simulator.state import World

PLAIN = {
    "external_id",
    "email",
    "name",
    "phone",
    "avatar",
    "owner_id",
    "signed_up_at",
    "last_seen_at",
    "unsubscribed_from_emails",
    "created_at",
    "updated_at",
    "merged_into",
    "deleted_at",
}
PLACES = {
    "timezone": "timezone",
    "country": "country",
    "country_code": "country_code",
    "region": "region",
    "city": "city",
}
ALSO = {"id", "role", "custom_attributes", "location", "companies", "state", "archived"}
KNOWN = PLAIN | PLACES.keys() | ALSO | set(SEEN)
INDEXED = {spec.name for spec in fields(Contact)}


class BadSeed(ValueError):
    """A seed that cannot be planted; one sentence."""


def seed_contacts(world: World, settings: Settings, seeds: Any) -> list[str]:
    """One seed, a list, `{"contacts": [...]}`, or `{"count": N, ...}` for N made-up users."""
    if isinstance(seeds, dict) and "contacts" in seeds:
        seeds = seeds["contacts"]
    elif isinstance(seeds, dict) and "count" in seeds:
        seeds = _made_up(seeds)
    elif isinstance(seeds, dict):
        seeds = [seeds]
    if isinstance(seeds, str) or not isinstance(seeds, Iterable):
        raise BadSeed("contacts to seed are an object, a list, or a count")
    return [plant(world, seed) for seed in seeds]


def _made_up(pattern: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """External ids from `first` (default 1) on; further keys go into every seed."""
    count, first = pattern["count"], pattern.get("first", 1)
    if type(count) is not int or type(first) is not int or not 0 <= count <= 10_000_000:
        raise BadSeed("count and first are whole numbers")
    rest = {key: value for key, value in pattern.items() if key not in ("count", "first")}
    return (
        {
            "external_id": str(number),
            "email": f"user{number}@example.com",
            "name": f"User {number}",
            **rest,
        }
        for number in range(first, first + count)
    )


def plant(world: World, seed: Any) -> str:
    if not isinstance(seed, dict):
        raise BadSeed("a contact to seed is an object")
    if unknown := seed.keys() - KNOWN:
        raise BadSeed(f"a contact to seed has no {sorted(unknown)[0]!r}")
    if seed.get("id") in world.contacts:
        raise BadSeed(f"there is a contact with the id {seed['id']!r} already")
    contact = _contact(world, seed)
    world.commit_contact(contact, lagging=False)
    return contact.id


def _contact(world: World, seed: dict[str, Any]) -> Contact:
    seq, now = world.next_seq(), world.now
    role = seed.get("role", "user")
    values = {key: seed[key] for key in PLAIN & seed.keys()}
    values.setdefault("created_at", now)
    values.setdefault("updated_at", values["created_at"])
    if role == "lead":
        values.setdefault("external_id", world.uuid())
    custom = seed.get("custom_attributes") or {}
    if custom:
        _make_attributes(world, custom, now)
    return Contact(
        id=seed.get("id") or world.object_id(seq),
        seq=seq,
        role=role,
        custom=dict(custom),
        companies=tuple(make_company(world, key) for key in seed.get("companies", ())),
        location=location_of(seed),
        seen={key: seed[key] for key in SEEN if key in seed} if len(seed) > 4 else {},
        state=State("archived" if seed.get("archived") else seed.get("state", "live")),
        **values,
    )


def location_of(seed: Mapping[str, Any]) -> dict[str, str | None]:
    location = {k: v for k, v in (seed.get("location") or {}).items() if k != "type"}
    for key, place in PLACES.items():
        if key in seed:
            location[place] = seed[key]
    return location


def _make_attributes(world: World, custom: Mapping[str, Any], now: int) -> None:
    known = world.attribute_types["contact"]
    for name, value in custom.items():
        if name not in known and value is not None:
            make_attribute(world, name, "contact", data_type_of(value), now)


def data_type_of(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "float"
    return "string"


def make_attribute(world: World, name: str, model: str, data_type: str, now: int) -> Attribute:
    attribute = Attribute(12878 + world.next_seq(), name, model, data_type, now, now)
    world.commit_attribute(attribute)
    return attribute


def make_company(world: World, company_id: str, name: str | None = None) -> str:
    """Intercom's id of the company with your `company_id`, made if there is none."""
    known = world.company_by_key.get(company_id)
    if known is not None:
        return known
    seq, now = world.next_seq(), world.now
    company = Company(world.object_id(seq), seq, company_id, now, now, name=name or company_id)
    world.commit_company(company, lagging=False)
    return company.id


def changed_contact(contact: Contact, changes: Mapping[str, Any]) -> Contact:
    """The contact with seed-like changes; custom attributes, places and devices are merged."""
    plain = {key: changes[key] for key in (PLAIN | {"role"}) & changes.keys()}
    custom = {**contact.custom, **(changes.get("custom_attributes") or {})}
    return replace(
        contact,
        custom=custom,
        location={**contact.location, **location_of(changes)},
        seen={**contact.seen, **{key: changes[key] for key in SEEN if key in changes}},
        **plain,
    )
