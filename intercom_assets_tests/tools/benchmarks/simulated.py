"""The simulator as a process of its own, as every measurement of time wants it.

In one process the interpreter's lock would be measured. Belongs here: starting and ending it, and
its control endpoints as a client of them sees them. `Simulated` is an address: it can be sent to
other processes.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

TOKEN = "demo-token"
NO_LIMIT = {"rate_limit_per_window": 1_000_000}
AT_THE_LIMIT = {"rate_limit_per_window": 1_666, "latency_ms": 150}
"""10,000 calls a minute in windows of 10 s, and an answer as slow as Intercom's."""
PER_SECOND = 166.6
"""Calls that such a workspace permits on the long run."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests that Intercom saw, by endpoint (`POST /contacts`), refused ones included."""

    by_endpoint: dict[str, int]
    refused: int

    @property
    def calls(self) -> int:
        return sum(self.by_endpoint.values())

    @property
    def accepted(self) -> int:
        return self.calls - self.refused

    def since(self, before: "Asked") -> "Asked":
        calls = {
            name: count - before.by_endpoint.get(name, 0)
            for name, count in self.by_endpoint.items()
        }
        return Asked(calls, self.refused - before.refused)


@dataclass(frozen=True, slots=True)
class Simulated:
    """A running simulator; `url` is what a client takes for Intercom's."""

    url: str

    def stats(self) -> dict[str, Any]:
        answer = requests.get(f"{self.url}/_simulator/stats", timeout=10)
        answer.raise_for_status()
        stats: dict[str, Any] = answer.json()
        return stats

    def asked(self) -> Asked:
        stats = self.stats()
        return Asked(stats["calls_by_endpoint"], stats["rate_limited"])

    def control(self, endpoint: str, body: object) -> None:
        """`endpoint`: settings, contacts, operator ..."""
        answer = requests.post(f"{self.url}/_simulator/{endpoint}", json=body, timeout=60)
        answer.raise_for_status()

    def next_window(self) -> dict[str, Any]:
        """The stats at the moment when a window has just begun."""
        end = self.stats()["window"]["end"]
        time.sleep(max(0.0, end - time.time() - 0.05))
        while (stats := self.stats())["window"]["end"] == end:
            time.sleep(0.01)
        return stats


@contextmanager
def simulating(**knobs: int) -> Iterator[Simulated]:
    """A simulator on a loopback port, with these settings, until the end of the block."""
    settings = [part for name, value in knobs.items() for part in ("--set", f"{name}={value}")]
    command = [sys.executable, "-m", "intercom_assets.simulator", "--port", "0", *settings]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            announced = process.stdout.readline().split()
            if not announced:
                raise RuntimeError("the simulator ended before it said where it listens")
            yield Simulated(announced[-1])
        finally:
            process.terminate()
            process.wait(10)
