"""A workspace that was there before: many contacts at once, without the API's rules or counts.

Each seed is an object of contact fields, plus what only Intercom fills in: `location`, `timezone`
and `country` (shorthands for it), read-only times and devices, `created_at`, `updated_at`,
`state` or `archived`, and `companies` (your company ids, made if missing). Attributes that do not
exist are made with the value's type. Lists and searches show seeds at once.
"""

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from intercom_assets.simulator.documents import SEEN
from intercom_assets.simulator.records import Attribute, Company, Contact, State
from intercom_assets.simulator.state import World

TEXTS = ("external_id", "email", "name", "phone", "avatar", "owner_id", "merged_into")
TIMES = ("signed_up_at", "last_seen_at", "created_at", "updated_at", "deleted_at")
PLAIN: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(TEXTS, (str, type(None))),
    **dict.fromkeys(TIMES, (int, type(None))),
    "created_at": (int,),
    "updated_at": (int,),
    "unsubscribed_from_emails": (bool,),
}
READ_ONLY = frozenset(SEEN)
PLACES = ("timezone", "country", "country_code", "region", "city")
RARER: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(PLACES, (str, type(None))),
    **dict.fromkeys(SEEN, (str, int, bool, type(None))),
    "id": (str,),
    "role": (str,),
    "custom_attributes": (dict, type(None)),
    "location": (dict, type(None)),
    "companies": (list, tuple),
    "state": (str,),
    "archived": (bool,),
}
KNOWN = {**PLAIN, **RARER}


class BadSeed(ValueError):
    """A seed that cannot be planted; one sentence."""


def seed_contacts(world: World, seeds: Any) -> list[str]:
    """One seed, a list, `{"contacts": [...]}`, or `{"count": N, ...}` for N made-up users.

    All or nothing; returns Intercom's ids.
    """
    checked = list(_listed(seeds))
    for seed in checked:
        check(world, seed)
    with _uncollected():
        return [plant(world, seed) for seed in checked]


@contextmanager
def _uncollected() -> Iterator[None]:
    """The collector would walk the growing workspace again and again, and find nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _listed(seeds: Any) -> Iterable[Any]:
    if isinstance(seeds, dict) and "contacts" in seeds:
        seeds = seeds["contacts"]
    elif isinstance(seeds, dict):
        return _made_up(seeds) if "count" in seeds else [seeds]
    if not isinstance(seeds, list | tuple):
        raise BadSeed("contacts to seed are an object, a list, or a count")
    return seeds


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


def check(world: World, seed: Any) -> None:
    """Raises BadSeed for a key that does not exist or a value of the wrong type."""
    if not isinstance(seed, dict):
        raise BadSeed("a contact to seed is an object")
    for key, value in seed.items():
        if key not in KNOWN:
            raise BadSeed(f"a contact to seed has no {key!r}; it has {', '.join(sorted(KNOWN))}")
        if not isinstance(value, KNOWN[key]):
            raise BadSeed(f"{key} of a contact to seed cannot be {value!r}")
    if seed.get("role", "user") not in ("user", "lead"):
        raise BadSeed(f"a contact to seed is a user or a lead, not {seed['role']!r}")
    if seed.get("id") in world.contacts:
        raise BadSeed(f"there is a contact with the id {seed['id']!r} already")
    if seed.get("merged_into") is not None and seed["merged_into"] not in world.contacts:
        raise BadSeed(f"merged_into names {seed['merged_into']!r}, which is no contact")
    if seed.get("state") == "merged" and seed.get("merged_into") is None:
        raise BadSeed("a merged contact needs merged_into")
    if "state" in seed and seed["state"] not in set(State):
        raise BadSeed(f"there is no state {seed['state']!r}; there are {', '.join(State)}")


def plant(world: World, seed: dict[str, Any], lagging: bool = False) -> str:
    """Takes a checked seed; returns Intercom's id."""
    contact = _contact(world, seed)
    world.commit_contact(contact, lagging)
    return contact.id


def _contact(world: World, seed: dict[str, Any]) -> Contact:
    seq, now = world.next_seq(), world.now
    fields: dict[str, Any] = {key: value for key, value in seed.items() if key in PLAIN}
    fields.setdefault("created_at", now)
    fields.setdefault("updated_at", fields["created_at"])
    if not seed.keys() <= PLAIN.keys():
        fields.update(_rarer_fields(world, seed, now))
    return Contact(id=seed.get("id") or world.object_id(seq), seq=seq, **{"role": "user", **fields})


def _rarer_fields(world: World, seed: dict[str, Any], now: int) -> dict[str, Any]:
    role = seed.get("role", "user")
    custom = dict(seed.get("custom_attributes") or {})
    _make_attributes(world, custom, now)
    return {
        "role": role,
        "external_id": seed.get("external_id") or (world.uuid() if role == "lead" else None),
        "custom": custom,
        "companies": tuple(make_company(world, key) for key in seed.get("companies", ())),
        "location": location_of(seed),
        "seen": {key: value for key, value in seed.items() if key in READ_ONLY},
        "state": State.ARCHIVED if seed.get("archived") else State(seed.get("state", State.LIVE)),
    }


def location_of(seed: Mapping[str, Any]) -> dict[str, str | None]:
    given = seed.get("location") or {}
    location = {place: value for place, value in given.items() if place != "type"}
    for place in PLACES:
        if place in seed:
            location[place] = seed[place]
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


def make_company(
    world: World, company_id: str, name: str | None = None, lagging: bool = False
) -> str:
    """Intercom's id of the company with your `company_id`, made if there is none."""
    known = world.company_by_key.get(company_id)
    if known is not None:
        return known
    seq, now = world.next_seq(), world.now
    company = Company(world.object_id(seq), seq, company_id, now, now, name=name or company_id)
    world.commit_company(company, lagging)
    return company.id


def changed_contact(contact: Contact, changes: Mapping[str, Any]) -> Contact:
    """The contact with seed-like changes; custom attributes, places and devices are merged."""
    plain = {key: changes[key] for key in changes if key in PLAIN or key == "role"}
    custom = {**contact.custom, **(changes.get("custom_attributes") or {})}
    return contact._replace(
        custom=custom,
        location={**contact.location, **location_of(changes)},
        seen={**contact.seen, **{key: changes[key] for key in SEEN if key in changes}},
        **plain,
    )
