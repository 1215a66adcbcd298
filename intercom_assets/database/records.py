"""What a run takes out of our own tables and puts into them, as frozen values.

The vocabulary of the queue (leases, outcomes) and of recording a chunk. No SQL and no connection
belongs here; users, links and edges themselves are in `domain/models.py`, and what `status` and
`explain` show is in `reports`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import TypeAlias

from intercom_assets.domain.models import (
    JournalEntry,
    Membership,
    TeamLink,
    UserLink,
    Values,
)

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


class Lane(IntEnum):
    """Who goes first. `BULK`: sweep, audit, backfill, replay of a list."""

    LIVE = 0
    BULK = 1


# --- the queue ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a user or team is not in step, as an operator is told. No values, no personal data.

    `tries`: in a row that ended so, of those that are no attempts. `endpoint`, `at` (Unix s): which
    call it was, and when. `everybodys`: it fails for others, too, as far as is known.
    """

    message: str
    field: str | None = None
    code: str | None = None
    request_id: str | None = None
    tries: int = 0
    endpoint: str | None = None
    at: float = 0.0
    everybodys: bool = False


@dataclass(frozen=True, slots=True)
class Leased:
    """A queue row that this run may work on until its lease runs out.

    `parked`: it had been given up on, and is here because something changed, or somebody asked, or
    `wait_is_over`: `parked_until` has passed.
    `cause`: as stored, which an older version may have done. `needs_read`: Intercom's side is to
    be read before deciding. `error`, `failed_hash`: of the
    last rejection.
    """

    key: str
    seq: int
    lane: Lane
    cause: str
    first_at: datetime
    attempts: int = 0
    failed_hash: str | None = None
    parked: bool = False
    parked_until: datetime | None = None
    wait_is_over: bool = False
    needs_read: bool = False
    error: Failure | None = None


@dataclass(frozen=True, slots=True)
class DueSummary:
    """`count` stops at the number asked for. `sole_key`: the key, if exactly one is due."""

    count: int
    sole_key: str | None
    oldest_seconds: float


# --- how a pass over one user or team ended -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do for the change that was leased."""


@dataclass(frozen=True, slots=True)
class RetryIn:
    """Due again in `seconds`. `attempts` and `hash` are stored as given: rejections in a row so
    far, and the hash of the app's row that they were about."""

    seconds: float
    error: Failure | None = None
    attempts: int = 0
    hash: str | None = None


@dataclass(frozen=True, slots=True)
class Parked:
    """Given up on until the row changes, an operator says retry, or the wait is over, if it has an
    end: after `seconds`, or at a moment that was set before (`until`)."""

    error: Failure
    hash: str | None = None
    attempts: int = 0
    seconds: float | None = None
    until: datetime | None = None


Ending: TypeAlias = Done | RetryIn | Parked


@dataclass(frozen=True, slots=True)
class InFlight:
    """What is about to be sent for one user; `edges` in the states ATTACHING and DETACHING."""

    user_id: str
    values: Values = field(default_factory=dict)
    edges: Sequence[Membership] = ()


@dataclass(frozen=True, slots=True)
class UserRecord:
    """`link` is stored whole; `link.edges` is the full set of edges after the pass.

    `link.in_flight` is cleared if the outcome is `Done`; otherwise it is stored as given, since
    only the caller knows whether something may have landed unanswered.
    """

    link: UserLink
    outcome: Ending
    journal: Sequence[JournalEntry] = ()


@dataclass(frozen=True, slots=True)
class TeamRecord:
    """`is_known`: the link holds the company as Intercom has it, even if the pass is not `Done`."""

    link: TeamLink
    outcome: Ending
    journal: Sequence[JournalEntry] = ()
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """`lost`: another run took them over; nothing of theirs but the journal was written.

    `conflicts`: their contact or company is linked to somebody else; parked for that reason.
    """

    lost: frozenset[str] = frozenset()
    conflicts: Mapping[str, Failure] = field(default_factory=dict)
