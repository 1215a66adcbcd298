"""The fewest rounds, steps, faults and settings of a broken walk that still break it alike."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from intercom_assets_tests.tools.random_walks.script import Round, Walk

Try = Callable[[Walk], str | None]
"""Takes a walk; what was wrong, or None."""


def shrunk(walk: Walk, take: Try, found: str, seconds: float) -> Walk:
    end, kind = time.monotonic() + seconds, _kind(found)
    while time.monotonic() < end:
        smaller = next((w for w in _smaller(walk) if _kind(take(w) or "") == kind), None)
        if smaller is None:
            break
        walk = smaller
    return walk


def _kind(found: str) -> str:
    """What is alike of two findings: their beginning, without rounds, ids and numbers."""
    return re.sub(r"^round \d+: |[0-9a-f]{24}|\d+", "", found)[:30]


def _smaller(walk: Walk) -> Iterator[Walk]:
    for at in reversed(range(len(walk.rounds))):
        if len(walk.rounds) > 1:
            yield replace(walk, rounds=walk.rounds[:at] + walk.rounds[at + 1 :])
    for at, each in enumerate(walk.rounds):
        for less in _smaller_rounds(each):
            yield replace(walk, rounds=(*walk.rounds[:at], less, *walk.rounds[at + 1 :]))
    for less_settings in _without_one(walk.settings):
        yield replace(walk, settings=less_settings)
    for less_settings in _without_one(walk.simulated):
        yield replace(walk, simulated=less_settings)


def _smaller_rounds(each: Round) -> Iterator[Round]:
    if each.faults:
        yield replace(each, faults=())
    for at in range(len(each.meanwhile)):
        yield replace(each, meanwhile=each.meanwhile[:at] + each.meanwhile[at + 1 :])
    for at in range(len(each.steps)):
        yield replace(each, steps=each.steps[:at] + each.steps[at + 1 :])


def _without_one(settings: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for left_out in settings:
        yield {name: value for name, value in settings.items() if name != left_out}
