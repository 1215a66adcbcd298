"""Chaos in short, 45 seconds of it: sync workers under fire, and nothing may be lost.

Without Dagster, whose world takes longer to start than this may run; `python -m
intercom_assets_tests.tools.chaos` is the long form, with all of it.
"""

import time

from intercom_assets_tests.tools.chaos.report import exit_code, told, too_quiet
from intercom_assets_tests.tools.chaos.run import Plan, run_plan
from intercom_assets_tests.tools.chaos.worlds import DemoOptions, worker_world

SECONDS = 25.0


def test_nothing_is_lost_and_nothing_doubled_under_fire() -> None:
    """Another seed each time; the sentences of a failure name it."""
    seed = time.time_ns() % 1_000_000
    plan = Plan(
        seed, users=60, disturbed_for=SECONDS, patience=60, first_sync=30.0, quiet=1.5,
        kill_gap=1.0, fault_pause=0.3,
    )  # fmt: skip

    with worker_world(DemoOptions(seed)) as world:
        outcome = run_plan(world, plan)
        quiet = too_quiet(outcome, world.strikes)

    assert exit_code(outcome, quiet) == 0, "\n".join(told(outcome, quiet))
