"""The benchmarks by command; `--users N ...`, `--only NAME ...` and `--repeats N` narrow them down.

Prints a Markdown table of medians and spread; the machine and the versions above it. Without
`--users` each benchmark has the size that its target is stated for.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from intercom_assets_tests.tools.benchmarks import (
    bulk_calls,
    calls,
    dagster_runs,
    http_calls,
    live,
    lone_change,
    side_by_side,
    speed,
    storage,
    triggers,
    webhooks,
)
from intercom_assets_tests.tools.benchmarks.figures import Figure, Row, machine, rows, table
from intercom_assets_tests.tools.benchmarks.lab import Lab, a_lab

REPEATS = 3


@dataclass(frozen=True, slots=True)
class Benchmark:
    """`sizes`: how many users, unless they are named. `repeats`: unless a number is."""

    measure: Callable[[Lab, int], Iterable[Figure]]
    sizes: Sequence[int]
    repeats: int = REPEATS


BENCHMARKS = {
    "bulk": Benchmark(bulk_calls.measure, (20_000,), repeats=1),
    "calls": Benchmark(calls.measure, (1_000,)),
    "first-contact": Benchmark(calls.measure_first_contact, (10_000,)),
    "http": Benchmark(http_calls.measure, (2_000,)),
    "limit": Benchmark(speed.measure_limit, (20_000,)),
    "growth": Benchmark(speed.measure_growth, (1_000, 10_000, 100_000)),
    "dagster-run": Benchmark(dagster_runs.measure_run, (1_000,)),
    "backfill": Benchmark(live.measure_backfill, (20_000,)),
    "latency": Benchmark(live.measure_latency, (200,)),
    "lone-change": Benchmark(lone_change.measure, (200,), repeats=1),
    "sensor-tick": Benchmark(dagster_runs.measure_tick, (100_000,)),
    "triggers": Benchmark(triggers.measure, (10_000,)),
    "webhooks": Benchmark(webhooks.measure, (1_000,)),
    "webhook-edits": Benchmark(webhooks.measure_edits, (60,), repeats=1),
    "storage": Benchmark(storage.measure_storage, (1_000,)),
    "side-by-side": Benchmark(side_by_side.measure, (1_000,)),
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    lone_change.options = lone_change.Options(options.launcher, options.beside)
    with a_lab() as lab:
        measured: list[Row] = []
        for name in options.only or BENCHMARKS:
            for users in options.users or BENCHMARKS[name].sizes:
                measured += _repeated(lab, name, users, options.repeats or BENCHMARKS[name].repeats)
        _print(f"{machine(lab.postgres_version())}\n")
    _print(table(measured))
    return 0


def _repeated(lab: Lab, name: str, users: int, repeats: int) -> Iterable[Row]:
    figures = []
    for number in range(1, repeats + 1):
        sys.stderr.write(f"{name}, {users:,} users, {number} of {repeats}\n")
        figures.append(list(BENCHMARKS[name].measure(lab, users)))
    return rows(name, users, figures)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m intercom_assets_tests.tools.benchmarks")
    parser.add_argument("--users", type=int, nargs="+", metavar="N")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, metavar="NAME",
                        help=", ".join(BENCHMARKS))  # fmt: skip
    parser.add_argument("--repeats", type=int, help=f"default: {REPEATS}, or 1 of lone-change")
    parser.add_argument("--launcher", choices=lone_change.LAUNCHERS, default="warm",
                        help="lone-change: the shipped one, or Dagster's default")  # fmt: skip
    parser.add_argument("--beside", metavar="PYTHON",
                        help="lone-change: of another installation, in the same run")  # fmt: skip
    return parser.parse_args(arguments)


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
