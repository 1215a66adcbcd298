"""How fast a sync is at Intercom's limit, what it costs in CPU and memory, and how that grows.

Each sync is a process of its own. Must not: counting calls per user (`calls.py`), Dagster.
"""

from collections.abc import Iterator

from intercom_assets_tests.tools.benchmarks.figures import Figure
from intercom_assets_tests.tools.benchmarks.lab import Lab
from intercom_assets_tests.tools.benchmarks.simulated import AT_THE_LIMIT, NO_LIMIT, PER_SECOND
from intercom_assets_tests.tools.benchmarks.work import apart, sweep_all, sync_all


def measure_limit(lab: Lab, users: int) -> Iterator[Figure]:
    """`sync` of everybody onto an empty workspace, 150 ms away, teams and memberships too."""
    with lab.world(users, teams=max(4, users // 100), **AT_THE_LIMIT) as world:
        used = apart(sync_all, world, at_next_window=True)
        asked = world.simulator.asked()
    share = 100 * asked.accepted / (used.seconds * PER_SECOND)
    yield Figure("share of the limit, first call to last", share, "%", "at least 95 %")
    yield Figure("429s per 1,000 calls", 1_000 * asked.refused / asked.calls, "", "under 1")
    yield Figure("own CPU per user", 1_000 * used.cpu / users, "ms", "under 4 ms")
    yield Figure("calls per user", asked.calls / users, "calls", note="teams and edges included")
    yield Figure("whole sync", used.seconds, "s")
    yield Figure("largest memory", used.memory, "MB", "under 300 MB")
    yield Figure("failing users", used.failing, "", "0")


def measure_growth(lab: Lab, users: int) -> Iterator[Figure]:
    """The same work at one size, no limit and no distance: rows of several sizes are a curve."""
    with lab.world(users, teams=max(4, users // 100), **NO_LIMIT) as world:
        new = apart(sync_all, world)
        again = apart(sync_all, world)
        before = world.simulator.asked()
        swept = apart(sweep_all, world)
        calls = world.simulator.asked().since(before).calls
    yield Figure("new users: own CPU per user", 1_000 * new.cpu / users, "ms", "under 4 ms")
    yield Figure("new users: time per 1,000", 1_000 * new.seconds / users, "s", "flat")
    yield Figure("new users: largest memory", new.memory, "MB", "under 300 MB, flat")
    yield Figure("unchanged users: own CPU per user", 1_000 * again.cpu / users, "ms", "flat")
    yield Figure("unchanged users: largest memory", again.memory, "MB", "under 300 MB, flat")
    yield Figure("sweep: own CPU", swept.cpu, "s", "under 5 s at 100,000")
    yield Figure("sweep: own CPU per 1,000", 1_000 * swept.cpu / users, "s", "flat")
    yield Figure("sweep: calls", calls, "", "0")
    yield Figure("sweep: queued", swept.failing, "", "0")
