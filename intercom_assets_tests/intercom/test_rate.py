"""The rate limiter between threads: one wait for all, one of it for all, leases before waits."""

import threading
import time
from contextlib import suppress

import pytest

from intercom_assets.intercom.http.messages import retry_after
from intercom_assets.intercom.rate import (
    Clocks,
    Deadline,
    Permit,
    RateLimiter,
    limiter_of,
    quota_of,
)
from intercom_assets.intercom.windows import Quota
from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.in_process import InProcess
from intercom_assets_tests.intercom.conftest import STARTED, Moment

END = int(STARTED + 8.5)


def clocks_of(moment: Moment) -> Clocks:
    return Clocks(moment.clock, moment.wall, moment.sleep)


def rate_headers(remaining: int, *, reset: int = END, limit: int = 100) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(reset),
    }


def admitted(limiter: RateLimiter) -> Permit:
    permit = limiter.admit()
    assert permit is not None
    return permit


def test_a_429_is_waited_out_once_for_all_threads(moment: Moment) -> None:
    limiter = RateLimiter(1.0, clocks_of(moment))
    limiter.answered(admitted(limiter), rate_headers(0), throttled=True)
    permits: list[Permit] = []

    def call() -> None:
        permit = admitted(limiter)
        limiter.answered(permit, rate_headers(90, reset=END + 10), throttled=False)
        permits.append(permit)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(permits) == 8
    assert min(permit.sent for permit in permits) >= 8.5
    assert sum(moment.slept) <= 12, "one wait, not eight"


def test_what_a_429_asks_for_is_waited_out_by_all_beyond_the_window(moment: Moment) -> None:
    limiter = RateLimiter(1.0, clocks_of(moment))
    headers = {**rate_headers(0), "retry-after": "25"}
    limiter.answered(admitted(limiter), headers, throttled=True)

    assert admitted(limiter).sent >= 25


def test_a_429_that_asks_for_a_day_holds_all_for_a_minute_only(moment: Moment) -> None:
    limiter = RateLimiter(1.0, clocks_of(moment))
    headers = {**rate_headers(0), "retry-after": "86400"}
    limiter.answered(admitted(limiter), headers, throttled=True)

    assert 60 <= admitted(limiter).sent < 61


def test_only_a_429_holds_everybody(moment: Moment) -> None:
    limiter = RateLimiter(1.0, clocks_of(moment))
    headers = {**rate_headers(90), "retry-after": "25"}
    limiter.answered(admitted(limiter), headers, throttled=False)

    assert admitted(limiter).sent < 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "-7"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
        (
            {
                "retry-after": "Wed, 21 Oct 2026 07:28:09 GMT",
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            9.0,
        ),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        (
            {
                "retry-after": "Wed, 21 Oct 2026 07:27:00 GMT",
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            0.0,
        ),
    ],
)
def test_retry_after_is_seconds_or_a_date_by_their_clock(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds


def test_real_threads_are_let_through_at_the_pace_of_the_window() -> None:
    limiter = RateLimiter(1.0, Clocks(time.monotonic, time.time, time.sleep))
    reset = int(time.time()) + 10
    limiter.answered(admitted(limiter), rate_headers(990, reset=reset, limit=1000), throttled=False)
    sent: list[float] = []

    def call() -> None:
        for _ in range(5):
            permit = admitted(limiter)
            sent.append(permit.sent)
            limiter.answered(permit, rate_headers(990, reset=reset, limit=1000), throttled=False)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(sent) == 40
    assert max(sent) - min(sent) >= 0.2, "40 calls at 100 a second, 8 of them at once"


def test_who_cannot_be_let_through_in_time_is_told_at_once(moment: Moment) -> None:
    limiter = RateLimiter(1.0, clocks_of(moment))
    limiter.answered(admitted(limiter), rate_headers(0), throttled=True)

    assert limiter.admit(Deadline(lambda: 5.0)) is None
    assert moment.now == 0.0
    assert limiter.admit(Deadline(lambda: 12.0)) is not None


def test_who_holds_a_lease_waits_for_the_next_window_while_it_is_renewed(moment: Moment) -> None:
    """A lease has room for a call at any time, and seldom for ten seconds of waiting."""
    limiter = RateLimiter(1.0, clocks_of(moment))
    limiter.answered(admitted(limiter), rate_headers(0), throttled=True)

    assert limiter.admit(Deadline(lambda: moment.now + 7.0, moves=True)) is not None
    assert moment.now >= 9.0


def test_who_lost_the_lease_while_waiting_is_told(moment: Moment) -> None:
    limiter = RateLimiter(1.0, clocks_of(moment))
    limiter.answered(admitted(limiter), rate_headers(0), throttled=True)

    assert limiter.admit(Deadline(lambda: 5.0, moves=True)) is None
    assert 5.0 < moment.now < 6.0


def test_who_stands_behind_others_is_told_in_time_too() -> None:
    asleep, wake = threading.Event(), threading.Event()

    def sleep(seconds: float) -> None:
        asleep.set()
        wake.wait(10)
        raise InterruptedError

    def wait_for_the_window() -> None:
        with suppress(InterruptedError):
            limiter.admit()

    limiter = RateLimiter(1.0, Clocks(time.monotonic, time.time, sleep))
    limiter.answered(admitted(limiter), rate_headers(0), throttled=True)
    first = threading.Thread(target=wait_for_the_window)
    first.start()
    assert asleep.wait(10)
    soon = time.monotonic() + 0.05

    assert limiter.admit(Deadline(lambda: soon)) is None
    wake.set()
    first.join(10)


def test_a_process_has_one_limiter_for_a_token_and_host(moment: Moment) -> None:
    clocks, host = clocks_of(moment), "https://api.intercom.io"
    limiter = limiter_of("token-1", host, 0.8, clocks)

    assert limiter_of("token-1", host, 0.5, clocks_of(moment)) is limiter
    assert limiter_of("token-2", host, 0.8, clocks) is not limiter
    assert limiter_of("token-1", "https://api.eu.intercom.io", 0.8, clocks) is not limiter


def test_a_transport_of_the_callers_own_is_a_limit_of_its_own(moment: Moment) -> None:
    clocks, host = clocks_of(moment), "https://api.intercom.io"
    mine, yours = InProcess(Simulator().handle), InProcess(Simulator().handle)
    limiter = limiter_of("token-1", host, 0.8, clocks, mine)

    assert limiter_of("token-1", host, 0.8, clocks, mine) is limiter
    assert limiter_of("token-1", host, 0.8, clocks, yours) is not limiter
    assert limiter_of("token-1", host, 0.8, clocks) is not limiter


@pytest.mark.parametrize("share", [0, -0.1, 1.01])
def test_a_share_is_a_part_of_the_whole(share: float, moment: Moment) -> None:
    with pytest.raises(ValueError, match="rate_share"):
        RateLimiter(share, clocks_of(moment))


@pytest.mark.parametrize(
    ("headers", "quota"),
    [
        ({}, Quota()),
        (rate_headers(3), Quota(100, 3, END)),
        ({"x-ratelimit-limit": "many"}, Quota()),
        ({"x-ratelimit-limit": "0", "x-ratelimit-remaining": "-1"}, Quota()),
        ({"x-ratelimit-reset": "9" * 40}, Quota()),
        ({"x-ratelimit-limit": " 7 ", "x-ratelimit-reset": "٣"}, Quota(limit=7)),
    ],
)
def test_headers_that_are_no_numbers_are_as_good_as_missing(
    headers: dict[str, str], quota: Quota
) -> None:
    assert quota_of(headers) == quota
