"""Whether a run proves anything, and its exit code."""

from collections import Counter
from dataclasses import replace

import pytest

from intercom_assets_tests.tools.chaos.faults import INDEX_LAG, KINDS
from intercom_assets_tests.tools.chaos.report import exit_code, told, too_quiet
from intercom_assets_tests.tools.chaos.run import Outcome, Plan
from intercom_assets_tests.tools.chaos.tally import Tally
from intercom_assets_tests.tools.chaos.verdicts import Verdicts

VICTIMS = ("run", "daemon")


def an_outcome(*, minutes: float = 10.0, kills: int = 3, faults: int = 6) -> Outcome:
    """So many of each; settled in time and clean."""
    tally = Tally(kills=Counter(dict.fromkeys(VICTIMS, kills)), scripted=Counter({INDEX_LAG: 1}))
    plan = Plan(1, 10, disturbed_for=minutes * 60, patience=300)
    met = {kind: faults for kind in KINDS if kind != INDEX_LAG}
    return Outcome(plan, tally, Verdicts(), 12.0, met, further_calls={})


def test_a_run_in_which_enough_happened_and_nothing_was_lost_passes() -> None:
    outcome = an_outcome()

    assert too_quiet(outcome, VICTIMS) == []
    assert exit_code(outcome, []) == 0


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (an_outcome(kills=2), "only 4 kills"),
        (an_outcome(faults=4), "only 40 faults"),
        (an_outcome(minutes=30), "only 6 kills"),
        (replace(an_outcome(), faults={"latency": 90}), "no rate_limit"),
        (replace(an_outcome(), tally=Tally(kills=Counter({"run": 9}))), "daemon was never struck"),
        (replace(an_outcome(), tally=Tally(kills=an_outcome().tally.kills)), "no index_lag"),
    ],
)
def test_a_quiet_run_proves_nothing(outcome: Outcome, said: str) -> None:
    quiet = too_quiet(outcome, VICTIMS)

    assert said in quiet
    assert exit_code(outcome, quiet) == 1
    assert f"    {said}" in list(told(outcome, quiet))


def test_a_shorter_run_needs_its_share() -> None:
    assert too_quiet(an_outcome(minutes=1, kills=1, faults=1), VICTIMS) == []


@pytest.mark.parametrize(
    "outcome",
    [
        replace(an_outcome(), verdicts=Verdicts(lost=["user 7"])),
        replace(an_outcome(), verdicts=Verdicts(doubled=["user 7"])),
        replace(an_outcome(), verdicts=Verdicts(overwritten=["user 7"])),
        replace(an_outcome(), settled_after=None),
        replace(an_outcome(), settled_after=61.0),
        replace(an_outcome(), further_calls={"GET /contacts/{id}": 1}),
        replace(an_outcome(), tally=Tally(failed=["DeadlockDetected"])),
    ],
)
def test_whatever_went_wrong_is_the_exit_code(outcome: Outcome) -> None:
    assert exit_code(outcome, []) == 1


def test_a_race_is_counted_apart_and_fails_nothing() -> None:
    outcome = replace(an_outcome(), verdicts=Verdicts(raced=["user 7"]))

    assert exit_code(outcome, []) == 0
    assert "raced: 1" in list(told(outcome, []))
