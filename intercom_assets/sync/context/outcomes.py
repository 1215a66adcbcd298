"""What a pass did, in a form that every front (Dagster, CLI, tests) can report.

Holds names of fields, ids and counts; never a value of a person.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """HELD: another run has it and was told to look again. ABSENT: nothing on either side.

    ERASED: on request, and left alone for good.
    """

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    RETRY = "retry"
    PARKED = "parked"
    HELD = "held"
    ABSENT = "absent"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One user's or team's pass. `changed`, `overruled` and `left_out` are field names. `is_first`:
    no pass before it ended well, so nothing shows it yet. `was_failing`: its last pass failed, and
    is shown so."""

    key: str
    status: Status
    changed: tuple[str, ...] = ()
    overruled: tuple[str, ...] = ()
    calls: int = 0
    intercom_id: str | None = None
    problem: str | None = None
    waited: float | None = None
    newly_parked: bool = False
    left_out: tuple[str, ...] = ()
    is_first: bool = False
    was_failing: bool = False

    @property
    def is_failing(self) -> bool:
        return self.status in (Status.RETRY, Status.PARKED)


@dataclass(frozen=True, slots=True)
class ChunkReport:
    """The outcomes of one chunk, durable when this exists.

    `seconds`: how long the chunk took. `causes`: why its rows were in the queue.
    """

    kind: str
    outcomes: Sequence[Outcome]
    seconds: float
    causes: frozenset[str] = frozenset()


@dataclass
class Totals:
    """Sums over the reports of a batch."""

    statuses: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    overruled: int = 0
    left_out: int = 0
    parked: list[Outcome] = field(default_factory=list)
    failing: list[Outcome] = field(default_factory=list)

    def add(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            self.statuses[outcome.status] += 1
            self.fields.update(outcome.changed)
            self.calls += outcome.calls
            self.overruled += len(outcome.overruled)
            self.left_out += len(outcome.left_out)
            if outcome.newly_parked:
                self.parked.append(outcome)
            if outcome.is_failing:
                self.failing.append(outcome)

    @property
    def handled(self) -> int:
        return sum(self.statuses.values())
