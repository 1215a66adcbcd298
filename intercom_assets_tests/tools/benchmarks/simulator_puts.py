"""PUTs a second of the simulator with 100,000 contacts in it, two checkouts in turns in one run.

`python -m intercom_assets_tests.tools.benchmarks.simulator_puts BEFORE NOW`: the folders of two
checkouts, each with its own `.venv`. Rounds alternate, so that a busy machine slows both; what
counts is the median of the rounds' ratios, by the clock and by the server's own CPU.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from socket import create_connection, socket
from statistics import median
from urllib.parse import urlsplit

PEOPLE = 100_000
ROUNDS = 10
CALLS = 2_400
CONNECTIONS = 8
TICKS = os.sysconf("SC_CLK_TCK")
HEAD = (
    "Authorization: Bearer demo-token\r\nAccept: application/json\r\n"
    "Content-Type: application/json\r\nIntercom-Version: 2.16\r\n"
)
LENGTH = re.compile(rb"(?i)content-length: *(\d+)(?:\r\n[^\r\n]+)*\r\n\r\n")


@dataclass(slots=True)
class Subject:
    """One checkout's simulator under load. Rates are PUTs a second, by the clock and by CPU."""

    pid: int
    netloc: str
    ids: list[str]
    by_clock: list[float] = field(default_factory=list)
    by_cpu: list[float] = field(default_factory=list)

    def cpu_s(self) -> float:
        """CPU seconds that the server has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def round(self, numbers: Iterator[int]) -> None:
        began, used = time.monotonic(), self.cpu_s()
        self._put(numbers)
        self.by_clock.append(CALLS / (time.monotonic() - began))
        self.by_cpu.append(CALLS / (self.cpu_s() - used))

    def _put(self, numbers: Iterator[int]) -> None:
        """On each connection one call is under way while the others are sent."""
        address = urlsplit(f"//{self.netloc}")
        with ExitStack() as stack:
            lines = [
                stack.enter_context(create_connection((address.hostname, address.port), timeout=60))
                for _ in range(CONNECTIONS)
            ]
            for _ in range(CALLS // CONNECTIONS):
                for line in lines:
                    line.sendall(self._request(next(numbers)))
                for line in lines:
                    answer = _answer(line)
                    if not answer.startswith(b"HTTP/1.1 200"):
                        sys.exit(f"a PUT was answered {answer[:200]!r}")

    def _request(self, number: int) -> bytes:
        """By hand: a client's library takes as long for a call as the server does."""
        body = json.dumps({"name": f"Name {number}", "custom_attributes": {"seats": number}})
        path = f"/contacts/{self.ids[number % len(self.ids)]}"
        return (
            f"PUT {path} HTTP/1.1\r\nHost: {self.netloc}\r\n{HEAD}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


def _answer(line: socket) -> bytes:
    """One whole answer, which says its length."""
    got = line.recv(65_536)
    while not (length := LENGTH.search(got)) or len(got) < length.end() + int(length[1]):
        if not (more := line.recv(65_536)):
            break
        got += more
    return got


@contextmanager
def started(checkout: Path) -> Iterator[Subject]:
    python = str(checkout / ".venv/bin/python")
    command = [python, "-m", "intercom_assets.simulator", "--port", "0"]
    unlimited = ["--set", "rate_limit_per_window=1000000000"]
    with subprocess.Popen(
        [*command, *unlimited], cwd=checkout, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            netloc = urlsplit(process.stdout.readline().split()[-1]).netloc
            yield Subject(process.pid, netloc, seeded(netloc))
        finally:
            process.terminate()


def seeded(netloc: str) -> list[str]:
    connection = HTTPConnection(netloc, timeout=600)
    seeds = {"count": PEOPLE, "custom_attributes": {"plan": "pro", "seats": 1}}
    connection.request("POST", "/_simulator/contacts", json.dumps(seeds))
    ids: list[str] = json.load(connection.getresponse())["ids"]
    connection.close()
    return ids


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 2:
        sys.exit("name two checkouts: the one before, and the one now")
    numbers = count()
    with started(Path(arguments[0])) as before, started(Path(arguments[1])) as now:
        for _ in range(ROUNDS):
            before.round(numbers)
            now.round(numbers)
    for name, old, new in (
        ("by the clock", before.by_clock, now.by_clock),
        ("by the server's CPU", before.by_cpu, now.by_cpu),
    ):
        ratio = median(b / a for a, b in zip(old, new, strict=True))
        figures = f"{median(old):,.0f} -> {median(new):,.0f} PUTs a second, {ratio:.2f} times"
        sys.stdout.write(f"{name}: {figures}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
