"""How a pass over a user or a team is reported, from what was recorded of it. Pure."""

from collections.abc import Sequence
from typing import TypeAlias

from intercom_assets.database.records import Done, Leased, Parked, Recorded, TeamRecord, UserRecord
from intercom_assets.domain.models import JournalEntry
from intercom_assets.domain.vocabulary import Action
from intercom_assets.sync.context.outcomes import Outcome, Status
from intercom_assets.sync.passes.journal import (
    changed_in,
)
from intercom_assets.sync.passes.teams.team_pass import TeamPass
from intercom_assets.sync.passes.users.user_pass import UserPass

Record: TypeAlias = UserRecord | TeamRecord


def outcome_of(
    ended: UserPass | TeamPass, leased: Leased, record: Record, recorded: Recorded, now: float
) -> Outcome:
    conflict = recorded.conflicts.get(leased.key)
    parked = isinstance(record.outcome, Parked) or conflict is not None
    failure = None if isinstance(record.outcome, Done) else record.outcome.error
    failure = conflict or failure
    return Outcome(
        key=leased.key,
        status=Status.HELD if leased.key in recorded.lost else _status(ended, record, parked),
        changed=changed_in(ended.journal),
        left_out=tuple(sorted(record.link.left_out)),
        overruled=_overruled(ended.journal),
        calls=ended.calls,
        intercom_id=ended.intercom_id,
        problem=failure.message if failure else None,
        waited=now - leased.first_at.timestamp(),
        is_first=ended.state.link.synced_at is None,
        was_failing=leased.error is not None,
        newly_parked=parked and not (leased.parked and leased.failed_hash == ended.state.row_hash),
    )


def _status(ended: UserPass | TeamPass, record: Record, parked: bool) -> Status:
    if parked:
        return Status.PARKED
    if not isinstance(record.outcome, Done):
        return Status.RETRY
    if ended.is_absent:
        return Status.ABSENT
    return Status.CHANGED if ended.journal else Status.UNCHANGED


def _overruled(journal: Sequence[JournalEntry]) -> tuple[str, ...]:
    return tuple(
        entry.field for entry in journal if entry.action is Action.OVERRULED and entry.field
    )
