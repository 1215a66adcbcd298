"""What `status`, `explain` and the checks read out of our own tables, as frozen values.

Nothing here is written back. What a run works with is in `records`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from intercom_assets.database.records import Failure, Json
from intercom_assets.domain.models import JournalEntry, Reason
from intercom_assets.domain.vocabulary import QueueKind


@dataclass(frozen=True, slots=True)
class Depth:
    """One kind's queue. `later`: waiting for a retry or a postponed look, not parked."""

    due: int = 0
    later: int = 0
    leased: int = 0
    parked: int = 0
    oldest_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ParkedRow:
    kind: QueueKind
    key: str
    parked_at: datetime
    attempts: int
    error: Failure | None
    parked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class FailingRow:
    """Who is tried again and again; `tries` in a row, attempts or not."""

    kind: QueueKind
    key: str
    since: datetime
    tries: int
    error: Failure | None


@dataclass(frozen=True, slots=True)
class LeftOutCount:
    """A field that is left out of `count` users or teams; `key`, `why`: one of them."""

    kind: QueueKind
    field: str
    reason: Reason
    count: int
    key: str
    why: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the queue holds about one user or team. `in_work_by`: the run that has leased it.

    `parked_until`: when a parked one is tried again unchanged, if that is known.
    """

    first_at: datetime
    due_at: datetime | None
    cause: str
    attempts: int
    parked_at: datetime | None
    parked_until: datetime | None
    error: Failure | None
    in_work_by: str | None


@dataclass(frozen=True, slots=True)
class HeartbeatRow:
    """A run's heartbeat. `alive` is false once `alive_until` passed, by the database's clock."""

    run_id: str
    kind: str
    alive: bool


@dataclass(frozen=True, slots=True)
class JournalRow:
    id: int
    at: datetime
    run_id: str
    entry: JournalEntry


@dataclass(frozen=True, slots=True)
class Tombstone:
    user_id: str
    at: datetime
    receipt: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class LiftedTombstone:
    """An erased user who may be created again: who said so, and why."""

    user_id: str
    erased_at: datetime
    lifted_at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class HeldGone:
    """Gone users or teams that wait for an operator."""

    keys: Sequence[str]
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted under `name` in the minute that starts at `minute`."""

    minute: datetime
    name: str
    value: int
