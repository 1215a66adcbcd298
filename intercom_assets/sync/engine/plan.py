"""What a pass would do, without a call and without a write: the counting pass and `plan`.

One code for both: a batch is counted before its first write, and an operator reads the same
numbers, field by field. It decides on what is remembered of Intercom, so what only Intercom's
present values can decide is shown as "decided on a look". What `plan` reads of Intercom beforehand
is `operator/preview.py`'s.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from intercom_assets.domain.decisions import CONSIDERED_ZONE, Reconciliation
from intercom_assets.domain.fields import intercom_values
from intercom_assets.domain.guards import Counts
from intercom_assets.domain.models import Contact, LeftOut, Side, Values
from intercom_assets.domain.opt_outs import KEY as OPTED_OUT
from intercom_assets.domain.tags import TAGS
from intercom_assets.domain.untold import KEY as SENT
from intercom_assets.domain.vocabulary import PlannedAction
from intercom_assets.sync.context.failures import PassFailed, Problem
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.engine.planned import Edit, PlannedChange, PlannedTeam, PlannedUser
from intercom_assets.sync.passes.rules import Rules, team_rules, user_rules
from intercom_assets.sync.passes.teams.reading import read_teams
from intercom_assets.sync.passes.teams.state import TeamState
from intercom_assets.sync.passes.users import calls_due
from intercom_assets.sync.passes.users.bulk_items import item_of
from intercom_assets.sync.passes.users.calls_due import lead_to_search
from intercom_assets.sync.passes.users.lead_search import LEADS_A_CALL
from intercom_assets.sync.passes.users.reading import read_users
from intercom_assets.sync.passes.users.state import UserState
from intercom_assets.sync.passes.users.transitions import after_read, forget_contact, with_leads

FindLeads = Callable[[Sequence[str]], Mapping[str, Mapping[str, Contact]]]
"""E-mails in lower case -> the leads that have them, by id."""

ContactsNow = Mapping[str, Contact | Problem | None]
"""User ids -> their contacts as read just now; None for one that is there no more, and the problem
of one that was merged by hand into another user's."""


def plan_users(
    services: Services,
    keys: Sequence[str],
    unwritable: Mapping[str, str] | None = None,
    find_leads: FindLeads | None = None,
    contacts_now: ContactsNow | None = None,
) -> Iterator[PlannedUser]:
    """Plans users in chunks; reads the app and our own tables, and what `find_leads` asks."""
    rules, size = user_rules(services, unwritable or {}), services.settings.chunk_size
    contacts = contacts_now or {}
    for start in range(0, len(keys), size):
        known = read_users(services, keys[start : start + size], rules)
        states = _with_void_teams(services, known)
        erased = services.store.tombstones.among([state.user_id for state in states])
        leads = _leads([s for s in states if s.user_id not in erased], find_leads)
        for state in states:
            if state.user_id in erased:
                yield PlannedUser(state.user_id, PlannedAction.ERASED)
                continue
            if found := leads.get(state.user_id):
                state = with_leads(state, *found)
            if state.user_id in contacts:
                yield _planned_on(state, contacts[state.user_id])
            else:
                yield _planned(state)


def _with_void_teams(services: Services, states: Sequence[UserState]) -> Sequence[UserState]:
    """Teams that are gone and never had a company get none, in a pass as here."""
    missing = {team for state in states for team in state.teams_without_company}
    if not missing:
        return states
    planned = plan_teams(services, sorted(missing))
    void = frozenset(team.team_id for team in planned if team.action is PlannedAction.ABSENT)
    return [replace(state, void_teams=void) for state in states]


def plan_teams(
    services: Services, keys: Sequence[str], unwritable: Mapping[str, str] | None = None
) -> Iterator[PlannedTeam]:
    """Plans teams in chunks; reads the app and our own tables only."""
    rules, size = team_rules(services, unwritable or {}), services.settings.chunk_size
    for start in range(0, len(keys), size):
        yield from map(_planned_team, read_teams(services, keys[start : start + size], rules))


