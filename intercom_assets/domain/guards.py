"""How much a batch would do, and whether that much was asked for. Pure.

A wrong WHERE clause, a restored database or a wrong URL look like a large batch of honest changes.
So before the first write a whole batch is counted; past a guard it stops, and goes on only for an
operator who accepts a plan of that kind and size.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from operator import add, attrgetter

from intercom_assets.domain.errors import OperatorError


class GuardStopped(OperatorError):
    """The batch would do more than the guards allow. One sentence; nothing was written."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a batch would do, in users, but `detaches` in memberships and `calls` in calls.

    `switched`, `switchedteams`: who is new, and somebody whom the app had under another id.
    """

    users: int = 0
    creates: int = 0
    changes: int = 0
    archives: int = 0
    detaches: int = 0
    calls: int = 0
    switched: int = 0
    switchedteams: int = 0

    def plus(self, other: "Counts") -> "Counts":
        return Counts(*map(add, _numbers_of(self), _numbers_of(other)))


_numbers_of = attrgetter(*(field.name for field in fields(Counts)))


@dataclass(frozen=True, slots=True)
class Limits:
    """`changed_share`: of the linked users. Batches of `above` users or fewer are not guarded, nor
    are so few changes a breach: in the first days any change is a large share.
    """

    above: int
    creates: int
    archives: int
    detaches: int
    changed_share: float


def breaches(counts: Counts, limits: Limits, linked: int) -> list[str]:
    """One clause for each guard that the batch is past; none if it may go on."""
    if counts.users <= limits.above:
        return []
    found = [
        f"{name} {getattr(counts, name):,} {what} (the guard is {most:,})"
        for name, what, most in (
            ("creates", "contacts", limits.creates),
            ("archives", "contacts", limits.archives),
            ("detaches", "memberships", limits.detaches),
        )
        if getattr(counts, name) > most
    ]
    most_changed = max(int(limits.changed_share * linked), limits.above)
    if linked and counts.changes > most_changed:
        found.append(
            f"changes {counts.changes:,} of {linked:,} linked users "
            f"(the guard is {limits.changed_share:.0%})"
        )
    return found


_ACCEPTED = ("creates", "changes", "archives", "detaches")
_RARE = ("switched", "switchedteams")
"""Part of a plan's id only where there are any."""


def plan_id(counts: Counts, mapping_version: str) -> str:
    """Names the kind and size of a plan: `creates1300-changes20-archives0-detaches0-1f9c2a`.

    Sizes are rounded up to two figures, so that a few more users do not make it another plan.
    """
    names = [*_ACCEPTED, *(name for name in _RARE if getattr(counts, name))]
    sizes = [f"{name}{_rounded_up(getattr(counts, name))}" for name in names]
    return "-".join([*sizes, mapping_version[:6]])


def accepts(accepted: str, counts: Counts, mapping_version: str) -> bool:
    """Whether a batch is of no other kind and no larger size than the plan that was accepted."""
    sizes = _sizes(accepted)
    if not sizes or not accepted.endswith("-" + mapping_version[:6]):
        return False
    return all(getattr(counts, name) <= sizes.get(name, 0) for name in (*_ACCEPTED, *_RARE))


def is_plan_id(text: str) -> bool:
    """Whether it has the form of one; of which plan is not asked."""
    return bool(re.fullmatch(r"(?:[a-z]+\d+-)+[0-9a-f]{6}", text) and _sizes(text))


def _sizes(accepted: str) -> Mapping[str, int]:
    found = re.findall(rf"({'|'.join((*_ACCEPTED, *_RARE))})(\d+)-", accepted)
    return {name: int(size) for name, size in found}


def _rounded_up(size: int) -> int:
    step = int(10 ** max(0, len(str(size)) - 2))
    return -(-size // step) * step
