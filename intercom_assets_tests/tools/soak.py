"""The demo under load for a long time: do memory, connections, the queue and tables stay?

    python -m intercom_assets_tests.tools.soak --minutes 30

starts a demo of its own, lets people change on both sides all the time, measures every few seconds
and prints a table with a verdict for each line. Exit code 1 if one of them is red. The first third
of the time is for warming up: caches fill, tables reach the size that their users need.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psycopg
from psycopg import sql

from intercom_assets.demo.addresses import Addresses, addresses_of
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets_tests.processes import RUN, processes_of
from intercom_assets_tests.tools.benchmarks.figures import machine

COMMAND = (sys.executable, "-m", "intercom_assets.cli.main", "demo")
MOST_GROWTH = 1.15
MOST_CONNECTIONS = 80
MOST_QUEUE_AGE = 120.0
"""Seconds that the oldest due row may have waited, on a machine with nothing else to do."""
PRUNED = frozenset(
    {"event_logs", "runs", "run_tags", "job_ticks", "asset_event_tags", "asset_check_executions"}
    | {"journal", "run_member", "counter"}
)
"""What `prune_history` and Dagster's own `retention` take away."""


@dataclass
class Sample:
    """`memory`: MB by role. `rows`: by table."""

    memory: dict[str, float] = field(default_factory=dict)
    connections: int = 0
    queue_age: float = 0.0
    rows: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """`at_first`, `at_last`: medians of the middle and of the last third of the time."""

    what: str
    at_first: float
    at_last: float
    most: float
    verdict: str

    @property
    def red(self) -> bool:
        return self.verdict.startswith("RED")


# --- judging --------------------------------------------------------------------------------------


def judged(samples: Sequence[Sample]) -> list[Line]:
    third = len(samples) // 3
    middle, last = samples[third : 2 * third], samples[2 * third :]
    if not middle:
        raise ValueError("too few samples to compare")
    lines = [_memory(role, middle, last) for role in sorted(middle[0].memory)]
    lines.append(_bounded("connections", [s.connections for s in samples], third, MOST_CONNECTIONS))
    lines.append(_bounded("queue age, s", [s.queue_age for s in samples], third, MOST_QUEUE_AGE))
    return lines + [_rows(table, middle, last) for table in sorted(middle[0].rows)]


def _memory(role: str, middle: Sequence[Sample], last: Sequence[Sample]) -> Line:
    before, after = ([s.memory.get(role, 0.0) for s in batch] for batch in (middle, last))
    grew = median(after) > median(before) * MOST_GROWTH
    verdict = f"RED: grows more than {MOST_GROWTH - 1:.0%}" if grew else "flat"
    return Line(
        f"memory of {role}, MB", median(before), median(after), max(before + after), verdict
    )


def _bounded(what: str, values: Sequence[float], third: int, most: float) -> Line:
    past = max(values[third:]) > most
    verdict = f"RED: above {most:g}" if past else "bounded"
    at_first, at_last = median(values[third : 2 * third]), median(values[2 * third :])
    return Line(what, at_first, at_last, max(values[third:]), verdict)


def _rows(table: str, middle: Sequence[Sample], last: Sequence[Sample]) -> Line:
    """Medians that differ by a tenth and by more than a handful of rows are growth."""
    before, after = ([s.rows.get(table, 0) for s in batch] for batch in (middle, last))
    grew = median(after) > median(before) * 1.1 + 50
    verdict = "flat"
    if grew:
        verdict = "grows; pruned" if table in PRUNED else "RED: grows, and nothing prunes it"
        if table == "queue":  # page views wait there for an hour
            verdict = "grows; one a person at most"
    return Line(f"rows of {table}", median(before), median(after), max(before + after), verdict)


def table(lines: Sequence[Line]) -> str:
    """As Markdown, for the documentation."""
    head = [
        "| what | middle third | last third | most | verdict |",
        "| --- | --- | --- | --- | --- |",
    ]
    return "\n".join(
        head
        + [
            f"| {x.what} | {x.at_first:,.0f} | {x.at_last:,.0f} | {x.most:,.0f} | {x.verdict} |"
            for x in lines
        ]
    )


# --- measuring ------------------------------------------------------------------------------------


