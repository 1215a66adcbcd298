"""A first sync and a mass change by bulk beside the single way, at Intercom's limit, in one run.

Both have the same app, a workspace of their own that is 150 ms away and whose index is late, and a
process each. Must not: Dagster.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from intercom_assets_tests.orchestration.stage import a_mapping
from intercom_assets_tests.tools.benchmarks.figures import Figure
from intercom_assets_tests.tools.benchmarks.lab import CHANGE_EVERYBODY, Lab, execute
from intercom_assets_tests.tools.benchmarks.simulated import AT_THE_LIMIT
from intercom_assets_tests.tools.benchmarks.work import Used, apart, sync_all

INDEX_DELAY_S = 12
"""The least that recordings allow; what it really is, differs by workspace and minute."""


@dataclass(frozen=True, slots=True)
class Way:
    """`calls`, `changed`: calls a user of the first sync, and of the change of one attribute."""

    first: Used
    calls: float
    change: Used
    changed: float


def measure(lab: Lab, users: int) -> Iterator[Figure]:
    """`sync --all` of everybody onto an empty workspace; then one attribute changes for all."""
    single = _way(lab, users, "off")
    bulk = _way(lab, users, "preview")
    first, change = bulk.first, bulk.change
    yield Figure("single way: calls per new user", single.calls, "calls")
    yield Figure("bulk: calls per new user", bulk.calls, "calls", "at most 0.06")
    yield Figure("single way: calls per changed user", single.changed, "calls")
    yield Figure("bulk: calls per changed user", bulk.changed, "calls", "at most 0.04")
    yield Figure("first sync: time, of the single way's", _share(first, single.first), "x", "0.2 x")
    yield Figure(
        "first sync: own CPU, of the single way's", first.cpu / single.first.cpu, "x", "0.7 x"
    )
    yield Figure("change: time, of the single way's", _share(change, single.change), "x")
    yield Figure("change: own CPU, of the single way's", change.cpu / single.change.cpu, "x")
    yield Figure("bulk: largest memory", first.memory, "MB", "under 300 MB")
    yield Figure("bulk: failing users", first.failing + change.failing, "", "0")


def _share(one: Used, other: Used) -> float:
    return one.seconds / other.seconds


def _way(lab: Lab, users: int, bulk: str) -> Way:
    mapping = a_mapping(lab.place / f"mapping-bulk-{bulk}", rate_share=1.0, bulk=bulk)
    knobs = {**AT_THE_LIMIT, "index_delay_s": INDEX_DELAY_S}
    with lab.world(users, teams=max(4, users // 100), **knobs) as made:
        world = replace(made, mapping=mapping)
        first = apart(sync_all, world, at_next_window=True)
        asked = world.simulator.asked()
        execute(world.url, CHANGE_EVERYBODY)
        change = apart(sync_all, world, at_next_window=True)
        changed = world.simulator.asked().since(asked)
    return Way(first, asked.calls / users, change, changed.calls / users)
