"""The one decision to ask again. Pure: a failure, how often it was tried, what is left of patience.

Only what was unavailable is asked again. What Intercom may already have carried out is repeated
only where landing twice is the same as landing once (`Effect`). How long *all* calls wait after a
429 is the rate limiter's business (`rate.py`); nothing else in this project retries a request.
"""

from dataclasses import dataclass
from enum import Enum

from intercom_assets.intercom.errors import IntercomError, RateLimited, ScrollOpen, Unavailable

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 8.0


class Effect(Enum):
    """What repeating a request does when its first fate is unknown."""

    READ = "nothing is changed, nothing can land"
    SAME = "landing twice is landing once: PUT, DELETE, upsert, attach, archive"
    ONCE = "landing twice is wrong: a create, a merge, a step of a scroll"


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """What one call may still spend: `seconds` until no further attempt may start.

    `jitter` (0 to 1) spreads threads that failed together; 0.5 leaves the pause as it is.
    """

    seconds: float
    effect: Effect = Effect.READ
    attempts: int = 4
    jitter: float = 0.5


def retry_delay(failure: IntercomError, attempt: int, budget: RetryBudget) -> float | None:
    """Seconds to wait before attempt number `attempt + 1`, or None: let the failure through."""
    if not isinstance(failure, Unavailable) or isinstance(failure, ScrollOpen):
        return None
    if failure.may_have_landed and budget.effect is Effect.ONCE:
        return None
    if attempt >= budget.attempts and not isinstance(failure, RateLimited):
        return None
    delay = max(_pause(failure, attempt, budget.jitter), failure.retry_after or 0.0)
    return delay if delay <= budget.seconds else None


def _pause(failure: Unavailable, attempt: int, jitter: float) -> float:
    """After a 429 nothing is added: the rate limiter holds everybody until the next window."""
    if isinstance(failure, RateLimited):
        return 0.0
    doubled: float = FIRST_PAUSE * 2 ** min(attempt - 1, 10)
    return min(doubled, LONGEST_PAUSE) * (0.75 + jitter / 2)
