"""Plays the story on a world that is up, and tells of each step what was seen, when, at what cost.

Belongs here: acting, waiting for the other side, timing one by one, counting calls. A step that
showed what it expects before it began proves nothing, and is told as not held.
Must not: what is expected (`story.py`), starting processes (`world.py`), printing.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from intercom_assets.demo.probes import Document, IntercomSide, Sides
from intercom_assets.demo.scenario import (
    CHANGES,
    EVERYBODY,
    QUIET,
    SEARCH,
    TICKS,
    Facts,
    ScenarioStep,
    Shown,
    facts_of_everybody,
    facts_of_quiet,
    fewest_ticks,
    read_everybody,
    read_quiet,
)
from intercom_assets.supervision.process_groups import wait_until

STEP_TIMEOUT_S = 120.0
"""Seconds without any progress of a step. At rest none takes ten in all; a busy machine must not
fail the story."""
SETTLING_SECONDS = 60.0
POLL_INTERVAL_S = 0.3
LOOK_AT_ALL_EVERY = 0.5
"""Seconds; a look at everybody costs the simulator a hundredth of a second."""
ALREADY = "this was so before the step, which therefore proves nothing"


@dataclass(frozen=True, slots=True)
class StepResult:
    """How a step went. `calls`: of the sync, to Intercom, for this step."""

    letter: str
    title: str
    expected: Facts
    seen: Facts
    held: bool
    seconds: float
    calls: int
    remark: str = ""


def play_everybody(
    sides: Sides, act: Callable[[], object], patience: float = STEP_TIMEOUT_S
) -> StepResult:
    """Step a: `act` fills the app, which the sync has watched since before."""
    calls, started = _total(sides.intercom.calls_by_endpoint()), time.monotonic()
    act()
    seen = facts_of_everybody(read_everybody(sides))
    waiting = Patience(patience)
    while seen != EVERYBODY and waiting.goes_on((seen, _progress(sides))):
        time.sleep(LOOK_AT_ALL_EVERY)
        seen = facts_of_everybody(read_everybody(sides))
    seconds = time.monotonic() - started
    settle(sides)
    calls = _total(sides.intercom.calls_by_endpoint()) - calls
    return StepResult(
        "a", "the first sync of everybody", EVERYBODY, seen, seen == EVERYBODY, seconds, calls,
        "" if seen == EVERYBODY else busy_machine(),
    )  # fmt: skip


def play_changes(
    sides: Sides, letters: Sequence[str] = (), patience: float = STEP_TIMEOUT_S
) -> list[StepResult]:
    """Steps b to g, or those of `letters`: started together, timed one by one."""
    log = _CallLog(sides.intercom)
    playing = [_Playing(step, sides) for step in CHANGES if not letters or step.letter in letters]
    waiting, left = playing, Patience(patience)
    while waiting and left.goes_on((len(waiting), _progress(sides))):
        time.sleep(POLL_INTERVAL_S)
        log.look()
        waiting = [entry for entry in waiting if not entry.look(sides)]
    settle(sides)
    log.look()
    return [item.result(log) for item in playing]


def play_quiet(sides: Sides, patience: float = STEP_TIMEOUT_S) -> StepResult:
    """Step h: until every sensor has ticked as often as it takes, and no longer than `patience`."""
    settle(sides)
    since, started = time.time(), time.monotonic()
    before = read_quiet(sides, since)
    left = Patience(patience)
    while left.goes_on(ticks := sides.dagster.ticks_since(since)) and fewest_ticks(ticks) < TICKS:
        time.sleep(POLL_INTERVAL_S)
    after = read_quiet(sides, since)
    seen = facts_of_quiet(before, after)
    calls = _total(after["calls"]) - _total(before["calls"])
    searches = after["calls"].get(SEARCH, 0) - before["calls"].get(SEARCH, 0)
    return StepResult(
        "h", "nothing more happens", QUIET, seen, seen == QUIET, time.monotonic() - started, calls,
        f"made {searches} searches for Intercom's changes",
    )  # fmt: skip


def settle(sides: Sides) -> bool:
    """Waits, within reason, until nothing is queued, told or under way."""
    return wait_until(lambda: _is_settled(sides), SETTLING_SECONDS)


def _is_settled(sides: Sides) -> bool:
    """A webhook that was not answered in time on a busy machine comes again a minute later."""
    told = sides.intercom.webhooks().get("waiting", 0) == 0
    return told and sides.app.queued() == 0 and sides.dagster.runs_under_way() == 0


class Patience:
    """Ends when nothing has moved for `seconds`, however long it all takes."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._sign: object = None
        self._moved_at = clock()

    def goes_on(self, sign: object) -> bool:
        """`sign`: anything that differs once there was progress."""
        if sign != self._sign:
            self._sign, self._moved_at = sign, self._clock()
        return self._clock() - self._moved_at < self._seconds


def _progress(sides: Sides) -> tuple[object, ...]:
    """What differs while somebody still works: calls, the queue, runs, and ticks that end."""
    return (
        _total(sides.intercom.calls_by_endpoint()),
        sides.app.queued(),
        sides.dagster.runs_under_way(),
    )


def busy_machine() -> str:
    """The machine as the likely reason, where more waits for its processors than they can do."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load <= cores:
        return ""
    return f"the machine is busy: a load of {load:.1f} on {cores} processors"


def _total(calls: dict[str, int]) -> int:
    """All calls but the search, which the sensor makes whether anything happened or not."""
    return sum(count for name, count in calls.items() if name != SEARCH)


class _Playing:
    """One step that was begun. Its time runs from its own act."""

    def __init__(self, step: ScenarioStep, sides: Sides) -> None:
        self.step, self.sides = step, sides
        self.proves_nothing = step.held(step.read(sides))
        self.started, self.acted_at = time.monotonic(), time.time()
        step.act(sides)
        self.shown: Shown = step.read(sides)
        self.seconds = 0.0

    def look(self, sides: Sides) -> bool:
        """Whether the other side shows it now."""
        self.shown = self.step.read(sides)
        self.seconds = time.monotonic() - self.started
        return self.step.held(self.shown)

    def _remark(self) -> str:
        if self.proves_nothing:
            return ALREADY
        if not self.step.held(self.shown):
            return busy_machine()
        return self.step.remark(self.sides, self.shown, self.acted_at)

    def result(self, log: "_CallLog") -> StepResult:
        step = self.step
        return StepResult(
            step.letter, step.title, step.expected, step.facts(self.shown),
            step.held(self.shown) and not self.proves_nothing, self.seconds,
            log.count(step.about(self.shown)),
            self._remark(),
        )  # fmt: skip


@dataclass
class _CallLog:
    """The calls since it was made. The simulator keeps a hundred, so it is looked at often."""

    intercom: IntercomSide
    calls: dict[tuple[object, ...], Document] = field(default_factory=dict)
    old: set[tuple[object, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.old = {_key(call) for call in self.intercom.calls()}

    def look(self) -> None:
        for call in self.intercom.calls():
            if _key(call) not in self.old:
                self.calls[_key(call)] = call

    def count(self, about: Sequence[str]) -> int:
        return sum(concerns(call, about) for call in self.calls.values())


def concerns(call: Document, about: Sequence[str]) -> bool:
    """Whether a call was for one of these contacts or companies, by its path or its answer."""
    named = call["path"].partition("?")[0].split("/")
    return any(item in about for item in (*named, call["about"]))


def _key(call: Document) -> tuple[object, ...]:
    return (call["at"], call["method"], call["path"], call["status"], call["about"])
