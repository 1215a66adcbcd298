"""Ours beside the replaced job and what PyPI has, in one run, at the limit and 150 ms away.

Each onto an empty workspace of its own, then once more with nothing changed. One worker needs most
of a second a user, so those get fewer users: compare users per second. Results as they are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from intercom_assets_tests.tools.benchmarks.figures import Figure
from intercom_assets_tests.tools.benchmarks.lab import Lab, World, execute
from intercom_assets_tests.tools.benchmarks.other_tools import run_drt, run_python_intercom, why_not
from intercom_assets_tests.tools.benchmarks.people import declare_attributes, read_people
from intercom_assets_tests.tools.benchmarks.replaced_job import ReplacedJob
from intercom_assets_tests.tools.benchmarks.simulated import AT_THE_LIMIT
from intercom_assets_tests.tools.benchmarks.work import Meter, Used, apart, sync_all

FEW = 100
"""Users for those that ask one call after the other."""
ONE_WAY = "one way; no memberships, teams, leads or deletions; everybody every time"
DRT = f"{ONE_WAY} in its default mode"
"""drt's mode `incremental` sends who changed, by a column or by comparing snapshots."""
A_TENTH_IS_NEW = "update users set created_at = now() where id % 10 = 0"
"""Inside the first 24 h, in which leads are searched."""


@dataclass(frozen=True, slots=True)
class Contender:
    """`sync`: a whole pass over at most so many users. `needs`: a module that must be there."""

    name: str
    sync: Callable[[World, int], Used]
    note: str = ""
    one_by_one: bool = True
    needs: str | None = None


def measure(lab: Lab, users: int) -> Iterator[Figure]:
    for contender in CONTENDERS:
        reason = why_not(contender.needs) if contender.needs else None
        if reason:
            yield Figure(f"{contender.name}: users synced", 0, note=reason)
        else:
            yield from _of(contender, lab, min(users, FEW) if contender.one_by_one else users)


def _of(contender: Contender, lab: Lab, users: int) -> Iterator[Figure]:
    with lab.world(users, teams=max(4, users // 3), **AT_THE_LIMIT) as world:
        execute(world.url, A_TENTH_IS_NEW)
        if contender.sync is not _ours:
            declare_attributes(world.simulator)
        for what in ("all new", "unchanged"):
            before = world.simulator.asked()
            used = apart(contender.sync, world, users)
            asked = world.simulator.asked().since(before)
            of = f"{contender.name}, {what}"
            note = f"{users:,} users; {contender.note}".rstrip("; ")
            yield Figure(f"{of}: users per second", users / used.seconds, note=note)
            yield Figure(f"{of}: calls per user", asked.calls / users)
            yield Figure(f"{of}: 429s per 1,000 calls", _per_1000(asked.refused, asked.calls))
            yield Figure(f"{of}: own CPU per user", 1_000 * used.cpu / users, "ms")
            yield Figure(f"{of}: failed users", used.failing)


def _per_1000(part: int, whole: int) -> float:
    return 1_000 * part / whole if whole else 0.0


# --- each in a process of its own -----------------------------------------------------------------


def _ours(world: World, users: int) -> Used:
    return sync_all(world)


def _job_of_one(world: World, users: int) -> Used:
    return _job(world, users, 1)


def _job_of_ten(world: World, users: int) -> Used:
    return _job(world, users, 10)


def _job(world: World, users: int, workers: int) -> Used:
    people, meter = read_people(world.url, users), Meter()
    return meter.used(ReplacedJob(world.simulator.url).run(people, workers))


def _drt_paced(world: World, users: int) -> Used:
    return _drt(world, users, per_second=10)


def _drt_unpaced(world: World, users: int) -> Used:
    return _drt(world, users, per_second=0)


def _drt(world: World, users: int, per_second: float) -> Used:
    run_drt(world.simulator.url, [], per_second)  # its imports are not what is measured
    people, meter = read_people(world.url, users), Meter()
    return meter.used(run_drt(world.simulator.url, people, per_second))


def _python_intercom(world: World, users: int) -> Used:
    run_python_intercom(world.simulator.url, [])  # as above
    people, meter = read_people(world.url, users), Meter()
    return meter.used(run_python_intercom(world.simulator.url, people))


JOB = "no memberships here (its API took them in the save); saves everything every time"
CONTENDERS = (
    Contender("ours", _ours, "teams and memberships included", one_by_one=False),
    Contender("replaced job, one worker", _job_of_one, JOB),
    Contender("replaced job, ten workers", _job_of_ten, JOB, one_by_one=False),
    Contender("drt-core, its pacing", _drt_paced, DRT, needs="drt"),
    Contender("drt-core, unpaced", _drt_unpaced, DRT, needs="drt"),
    Contender("python-intercom in a loop", _python_intercom, ONE_WAY, needs="intercom"),
)
