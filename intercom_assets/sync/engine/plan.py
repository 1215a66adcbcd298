"""What a pass would do, without a call and without a write: the counting pass and `plan`.

One code for both: a batch is counted before its first write, and an operator reads the same
numbers, field by field. It decides on what is remembered of Intercom, so what only Intercom's
present values can decide is shown as "decided on a look". What `plan` reads of Intercom beforehand
is `foresight.py`'s.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from intercom_assets.domain.decisions import CONSIDERED_ZONE, Reconciliation
from intercom_assets.domain.fields import intercom_values
from intercom_assets.domain.guards import Counts
from intercom_assets.domain.models import AppUser, Contact, Gone, Kind, LeftOut, Side, Value, Values
from intercom_assets.domain.vocabulary import PlannedAction
from intercom_assets.sync.context.failures import PassFailed
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.passes.teams.chunk import read_teams
from intercom_assets.sync.passes.teams.team_pass import TeamPass
from intercom_assets.sync.passes.users.chunk import LEADS_A_CALL, read_users, user_rules
from intercom_assets.sync.passes.users.user_pass import UserPass

FindLeads = Callable[[Sequence[str]], Mapping[str, Mapping[str, str]]]
"""E-mails in lower case -> the leads that have them, by id, and what they look like."""

LookedAt = Mapping[str, Contact | None]
"""User ids -> their contacts as read just now; None for one that is there no more."""


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
    `merge`: leads. `left`: columns that are no longer in the mapping, whose values stay in
    Intercom. `left_out`: field -> why it is not sent. `edits`: made there since the last look;
    `lost`: its contact is there no more; both only of who was looked at. `searched`: leads are
    searched, which `calls` leaves out: one search serves fifteen.
    """

    user_id: str
    action: PlannedAction
    changes: Sequence[PlannedChange] = ()
    attach: Sequence[str] = ()
    detach: Sequence[str] = ()
    merge: Sequence[str] = ()
    companies_to_make: Sequence[str] = ()
    left: Sequence[str] = ()
    calls: int = 0
    searched: bool = False
    problem: str | None = None
    is_gone: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)
    edits: Sequence[Edit] = ()
    lost: bool = False

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
    """What one team's pass would do: create, update, none, park or absent."""

    team_id: str
    action: PlannedAction
    changes: Sequence[PlannedChange] = ()
    left: Sequence[str] = ()
    problem: str | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        return int(self.action in (PlannedAction.CREATE, PlannedAction.UPDATE))


def plan_users(
    services: Services,
    keys: Sequence[str],
    unwritable: Mapping[str, str] | None = None,
    find_leads: FindLeads | None = None,
    looked_at: LookedAt | None = None,
) -> Iterator[PlannedUser]:
    """Plans users in chunks; reads the app and our own tables, and what `find_leads` asks."""
    rules, size = user_rules(services, dict(unwritable or {})), services.settings.chunk_size
    for start in range(0, len(keys), size):
        users = read_users(services, keys[start : start + size], rules)
        _know_void_teams(services, users)
        erased = services.store.tombstones.among([user.user_id for user in users])
        if find_leads:
            _know_leads([user for user in users if user.user_id not in erased], find_leads)
        for user in users:
            if user.user_id in erased:
                yield PlannedUser(user.user_id, PlannedAction.ERASED)
            elif user.user_id in (looked_at or {}):
                yield _planned_on(user, (looked_at or {})[user.user_id])
            else:
                yield _planned(user)


def _know_void_teams(services: Services, users: Sequence[UserPass]) -> None:
    """Teams that are gone and never had a company get none, in a pass as here."""
    missing = {team for user in users for team in user.teams_without_company}
    if missing:
        planned = plan_teams(services, sorted(missing))
        users[0].void_teams.update(
            each.team_id for each in planned if each.action is PlannedAction.ABSENT
        )


def plan_teams(
    services: Services, keys: Sequence[str], unwritable: Mapping[str, str] | None = None
) -> Iterator[PlannedTeam]:
    """Plans teams in chunks; reads the app and our own tables only."""
    size = services.settings.chunk_size
    for start in range(0, len(keys), size):
        teams = read_teams(services, keys[start : start + size], dict(unwritable or {}))
        yield from map(_planned_team, teams)


