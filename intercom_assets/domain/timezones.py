"""What Intercom knows of a person's place -> an IANA time zone, or nothing. Never a guess.

All that Intercom knows is where the person's connection seems to be (geo-IP): a zone *located* by
that, or the one of a country that has a single zone. Nobody chose either, so it fills an empty zone
and replaces none (docs/dev/intercom-facts.md#time-zones). Names are compared by the
zone they mean: `US/Pacific` is `America/Los_Angeles`, as is Rails' "Pacific Time (US & Canada)".
The zones that are valid come in as an argument: this room reads no files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from intercom_assets.domain.countries import two_letters
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
    """What follows from where Intercom takes the person to be: the zone `located` there, and the
    only one `of_country`. `unknown`: a name that is no zone."""

    located: str | None = None
    of_country: str | None = None
    unknown: str | None = None

    @property
    def zone(self) -> str | None:
        """The more exact of the two."""
        return self.located or self.of_country


def place(located: str | None, country_code: str | None, book: ZoneBook) -> GeoHint:
    """Reads a contact's location; a name that is no zone comes back as `unknown`."""
    zone = book.zone(located)
    return GeoHint(
        located=zone,
        of_country=book.zone(book.single.get(two_letters(country_code))),
        unknown=located if located and zone is None else None,
    )
