"""Scripted misfortune: which calls it meets, how often, how likely, and of what kind.

A fault names an endpoint (`PUT /contacts/{id}`, or a pattern such as `* /contacts*` over template
or path), and acts before the write (nothing is stored), after it (stored, but the answer is not
what it should be), or on the way back. Only data and choosing; `answering` carries them out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatchcase
from random import Random
from typing import Any

KINDS: Mapping[str, str] = {
    "latency": "the call takes `seconds` longer",
    "rate_limit": "429, nothing done",
    "error": "`status` with `code`, `message`, `field`; `when` before (default) or after the write",
    "dropped_connection": "the connection closes, nothing done",
    "lost_reply": "done, then the connection closes without a reply",
    "slow_body": "done; the body drips in over `seconds`",
    "wrong_content_type": "a gateway's HTML page with 200; `when` before (default) or after",
    "truncated_json": "done; the body ends half-way",
}
EITHER_TIME = ("error", "wrong_content_type")
BEFORE = ("rate_limit", "dropped_connection")
MOST_SECONDS = 600.0


class BadFault(ValueError):
    """A fault that cannot be scripted as asked for."""


@dataclass(slots=True)
class Fault:
    """`count`: how many more calls it meets; None until it is taken away."""

    kind: str
    endpoint: str = "*"
    count: int | None = 1
    probability: float = 1.0
    when: str = "before"
    seconds: float = 1.0
    status: int = 500
    code: str = ""
    message: str = ""
    field: str = ""

    @property
    def before(self) -> bool:
        return self.kind in BEFORE or (self.kind in EITHER_TIME and self.when == "before")

    def meets(self, name: str, address: str) -> bool:
        return (
            self.endpoint in ("*", name, address)
            or fnmatchcase(name, self.endpoint)
            or fnmatchcase(address, self.endpoint)
        )

    def document(self) -> dict[str, Any]:
        return asdict(self)


class Faults:
    """In the order scripted; each call meets at most one fault besides latencies."""

    def __init__(self, random: Random) -> None:
        self.scripted: list[Fault] = []
        self._random = random

    def clear(self) -> None:
        self.scripted.clear()

    def add(self, fault: Fault) -> Fault:
        self.scripted.append(fault)
        return fault

    def meet(self, name: str, address: str) -> tuple[float, Fault | None]:
        """(extra seconds, fault) for this call; counts down and forgets what is used up."""
        delay, chosen = 0.0, None
        for fault in list(self.scripted):
            if fault.kind != "latency" and chosen is not None:
                continue
            if not fault.meets(name, address) or self._random.random() >= fault.probability:
                continue
            self._count_down(fault)
            if fault.kind == "latency":
                delay += fault.seconds
            else:
                chosen = fault
        return delay, chosen

    def _count_down(self, fault: Fault) -> None:
        if fault.count is None:
            return
        fault.count -= 1
        if fault.count <= 0:
            self.scripted.remove(fault)


# --- reading a script ---

STATUS_CODES = {
    400: ("parameter_invalid", "Scripted refusal"),
    401: ("unauthorized", "Access Token Invalid"),
    403: ("api_plan_restricted", "Active subscription needed."),
    404: ("not_found", "Resource Not Found"),
    408: ("request_timeout", "Request Timeout"),
    409: ("conflict", "Scripted conflict"),
    422: ("unprocessable_entity", "Scripted refusal"),
    500: ("server_error", "Server Error"),
    502: ("bad_gateway", "Bad Gateway"),
    503: ("service_unavailable", "Sorry, the API service is temporarily unavailable"),
    504: ("server_timeout", "Server timed out when making request"),
}


def read_faults(script: Any) -> list[Fault]:
    """A number (that many calls answer 500), one fault, or a list of them."""
    if isinstance(script, bool) or script is None:
        return [Fault("error")] if script else []
    if isinstance(script, int):
        return [Fault("error", count=script)] if script > 0 else []
    items: Iterable[Any] = script if isinstance(script, list) else [script]
    return [read_fault(item) for item in items]


def read_fault(item: Any) -> Fault:
    if isinstance(item, str):
        item = {"kind": item}
    if not isinstance(item, dict):
        raise BadFault("a fault is an object with a kind")
    known = {knob.name for knob in fields(Fault)}
    if unknown := set(item) - known:
        raise BadFault(f"a fault has no {sorted(unknown)[0]!r}; it has {', '.join(sorted(known))}")
    kind = item.get("kind", "error")
    if kind not in KINDS:
        raise BadFault(f"there is no kind {kind!r}; there are {', '.join(KINDS)}")
    return _checked(Fault(**{**item, "kind": kind}))


def _checked(fault: Fault) -> Fault:
    count_right = fault.count is None or (type(fault.count) is int and fault.count > 0)
    for right, name in (
        (isinstance(fault.endpoint, str), "endpoint"),
        (count_right, "count"),
        (_number(fault.probability, 1.0), "probability"),
        (fault.when in ("before", "after"), "when"),
        (_number(fault.seconds, MOST_SECONDS), "seconds"),
        (type(fault.status) is int and 400 <= fault.status <= 599, "status"),
        (isinstance(fault.code, str), "code"),
        (isinstance(fault.message, str), "message"),
        (isinstance(fault.field, str), "field"),
    ):
        if not right:
            raise BadFault(f"{name} cannot be {getattr(fault, name)!r}")
    return fault


def _number(value: Any, largest: float) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= largest
