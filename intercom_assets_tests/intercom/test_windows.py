"""The account of the limit, in virtual time: how much of it is used, how rarely it is overrun."""

import random
from dataclasses import replace

import pytest

from intercom_assets.intercom.windows import ASSUMED_LIMIT, ObservedResponse, Quota, WindowBudget
from intercom_assets_tests.intercom.virtual_time import SERVER_START, VirtualIntercom


def test_one_process_uses_nearly_all_of_the_limit_and_is_never_refused() -> None:
    traffic = VirtualIntercom().run(45)

    assert min(traffic.whole_windows()) >= 0.97 * 1666
    assert traffic.refused.total() == 0


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_on_one_limit_live_from_the_same_headers(processes: int) -> None:
    traffic = VirtualIntercom(jitter=0.05).run(45, processes=processes)

    assert min(traffic.whole_windows()) >= 0.97 * 1666
    assert traffic.share_refused <= 1 / 200


@pytest.mark.parametrize("limit", [1, 2, 5, 17, 167])
def test_small_limits_are_neither_overrun_nor_left_unused(limit: int) -> None:
    traffic = VirtualIntercom(limit=lambda now: limit).run(60)

    assert min(traffic.whole_windows()) >= max(1, limit - 1 - limit // 50)
    assert traffic.refused.total() == 0


@pytest.mark.parametrize("processes", [1, 2])
def test_the_rest_of_the_limit_is_left_to_other_apps(processes: int) -> None:
    windows = VirtualIntercom().run(35, processes=processes, share=0.8).whole_windows()

    assert min(windows) >= 0.77 * 1666
    assert max(windows) <= 0.81 * 1666


def test_a_trickle_goes_where_another_app_takes_nearly_all() -> None:
    traffic = VirtualIntercom(others=160.0).run(45, share=0.8)

    assert min(traffic.whole_windows()) >= 1666 // 50
    assert traffic.share_refused < 0.05


@pytest.mark.parametrize("wall_off", [-300.0, -3.0, 3.0, 300.0, 86_400.0])
def test_our_own_clock_may_be_wrong(wall_off: float) -> None:
    traffic = VirtualIntercom(wall_off=wall_off).run(45, processes=2)

    assert min(traffic.whole_windows()) >= 0.95 * 1666
    assert traffic.share_refused <= 1 / 200


def test_a_limit_that_falls_and_rises_is_followed() -> None:
    def limit(now: float) -> int:
        return 167 if 20 <= now < 50 else 1666

    traffic = VirtualIntercom(limit=limit).run(80)

    assert traffic.refused.total() <= 40, "only what was under way when it fell"
    assert traffic.whole_windows()[-2:] == pytest.approx([1645, 1645], abs=10)
    assert 155 <= traffic.whole_windows()[3] <= 167


def test_windows_that_move_are_found_again() -> None:
    traffic = VirtualIntercom(phase=lambda now: 2 if now < 30 else 6).run(75)

    assert traffic.share_refused <= 1 / 1000
    assert traffic.whole_windows()[-2:] == pytest.approx([1645, 1645], abs=20)


def test_without_any_header_the_lowest_documented_limit_is_assumed() -> None:
    traffic = VirtualIntercom(headers=lambda now, quota: Quota()).run(45)

    assert ASSUMED_LIMIT * 0.9 <= max(traffic.whole_windows()) <= ASSUMED_LIMIT * 1.1


def test_headers_may_be_missing_from_most_answers() -> None:
    chance = random.Random(3)
    with_a_tenth = VirtualIntercom(headers=lambda now, q: q if chance.random() < 0.1 else Quota())
    traffic = with_a_tenth.run(45, processes=2)

    assert min(traffic.whole_windows()) >= 0.9 * 1666
    assert traffic.share_refused <= 1 / 200


@pytest.mark.parametrize(
    "reset",
    [
        pytest.param(lambda now: None, id="missing"),
        pytest.param(lambda now: 0, id="zero"),
        pytest.param(lambda now: int(SERVER_START) - 3600, id="an hour ago, always the same"),
        pytest.param(lambda now: int(SERVER_START + now) + 10, id="ten seconds from each answer"),
        pytest.param(lambda now: int(SERVER_START + now) * 1000, id="milliseconds"),
        pytest.param(lambda now: int(random.Random(now).random() * 2e9), id="noise"),
    ],
)
def test_a_reset_that_means_nothing_slows_down_but_never_stops(reset: object) -> None:
    def distorted(now: float, quota: Quota) -> Quota:
        assert callable(reset)
        return replace(quota, reset=reset(now))

    traffic = VirtualIntercom(headers=distorted).run(60)

    assert min(traffic.whole_windows()) >= 0.25 * 1666
    assert traffic.share_refused <= 0.02


def test_a_process_that_was_idle_for_an_hour_still_knows_the_windows() -> None:
    budget = WindowBudget(1.0)
    label = int(SERVER_START + 8.7)
    for sent, reset in ((0.0, label), (8.6, label), (8.75, label + 10)):
        budget.sent(sent)
        budget.answered(ObservedResponse(sent, sent + 0.1, 0.0, Quota(100, 90, reset)))

    assert budget.delay(3600.0) == 0.0
    assert budget.remaining == 100


def test_after_a_429_nobody_calls_before_the_next_window() -> None:
    budget = WindowBudget(1.0)
    label = int(SERVER_START + 8.7)
    budget.sent(4.0)
    budget.answered(ObservedResponse(4.0, 4.1, SERVER_START, Quota(100, 0, label), throttled=True))

    assert 4.0 < budget.delay(4.2) < 6.0
    assert budget.delay(4.2 + budget.delay(4.2)) == 0.0


def test_a_429_of_the_window_before_holds_nobody_up() -> None:
    budget = WindowBudget(1.0)
    budget.sent(1.0)
    budget.sent(1.1)
    budget.answered(ObservedResponse(1.1, 1.2, 0.0, Quota(100, 90, 2000)))
    budget.answered(ObservedResponse(1.0, 1.3, 0.0, Quota(100, 0, 1990), throttled=True))

    assert budget.delay(2.0) == 0.0


def test_a_429_without_headers_is_waited_out_for_a_window() -> None:
    budget = WindowBudget(1.0)
    budget.sent(1.0)
    budget.answered(ObservedResponse(1.0, 1.1, 0.0, Quota(), throttled=True))

    assert budget.delay(1.2) == pytest.approx(10.0, abs=0.2)
    assert budget.delay(12.0) == 0.0


def test_before_the_first_answer_one_call_goes_at_a_time() -> None:
    budget = WindowBudget(1.0)
    assert budget.delay(0.0) == 0.0
    budget.sent(0.0)

    assert budget.delay(0.1) > 0.0
    assert budget.delay(1.0) == 0.0, "but an answer that does not come stops nobody"


def test_calls_that_were_lost_count_as_made() -> None:
    budget = WindowBudget(1.0)
    budget.sent(0.0)
    budget.answered(ObservedResponse(0.0, 0.1, 0.0, Quota(100, 100, 2000)))
    before = budget.remaining
    budget.sent(0.2)
    budget.lost()

    assert budget.remaining == before - 1
