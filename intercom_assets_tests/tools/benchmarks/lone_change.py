"""What one change costs that comes alone: seconds until Intercom has it, and CPU of everything.

Real processes: daemon, code server, webserver; the simulator is apart. Another installation can be
measured in the same run, the two taking turns, so that a busy machine is busy for both:
`--beside PYTHON`. CPU is above what the same processes take with nothing to do.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import psycopg

from intercom_assets.demo.probes import AppSide, DagsterSide, IntercomSide, Sides
from intercom_assets.demo.sample_people import AWKWARD_USERS
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets_tests.tools.benchmarks.figures import Figure
from intercom_assets_tests.tools.benchmarks.lab import Lab
from intercom_assets_tests.tools.benchmarks.process_use import Use, use_of

PROGRAM = Path(__file__).with_name("lone_world.py")
CHANGES = 30
BESIDE_TAKES = 2
"""Every second change is made in both: with all thirty an older build takes longer than most people
wait."""
LONGEST_REST_S = 2.0
IDLE_S = 20.0
TAIL_S = 0.5
"""In which a run's process ends, after its run has."""
ARRIVES_WITHIN_S = 120.0
POLL_INTERVAL_S = 0.02
STAGES = (
    ("change to queued run", "PIPELINE_ENQUEUED"),
    ("queued to dequeued", "PIPELINE_STARTING"),
    ("dequeued to the run's process", "ENGINE_EVENT"),
    ("process to run's start", "PIPELINE_START"),
    ("run's start to step", "STEP_START"),
    ("step's start to its end", "STEP_SUCCESS"),
    ("step's end to run's end", "PIPELINE_SUCCESS"),
)
"""Each ends with the first event of its kind in the change's run."""


TARGETS = {
    "change to Intercom, median": "at most 0.40",
    "change to Intercom, 95th percentile": "at most 0.40",
    "CPU per change, above idle": "at most 0.35",
    "memory of all, idle": "at most 1.15",
}
"""Of ours against the commit before there were warm runs."""
LAUNCHERS = ("warm", "default")
BESIDE = "beside: "
Measured = dict[str, tuple[float, str]]
"""By name: value and unit."""


@dataclass(frozen=True, slots=True)
class Options:
    """`launcher`: of this installation. `beside`: the Python of another one."""

    launcher: str = "warm"
    beside: str | None = None


options = Options()
"""What was asked for on the command line."""


@dataclass(slots=True)
class Lone:
    """A world that is measured: `arrived` and `stages` in seconds, one for each change.

    `used`: from each change until a moment after it was settled, seconds of CPU of ours and of
    PostgreSQL, and how long that was.
    """

    name: str
    place: Path
    sides: Sides
    dagster: str
    arrived: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=dict)
    used: list[tuple[float, float, float]] = field(default_factory=list)

    def change(self, number: int, user: int) -> None:
        before = use_of(self.place)
        name, at, began = f"Name {number}", time.time(), time.monotonic()
        self.sides.app.do("update users set name = %s where id = %s", name, user)
        if not wait_until(
            lambda: self._shows(str(user), name), ARRIVES_WITHIN_S, every=POLL_INTERVAL_S
        ):
            raise RuntimeError(f"{self.name}: the change of user {user} did not reach Intercom")
        self.arrived.append(time.monotonic() - began)
        if not wait_until(self._is_settled, ARRIVES_WITHIN_S):
            raise RuntimeError(f"{self.name}: the two sides did not settle")
        time.sleep(TAIL_S)
        self.used.append((*use_of(self.place).since(before), time.monotonic() - began))
        self._note_stages(at)

    def _shows(self, user: str, name: str) -> bool:
        contact = self.sides.intercom.contact(external_id=user)
        return contact is not None and contact["name"] == name

    def _is_settled(self) -> bool:
        return self.sides.app.queued() == 0 and self.sides.dagster.runs_under_way() == 0

    def _note_stages(self, at: float) -> None:
        events = _first_events(self.dagster, at)
        before = at
        for stage, kind in STAGES:
            if kind in events:
                self.stages.setdefault(stage, []).append(events[kind] - before)
                before = events[kind]


