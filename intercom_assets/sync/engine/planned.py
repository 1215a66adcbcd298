"""What a pass would do to one user or team, as `plan` prints it and the guards count it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from intercom_assets.domain.guards import Counts
from intercom_assets.domain.models import Kind, Side, Value
from intercom_assets.domain.vocabulary import PlannedAction


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody changed in Intercom since the sync last saw it."""

    field: str
    then: Value
    now: Value
    kind: Kind


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One field of one user or team. `looks`: whether Intercom's present value decides it.

    `kind`: of the values.
    """

    field: str
    side: Side
    old: Value
    new: Value
    why: str
    looks: bool
    kind: Kind


@dataclass(frozen=True, slots=True)
class PlannedUser:
    """What one user's pass would do: create, update, archive, find, none, park for `problem`, look
    at a contact that was listed or edited too lately to be believed, or nothing, since neither side
    knows the user (absent) or the user was erased on request.

    `attach`: team ids, of which `companies_to_make` have no company yet. `detach`: company ids.
    `tag`: names to put on, of which `tags_to_make` are none of the workspace's yet; `untag`: to
    take off. `merge`: leads. `left`: columns that are no longer in the mapping, whose values stay
    in Intercom. `left_out`: field -> why it is not sent. `edits`: made there since the last look;
    `lost`: its contact is there no more; both only of who was looked at. `searched`: leads are
    searched, which `calls` leaves out: one search serves fifteen. `may_go_by_bulk`: as an item.
    """

    user_id: str
    action: PlannedAction
    changes: Sequence[PlannedChange] = ()
    attach: Sequence[str] = ()
    detach: Sequence[str] = ()
    merge: Sequence[str] = ()
    tag: Sequence[str] = ()
    untag: Sequence[str] = ()
    tags_to_make: Sequence[str] = ()
    companies_to_make: Sequence[str] = ()
    left: Sequence[str] = ()
    calls: int = 0
    searched: bool = False
    problem: str | None = None
    is_gone: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)
    edits: Sequence[Edit] = ()
    lost: bool = False
    may_go_by_bulk: bool = False

    @property
    def counts(self) -> Counts:
        return Counts(
            users=1,
            creates=int(self.action is PlannedAction.CREATE),
            changes=int(self.action is PlannedAction.UPDATE),
            archives=int(self.action is PlannedAction.ARCHIVE),
            detaches=len(self.detach),
            calls=self.calls,
        )


@dataclass(frozen=True, slots=True)
class PlannedTeam:
    """What one team's pass would do: create, update, none, park or absent. `tag`: names to put on;
    `untag`: to take off."""

    team_id: str
    action: PlannedAction
    changes: Sequence[PlannedChange] = ()
    left: Sequence[str] = ()
    problem: str | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    tag: Sequence[str] = ()
    untag: Sequence[str] = ()
    calls: int = 0

    @property
    def may_go_by_bulk(self) -> bool:
        return self.calls == 1
