"""The one request path: leave of the governor, the wire, the error, the retry, the log line.

Every call of `client.py` goes through `Transport.call`. It counts, logs and decides whether to ask
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
from intercom_assets.intercom.http.messages import (
    HttpRequest,
    HttpResponse,
    HttpTransport,
    NoResponse,
    Timeouts,
)
from intercom_assets.intercom.rate import Governor, Ticket, Times, Until
from intercom_assets.intercom.responses import no_answer, read_answer, request_id_of
from intercom_assets.intercom.retry import Budget, retry_delay
from intercom_assets.intercom.wire import Payload

T = TypeVar("T")

log = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds after which a call without a lease is not tried again; the queue tries for ever."""
REMEMBERED = 10_000
"""Calls that a view remembers; a longer history is cut to its newer half."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it went. `status` is None where no answer came; `seconds` without waiting."""

    method: str
    path_template: str
    status: int | None
    request_id: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Counters:
    """Since the client was built, all its views together. `limit`, `remaining`: of the window.

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
class View:
    """Whose calls: until when they may run (monotonic s, asked anew each time), and the list.

    `renewed`: the deadline is that of a lease, which moves on while its holder lives.
    """

    deadline: Callable[[], float | None]
    renewed: bool = False
    calls: list[Call] = field(default_factory=list)


class Transport:
    """Shared by all threads and views of a client."""

    def __init__(
        self,
        transport: HttpTransport,
        governor: Governor,
        times: Times,
        *,
        headers: Mapping[str, str],
        timeouts: Timeouts,
        has_token: bool,
    ) -> None:
        self._transport = transport
        self._governor = governor
        self._times = times
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
        view: View,
        shape: type[Payload[T]],
        endpoint: Endpoint,
        *ids: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> T:
        """What the answer stands for. Raises an `IntercomError` after the attempts that are due."""
        request = HttpRequest(
            endpoint.method, endpoint.path(ids, params), self._headers, _encoded(body)
        )
        give_up = self._times.clock() + PATIENCE
        attempt = 0
        failure: IntercomError | None = None
        while True:
            attempt += 1
            try:
                return self._attempt(view, shape, endpoint, request, attempt)
            except LeaseRanOut as late:
                raise failure or late from None
            except IntercomError as error:
                failure = error
            delay = retry_delay(failure, attempt, self._budget(view, endpoint, give_up))
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
                limit=self._governor.limit,
                remaining=self._governor.remaining,
                clock_ahead=_clock_ahead(*self._dated[:2]),
            )

    def their_time(self) -> float | None:
        """By the `Date` of the last answer, and the time that passed since by our steady clock."""
        date, _, at = self._dated
        then = _time_of(date)
        return None if then is None else then + self._times.clock() - at

    def close(self) -> None:
        self._transport.close()

    def clock(self) -> float:
        return self._times.clock()

    def sleep(self, view: View, seconds: float) -> bool:
        """Sleep for an endpoint that asks for patience; False if the lease does not allow it."""
        if self._until(view).is_past(self._times.clock(), seconds):
            return False
        self._times.sleep(seconds)
        return True

    def _attempt(
        self,
        view: View,
        shape: type[Payload[T]],
        endpoint: Endpoint,
        request: HttpRequest,
        attempt: int,
    ) -> T:
        if not self._has_token:
            raise Unauthorized(Refusal("no access token is set", endpoint=endpoint.name))
        ticket = self._governor.admit(self._until(view))
        if ticket is None:
            raise LeaseRanOut(Refusal("too little of the lease is left", endpoint=endpoint.name))
        try:
            answer = self._transport.send(request, self._timeouts)
        except NoResponse as lost:
            self._governor.lost()
            failure = no_answer(endpoint, lost)
        except BaseException:
            self._governor.lost()
            raise
        else:
            self._record(view, endpoint, ticket, answer, attempt)
            return read_answer(shape, endpoint, answer)
        self._record(view, endpoint, ticket, None, attempt)
        raise failure

    def _record(
        self,
        view: View,
        endpoint: Endpoint,
        ticket: Ticket,
        answer: HttpResponse | None,
        attempt: int,
    ) -> None:
        status, request_id = None, None
        if answer is not None:
            status, request_id = answer.status, request_id_of(answer)
            self._governor.answered(ticket, answer.headers, throttled=status == 429)
            if date := answer.headers.get("date"):
                self._dated = (date, self._times.wall(), self._times.clock())
        seconds = self._times.clock() - ticket.sent
        call = Call(endpoint.method, endpoint.template, status, request_id, seconds)
        with self._lock:
            self._calls[endpoint.name] += 1
            self._rate_limited += status == 429
            self._waited += ticket.waited
            view.calls.append(call)
            if len(view.calls) > REMEMBERED:
                del view.calls[: REMEMBERED // 2]
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
            self._times.sleep(delay)

    def _until(self, view: View) -> Until:
        """The last moment at which a call can start and still end within the lease."""

        def latest() -> float | None:
            deadline = view.deadline()
            return None if deadline is None else deadline - self._timeouts.total

        return Until(latest, view.renewed)

    def _budget(self, view: View, endpoint: Endpoint, give_up: float) -> Budget:
        until, now = self._until(view), self._times.clock()
        latest = until.latest()
        if latest is not None and (not until.moves or now > latest):
            give_up = min(give_up, latest)
        # Spreads threads that failed together; nothing about it is secret.
        return Budget(give_up - now, endpoint.effect, jitter=random.random())


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
