"""Who gets events: pure, from outcomes."""

import pytest

from intercom_assets.orchestration.assets.events import worth_reporting
from intercom_assets.sync.context.outcomes import Outcome, Status


@pytest.mark.parametrize("everybody", [False, True])
def test_who_is_found_equal_at_first_sight_is_shown_even_if_nobody_asked_for_him(
    everybody: bool,
) -> None:
    first = Outcome("1", Status.UNCHANGED, is_first=True)
    again = Outcome("2", Status.UNCHANGED)

    shown = worth_reporting([first, again], everybody=everybody)

    assert shown == ([first, again] if everybody else [first])


@pytest.mark.parametrize("status", [Status.UNCHANGED, Status.ABSENT, Status.ERASED])
def test_who_was_failing_is_shown_once_that_is_over_whatever_came_of_it(status: Status) -> None:
    over, never = Outcome("1", status, was_failing=True), Outcome("2", status)

    assert worth_reporting([over, never], everybody=False) == [over]


def test_who_is_in_another_runs_hands_is_that_runs_to_show() -> None:
    held = Outcome("1", Status.HELD, is_first=True, was_failing=True)

    assert worth_reporting([held], everybody=True, nobodies=True) == []
