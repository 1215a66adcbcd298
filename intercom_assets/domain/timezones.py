"""What Intercom knows of a person's place -> an IANA time zone, or nothing. Never a guess.

A zone that Intercom *states* wins over the app's; one *derived* from a country that has a single
zone only fills an empty one (docs/dev/intercom-facts.md#time-zones). Names are compared by the
zone they mean: `US/Pacific` is `America/Los_Angeles`, as is Rails' "Pacific Time (US & Canada)".
The zones that are valid come in as an argument: this room reads no files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from intercom_assets.domain.countries import two_letters
from intercom_assets.domain.models import Value
from intercom_assets.domain.rails_zones import RAILS_ZONES


@dataclass(frozen=True, slots=True)
class ZoneBook:
    """`valid`: IANA names. `aliases`: old name -> canonical. `single`: country code -> its zone."""

    valid: frozenset[str]
    aliases: Mapping[str, str] = field(default_factory=dict)
    single: Mapping[str, str] = field(default_factory=dict)

    def zone(self, name: str | None) -> str | None:
        """The canonical zone of an IANA name; None for a name that is none."""
        zone = self.aliases.get(name, name) if name else None
        return zone if zone in self.valid else None

    def meaning(self, name: str | None) -> str | None:
        """The zone that the app's name stands for, IANA's or Rails'; else None."""
        return self.zone(RAILS_ZONES.get(name, name) if name else None)


@dataclass(frozen=True, slots=True)
class GeoHint:
    """What Intercom says of where the person is, sorted by how much it can be trusted."""

    stated: str | None = None
    derived: str | None = None
    unknown: str | None = None


def place(stated: str | None, country_code: str | None, book: ZoneBook) -> GeoHint:
    """Reads a contact's location; a stated name that is no zone comes back as `unknown`."""
    zone = book.zone(stated)
    return GeoHint(
        stated=zone,
        derived=book.zone(book.single.get(two_letters(country_code))),
        unknown=stated if stated and zone is None else None,
    )


def in_dialect_of(present: Value, zone: str, book: ZoneBook) -> str:
    """`zone` written as the app writes zones: Rails' name where the app's value is one.

    A name that Rails and IANA share (UTC, Singapore) does not say which dialect it is; IANA's is
    then safe, since Rails understands it and nobody else understands Rails'.
    """
    if present not in RAILS_ZONES or present in book.valid:
        return zone
    names = [name for name in RAILS_ZONES if book.meaning(name) == zone]
    city = zone.rpartition("/")[2].replace("_", " ")
    return city if city in names else next(iter(names), zone)
