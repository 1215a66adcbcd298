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
class OverruledField:
    """Edits of one field in Intercom that lost. `ago`: seconds since the last one."""

    field: str
    policy: str | None
    times: int
    ago: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with the user of one contact, for somebody who looks at the contact.

    `linked`: the contact is known to be this user's. `waits`: there is something to do, since
    `waits_for` seconds; due in `due_in` seconds, if that is known. `settled_ago`: seconds since
    both sides were last seen or written. `parked_for`: given up on for so many seconds already,
    and `parked_for_another` so many, if that is known. `left_out`: fields that are not sent.
    """

    user_id: str
    linked: bool = True
    settled_ago: float | None = None
    gone: bool = False
    left_out: Sequence[str] = ()
    waits: bool = False
    cause: str | None = None
    attempts: int | None = None
    error: Failure | None = None
    waits_for: float | None = None
    due_in: float | None = None
    parked_for: float | None = None
    parked_for_another: float | None = None
    in_work: bool = False
    overruled: Sequence[OverruledField] = ()


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
