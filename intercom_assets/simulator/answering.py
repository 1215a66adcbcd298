"""From a request to a finished answer: the gate, the fault, the operation, the headers.

The order of checks is Accept, token, rate, fault, version, path, body, then the operation itself.
Nothing here knows a contact from a company, and nothing here waits: delays are for transports.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter
from typing import NamedTuple

from intercom_assets.simulator import errors, not_simulated
from intercom_assets.simulator.errors import Refused
from intercom_assets.simulator.faults import STATUS_CODES, Fault, Faults
from intercom_assets.simulator.journal import Entry, Journal
from intercom_assets.simulator.rate import Rate
from intercom_assets.simulator.routes import Route, find_route
from intercom_assets.simulator.settings import Settings
from intercom_assets.simulator.state import World
from intercom_assets.simulator.wire import (
    PREVIEW,
    Answer,
    Call,
    Reply,
    Version,
    http_date,
    parse_body,
    parse_query,
    refusal_body,
    reply_body,
    split_path,
    write_headers,
)

ACCEPTED_TYPES = ("*/*", "application/*", "application/json", "application/vnd.intercom.3+json")
OLD_VERSIONS = {f"1.{minor}": (1, minor) for minor in range(5)}
VERSIONS: Mapping[str, Version] = {
    **OLD_VERSIONS,
    **{f"2.{minor}": (2, minor) for minor in range(18)},
    "Preview": PREVIEW,
    "Unstable": PREVIEW,
}
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"


class Request(NamedTuple):
    """`headers` by lower-case name."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Gate:
    """What was learnt on the way in; a refusal on the way leaves the rest at its default."""

    version: str
    route: Route | None = None
    ids: tuple[str, ...] = ()
    query: str = ""
    full: bool = False


class Answering:
    """One per simulator. Not thread-safe: the caller holds the lock."""

    def __init__(
        self, world: World, settings: Settings, rate: Rate, faults: Faults, journal: Journal
    ) -> None:
        self.world = world
        self.settings = settings
        self.rate = rate
        self.faults = faults
        self.journal = journal

    def answer(self, request: Request) -> Answer:
        started = perf_counter()
        self.world.catch_up()
        request_id = self.world.uuid()
        segments, query = split_path(request.path)
        gate = Gate(self.settings.default_version, query=query)
        known = segments[:2] not in not_simulated.PARTS
        found = find_route(request.method, segments) if known else None
        if found is not None:
            gate.route, gate.ids = found
        delay, fault, reply, refused = self.settings.latency_ms / 1000, None, None, None
        try:
            self._let_in(request, gate)
            extra, fault = self.faults.meet(self._name(gate), f"{request.method} {request.path}")
            delay += extra
            if fault is not None and fault.before:
                _strike(fault, self.settings)
            reply = self._operate(request, gate)
            if reply.counts_as > 1:
                self.rate.charge(self.world.clock(), reply.counts_as - 1)
            if fault is not None and fault.when == "after" and fault.kind == "error":
                _strike(fault, self.settings)
        except Refused as refusal:
            refused = _bare(refusal) if self.settings.bare_refusals else refusal
        seconds = perf_counter() - started
        answer = self._written(gate, request_id, (seconds, delay), reply, refused)
        if fault is not None:
            answer = _spoilt(answer, fault)
        self._note(request, gate, answer, reply, seconds, fault)
        return answer

    def _let_in(self, request: Request, gate: Gate) -> None:
        if not _acceptable(request.headers.get("accept", "*/*")):
            raise errors.not_acceptable()
        if request.headers.get("authorization") != f"Bearer {self.settings.token}":
            raise errors.unauthorized()
        if not self.rate.take(self.world.clock()):
            gate.full = True
            raise errors.too_many_calls(
                self.settings.rate_limit_per_window, self.settings.rate_window_s
            )

    def _operate(self, request: Request, gate: Gate) -> Reply:
        named = request.headers.get("intercom-version", self.settings.default_version)
        version = VERSIONS.get(named)
        if version is None:
            raise errors.unknown_version()
        gate.version = named
        if gate.route is None:
            segments, _ = split_path(request.path)
            raise not_simulated.refusal(request.method, segments) or errors.no_such_resource()
        if version < gate.route.since:
            raise errors.not_in_version()
        body = {}
        if request.method in ("POST", "PUT"):
            content_type = request.headers.get("content-type", "")
            body = parse_body(request.body, content_type, self.settings)
        return gate.route.operation(
            Call(
                self.world,
                self.settings,
                version,
                gate.ids,
                parse_query(gate.query),
                body,
                _base_url(request.headers.get("host", "")),
            )
        )

    def _written(
        self,
        gate: Gate,
        request_id: str,
        times: tuple[float, float],
        reply: Reply | None,
        refused: Refused | None,
    ) -> Answer:
        """`times`: what the call took, and by how much its answer is held back; seconds."""
        if refused is not None:
            status, body = refused.status, refusal_body(refused, request_id)
        else:
            assert reply is not None
            status, body = reply.status, reply_body(reply)
        headers = write_headers(status, body, request_id, gate.version, times[0])
        now = self.world.clock()
        headers["Date"] = http_date(int(now))
        self.rate.tell(headers, now, refused=gate.full or status == 429)
        if refused is not None:
            headers |= refused.headers
        elif reply is not None and reply.recent_write:
            cookie = f"recent_write={request_id}; path=/; max-age=1; HttpOnly; secure"
            headers["Set-Cookie"] = cookie
        return Answer(status, headers, body, times[1])

    def _note(
        self,
        request: Request,
        gate: Gate,
        answer: Answer,
        reply: Reply | None,
        seconds: float,
        fault: Fault | None,
    ) -> None:
        status = 0 if answer.fate in ("dropped", "lost") else answer.status
        entry = Entry(
            self.world.clock(),
            request.method,
            request.path[:300],
            status,
            (seconds + answer.delay_s) * 1000,
            fault.kind if fault is not None else "",
            _about(reply),
        )
        writes = gate.route is not None and gate.route.writes
        self.journal.note(self._name(gate), entry, writes, reply is not None and reply.changed)

    def _name(self, gate: Gate) -> str:
        return gate.route.name if gate.route is not None else "no such resource"


