"""The zones of the world as the `tzdata` package has them."""

import pytest

from intercom_assets.sync.zones import zone_book


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