def measured(place: Path, addresses: Addresses) -> Sample:
    sample = Sample(_memory_of(place))
    for url, schema in (
        (addresses.app_database, "intercom_sync"),
        (addresses.dagster_database, "public"),
    ):
        with psycopg.connect(url) as connection:
            names = connection.execute(
                "select table_name from information_schema.tables where table_schema = %s", [schema]
            ).fetchall()
            for (name,) in names:
                counted = sql.SQL("select count(*) from {}").format(sql.Identifier(schema, name))
                row = connection.execute(counted).fetchone()
                sample.rows[name] = int(row[0]) if row else 0
            [(connections,)] = connection.execute(
                "select count(*) from pg_stat_activity where datname is not null"
            ).fetchall()
            sample.connections = int(connections)
    sample.queue_age = _queue_age(addresses.app_database)
    return sample


def _queue_age(url: str) -> float:
    with psycopg.connect(url) as connection:
        [(age,)] = connection.execute(
            "select coalesce(extract(epoch from now() - min(greatest(first_at, due_at))), 0)"
            "::float8 from intercom_sync.queue where due_at <= now() and parked_at is null"
        ).fetchall()
    return float(age)


def _memory_of(place: Path) -> dict[str, float]:
    """Proportional set size: what is shared counts once."""
    found: dict[str, float] = defaultdict(float)
    for role, process in processes_of(place):
        if role != RUN:  # runs come and go and are not compared
            with suppress(OSError, IndexError):
                rollup = (process / "smaps_rollup").read_text()
                found[role] += int(rollup.split("Pss:")[1].split()[0]) / 1024
    return dict(found)


# --- the load -------------------------------------------------------------------------------------


def change_something(addresses: Addresses, random_one: random.Random) -> None:
    """One moment of an app in use: some people change, one is edited in Intercom."""
    sides = addresses.sides()
    batch = random_one.sample(range(1, 190), 10)
    sides.app.do(
        "update users set sessions_this_month = sessions_this_month + 1, "
        "last_request_at = now(), updated_at = now() where id = any(%s)",
        batch,
    )
    contact = sides.intercom.contact(external_id=str(batch[0]))
    if contact is not None:
        number = f"+44 20 {random_one.randrange(10**7):07d}"
        sides.intercom.operate("edit_contact", contact=contact["id"], phone=number)


@contextmanager
def a_demo(place: Path) -> Iterator[Addresses]:
    printed = place / "printed"
    place.chmod(0o711)
    with printed.open("w") as output:
        process = subprocess.Popen(
            [*COMMAND, "--data-dir", str(place / "demo")], stdout=output, stderr=subprocess.STDOUT
        )
    try:
        up = wait_until(lambda: "Ctrl-C" in printed.read_text() or process.poll() is not None, 600)
        if not up or process.poll() is not None:
            raise SystemExit(f"The demo did not start:\n{printed.read_text()}")
        yield addresses_of(place / "demo")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def soak(minutes: float, every: float, load: float) -> list[Sample]:
    samples, random_one = list[Sample](), random.Random(1)
    with (
        tempfile.TemporaryDirectory(prefix="intercom-assets-soak-") as name,
        a_demo(Path(name)) as at,
    ):
        ends = time.monotonic() + minutes * 60
        next_sample = time.monotonic()
        while time.monotonic() < ends:
            change_something(at, random_one)
            if time.monotonic() >= next_sample:
                samples.append(measured(Path(name), at))
                next_sample = time.monotonic() + every
            time.sleep(load)
    return samples


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The demo under load for a long time.")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=15, help="seconds between two measurements")
    parser.add_argument("--load", type=float, default=2, help="seconds between two changes")
    asked = parser.parse_args(arguments)
    # Ends the demo too, which a signal by itself would leave running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    samples = soak(asked.minutes, asked.every, asked.load)
    lines = judged(samples)
    sys.stdout.write(
        f"{datetime.now(UTC):%Y-%m-%d}, {asked.minutes:g} minutes, {len(samples)} samples, "
        f"load {os.getloadavg()[2]:.1f}; {machine('of the demo')}\n\n{table(lines)}\n"
    )
    return 1 if any(line.red for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
