"""What a chunk has in hand while it is worked on: services, its lease, threads, attributes.

Shared by the passes over users and over teams. The lease's deadline goes with every client, so no
call is made for a row after its lease has run out.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Protocol, TypeVar

from intercom_assets.database.records import Ending, Failure, Leased, Parked, RetryIn
from intercom_assets.domain.models import Company
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError
from intercom_assets.intercom.pool import Failed, Outcome, Pool, Undone
from intercom_assets.sync.context.attributes import AttributeBook
from intercom_assets.sync.context.endpoint_answers import Answers
from intercom_assets.sync.context.failures import (
    LONGEST_WAIT_GROWN,
    LONGEST_WAIT_IN_DOUBT,
    LONGEST_WAIT_REJECTED,
    SHORT_WAITS,
    Problem,
    Verdict,
    grown,
    problem_of,
)
from intercom_assets.sync.context.leases import Heartbeat, Lease
from intercom_assets.sync.context.services import Services


def _in_a_row(last: Failure | None, problem: Problem) -> int:
    """How often this ended so before, one time after the other."""
    is_same = last is not None and (last.code, last.endpoint) == (problem.code, problem.endpoint)
    return last.tries if last is not None and is_same else 0


def _same_call(last: Failure | None, problem: Problem) -> Failure | None:
    return last if last is not None and last.endpoint == problem.endpoint else None


class Pass(Protocol):
    """One user's or team's pass, as far as its run is concerned."""

    @property
    def problem(self) -> Problem | None: ...
    def fail(self, problem: Problem) -> None: ...


OnePass = TypeVar("OnePass", bound=Pass)
T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """`by_hand`: an operator named the keys, so a parked row is tried again as it is.
    `jobs_at_work`: whose items this run sent, and of whose job it did not see the end;
    `not_indexed`: users whose items may be in no index yet, so that no search tells.
    `companies_seen`: by team, as they were listed after a job of this run, until they are passed.
    """

    services: Services
    pulse: Heartbeat
    pool: Pool
    attributes: AttributeBook
    run_id: str
    by_hand: bool = False
    jobs_at_work: set[tuple[QueueKind, str]] = field(default_factory=set)
    not_indexed: set[str] = field(default_factory=set)
    companies_seen: dict[str, Company] = field(default_factory=dict)
    making_companies: Lock = field(default_factory=Lock)
    freeing_email: Lock = field(default_factory=Lock)

    def raise_failure(self, answer: Outcome[T, None]) -> None:
        """What a function of the pool raised and was no error of one user."""
        if isinstance(answer, Failed):
            raise answer.error

    def holding(self, lease: Lease) -> "Work":
        return Work(self, lease, Answers(self.services.store))


@dataclass(frozen=True)
class Work:
    """One chunk of a run: its rows are ours until the lease's deadline."""

    run: Run
    lease: Lease
    answers: Answers

    @property
    def services(self) -> Services:
        return self.run.services

    @property
    def attributes(self) -> AttributeBook:
        return self.run.attributes

    def client(self) -> IntercomClient:
        """A client for one user's or team's next calls, with its own list of calls."""
        return self.services.intercom.with_deadline(lambda: self.lease.deadline)

    def call_for(self, passes: Sequence[OnePass], calls: Callable[[OnePass], None]) -> None:
        """Makes the calls of each, many at once. Who was not reached goes back to the queue.

        After a fatal error nothing more is begun; `stop_if_fatal` raises it once the chunk is
        recorded.
        """
        waiting = [item for item in passes if item.problem is None]
        for outcome in self.run.pool.run(calls, waiting):
            if isinstance(outcome, Undone) or (
                isinstance(outcome, Failed)
                and isinstance(outcome.error, IntercomError)
                and outcome.error.fatal
            ):
                outcome.item.fail(Problem(Verdict.BUSY, "the run was stopped", wait=0.0))
            elif isinstance(outcome, Failed):
                raise outcome.error
        if any(entry.problem and entry.problem.unknown_attribute for entry in waiting):
            self.attributes.forget()

    def ready_attributes(self, passes: Sequence[OnePass]) -> None:
        """The custom attributes exist before they are sent, or these passes wait for them."""
        if not passes:
            return
        try:
            self.attributes.ensure(self.client)
        except IntercomError as error:
            for item in passes:
                item.fail(problem_of(error))

    def stop_if_fatal(self) -> None:
        if self.run.pool.fatal is not None:
            raise self.run.pool.fatal

    def still_parked(self, leased: Leased, row_hash: str) -> bool:
        if self.run.by_hand or leased.wait_is_over:
            return False
        return leased.parked and leased.failed_hash == row_hash

    def hear(self, key: str, endpoints: Iterable[str], problem: Problem | None) -> None:
        """Which calls of a pass were answered, and which one was not."""
        self.answers.hear(key, endpoints, problem.endpoint if problem else None)

    def write_down_answers(self) -> None:
        self.answers.write_down(self.services.wall())

    def _is_everybodys(self, problem: Problem, leased: Leased) -> bool:
        """Whether the same call succeeded for nobody else since it began to fail."""
        endpoint, last = problem.endpoint, _same_call(leased.error, problem)
        counts = problem.verdict in (Verdict.REJECTED, Verdict.UNAVAILABLE)
        if endpoint is None or not counts:
            return False
        if self.answers.succeeds_for_others(endpoint, leased.key, last):
            return False
        self.answers.everybodys.add(endpoint)
        return True

    def _unblamed(self, problem: Problem, leased: Leased) -> float | None:
        """Seconds to wait for what is no attempt; None if it is one."""
        tries, is_away = _in_a_row(leased.error, problem), problem.verdict is Verdict.UNAVAILABLE
        if problem.verdict is Verdict.BUSY or (is_away and problem.endpoint is None):
            return problem.delay(tries)
        everybodys = self._is_everybodys(problem, leased)
        if not is_away or problem.endpoint is None:
            return grown(tries, LONGEST_WAIT_GROWN) if everybodys else None
        last = _same_call(leased.error, problem)
        if not everybodys:
            return grown(tries, LONGEST_WAIT_REJECTED)
        if self.answers.is_there_for_others(problem.endpoint, leased.key, last):
            return grown(max(0, tries - SHORT_WAITS), LONGEST_WAIT_IN_DOUBT)
        return problem.delay(0)

    def after(self, problem: Problem, leased: Leased, row_hash: str) -> Ending:
        """What the queue does with a row whose pass ended with a problem."""
        failure = Failure(
            problem.message,
            problem.field,
            problem.code,
            problem.request_id,
            endpoint=problem.endpoint,
            at=self.services.wall(),
            everybodys=self._is_everybodys(problem, leased),
        )
        before = leased.attempts if leased.failed_hash == row_hash else 0
        if (wait := self._unblamed(problem, leased)) is not None:
            failure = replace(failure, tries=_in_a_row(leased.error, problem) + 1)
            return RetryIn(wait, failure, leased.attempts, leased.failed_hash)
        attempts = before + 1
        if problem.verdict is Verdict.LATER:
            if _still_waits_for(problem, leased):  # a try in between does not make it longer
                return Parked(failure, row_hash, attempts, until=leased.parked_until)
            return Parked(failure, row_hash, attempts, problem.wait)
        most = self.services.settings.max_attempts
        if problem.verdict is Verdict.PARK or attempts >= most:
            return Parked(failure, row_hash, attempts)
        return RetryIn(problem.delay(before), failure, attempts, row_hash)


def left_parked(leased: Leased) -> Parked | None:
    """Nothing was tried: as it was, and until when it was. None if it is not parked."""
    if not leased.parked or leased.error is None:
        return None
    return Parked(leased.error, leased.failed_hash, leased.attempts, until=leased.parked_until)


def _still_waits_for(problem: Problem, leased: Leased) -> bool:
    waits = leased.parked_until is not None and not leased.wait_is_over
    return waits and leased.error is not None and leased.error.message == problem.message
