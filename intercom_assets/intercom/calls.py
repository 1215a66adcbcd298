"""The one request path: leave of the rate limiter, the wire, the error, the retry, the log line.

Every call of `client.py` goes through `Caller.call`. It counts, logs and decides whether to ask
again; it knows no endpoint and no domain value. Logged are method, path template, status, attempt
and request id; never a body, a query, an e-mail or the token.
"""

import json
import logging
import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TypeVar

from intercom_assets.intercom.endpoints import Endpoint
from intercom_assets.intercom.errors import (
    IntercomError,
    LeaseRanOut,
    RateLimited,
    Refusal,
    Unauthorized,
)
from intercom_assets.intercom.http.addresses import VERSION_HEADER
from intercom_assets.intercom.http.messages import (
    HttpRequest,
    HttpResponse,
    HttpTransport,
    NoResponse,
    Timeouts,
)
from intercom_assets.intercom.rate import Clocks, Deadline, Permit, RateLimiter, quota_of
from intercom_assets.intercom.responses import read_response, request_id_of, without_response
from intercom_assets.intercom.retry import RetryBudget, retry_delay
from intercom_assets.intercom.windows import Quota
from intercom_assets.intercom.wire import Payload

T = TypeVar("T")

log = logging.getLogger(__name__)

GIVE_UP_AFTER = 60.0
"""Seconds after which a call without a lease is not tried again; the queue tries for ever."""
UNTOLD = Quota()
REMEMBERED_CALLS = 10_000
"""Calls that a scope remembers; a longer history is cut to its newer half."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it went. `status` is None where no answer came; `seconds` without waiting.

    `quota`: what the answer's headers told of the limit.
    """

    method: str
    path_template: str
    status: int | None
    request_id: str | None
    seconds: float
    quota: Quota = UNTOLD


@dataclass(frozen=True, slots=True)
class Counters:
    """Since the client was built, all its scopes together. `limit`, `remaining`: of the window.

    `clock_ahead`: seconds that our wall clock is ahead of Intercom's, which tells whole ones only.
    """

    calls: Mapping[str, int]
    rate_limited: int
    retries: int
    seconds_waited: float
    limit: int | None
    remaining: int | None
    clock_ahead: float | None = None


@dataclass(frozen=True, slots=True)
class CallScope:
    """Whose calls: until when they may run (monotonic s, asked anew each time), and the list.

    `renewed`: the deadline is that of a lease, which moves on while its holder lives.
    """

    deadline: Callable[[], float | None]
    renewed: bool = False
    calls: list[Call] = field(default_factory=list)


