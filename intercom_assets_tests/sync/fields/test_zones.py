"""The zones of the world as the `tzdata` package has them."""

from importlib.resources import files

import pytest

from intercom_assets.domain.countries import ALPHA_2
from intercom_assets.sync.context.zones import zone_book


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Oslo", "Europe/Oslo"),
        ("US/Pacific", "America/Los_Angeles"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Factory", None),
        ("localtime", None),
        ("+1000", None),
    ],
)
def test_a_name_is_the_zone_that_it_means_or_none(name: str, zone: str | None) -> None:
    assert zone_book().zone(name) == zone


def test_a_country_tells_its_zone_only_if_it_has_one() -> None:
    assert zone_book().single["JP"] == "Asia/Tokyo"
    assert "US" not in zone_book().single


def test_every_country_that_has_zones_is_known_by_three_letters_too() -> None:
    lines = files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text("utf-8").splitlines()
    countries = {line[:2] for line in lines if not line.startswith("#")}

    assert set(ALPHA_2.values()) == countries
    assert len(ALPHA_2) == len(countries)
    assert all(len(code) == 3 for code in ALPHA_2)