@lru_cache(maxsize=64)
def _acceptable(accept: str) -> bool:
    kinds = (part.partition(";")[0].strip().lower() for part in accept.split(","))
    return any(kind in ACCEPTED_TYPES for kind in kinds)


def _about(reply: Reply | None) -> str:
    document = reply.document if reply is not None else None
    return str(document.get("id", "")) if isinstance(document, dict) else ""


def _base_url(host: str) -> str:
    """Where the caller found us, for the links of page-numbered lists."""
    name = host.partition(":")[0]
    if not host:
        return "https://api.intercom.io"
    return f"{'http' if name in ('127.0.0.1', 'localhost') else 'https'}://{host}"


def _strike(fault: Fault, settings: Settings) -> None:
    """Refuses as the fault says. A connection that closes has an answer too: nobody sees it."""
    if fault.kind == "rate_limit":
        raise errors.too_many_calls(settings.rate_limit_per_window, settings.rate_window_s)
    status = fault.status if fault.kind == "error" else 502
    code, message = STATUS_CODES.get(status, ("server_error", "Server Error"))
    raise Refused(status, fault.code or code, fault.message or message, fault.field or None)


def _bare(refusal: Refused) -> Refused:
    """As users of the API report it: a value is refused, and the answer does not say which."""
    named = refusal.status in (400, 422) and refusal.field_name is not None
    return errors.bad_request("Bad Request") if named else refusal


def _spoilt(answer: Answer, fault: Fault) -> Answer:
    match fault.kind:
        case "dropped_connection":
            return answer._replace(fate="dropped")
        case "lost_reply":
            return answer._replace(fate="lost")
        case "slow_body":
            return answer._replace(fate="slow", drip_s=fault.seconds)
        case "truncated_json":
            return answer._replace(fate="truncated")
        case "wrong_content_type":
            headers = {**answer.headers, "Content-Type": "text/html; charset=utf-8"}
            return answer._replace(status=200, headers=headers, body=HTML)
    return answer