class Caller:
    """Shared by all threads and scopes of a client."""

    def __init__(
        self,
        transport: HttpTransport,
        limiter: RateLimiter,
        clocks: Clocks,
        *,
        headers: Mapping[str, str],
        timeouts: Timeouts,
        has_token: bool,
    ) -> None:
        self._transport = transport
        self._limiter = limiter
        self._clocks = clocks
        self._headers = headers
        self._timeouts = timeouts
        self._has_token = has_token
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._rate_limited = 0
        self._retries = 0
        self._waited = 0.0
        self._dated: tuple[str | None, float, float] = (None, 0.0, 0.0)

    def call(
        self,
        scope: CallScope,
        shape: type[Payload[T]],
        endpoint: Endpoint,
        *ids: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> T:
        """What the answer stands for. Raises an `IntercomError` after the attempts that are due."""
        headers = self._headers
        if endpoint.version is not None:
            headers = {**headers, VERSION_HEADER: endpoint.version}
        request = HttpRequest(endpoint.method, endpoint.path(ids, params), headers, _encoded(body))
        give_up = self._clocks.clock() + GIVE_UP_AFTER
        attempt = 0
        failure: IntercomError | None = None
        while True:
            attempt += 1
            try:
                return self._attempt(scope, shape, endpoint, request, attempt)
            except LeaseRanOut as late:
                raise failure or late from None
            except IntercomError as error:
                failure = error
            delay = retry_delay(failure, attempt, self._retry_budget(scope, endpoint, give_up))
            if delay is None:
                raise failure
            self._pause(endpoint, failure, attempt, delay)

    def counters(self) -> Counters:
        with self._lock:
            return Counters(
                calls=dict(self._calls),
                rate_limited=self._rate_limited,
                retries=self._retries,
                seconds_waited=self._waited,
                limit=self._limiter.limit,
                remaining=self._limiter.remaining,
                clock_ahead=_clock_ahead(*self._dated[:2]),
            )

    def their_time(self) -> float | None:
        """By the `Date` of the last answer, and the time that passed since by our steady clock."""
        date, _, at = self._dated
        then = _time_of(date)
        return None if then is None else then + self._clocks.clock() - at

    def close(self) -> None:
        self._transport.close()

    def clock(self) -> float:
        return self._clocks.clock()

    def sleep(self, scope: CallScope, seconds: float) -> bool:
        """Sleep for an endpoint that asks for patience; False if the lease does not allow it."""
        if self._deadline(scope).is_past(self._clocks.clock(), seconds):
            return False
        self._clocks.sleep(seconds)
        return True

    def _attempt(
        self,
        scope: CallScope,
        shape: type[Payload[T]],
        endpoint: Endpoint,
        request: HttpRequest,
        attempt: int,
    ) -> T:
        if not self._has_token:
            raise Unauthorized(Refusal("no access token is set", endpoint=endpoint.name))
        permit = self._limiter.admit(self._deadline(scope))
        if permit is None:
            raise LeaseRanOut(Refusal("too little of the lease is left", endpoint=endpoint.name))
        try:
            response = self._transport.send(request, self._timeouts)
        except NoResponse as lost:
            self._limiter.lost()
            failure = without_response(endpoint, lost)
        except BaseException:
            self._limiter.lost()
            raise
        else:
            self._record(scope, endpoint, permit, response, attempt)
            return read_response(shape, endpoint, response)
        self._record(scope, endpoint, permit, None, attempt)
        raise failure

    def _record(
        self,
        scope: CallScope,
        endpoint: Endpoint,
        permit: Permit,
        response: HttpResponse | None,
        attempt: int,
    ) -> None:
        status, request_id, quota = None, None, UNTOLD
        if response is not None:
            status, request_id = response.status, request_id_of(response)
            quota = quota_of(response.headers)
            self._limiter.answered(permit, response.headers, throttled=status == 429)
            if date := response.headers.get("date"):
                self._dated = (date, self._clocks.wall(), self._clocks.clock())
        seconds = self._clocks.clock() - permit.sent
        call = Call(endpoint.method, endpoint.template, status, request_id, seconds, quota)
        with self._lock:
            self._calls[endpoint.name] += 1
            self._rate_limited += status == 429
            self._waited += permit.waited
            scope.calls.append(call)
            if len(scope.calls) > REMEMBERED_CALLS:
                del scope.calls[: REMEMBERED_CALLS // 2]
        log.debug("%s: %s, attempt %d, request %s", endpoint.name, status, attempt, request_id)

    def _pause(
        self, endpoint: Endpoint, failure: IntercomError, attempt: int, delay: float
    ) -> None:
        with self._lock:
            self._retries += 1
            self._waited += delay
        level = logging.DEBUG if isinstance(failure, RateLimited) else logging.WARNING
        answered = f" {failure.status}" if failure.status else ""
        by_id = f", request {failure.request_id}" if failure.request_id else ""
        log.log(
            level,
            "%s: %s%s, attempt %d, again in %.1f s%s",
            endpoint.name,
            type(failure).__name__,
            answered,
            attempt,
            delay,
            by_id,
        )
        if delay > 0:
            self._clocks.sleep(delay)

    def _deadline(self, scope: CallScope) -> Deadline:
        """The last moment at which a call can start and still end within the lease."""

        def latest() -> float | None:
            deadline = scope.deadline()
            return None if deadline is None else deadline - self._timeouts.total

        return Deadline(latest, scope.renewed)

    def _retry_budget(self, scope: CallScope, endpoint: Endpoint, give_up: float) -> RetryBudget:
        deadline, now = self._deadline(scope), self._clocks.clock()
        latest = deadline.latest()
        if latest is not None and (not deadline.moves or now > latest):
            give_up = min(give_up, latest)
        # Spreads threads that failed together; nothing about it is secret.
        return RetryBudget(give_up - now, endpoint.effect, jitter=random.random())


def _clock_ahead(date: str | None, wall: float) -> float | None:
    """By the `Date` of an answer that came at `wall`; None where there is none to read."""
    then = _time_of(date)
    return None if then is None else wall - then


def _time_of(date: str | None) -> float | None:
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def _encoded(body: Mapping[str, object] | None) -> bytes | None:
    return None if body is None else json.dumps(body, allow_nan=False).encode()
