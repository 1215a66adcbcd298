"""Guards: a batch that would do more than was asked for stops, and says what it would do."""

from dataclasses import replace

import pytest

from intercom_assets.domain.guards import Counts, Limits, accepts, breaches, is_plan_id, plan_id

LIMITS = Limits(above=1_000, creates=100, archives=10, detaches=20, changed_share=0.5)
LARGE = Counts(users=1_001)
VERSION = "abcdef0123456789"


def test_counts_add_up_one_by_one() -> None:
    one = Counts(users=1, creates=2, changes=3, archives=4, detaches=5, calls=6)

    assert one.plus(replace(one, users=10, calls=0)) == Counts(11, 4, 6, 8, 10, 6)
    assert Counts().plus(one) == one


class TestBreaches:
    def test_a_large_batch_that_does_little_goes_on(self) -> None:
        allowed = replace(LARGE, creates=100, archives=10, detaches=20, changes=1_000)

        assert breaches(allowed, LIMITS, linked=2_000) == []

    @pytest.mark.parametrize(
        ("counts", "clause"),
        [
            ({"creates": 1_101}, "creates 1,101 contacts (the guard is 100)"),
            ({"archives": 11}, "archives 11 contacts (the guard is 10)"),
            ({"detaches": 21}, "detaches 21 memberships (the guard is 20)"),
            ({"changes": 1_001}, "changes 1,001 of 2,000 linked users (the guard is 50%)"),
        ],
    )
    def test_each_guard_has_its_clause(self, counts: dict[str, int], clause: str) -> None:
        assert breaches(replace(LARGE, **counts), LIMITS, linked=2_000) == [clause]

    def test_every_guard_that_is_passed_is_told(self) -> None:
        all_of_it = replace(LARGE, creates=101, archives=11, detaches=21, changes=1_001)

        assert len(breaches(all_of_it, LIMITS, linked=2_000)) == 4

    def test_a_small_batch_is_not_guarded(self) -> None:
        assert breaches(Counts(users=1_000, creates=1_000), LIMITS, linked=0) == []

    def test_where_nobody_is_linked_yet_no_share_of_them_can_change(self) -> None:
        assert breaches(replace(LARGE, changes=1_001), LIMITS, linked=0) == []

    def test_the_share_is_of_all_who_are_linked(self) -> None:
        assert breaches(replace(LARGE, changes=5_000), LIMITS, linked=10_000) == []
        assert breaches(replace(LARGE, changes=5_001), LIMITS, linked=10_000) != []

    def test_few_changes_are_no_breach_however_few_are_linked(self) -> None:
        """One user was tried, and now everybody follows: that one changes too."""
        assert breaches(replace(LARGE, changes=1_000), LIMITS, linked=1) == []
        assert breaches(replace(LARGE, changes=1_001), LIMITS, linked=1) != []


class TestAccepting:
    COUNTS = Counts(users=1_001, creates=1_301, changes=20, archives=0, detaches=7, calls=9)

    def test_a_plan_is_named_by_kind_size_and_mapping(self) -> None:
        named = plan_id(self.COUNTS, VERSION)

        assert named == "creates1400-changes20-archives0-detaches7-abcdef"

    def test_the_plan_itself_is_accepted(self) -> None:
        assert accepts(plan_id(self.COUNTS, VERSION), self.COUNTS, VERSION)

    def test_a_few_more_of_a_large_number_are_the_same_plan(self) -> None:
        named = plan_id(self.COUNTS, VERSION)

        assert accepts(named, replace(self.COUNTS, creates=1_400), VERSION)
        assert not accepts(named, replace(self.COUNTS, creates=1_401), VERSION)

    @pytest.mark.parametrize("more", ["creates", "changes", "archives", "detaches"])
    def test_more_than_was_accepted_is_another_plan(self, more: str) -> None:
        larger = replace(self.COUNTS, **{more: 5_000})

        assert not accepts(plan_id(self.COUNTS, VERSION), larger, VERSION)

    def test_less_than_was_accepted_is_accepted(self) -> None:
        assert accepts(plan_id(self.COUNTS, VERSION), Counts(), VERSION)

    def test_another_mapping_is_another_plan(self) -> None:
        assert not accepts(plan_id(self.COUNTS, VERSION), self.COUNTS, "fedcba")

    @pytest.mark.parametrize("text", ["", "yes", "abcdef", "-abcdef", "creates5"])
    def test_what_is_no_plan_is_not_accepted(self, text: str) -> None:
        assert not accepts(text, Counts(), VERSION)

    def test_a_kind_that_is_not_named_was_not_accepted(self) -> None:
        assert not accepts("creates50-abcdef", Counts(creates=1, archives=1), VERSION)
        assert accepts("creates50-abcdef", Counts(creates=1), VERSION)

    def test_a_plans_name_is_told_from_a_slip_of_the_hand(self) -> None:
        assert is_plan_id(plan_id(self.COUNTS, VERSION)) is True
        assert is_plan_id("creates5-abcdef") is True

    @pytest.mark.parametrize(
        "text",
        ["", "yes", "abcdef", "creates5", "creates-abcdef", "deletes5-abcdef", "creates5-xyz",
         "creates5-abcdef0", "creates5_abcdef", "Creates5-abcdef", " creates5-abcdef"],
    )  # fmt: skip
    def test_anything_else_is_no_plans_name(self, text: str) -> None:
        assert is_plan_id(text) is False

    @pytest.mark.parametrize(
        ("size", "rounded"), [(0, 0), (9, 9), (99, 99), (101, 110), (110, 110), (99_001, 100_000)]
    )
    def test_sizes_are_rounded_up_to_two_figures(self, size: int, rounded: int) -> None:
        assert plan_id(Counts(creates=size), VERSION).startswith(f"creates{rounded}-")
