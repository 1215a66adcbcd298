"""Whether a job of Intercom's may still be at work on what was sent for a user or team.

A job that is late would write an older value over what is sent after it. Must not: know users or
teams, or call.
"""

from collections.abc import Sequence

from intercom_assets.domain.attempts import Attempt
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.failures import Problem, Verdict
from intercom_assets.sync.context.work import Work

JOB_LASTS = 600
"""Seconds after which a job that nobody saw the end of is not believed to be at work any more."""
BUSY = Problem(
    Verdict.BUSY, "a job of Intercom's may still be at work on what a run before sent", wait=30.0
)


def sent_by_bulk(attempts: Sequence[Attempt]) -> Attempt | None:
    """The last one that was sent as an item, and of which nobody knows yet what came of it."""
    found = [attempt for attempt in attempts if attempt.bulk]
    return found[-1] if found else None


def may_be_at_work(work: Work, kind: QueueKind, key: str, attempt: Attempt) -> bool:
    if attempt.run_id == work.run.run_id and (kind, key) not in work.run.jobs_at_work:
        return False
    return work.services.now() - attempt.at < JOB_LASTS