def count(planned: Iterable[PlannedUser]) -> Counts:
    """Lead searches are in its calls, fifteen users to one, and tags that are made once."""
    total, searched, tags = Counts(), 0, set[str]()
    for user in planned:
        total = total.plus(user.counts)
        searched += user.searched
        tags.update(user.tags_to_make)
    return total.plus(Counts(calls=-(-searched // LEADS_A_CALL) + len(tags)))


def _leads(
    states: Sequence[UserState], find_leads: FindLeads | None
) -> dict[str, tuple[str, Mapping[str, Contact]]]:
    """User id -> the address that was searched, and its leads."""
    if find_leads is None:
        return {}
    wanted = {state.user_id: email for state in states if (email := lead_to_search(state))}
    found = find_leads(sorted(set(wanted.values()))) if wanted else {}
    return {user_id: (email, found.get(email, {})) for user_id, email in wanted.items()}


def _planned_on(state: UserState, contact: Contact | Problem | None) -> PlannedUser:
    """What a pass would do on this answer."""
    if isinstance(contact, Problem) and not (state.rules.separate_merged or state.is_leaving):
        return _planned(state, contact)
    if contact is None or isinstance(contact, Problem):
        return replace(_planned(forget_contact(state)), lost=True)
    edits = _edits(state, contact)
    try:
        return replace(_planned(after_read(state, contact)), edits=edits)
    except PassFailed as failed:
        return replace(_planned(state, failed.problem), edits=edits)


def _edits(state: UserState, contact: Contact) -> tuple[Edit, ...]:
    if state.contact is None:
        return ()
    fields = state.rules.fields.values()
    then, now = (intercom_values(fields, document) for document in (state.contact, contact))
    return tuple(
        Edit(field.name, then[field.name], now[field.name], field.kind)
        for field in fields
        if not field.same(then[field.name], now[field.name])
    )


def _planned(state: UserState, failure: Problem | None = None) -> PlannedUser:
    """`failure`: what a read of the contact ended with."""
    planned = _decided(state, failure or state.problem)
    # Of most users nothing is, and the counting pass takes everybody.
    if not (state.all_left_out or state.rules.unwritable):
        return planned
    return replace(planned, left_out=_reasons(state.fields_left_out))


def _decided(state: UserState, problem: Problem | None) -> PlannedUser:
    left = _left(state.base, state.rules, state.tags)
    if problem:
        return PlannedUser(state.user_id, PlannedAction.PARK, left=left, problem=problem.message)
    if state.is_absent:
        return PlannedUser(state.user_id, PlannedAction.ABSENT)
    planned = PlannedUser(
        state.user_id,
        PlannedAction.NONE,
        left=left,
        searched=lead_to_search(state) is not None,
        is_gone=state.is_gone,
    )
    needs_first = calls_due.needs_first_call(state)
    if not (needs_first or calls_due.needs_second_calls(state)):
        return planned
    if state.contact is None and state.is_leaving:
        return replace(planned, action=PlannedAction.FIND, calls=1, searched=False)
    edges = state.memberships
    teams = edges.attach if state.app.is_here else ()
    tags = state.tag_plan
    moves = len(teams) + len(edges.detach) + len(state.leads)
    moves += int(calls_due.opts_out_for_leads(state))
    moves += len(tags.put_on) + len(tags.take_off) + int(tags.must_list)
    changes = _changes(state.plan, state.contact)
    return replace(
        planned,
        action=_action(state, is_read=not (moves or changes)),
        changes=changes,
        attach=teams,
        detach=edges.detach,
        merge=state.leads,
        tag=[calls_due.tag_name(state, key) for key in tags.put_on],
        untag=tags.take_off,
        tags_to_make=tags.to_make,
        companies_to_make=sorted(state.teams_without_company),
        calls=int(needs_first) + moves,
        may_go_by_bulk=item_of(state, state.teams_without_company) is not None,
    )


def _action(state: UserState, *, is_read: bool) -> PlannedAction:
    if state.contact is None:
        return PlannedAction.CREATE
    if calls_due.is_to_archive(state):
        return PlannedAction.ARCHIVE
    return PlannedAction.READ if is_read else PlannedAction.UPDATE


def _planned_team(state: TeamState) -> PlannedTeam:
    return replace(_decided_team(state), left_out=_reasons(state.fields_left_out))


def _reasons(left_out: Mapping[str, LeftOut]) -> dict[str, str]:
    return {name: reason.why for name, reason in sorted(left_out.items())}


def _decided_team(state: TeamState) -> PlannedTeam:
    left = _left(state.link.base, state.rules, state.tags)
    if state.problem:
        return PlannedTeam(
            state.team_id, PlannedAction.PARK, left=left, problem=state.problem.message
        )
    if state.was_never_there:
        return PlannedTeam(state.team_id, PlannedAction.ABSENT)
    if not state.needs_call:
        return PlannedTeam(state.team_id, PlannedAction.NONE, left=left)
    tags = state.tag_plan
    moves = len(tags.put_on) + len(tags.take_off)
    return PlannedTeam(
        state.team_id,
        _action_on_team(state),
        _changes(state.plan, state.company),
        left,
        tag=[(state.app.tags or {})[key] for key in tags.put_on],
        untag=tags.take_off,
        calls=moves + int(state.needs_upsert or moves > 0),
    )


def _action_on_team(state: TeamState) -> PlannedAction:
    if state.company is None:
        return PlannedAction.CREATE
    return PlannedAction.UPDATE if state.needs_upsert or state.moves_tags else PlannedAction.NONE


def _changes(plan: Reconciliation, there: object | None) -> tuple[PlannedChange, ...]:
    """`there`: the contact or company; of one that is yet to be made, nothing is cleared."""
    return tuple(
        PlannedChange(
            field=decision.field.name,
            side=decision.write_to,
            old=decision.app if decision.write_to is Side.APP else decision.intercom,
            new=decision.value,
            why=decision.why,
            looks=decision.deferred,
            kind=decision.field.kind,
        )
        for decision in plan.decisions
        if decision.write_to is not None and not (there is None and decision.value is None)
    )


def _left(base: Values, rules: Rules, tags: Collection[str]) -> tuple[str, ...]:
    """Columns with a value that both sides once agreed on, and that nobody selects any more.

    `tags`: those that we put on.
    """
    held = {name for name, value in base.items() if value is not None}
    kept = {name for name in held if name.startswith((OPTED_OUT, SENT))}
    if rules.tags is None and tags:
        held.add(TAGS)
    return tuple(sorted(held - set(rules.fields) - kept - {CONSIDERED_ZONE.name}))
