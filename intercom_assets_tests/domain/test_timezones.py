"""What Intercom says of a place -> a zone, or nothing; never a guess."""

import pytest

from intercom_assets.domain.rails_zones import RAILS_ZONES
from intercom_assets.domain.timezones import GeoHint, ZoneBook, place
from intercom_assets.sync.context.zones import zone_book

WORLD = zone_book()
SMALL = ZoneBook(
    valid=frozenset({"Europe/Berlin", "Europe/Oslo", "US/Pacific", "America/Los_Angeles"}),
    aliases={"US/Pacific": "America/Los_Angeles", "Mars/Old": "Mars/New"},
    single={"NO": "Europe/Oslo", "XX": "US/Pacific", "YY": "Mars/New"},
)


class TestNames:
    @pytest.mark.parametrize(
        ("name", "zone"),
        [
            ("Europe/Berlin", "Europe/Berlin"),
            ("US/Pacific", "America/Los_Angeles"),
            ("Asia/Calcutta", "Asia/Kolkata"),
            ("Etc/UTC", "Etc/UTC"),
            ("UTC", "Etc/UTC"),
        ],
    )
    def test_an_old_name_stands_for_its_zone(self, name: str, zone: str) -> None:
        assert WORLD.zone(name) == zone

    @pytest.mark.parametrize(
        "name", [None, "", "+1000", "Mars/Olympus", "europe/berlin", "Pacific Time (US & Canada)"]
    )
    def test_what_is_no_zone_of_iana_is_none(self, name: str | None) -> None:
        """The replaced job took "+1000" for invalid too (rule 13 in sync/rules.py)."""
        assert WORLD.zone(name) is None

    def test_a_country_with_its_own_zone_is_no_alias_of_its_neighbour(self) -> None:
        """The zone files link Oslo to Berlin; a Norwegian's zone is still not Berlin."""
        assert WORLD.zone("Europe/Oslo") == "Europe/Oslo"
        assert WORLD.zone("Europe/Berlin") == "Europe/Berlin"

    def test_an_alias_of_a_zone_that_is_not_valid_is_none(self) -> None:
        assert SMALL.zone("Mars/Old") is None

    def test_an_alias_stands_for_a_zone_that_is_none_itself(self) -> None:
        """Or an alias of an alias would be written back at every pass."""
        assert not [name for name in WORLD.aliases.values() if name in WORLD.aliases]


def test_a_book_needs_no_aliases_and_no_countries() -> None:
    book = ZoneBook(frozenset({"Europe/Berlin"}))

    assert book.zone("Europe/Berlin") == "Europe/Berlin"
    assert place(None, "NO", book) == GeoHint()


class TestMeaning:
    @pytest.mark.parametrize(
        ("name", "zone"),
        [
            ("Pacific Time (US & Canada)", "America/Los_Angeles"),
            ("Kyiv", "Europe/Kyiv"),
            ("US/Pacific", "America/Los_Angeles"),
            ("Europe/Oslo", "Europe/Oslo"),
        ],
    )
    def test_the_apps_name_may_be_ianas_or_rails(self, name: str, zone: str) -> None:
        assert WORLD.meaning(name) == zone

    @pytest.mark.parametrize("name", [None, "", "Nowhere"])
    def test_another_name_means_nothing(self, name: str | None) -> None:
        assert WORLD.meaning(name) is None

    @pytest.mark.parametrize("name", sorted(RAILS_ZONES))
    def test_every_name_of_rails_means_a_zone(self, name: str) -> None:
        assert WORLD.meaning(name) is not None


class TestPlace:
    def test_a_located_zone_is_known_by_its_present_name(self) -> None:
        assert place("US/Pacific", None, SMALL) == GeoHint(located="America/Los_Angeles")

    def test_a_located_name_that_is_no_zone_is_told_apart(self) -> None:
        assert place("+1000", None, SMALL) == GeoHint(unknown="+1000")

    @pytest.mark.parametrize("located", [None, ""])
    def test_nothing_located_is_nothing_unknown(self, located: str | None) -> None:
        assert place(located, None, SMALL) == GeoHint()

    @pytest.mark.parametrize("code", ["NO", "no", "NOR", "nor", " Nor "])
    def test_a_country_with_one_zone_has_it(self, code: str) -> None:
        assert place(None, code, SMALL) == GeoHint(of_country="Europe/Oslo")

    @pytest.mark.parametrize("code", ["US", "usa", "ZZ", "ZZZ", "NORW", "", None])
    def test_a_country_with_several_zones_or_none_is_no_guess(self, code: str | None) -> None:
        assert place(None, code, WORLD).of_country is None

    def test_what_is_derived_is_canonical_and_valid_too(self) -> None:
        assert place(None, "XX", SMALL).of_country == "America/Los_Angeles"
        assert place(None, "YY", SMALL).of_country is None

    @pytest.mark.parametrize(
        ("hint", "zone"),
        [
            (GeoHint("Europe/Berlin", "Europe/Oslo"), "Europe/Berlin"),
            (GeoHint(of_country="Europe/Oslo"), "Europe/Oslo"),
            (GeoHint(unknown="Mars"), None),
        ],
    )
    def test_the_located_one_goes_before_the_countrys(
        self, hint: GeoHint, zone: str | None
    ) -> None:
        assert hint.zone == zone

    def test_both_may_be_known(self) -> None:
        assert place("Europe/Berlin", "NO", SMALL) == GeoHint("Europe/Berlin", "Europe/Oslo")
        assert place("Mars", "NO", SMALL) == GeoHint(None, "Europe/Oslo", "Mars")
