"""One user's error -> what becomes of that user, and of nobody else.

Only what Intercom or the app *rejected* counts as an attempt; what was *unavailable* is tried for
ever. A fatal error (bad token, no plan, unknown version) is nobody's fault and is not handled
here: it stops the run.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from intercom_assets.domain.models import InvalidRow, LeftOut
from intercom_assets.intercom.errors import (
    IntercomError,
    LeaseRanOut,
    Rejected,
    ScopeMissing,
    Unavailable,
    UnknownAttribute,
)

WAIT_UNAVAILABLE = 5.0
FIRST_WAIT_REJECTED = 5.0
LONGEST_WAIT_REJECTED = 3600.0
LONGEST_WAIT_GROWN = 900.0
LONGEST_WAIT_IN_DOUBT, SHORT_WAITS = 300.0, 4
"""Where nobody else used the same call, the first few waits stay short."""
WAITS_FOR_ATTRIBUTE = "waits_for_attribute"
WAIT_NOT_RESTORABLE = 8 * 86_400.0
"""Intercom keeps a deleted contact's identity locked for about 7 days.

docs/dev/intercom-facts.md#archive-delete-merge
"""
WAIT_BUSY = 2.0
NEEDS_A_HUMAN = frozenset({"contact_company_limit_exceeded"})
"""Codes of refusals that no later try can get past."""
COMPANY_NOT_FOUND = "company_not_found"
RACE_LOST = "unique_company_constraint"
"""Two calls made the same company at the same time: asking again finds it there."""
NOBODYS_FAULT = frozenset({COMPANY_NOT_FOUND, RACE_LOST})


class Verdict(StrEnum):
    """REJECTED counts as an attempt. BUSY and UNAVAILABLE do not. PARK needs a human or a change.

    LATER waits for a known time, as one attempt.
    """

    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"
    BUSY = "busy"
    PARK = "park"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a pass did not end as decided: one sentence for the operator, without personal data.

    `may_have_landed`: a write was sent and not answered, so Intercom is read before the next one.
    `grows`: no attempt, but each wait is longer than the last one. `endpoint`: of the call.
    `unknown_attribute`: the workspace's attributes are not what they were believed to be.
    """

    verdict: Verdict
    message: str
    field: str | None = None
    code: str | None = None
    request_id: str | None = None
    wait: float | None = None
    may_have_landed: bool = False
    grows: bool = False
    endpoint: str | None = None
    unknown_attribute: bool = False

    def delay(self, attempts: int) -> float:
        """Seconds until the next try; `attempts` are those before this one."""
        if self.grows:
            return min((self.wait or FIRST_WAIT_REJECTED) * 2.0**attempts, LONGEST_WAIT_GROWN)
        if self.wait is not None:
            return self.wait
        if self.verdict is Verdict.REJECTED:
            return min(FIRST_WAIT_REJECTED * 2.0**attempts, LONGEST_WAIT_REJECTED)
        if self.verdict is Verdict.UNAVAILABLE:
            return WAIT_UNAVAILABLE
        return WAIT_BUSY


def stops_everything(error: IntercomError) -> bool:
    """Of a call about nobody in particular: a token that may not list may write all the same."""
    return error.fatal and not isinstance(error, ScopeMissing)


def grown(tries: int, longest: float) -> float:
    """Seconds: each wait twice the last one."""
    doubled: float = FIRST_WAIT_REJECTED * 2.0 ** min(tries, 30)
    return min(doubled, longest)


class PassFailed(Exception):
    """Raised inside a pass when a rule of ours, not an answer, says that it cannot go on."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def problem_of(error: IntercomError) -> Problem:
    """What an error of the client means for its user. Fatal errors are re-raised."""
    if error.fatal:
        raise error
    if isinstance(error, LeaseRanOut):
        return Problem(Verdict.BUSY, "the lease ran out before the next call", wait=0.0)
    if isinstance(error, Unavailable):
        return Problem(
            Verdict.UNAVAILABLE,
            f"Intercom is unavailable: {error}",
            code=error.code,
            request_id=error.request_id,
            may_have_landed=error.may_have_landed,
            endpoint=error.endpoint or None,
        )
    assert isinstance(error, Rejected), "the error tree has no third branch"
    return Problem(
        _verdict_of(error),
        f"Intercom refused: {error}",
        field=error.field,
        code=error.code,
        request_id=error.request_id,
        wait=WAIT_BUSY if isinstance(error, UnknownAttribute) else None,
        endpoint=error.endpoint or None,
        unknown_attribute=isinstance(error, UnknownAttribute),
    )


def _verdict_of(error: Rejected) -> Verdict:
    if error.code in NOBODYS_FAULT:
        return Verdict.BUSY
    return Verdict.PARK if error.code in NEEDS_A_HUMAN else Verdict.REJECTED


def unfit(row: InvalidRow) -> Problem:
    return Problem(Verdict.PARK, row.reason, field=row.column)


def waits_for_attribute(left_out: Mapping[str, LeftOut], failing: Collection[str]) -> Problem:
    """Everything else is synced; this one asks again whether the attribute can be written."""
    name = min(left_out.keys() & set(failing))
    message = f"waits for {name}, all else is synced: {left_out[name].why}"
    return Problem(
        Verdict.BUSY, message, field=name, code=WAITS_FOR_ATTRIBUTE, wait=60.0, grows=True
    )