def measure(_: Lab, users: int) -> Iterator[Figure]:
    """One world, or two side by side; then the ratios of ours to the other follow."""
    with ExitStack() as stack:
        programs = {"": stack.enter_context(_program(sys.executable, users, options.launcher))}
        if options.beside:
            programs[BESIDE] = stack.enter_context(_program(options.beside, users, "warm"))
        worlds = [_world_of(name, program) for name, program in programs.items()]
        measured = _measured(worlds, users)
    for world, figures in zip(worlds, measured, strict=True):
        for what, (value, unit) in figures.items():
            yield Figure(world.name + what, value, unit)
    if len(measured) > 1:
        yield from _ratios(*measured)


def _measured(worlds: Sequence[Lone], users: int) -> list[Measured]:
    began = [use_of(world.place) for world in worlds]
    time.sleep(IDLE_S)
    idle = [use_of(world.place) for world in worlds]
    _play(worlds, users)
    return [
        _figures_of(world, first, second)
        for world, first, second in zip(worlds, began, idle, strict=True)
    ]


def _figures_of(world: Lone, began: Use, idle: Use) -> Measured:
    resting, server_resting = idle.since(began)
    busy, server_busy, seconds = map(sum, zip(*world.used, strict=True))
    share = seconds / IDLE_S
    return {
        "change to Intercom, median": (median(world.arrived), "s"),
        "change to Intercom, 95th percentile": (quantiles(world.arrived, n=20)[-1], "s"),
        "CPU per change, above idle": (1e3 * (busy - share * resting) / len(world.used), "ms"),
        "of PostgreSQL": (1e3 * (server_busy - share * server_resting) / len(world.used), "ms"),
        "CPU idle, of a core": (100 * resting / IDLE_S, "%"),
        "CPU idle of PostgreSQL": (100 * server_resting / IDLE_S, "%"),
        "memory of all, idle": (idle.memory, "MB"),
        **{stage: (median(values), "s") for stage, values in world.stages.items()},
    }


def _ratios(ours: Measured, other: Measured) -> Iterator[Figure]:
    for what, (value, _) in ours.items():
        if what in other and other[what][0] > 0:
            target = TARGETS.get(what, "")
            yield Figure(f"against beside: {what}", value / other[what][0], "times", target)


def _play(worlds: Sequence[Lone], users: int) -> None:
    chance = random.Random(1)
    for number in range(CHANGES):
        in_both = number % BESIDE_TAKES == 0
        for world in worlds if in_both else worlds[:1]:
            time.sleep(chance.uniform(0, LONGEST_REST_S / len(worlds)))
            world.change(number, chance.randint(len(AWKWARD_USERS) + 1, users))


def _first_events(dagster: str, at: float) -> dict[str, float]:
    """Kind of event -> when the first came, in Unix seconds, of the first run since `at`."""
    query = (
        "select dagster_event_type, min(extract(epoch from timestamp at time zone 'utc'))::float8"
        " from event_logs where dagster_event_type is not null and run_id = ("
        " select run_id from runs where create_timestamp at time zone 'utc' >= to_timestamp(%s)"
        " order by id limit 1) group by 1"
    )
    with psycopg.connect(dagster) as connection:
        return dict(connection.execute(query, [at]).fetchall())


@contextmanager
def _program(python: str, users: int, launcher: str) -> Iterator["subprocess.Popen[str]"]:
    """`python`: of the installation, whose own code the world runs."""
    command = [python, "-P", str(PROGRAM), str(users), launcher]
    others = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with subprocess.Popen(
        command,
        env=None if python == sys.executable else others,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdin is not None
        try:
            yield program
        finally:
            program.stdin.close()


def _world_of(name: str, program: "subprocess.Popen[str]") -> Lone:
    """Once its people are synced."""
    assert program.stdout is not None
    line = program.stdout.readline()
    if not line:
        raise RuntimeError(f"{name}the world did not come up")
    written = json.loads(line)
    sides = Sides(
        AppSide(written["app_database"]),
        IntercomSide(written["simulator"]),
        DagsterSide(written["dagster_database"]),
    )
    return Lone(name, Path(written["place"]), sides, written["dagster_database"])
