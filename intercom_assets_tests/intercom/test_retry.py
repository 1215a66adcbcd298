"""The retry decision is a table: which failure, which effect, how often, how much time is left."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intercom_assets.intercom.errors import (
    ConnectionFailed,
    IntercomError,
    Invalid,
    LeaseRanOut,
    NotFound,
    NotFromIntercom,
    RateLimited,
    Refusal,
    ScrollOpen,
    ServerError,
    Unauthorized,
    WrongShape,
)
from intercom_assets.intercom.retry import Effect, RetryBudget, retry_delay

LOST = ConnectionFailed("no answer", may_have_landed=True)
REFUSED = ConnectionFailed("connection refused", may_have_landed=False)


@pytest.mark.parametrize("kind", [Invalid, NotFound, Unauthorized, WrongShape, LeaseRanOut])
def test_what_was_rejected_is_not_asked_again(kind: type[IntercomError]) -> None:
    assert retry_delay(kind("no"), 1, RetryBudget(60.0)) is None


@pytest.mark.parametrize("kind", [ServerError, ConnectionFailed, NotFromIntercom])
def test_what_was_unavailable_is_asked_again_after_growing_pauses(kind: type[ServerError]) -> None:
    pauses = [retry_delay(kind("not now"), attempt, RetryBudget(60.0)) for attempt in (1, 2, 3)]

    assert pauses == [0.5, 1.0, 2.0]


def test_it_gives_up_after_the_last_attempt() -> None:
    assert retry_delay(ServerError("not now"), 4, RetryBudget(60.0)) is None


def test_a_rate_limit_is_the_limiters_to_wait_out() -> None:
    assert retry_delay(RateLimited("slower"), 1, RetryBudget(60.0)) == 0.0
    assert retry_delay(RateLimited("slower"), 50, RetryBudget(60.0)) == 0.0
    assert retry_delay(RateLimited("slower"), 50, RetryBudget(-0.1)) is None


@pytest.mark.parametrize("lost", [LOST, ServerError("500", may_have_landed=True)])
def test_a_write_that_may_have_landed_is_repeated_only_where_that_does_no_harm(
    lost: ConnectionFailed,
) -> None:
    assert retry_delay(lost, 1, RetryBudget(60.0, Effect.ONCE)) is None
    assert retry_delay(lost, 1, RetryBudget(60.0, Effect.SAME)) == 0.5


def test_a_create_that_never_left_is_sent_again() -> None:
    assert retry_delay(REFUSED, 1, RetryBudget(60.0, Effect.ONCE)) == 0.5


def test_a_create_that_was_rate_limited_is_sent_again() -> None:
    assert retry_delay(RateLimited("slower"), 1, RetryBudget(60.0, Effect.ONCE)) == 0.0


def test_a_scroll_that_is_open_is_not_worth_hammering() -> None:
    assert retry_delay(ScrollOpen("open"), 1, RetryBudget(60.0)) is None


def test_the_server_may_ask_for_more_patience() -> None:
    asked = ServerError(Refusal("busy", 503, retry_after=7.0))

    assert retry_delay(asked, 1, RetryBudget(60.0)) == 7.0
    assert retry_delay(asked, 1, RetryBudget(6.0)) is None


@settings(deadline=None)
@given(
    st.integers(1, 10_000),
    st.floats(-10, 1000),
    st.floats(0, 1),
    st.sampled_from([LOST, REFUSED, RateLimited("slower"), ServerError("500")]),
    st.sampled_from(Effect),
)
def test_no_pause_outlasts_the_budget(
    attempt: int, seconds: float, jitter: float, failure: IntercomError, effect: Effect
) -> None:
    delay = retry_delay(failure, attempt, RetryBudget(seconds, effect, jitter=jitter))

    assert delay is None or 0 <= delay <= min(seconds, 10.0)
