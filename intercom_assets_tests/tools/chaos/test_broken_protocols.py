"""The checker, shown protocols with one safeguard taken out: each has to be caught.

On sync workers without Dagster, in about ten seconds each. What is caught by histories made by hand
is in `test_verdicts.py`.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from intercom_assets_tests.tools.chaos.run import Outcome, Plan, disturb, settle_first
from intercom_assets_tests.tools.chaos.tally import Tally
from intercom_assets_tests.tools.chaos.worlds import DemoOptions, World, worker_world

LATE_MS = 150
"""Intercom takes its time, so that there is one for the app to write in."""


ROUNDS = 8
"""On a machine that has other things to do one may not be enough."""
PLAN = Plan(
    7, users=12, disturbed_for=3, patience=2, first_sync=20.0, quiet=0.5, app_pause=0.04,
    faults=False, kills=False, operators=False, further_pass=False,
)  # fmt: skip


def rounds(world: World, plan: Plan) -> Iterator[Outcome]:
    """Disturbed again and again, each time with the chance to be caught."""
    tally = Tally()
    settle_first(world, plan, tally)
    for seed in range(ROUNDS):
        yield disturb(world, replace(plan, seed=seed), tally)


@pytest.mark.parametrize("broken", ["reads-before-leasing", "checks-no-sequence"])
def test_a_shortcut_of_the_protocol_loses_changes_and_is_caught(broken: str, database: str) -> None:
    with worker_world(DemoOptions(7, broken=broken, app_url=database)) as world:
        world.bystander.tell("settings", {"latency_ms": LATE_MS})
        caught = any(outcome.verdicts.lost for outcome in rounds(world, PLAN))

    assert caught


def test_creating_again_after_a_lost_reply_doubles_contacts_and_is_caught(database: str) -> None:
    plan = replace(PLAN, users=6, disturbed_for=1, first_sync=3.0)
    with worker_world(DemoOptions(7, broken="posts-again", twins=True, app_url=database)) as world:
        world.bystander.tell("faults", {"kind": "lost_reply", "endpoint": "POST /contacts"})
        caught = any(outcome.verdicts.doubled for outcome in rounds(world, plan))

    assert caught