def count(planned: Iterable[PlannedUser]) -> Counts:
    """Lead searches are in its calls, fifteen users to one."""
    total, searched = Counts(), 0
    for user in planned:
        total = total.plus(user.counts)
        searched += user.searched
    return total.plus(Counts(calls=-(-searched // LEADS_A_CALL)))


def _know_leads(users: Sequence[UserPass], find_leads: FindLeads) -> None:
    wanted = {user.user_id: email for user in users if (email := user.lead_to_search())}
    found = find_leads(sorted(set(wanted.values()))) if wanted else {}
    for user in users:
        if (email := wanted.get(user.user_id)) is not None:
            user.found_leads(email, found.get(email, {}))


def _planned_on(user: UserPass, contact: Contact | None) -> PlannedUser:
    """What a pass would do on this answer."""
    if contact is None:
        user.forget_contact()
        return replace(_planned(user), lost=True)
    edits = _edits(user, contact)
    try:
        user.apply_read(contact)
    except PassFailed as stuck:
        user.problem = stuck.problem
    return replace(_planned(user), edits=edits)


def _edits(user: UserPass, contact: Contact) -> tuple[Edit, ...]:
    if user.contact is None:
        return ()
    fields = user.rules.fields.values()
    then, now = (intercom_values(fields, each) for each in (user.contact, contact))
    return tuple(
        Edit(each.name, then[each.name], now[each.name], each.kind)
        for each in fields
        if not each.same(then[each.name], now[each.name])
    )


def _planned(user: UserPass) -> PlannedUser:
    planned = _decided(user)
    # Of most users nothing is, and the counting pass takes everybody.
    if not (user.left_out or user.rules.unwritable):
        return planned
    return replace(planned, left_out=_reasons(user.fields_left_out))


def _decided(user: UserPass) -> PlannedUser:
    left = _left(user.base, user.rules.fields)
    if user.problem:
        return PlannedUser(
            user.user_id, PlannedAction.PARK, left=left, problem=user.problem.message
        )
    if user.is_absent:
        return PlannedUser(user.user_id, PlannedAction.ABSENT)
    gone = isinstance(user.row, Gone)
    searched = user.lead_to_search() is not None
    if not (user.needs_first_call or user.needs_second_calls):
        return PlannedUser(
            user.user_id, PlannedAction.NONE, left=left, searched=searched, is_gone=gone
        )
    if user.contact is None and user.is_leaving:
        return PlannedUser(user.user_id, PlannedAction.FIND, left=left, calls=1, is_gone=gone)
    edges = user.memberships()
    teams = edges.attach if isinstance(user.row, AppUser) else ()
    moves = len(teams) + len(edges.detach) + len(user.leads)
    changes = _changes(user.plan(), user.contact)
    return PlannedUser(
        user.user_id,
        _action(user, is_read=not (moves or changes)),
        changes,
        teams,
        edges.detach,
        user.leads,
        sorted(user.teams_without_company),
        left,
        int(user.needs_first_call) + moves,
        searched,
        is_gone=gone,
    )


def _action(user: UserPass, *, is_read: bool) -> PlannedAction:
    if user.contact is None:
        return PlannedAction.CREATE
    if user.is_to_archive:
        return PlannedAction.ARCHIVE
    return PlannedAction.READ if is_read else PlannedAction.UPDATE


def _planned_team(team: TeamPass) -> PlannedTeam:
    return replace(_decided_team(team), left_out=_reasons(team.fields_left_out))


def _reasons(left_out: Mapping[str, LeftOut]) -> dict[str, str]:
    return {name: each.why for name, each in sorted(left_out.items())}


def _decided_team(team: TeamPass) -> PlannedTeam:
    left = _left(team.link.base, team.fields)
    if team.problem:
        return PlannedTeam(
            team.team_id, PlannedAction.PARK, left=left, problem=team.problem.message
        )
    if team.was_never_there:
        return PlannedTeam(team.team_id, PlannedAction.ABSENT)
    if not team.needs_call:
        return PlannedTeam(team.team_id, PlannedAction.NONE, left=left)
    action = PlannedAction.CREATE if team.company is None else PlannedAction.UPDATE
    return PlannedTeam(team.team_id, action, _changes(team.plan(), team.company), left)


def _changes(plan: Reconciliation, there: object | None) -> tuple[PlannedChange, ...]:
    """`there`: the contact or company; of one that is yet to be made, nothing is cleared."""
    return tuple(
        PlannedChange(
            decision.field.name,
            decision.write_to,
            decision.app if decision.write_to is Side.APP else decision.intercom,
            decision.value,
            decision.why,
            decision.deferred,
            decision.field.kind,
        )
        for decision in plan.decisions
        if decision.write_to is not None and not (there is None and decision.value is None)
    )


def _left(base: Values, fields: Collection[str]) -> tuple[str, ...]:
    """Columns with a value that both sides once agreed on, and that nobody selects any more."""
    held = {name for name, value in base.items() if value is not None}
    return tuple(sorted(held - set(fields) - {CONSIDERED_ZONE.name}))
