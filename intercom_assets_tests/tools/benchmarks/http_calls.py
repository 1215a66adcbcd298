"""What a call costs in CPU before anybody reads it: our transport, and a plain requests session.

One thread over a real socket to a simulator in a process of its own; with and without a body in
turn. The programs take turns in short rounds, so that a busy machine meets them all; the ratios are
what counts. Must not: rate limiting, JSON, retries.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from statistics import median

import requests

from intercom_assets.intercom.http.addresses import headers_of
from intercom_assets.intercom.http.messages import HttpRequest, Timeouts
from intercom_assets.intercom.http.transport import Urllib3Transport
from intercom_assets_tests.tools.benchmarks.figures import Figure
from intercom_assets_tests.tools.benchmarks.lab import Lab
from intercom_assets_tests.tools.benchmarks.simulated import NO_LIMIT, TOKEN, simulating

ROUNDS = 10
SEARCH = b'{"query": {"field": "role", "operator": "=", "value": "user"}}'

Call = Callable[[str, str, bytes | None], object]


def measure(lab: Lab, calls: int) -> Iterator[Figure]:
    """`calls` of each program."""
    with simulating(**NO_LIMIT) as simulator:
        simulator.control("contacts", {"count": 1})
        yield from compare(
            {"ours": ours(simulator.url), "requests": plain_requests(simulator.url)}, calls
        )


def ours(url: str) -> Call:
    transport = Urllib3Transport(url, connections=1, clock=time.monotonic)
    headers, timeouts = headers_of(TOKEN, "2.16"), Timeouts()
    return lambda method, path, body: transport.send(
        HttpRequest(method, path, headers, body), timeouts
    )


def plain_requests(url: str) -> Call:
    session = requests.Session()
    session.headers.update(headers_of(TOKEN, "2.16"))
    return lambda method, path, body: (
        session.request(method, url + path, data=body, timeout=(4, 14)).content
    )


def compare(programs: Mapping[str, Call], calls: int) -> Iterator[Figure]:
    """CPU and rate of each, and how many times the first one's CPU the others take."""
    rounds = [
        {name: _round(call, calls // ROUNDS) for name, call in programs.items()}
        for _ in range(ROUNDS)
    ]
    first, *others = programs
    for name in programs:
        cpu = median(figures[name][0] for figures in rounds)
        rate = median(figures[name][1] for figures in rounds)
        yield Figure(f"own CPU per call, {name}", 1_000 * cpu, "ms")
        yield Figure(f"calls per second of one thread, {name}", rate)
    for name in others:
        times = median(figures[name][0] / figures[first][0] for figures in rounds)
        yield Figure(f"CPU per call, {name} against {first}", times, "times")


def _round(call: Call, calls: int) -> tuple[float, float]:
    """Seconds of CPU per call, and calls per second. A first call connects."""
    call("GET", "/me", None)
    cpu, began = time.process_time(), time.perf_counter()
    for number in range(calls):
        if number % 2:
            call("GET", "/me", None)
        else:
            call("POST", "/contacts/search", SEARCH)
    return (
        (time.process_time() - cpu) / calls,
        calls / (time.perf_counter() - began),
    )
