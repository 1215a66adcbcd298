"""Chaos in short: sync workers under fire for some seconds, and shortcuts that must be caught.

Without Dagster, whose world takes longer to start than this may run; `python -m
intercom_assets_tests.chaos` is the long form, with all of it.
"""

import time

import pytest

from intercom_assets_tests.chaos.battle import Outcome, Plan, fight
from intercom_assets_tests.chaos.report import told
from intercom_assets_tests.chaos.worlds import Wishes, worker_world

SHORT = {"quiet": 1.5, "first_sync": 20.0}


def sentences(outcome: Outcome) -> str:
    return "\n".join(told(outcome, ()))


def test_nothing_is_lost_and_nothing_doubled_under_fire() -> None:
    seed = time.time_ns() % 1_000_000
    plan = Plan(
        seed, users=60, disturbed_for=20, patience=60, kill_gap=1.0, fault_pause=0.6, **SHORT
    )
    with worker_world(Wishes(seed)) as world:
        outcome = fight(world, plan)

    said = sentences(outcome)
    assert outcome.verdicts.clean, said
    assert outcome.settled_after is not None, said
    assert outcome.further_calls == {}, said
    assert not outcome.tally.failed, said
    assert not outcome.tally.broke, said
    assert outcome.tally.kills.keys() == world.strikes.keys(), said
    assert sum(outcome.faults.values()) >= 20, said


@pytest.mark.parametrize("broken", ["reads-before-leasing", "checks-no-sequence"])
def test_a_shortcut_of_the_protocol_loses_changes_and_is_caught(broken: str, database: str) -> None:
    plan = Plan(
        7, users=12, disturbed_for=5, patience=3, app_pause=0.04, faults=False, kills=False,
        operators=False, further_pass=False, **SHORT,
    )  # fmt: skip
    with worker_world(Wishes(7, broken=broken, app_url=database)) as world:
        world.bystander.tell("settings", {"latency_ms": 150})
        outcome = fight(world, plan)

    assert outcome.verdicts.lost, sentences(outcome)


def test_creating_again_after_a_lost_reply_doubles_contacts_and_is_caught(database: str) -> None:
    plan = Plan(
        7, users=6, disturbed_for=4, patience=3, faults=False, kills=False, operators=False,
        further_pass=False, **SHORT,
    )  # fmt: skip
    with worker_world(Wishes(7, broken="posts-again", twins=True, app_url=database)) as world:
        world.bystander.tell("faults", {"kind": "lost_reply", "endpoint": "POST /contacts"})
        outcome = fight(world, plan)

    assert outcome.verdicts.doubled, sentences(outcome)
