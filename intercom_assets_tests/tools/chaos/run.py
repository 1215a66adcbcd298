"""One run of the harness on a world that is up: disturb it, leave it alone, and judge.

Belongs here: who disturbs for how long, waiting until both sides are settled, the further pass over
everybody. Must not: what is right (`verdicts.py`), how it is told (`report.py`).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

from intercom_assets.supervision.process_groups import wait_until
from intercom_assets.supervision.processes import ProcessFailed
from intercom_assets_tests.tools.chaos.app_driver import App, fill, watch_locks_until
from intercom_assets_tests.tools.chaos.faults import Faults
from intercom_assets_tests.tools.chaos.histories import Present
from intercom_assets_tests.tools.chaos.kills import Executioner
from intercom_assets_tests.tools.chaos.operators import Operator
from intercom_assets_tests.tools.chaos.tally import Tally
from intercom_assets_tests.tools.chaos.verdicts import Verdicts, apart, judge
from intercom_assets_tests.tools.chaos.worlds import World, python

PASS_SECONDS = 180.0
POLL_INTERVAL_S = 0.3
QUIET = 3.0
"""Seconds for which nothing may be waiting: a search for Intercom's changes is in them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds, except `users`, `writers` and `seed`. Pauses are means between two events."""

    seed: int
    users: int
    disturbed_for: float
    patience: float
    first_sync: float = 120.0
    writers: int = 3
    app_pause: float = 0.15
    operator_pause: float = 0.5
    fault_pause: float = 1.0
    kill_gap: float = 3.0
    quiet: float = QUIET
    faults: bool = True
    kills: bool = True
    operators: bool = True
    further_pass: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """`settled_after`: seconds from the last disturbance; None: it did not settle in time."""

    plan: Plan
    tally: Tally
    verdicts: Verdicts
    settled_after: float | None
    faults: dict[str, int] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    parked: dict[str, str] = field(default_factory=dict)
    further_calls: Mapping[str, int] | None = None


def run_plan(world: World, plan: Plan, say: Callable[[str], None] = lambda line: None) -> Outcome:
    tally = Tally()
    settle_first(world, plan, tally)
    say(f"{plan.users} users are in step; {plan.disturbed_for:.0f} s of chaos begin")
    return disturb(world, plan, tally, say)


def settle_first(world: World, plan: Plan, tally: Tally) -> None:
    """Fills the app and waits until Intercom has everybody.

    Then everybody once, as an operator begins: it lists the workspace, which happens once.
    """
    fill(world.app_url, plan.users)
    if not _settle(world, plan.first_sync, plan.quiet)[1]:
        tally.broken("the first sync did not settle before anything was disturbed")
    if plan.further_pass:
        _further_pass(world, tally)


def disturb(
    world: World, plan: Plan, tally: Tally, say: Callable[[str], None] = lambda line: None
) -> Outcome:
    """Disturbs for a while, leaves it alone, and judges; a world can be disturbed again."""
    _disturb(world, plan, tally)
    say("quiet again; waiting until both sides are settled")
    present, settled = _settle(world, plan.patience, plan.quiet)
    settled_after = max(0.0, settled - tally.last_disturbed) if settled else None
    further = _further_pass(world, tally) if plan.further_pass and settled else None
    histories = world.bystander.histories()
    verdicts = judge(present, histories)
    verdicts.doubled.extend(
        f"needless after settling: {n} x {call}"
        for call, n in (further or {}).items()
        if not call.startswith("GET")
    )
    return Outcome(
        plan, tally, verdicts, settled_after, dict(histories.faults), dict(world.keeper.ended),
        dict(present.parked), further,
    )  # fmt: skip


def _disturb(world: World, plan: Plan, tally: Tally) -> None:
    stop, side = Event(), world.bystander
    faults = Faults(side, plan.seed + 1, tally, plan.fault_pause)
    jobs: list[Callable[[Event], None]] = [
        App(world.app_url, plan.seed * 10 + n, tally, plan.app_pause).write_until
        for n in range(plan.writers)
    ]
    jobs.append(lambda until: watch_locks_until(until, world.app_url, tally))
    if plan.operators:
        operator = Operator(side, world.app_url, plan.seed + 2, tally, plan.operator_pause)
        jobs.append(operator.work_until)
    if plan.faults:
        jobs.append(faults.strike_until)
    if plan.kills:
        executioner = Executioner(
            world.strikes, world.recovered, plan.seed + 3, tally, plan.kill_gap
        )
        jobs.append(executioner.strike_until)
    _for_a_while(jobs, stop, plan.disturbed_for)
    if plan.faults:
        faults.end()


def _for_a_while(jobs: Sequence[Callable[[Event], None]], stop: Event, seconds: float) -> None:
    with ThreadPoolExecutor(len(jobs)) as threads:
        running = [threads.submit(job, stop) for job in jobs]
        try:
            stop.wait(seconds)
        finally:
            stop.set()  # also when interrupted: the threads are waited for
    for each in running:
        each.result()


def _settle(world: World, patience: float, quiet: float) -> tuple[Present, float | None]:
    """What is there in the end, and when (monotonic s) it came to be so; None if it did not."""
    side, deadline = world.bystander, time.monotonic() + patience
    since: float | None = None
    while time.monotonic() < deadline:
        looked_at = time.monotonic()
        if side.waiting() or apart(side.present()):
            since = None
        else:
            since = since or looked_at
            if time.monotonic() - since >= quiet:
                return side.present(), since
        time.sleep(POLL_INTERVAL_S)
    return side.present(), None


def _further_pass(world: World, tally: Tally) -> Mapping[str, int] | None:
    """Everybody once more, by the command that an operator would use; what was called meanwhile."""
    before = world.bystander.calls_made()
    command = [*python("intercom_assets.cli.main"), "sync", "--all", "--json"]
    try:
        child = world.processes.start("further-pass", command)
    except ProcessFailed as error:
        tally.broken(str(error))
        return None
    if not wait_until(lambda: not child.runs, PASS_SECONDS):
        tally.broken("the further pass did not end")
        return None
    return world.bystander.calls_made() - before
