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

from intercom_assets.demo.addresses import Addresses
from intercom_assets.demo.probes import Sides
from intercom_assets.demo.runner import settle
from intercom_assets.demo.sample_people import AWKWARD_USERS
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets_tests.tools.benchmarks.figures import Figure
from intercom_assets_tests.tools.benchmarks.process_use import use_of

PROGRAM = Path(__file__).with_name("lone_world.py")
CHANGES = 30
LONGEST_REST_S = 4.0
IDLE_S = 30.0
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


@dataclass(slots=True)
class Lone:
    """A world that is measured. `busy`: seconds that it was watched while changes came."""

    name: str
    place: Path
    sides: Sides
    dagster: str
    arrived: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=dict)

    def change(self, number: int, user: int) -> None:
        name, at, began = f"Name {number}", time.time(), time.monotonic()
        self.sides.app.do("update users set name = %s where id = %s", name, user)
        if not wait_until(
            lambda: self._shows(str(user), name), ARRIVES_WITHIN_S, every=POLL_INTERVAL_S
        ):
            raise RuntimeError(f"{self.name}: the change of user {user} did not reach Intercom")
        self.arrived.append(time.monotonic() - began)
        if not wait_until(lambda: settle(self.sides), ARRIVES_WITHIN_S):
            raise RuntimeError(f"{self.name}: the two sides did not settle")
        self._note_stages(at)

    def _shows(self, user: str, name: str) -> bool:
        contact = self.sides.intercom.contact(external_id=user)
        return contact is not None and contact["name"] == name

    def _note_stages(self, at: float) -> None:
        events = _first_events(self.dagster, at)
        before = at
        for stage, kind in STAGES:
            if kind in events:
                self.stages.setdefault(stage, []).append(events[kind] - before)
                before = events[kind]


def measure(users: int, launcher: str, beside: str | None) -> Iterator[Figure]:
    """`launcher`: `default` for Dagster's own in this installation. `beside`: another Python."""
    with ExitStack() as stack:
        worlds = [stack.enter_context(_world("", sys.executable, users, launcher))]
        if beside:
            worlds.append(stack.enter_context(_world("beside: ", beside, users, "")))
        yield from _figures(worlds, users)


def _figures(worlds: Sequence[Lone], users: int) -> Iterator[Figure]:
    began = [use_of(world.place) for world in worlds]
    time.sleep(IDLE_S)
    idle = [use_of(world.place) for world in worlds]
    started = time.monotonic()
    _play(worlds, users)
    seconds = time.monotonic() - started
    measured = []
    for world, first, second in zip(worlds, began, idle, strict=True):
        rest, rest_of_server = second.since(first)
        all_in, all_of_server = use_of(world.place).since(second)
        share = seconds / IDLE_S
        measured.append(
            {
                **_spread("change to Intercom", world.arrived),
                "CPU per lone change, above idle": (1e3 * (all_in - share * rest) / CHANGES, "ms"),
                "the same, of PostgreSQL": (
                    1e3 * (all_of_server - share * rest_of_server) / CHANGES,
                    "ms",
                ),
                "CPU with nothing to do, of a core": (100 * rest / IDLE_S, "%"),
                "the same, of PostgreSQL ": (100 * rest_of_server / IDLE_S, "%"),
                "memory of all, idle (PSS)": (second.memory, "MB"),
                **{
                    f"{stage}, median": (median(values), "s")
                    for stage, values in world.stages.items()
                },
            }
        )
    for world, values in zip(worlds, measured, strict=True):
        for what, (value, unit) in values.items():
            yield Figure(world.name + what, value, unit)
    if len(worlds) > 1:
        ours, theirs = measured
        for what in ours.keys() & theirs.keys():
            if theirs[what][0] > 0:
                yield Figure(f"ratio: {what}", ours[what][0] / theirs[what][0], "times")


def _play(worlds: Sequence[Lone], users: int) -> None:
    chance = random.Random(1)
    for number in range(CHANGES):
        for world in worlds:
            time.sleep(chance.uniform(0, LONGEST_REST_S / len(worlds)))
            world.change(number, chance.randint(len(AWKWARD_USERS) + 1, users))


def _spread(what: str, seconds: Sequence[float]) -> dict[str, tuple[float, str]]:
    return {
        f"{what}, median": (median(seconds), "s"),
        f"{what}, 95th percentile": (quantiles(seconds, n=20)[-1], "s"),
    }


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
def _world(name: str, python: str, users: int, launcher: str) -> Iterator[Lone]:
    """`python`: of the installation, whose own code the world runs."""
    command = [python, "-P", str(PROGRAM), str(users), launcher]
    others = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with subprocess.Popen(
        command,
        env=others if name else None,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdin is not None
        try:
            line = program.stdout.readline()
            if not line:
                raise RuntimeError(f"{name}the world did not come up")
            written = json.loads(line)
            place = Path(written.pop("place"))
            addresses = Addresses(**written)
            yield Lone(name, place, addresses.sides(), addresses.dagster_database)
        finally:
            program.stdin.close()
