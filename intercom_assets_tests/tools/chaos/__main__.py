"""The harness by command: `python -m intercom_assets_tests.tools.chaos --minutes 10 --seed 1`.

Belongs here: options, how much of everything fits into the time, the exit code.
Must not: disturbing or judging (`run.py`, `verdicts.py`).

Exits 0 only if nothing was lost or doubled, all settled in time, and the run was not too quiet to
prove that.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from intercom_assets.supervision.binaries import PostgresUnavailable
from intercom_assets.supervision.interrupts import Interrupts
from intercom_assets.supervision.processes import ProcessFailed
from intercom_assets_tests.tools.chaos.dagster_world import dagster_world
from intercom_assets_tests.tools.chaos.evidence import keep
from intercom_assets_tests.tools.chaos.report import exit_code, told, too_quiet
from intercom_assets_tests.tools.chaos.run import Plan, run_plan
from intercom_assets_tests.tools.chaos.worlds import DemoOptions, worker_world

WAIT_TIMEOUT_S = 300.0
"""Seconds of waiting; late is better known than lost."""
TOLD = "Disturbs a whole installation, waits until it has settled, and counts what was lost."


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    interrupts = Interrupts()
    with interrupts.listening(), suppress(KeyboardInterrupt):
        try:
            return _run(options)
        except (PostgresUnavailable, ProcessFailed) as error:
            sys.stderr.write(f"{error}\n")
            return 1
    sys.stderr.write("Interrupted: nothing was judged.\n")
    return 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m intercom_assets_tests.tools.chaos", description=TOLD
    )
    add = parser.add_argument
    add("--minutes", type=float, default=10.0, help="of disturbance (10)")
    add("--seed", type=int, help="of everything random (taken from the clock)")
    add("--users", type=int, default=1_000, help="in the app at the start (1000)")
    add("--workers", type=int, default=0, metavar="N", help="N sync workers instead of Dagster")
    add("--bulk", action="store_true", help="workers send many items a call")
    add("--keep", type=Path, metavar="DIR", help="logs, histories and tables of a run that failed")
    options = parser.parse_args(arguments)
    if options.minutes <= 0 or options.users < 1 or options.workers < 0:
        parser.error("--minutes and --users are above 0, --workers not below.")
    if options.bulk and not options.workers:
        parser.error("--bulk goes with --workers: a large batch is a few users there.")
    if options.seed is None:
        options.seed = time.time_ns() % 1_000_000
    return options


def _run(options: argparse.Namespace) -> int:
    wishes = DemoOptions(options.seed, workers=options.workers, bulk=options.bulk)
    world_of = worker_world if options.workers else dagster_world
    _say(f"seed {options.seed}: starting")
    with world_of(wishes) as world:
        outcome = run_plan(world, _plan(options), _say)
        quiet = too_quiet(outcome, world.strikes)
        code = exit_code(outcome, quiet)
        for line in told(outcome, quiet):
            _say(line)
        if code and options.keep:
            keep(world, options.keep)
    _say("passed" if code == 0 else "FAILED")
    return code


def _plan(options: argparse.Namespace) -> Plan:
    """Short forms strike sooner, so that each target has its turn."""
    seconds = options.minutes * 60
    return Plan(
        seed=options.seed, users=options.users, disturbed_for=seconds, patience=WAIT_TIMEOUT_S,
        first_sync=120.0 + options.users / 10, app_pause=0.4, operator_pause=1.0,
        fault_pause=min(2.0, seconds / 60), kill_gap=min(12.0, seconds / 40), quiet=8.0,
    )  # fmt: skip


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
