"""What a run of the harness tells, and whether it proves anything.

Belongs here: the sentence of each number, the exit code, and the rule that a quiet run proves
nothing. Must not: judging the sync (`verdicts.py`).
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from intercom_assets_tests.tools.chaos.faults import INDEX_LAG, KINDS
from intercom_assets_tests.tools.chaos.run import Outcome

KILLS_IN_TEN_MINUTES, FAULTS_IN_TEN_MINUTES = 5, 50
SETTLED_WITHIN = 60.0
"""Seconds after the last disturbance."""
SHOWN = 15


def too_quiet(outcome: Outcome, targets: Collection[str]) -> list[str]:
    """Why the run proves nothing; empty if it does.

    Shorter runs need their share of kills and faults, longer ones more. Every target and every kind
    of fault has its turn in a run of any length: the plan strikes as often as that takes.
    """
    share = outcome.plan.disturbed_for / 600
    kills, faults = outcome.tally.kills.total(), sum(outcome.faults.values())
    printed = []
    if kills < KILLS_IN_TEN_MINUTES * share:
        printed.append(f"only {kills} kills")
    if faults < FAULTS_IN_TEN_MINUTES * share:
        printed.append(f"only {faults} faults")
    seen = {*outcome.faults, *({INDEX_LAG} & outcome.tally.scripted.keys())}
    printed += [f"no {kind}" for kind in KINDS if kind not in seen]
    printed += [
        f"{target} was never struck" for target in targets if not outcome.tally.kills[target]
    ]
    return printed


def exit_code(outcome: Outcome, quiet: Collection[str]) -> int:
    bad = (
        not outcome.verdicts.clean, outcome.tally.failed, outcome.tally.broke, quiet,
        is_late(outcome), outcome.further_calls,
    )  # fmt: skip
    return 1 if any(bad) else 0


def is_late(outcome: Outcome) -> bool:
    return outcome.settled_after is None or outcome.settled_after > SETTLED_WITHIN


def told(outcome: Outcome, quiet: Collection[str]) -> Iterator[str]:
    """Line by line."""
    tally, verdicts = outcome.tally, outcome.verdicts
    yield f"seed                {outcome.plan.seed}, {outcome.plan.users} users"
    yield f"changes in the app  {_counted(tally.changes)}"
    yield f"edits in Intercom   {_counted(tally.edits)}"
    yield f"faults met          {_counted(outcome.faults)}"
    yield f"kills               {_counted(tally.kills)}"
    yield f"ended by themselves {_counted(outcome.ended)}"
    settled = outcome.settled_after
    when = f"NOT in {outcome.plan.patience:.0f} s" if settled is None else f"after {settled:.1f} s"
    yield f"settled             {when}{', too late' if is_late(outcome) else ''}"
    yield f"calls in a further pass  {_counted(outcome.further_calls or {})}"
    waits = tally.waits.total()
    yield f"app statements that waited for us {waits}, longest {tally.longest_wait:.2f} s"
    yield f"parked              {len(outcome.parked)}"
    for what, sentences in (
        ("lost", verdicts.lost), ("doubled", verdicts.doubled), ("raced", verdicts.raced),
        ("edits overwritten against policy", verdicts.overwritten),
        ("app transactions failed by us", tally.failed), ("harness trouble", tally.broke),
        ("a quiet run proves nothing", list(quiet)),
        ("parked", [f"{key}: {why}" for key, why in outcome.parked.items()]),
    ):  # fmt: skip
        yield f"{what}: {len(sentences)}"
        yield from (f"    {sentence}" for sentence in sentences[:SHOWN])


def _counted(counts: Mapping[str, int]) -> str:
    parts = ", ".join(f"{what} {n}" for what, n in Counter(counts).most_common())
    return f"{sum(counts.values())}: {parts}" if parts else "0"
