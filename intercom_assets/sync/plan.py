"""What a pass would do, without a call and without a write: the counting pass and `plan`.

One code for both: a batch is counted before its first write, and an operator reads the same
numbers, field by field. It decides on what is remembered of Intercom, so what only Intercom's
present values can decide is shown as "decided on a look".
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from intercom_assets.domain.guards import Counts
from intercom_assets.domain.models import AppUser, Gone, Side, Value
from intercom_assets.sync.services import Services
from intercom_assets.sync.user_pass import UserPass
from intercom_assets.sync.users import read_users, user_rules


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One field of one user. `looks`: whether it is decided on Intercom's present value."""

    field: str
    side: Side
    old: Value
    new: Value
    why: str
    looks: bool


@dataclass(frozen=True, slots=True)
class PlannedUser:
    """What one user's pass would do; `problem` if it cannot be synced as it is."""

    user_id: str
    action: str
    changes: Sequence[PlannedChange]
    attach: Sequence[str]
    detach: Sequence[str]
    calls: int
    problem: str | None = None
    is_gone: bool = False

    @property
    def counts(self) -> Counts:
        return Counts(
            users=1,
            creates=int(self.action == "create"),
            changes=int(self.action == "update"),
            archives=int(self.action == "archive"),
            detaches=len(self.detach),
            calls=self.calls,
        )


def plan_users(services: Services, keys: Sequence[str]) -> Iterator[PlannedUser]:
    """Plans users in chunks; reads the app and our own tables only."""
    rules, size = user_rules(services, {}), services.settings.chunk_size
    for start in range(0, len(keys), size):
        for user in read_users(services, keys[start : start + size], rules):
            yield _planned(user)


def count(planned: Iterable[PlannedUser]) -> Counts:
    total = Counts()
    for user in planned:
        total = total.plus(user.counts)
    return total


def _planned(user: UserPass) -> PlannedUser:
    if user.problem:
        return PlannedUser(user.user_id, "park", (), (), (), 0, user.problem.message)
    gone = isinstance(user.row, Gone) and not user.is_absent
    if not (user.needs_first_call or user.needs_second_calls):
        return PlannedUser(user.user_id, "none", (), (), (), 0, is_gone=gone)
    edges = user.memberships()
    teams = edges.attach if isinstance(user.row, AppUser) else ()
    calls = int(user.needs_first_call) + len(teams) + len(edges.detach)
    calls += int(user.lead_to_search() is not None)
    return PlannedUser(
        user.user_id,
        _action(user),
        _changes(user),
        teams,
        edges.detach,
        calls,
        is_gone=gone,
    )


def _action(user: UserPass) -> str:
    if user.contact is None:
        return "find" if user.is_leaving else "create"
    return "archive" if user.is_to_archive else "update"


def _changes(user: UserPass) -> tuple[PlannedChange, ...]:
    return tuple(
        PlannedChange(
            decision.field.name,
            decision.write_to,
            decision.app if decision.write_to is Side.APP else decision.intercom,
            decision.value,
            decision.why,
            decision.deferred,
        )
        for decision in user.plan().decisions
        if decision.write_to is not None and not (user.contact is None and decision.value is None)
    )
