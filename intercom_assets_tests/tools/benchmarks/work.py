"""One measured piece of work in a process of its own, so that its CPU and memory are its alone.

`apart` runs a function there; the functions are what an operator's command or a night does. Time is
taken without the imports, memory with them. Must not: tables, targets.
"""

import resource
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.outcomes import Totals
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.engine.batch import new_run_id, run_batch
from intercom_assets.sync.engine.bulk import users_first
from intercom_assets.sync.engine.chunk_source import Batch
from intercom_assets.sync.environment import Configuration, opened
from intercom_assets.sync.feeders.sweep import sweep
from intercom_assets_tests.tools.benchmarks.lab import World
from intercom_assets_tests.tools.benchmarks.simulated import TOKEN

P = ParamSpec("P")
R = TypeVar("R")
TEAMS_THEN_USERS = (QueueKind.TEAM, QueueKind.USER)
EVERYTHING = 9_999_999


@dataclass(frozen=True, slots=True)
class Used:
    """Seconds by the clock and of this process's CPU; its largest memory in MB; failed users."""

    seconds: float
    cpu: float
    memory: float
    failing: int = 0


def apart(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The result of `work` in a fresh process; arguments and result must be picklable."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        return processes.submit(work, *args, **kwargs).result()


class Meter:
    """Begins when it is made."""

    def __init__(self) -> None:
        self._began, self._cpu = time.monotonic(), time.process_time()

    def used(self, failing: int = 0) -> Used:
        seconds, cpu = time.monotonic() - self._began, time.process_time() - self._cpu
        return Used(seconds, cpu, _largest_memory(), failing)


def _largest_memory() -> float:
    """In MB. On Linux, getrusage begins with the memory of whoever started the process."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    lines = status.read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def configuration(world: World) -> Configuration:
    return Configuration(
        world.url, world.url, TOKEN, world.simulator.url, world.mapping, switch="true"
    )


@contextmanager
def services_of(world: World, ahead: float = 0.0) -> Iterator[Services]:
    """As every front opens them. `ahead`: seconds by which our clock is put forward."""
    with opened(configuration(world)) as services:
        yield replace(services, wall=lambda: time.time() + ahead)


# --- what is run apart ----------------------------------------------------------------------------


def sync_all(
    world: World,
    kinds: Sequence[QueueKind] = TEAMS_THEN_USERS,
    ahead: float = 0.0,
    at_next_window: bool = False,
) -> Used:
    """`sync --all` past every guard."""
    with services_of(world, ahead) as services:
        if at_next_window:
            world.simulator.next_window()
        meter, totals = Meter(), Totals()
        users = ids_of(services, QueueKind.USER)
        for kind in reversed(kinds) if users_first(services, len(users)) else kinds:
            keys = users if kind is QueueKind.USER else ids_of(services, kind)
            _work_through(services, Batch(kind, keys=keys), totals)
        return meter.used(len(totals.failing))


def sync_queue(world: World) -> Used:
    """What a sensor's run does: everything that is due."""
    with services_of(world) as services:
        meter, totals = Meter(), Totals()
        for kind in TEAMS_THEN_USERS:
            _work_through(services, Batch(kind, from_queue=EVERYTHING), totals)
        return meter.used(len(totals.failing))


def sweep_all(world: World) -> Used:
    """A night's sweep; `failing` is how many it queued."""
    with services_of(world) as services:
        meter = Meter()
        swept = sweep(services)
        return meter.used(sum(each.queued + each.missing for each in swept))


def _work_through(services: Services, batch: Batch, totals: Totals) -> None:
    permitted = replace(batch, accepted=_past_the_guards(services))
    for report in run_batch(services, permitted, new_run_id("bench")):
        totals.add(report.outcomes)


def ids_of(services: Services, kind: QueueKind) -> tuple[str, ...]:
    app = services.app
    if kind is QueueKind.TEAM:
        return tuple(row.id for rows in app.stream_teams() for row in rows)
    return tuple(row.id for rows in app.stream_users() for row in rows)


def _past_the_guards(services: Services) -> str:
    """A plan that was accepted and is larger than any: the guards still count."""
    kinds = ("creates", "changes", "archives", "detaches")
    sizes = "-".join(f"{kind}{EVERYTHING}" for kind in kinds)
    return f"{sizes}-{services.app.mapping_version[:6]}"
