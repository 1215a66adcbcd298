"""The time zones of the world, read from the `tzdata` package into the domain's `ZoneBook`.

`domain/timezones.py` has the rules; this module only reads the files, once per process.
"""

from collections import Counter
from functools import cache
from importlib.resources import files
from zoneinfo import available_timezones

from intercom_assets.domain.timezones import ZoneBook

NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})
"""Files beside the zones that say nothing of where anybody is."""


@cache
def zone_book() -> ZoneBook:
    """Every IANA zone, what its old names stand for, and the countries with a single zone."""
    countries = [line.split("\t") for line in _lines("zone.tab") if not line.startswith("#")]
    named = {columns[2] for columns in countries}
    zones_of = Counter(columns[0] for columns in countries)
    return ZoneBook(
        valid=frozenset(available_timezones()) - NO_PLACES,
        aliases=_aliases(named),
        single={c[0]: c[2] for c in countries if zones_of[c[0]] == 1},
    )


def _aliases(named: set[str]) -> dict[str, str]:
    """Old names only: a link that a country calls its own zone (Europe/Oslo) is no alias."""
    links = [line.split() for line in _lines("tzdata.zi") if line.startswith("L ")]
    return {alias: target for _, target, alias in links if alias not in named}


def _lines(name: str) -> list[str]:
    return files("tzdata.zoneinfo").joinpath(name).read_text(encoding="utf-8").splitlines()
