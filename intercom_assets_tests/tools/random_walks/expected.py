"""What both sides must hold after a round, from what each held before the runs.

Written from the page and not from `domain/`: two readings of the same rules judge each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from intercom_assets.domain.rails_zones import RAILS_ZONES

ALIASES = {"US/Pacific": "America/Los_Angeles"}
KNOWN_ZONES = {"Europe/London", "Asia/Tokyo", "America/Los_Angeles", "Europe/Paris"}
SINGLE = {"JP": "Asia/Tokyo", "FR": "Europe/Paris", "GB": "Europe/London"}


@dataclass(frozen=True, slots=True)
class Held:
    """One field before the runs. `known`: both sides agreed on `base` at some time."""

    known: bool
    base: Any
    app: Any
    intercom: Any
    oauth: bool = False
    clears: bool = True


def plain(value: Any) -> Any:
    """Blank and null are the same, and so is space around a text."""
    return (value.strip() or None) if isinstance(value, str) else value


def two_way(policy: str, name: str, held: Held) -> tuple[Any, Any]:
    """(app, Intercom) of a name or phone number."""
    app, there = held.app, held.intercom
    match policy:
        case "app":
            return app, app
        case "intercom":
            nothing_there = there is None and (not held.known or held.base is None)
            return (app, app) if nothing_there else (there, there)
        case "last_writer":
            return (app, app) if app != (held.base if held.known else None) else (there, there)
    return _filled(name, held)


def _filled(name: str, held: Held) -> tuple[Any, Any]:
    app, there = held.app, held.intercom
    if app is not None or there is None:
        return app, app
    if held.known and there == held.base:
        return None, None
    if held.oauth or (name == "name" and len(there) < 2):
        return (None, None) if held.clears else (None, there)
    return there, there


def zone_of(name: Any) -> str | None:
    """What an IANA or Rails name means; None if nothing."""
    if name is None:
        return None
    name = RAILS_ZONES.get(name, name)
    name = ALIASES.get(name, name)
    return name if name in KNOWN_ZONES else None


def place_of(contact: Mapping[str, Any]) -> str | None:
    """The zone that Intercom's knowledge of the place stands for."""
    place = contact.get("location") or {}
    return zone_of(place.get("timezone")) or SINGLE.get(place.get("country_code") or "")


def zone(policy: str, held: Held, located: Any, country: Any, considered: Any) -> str | None:
    """The meaning of the app's zone after the runs. `considered`: the place of the last ones."""
    guess = zone_of(located) or SINGLE.get(country or "")
    moved = guess != considered
    fills = {"app": False, "intercom": True, "fill": moved, "last_writer": moved}[policy]
    return guess if held.app is None and fills else zone_of(held.app)
