"""What `plan` prints: users and teams that were named, totals, calls, the plan's id."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import reduce

from rich.console import Console
from rich.text import Text

from intercom_assets.cli.output.tables import Listing, cell, plain
from intercom_assets.database.app.lookups import SharedEmails
from intercom_assets.domain.errors import as_sentence
from intercom_assets.domain.fields import Field
from intercom_assets.domain.guards import Counts
from intercom_assets.domain.tags import TAGGED_WHY, UNTAGGED_WHY
from intercom_assets.domain.values import count_of
from intercom_assets.domain.vocabulary import PlannedAction, QueueKind
from intercom_assets.sync.context.switched_ids import Switch
from intercom_assets.sync.engine.bulk import Outlook
from intercom_assets.sync.engine.planned import PlannedChange, PlannedTeam, PlannedUser
from intercom_assets.sync.passes.users.lead_search import LEADS_A_CALL

SHOWN = 20
"""Users and teams that cannot be synced, of everybody, that are listed; all are counted."""
LABELS = {
    PlannedAction.CREATE: "to create",
    PlannedAction.UPDATE: "to change",
    PlannedAction.ARCHIVE: "to archive",
    PlannedAction.READ: "to read first, since Intercom's values may have changed just now",
    PlannedAction.FIND: "to search for, since they left before the first sync",
    PlannedAction.NONE: "unchanged",
    PlannedAction.ABSENT: "in neither the app nor Intercom",
    PlannedAction.ERASED: "erased on request, left untouched",
    PlannedAction.PARK: "that cannot be synced until their row changes",
}


NOT_LOOKED = (
    "Intercom was not read: changes made there since it was last read are not included; "
    "--look includes them."
)


class PlanSummary:
    """Counts of everybody, and the users and teams themselves where they were named."""

    def __init__(self, *, shown: bool) -> None:
        self.users: list[PlannedUser] = []
        self.teams: list[PlannedTeam] = []
        self.user_actions: Counter[PlannedAction] = Counter()
        self.team_actions: Counter[PlannedAction] = Counter()
        self.user_fields: Counter[str] = Counter()
        self.team_fields: Counter[str] = Counter()
        self.left: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.attaches = self.merges = self.searches = 0
        self.companies_to_make: set[str] = set()
        self.tags = self.untags = self.team_tags = self.team_untags = self.team_calls = 0
        self.tags_to_make: set[str] = set()
        self.to_make: Mapping[str, Sequence[Field]] = {}
        self.plan_id, self.minutes = "", 0.0
        self.unasked: str | None = None
        self.looked = True
        self.edited: Counter[str] = Counter()
        self.lost = 0
        self.past_guards: Sequence[str] = ()
        self.new_users: list[str] = []
        self.new_teams: list[str] = []
        self.switches: Sequence[Switch] = ()
        self.shared = SharedEmails()
        self.bulk_users = self.bulk_teams = self.bulk_saves = 0
        self.bulk: Outlook | None = None
        self.bulk_minutes = 0.0
        self._shown = shown
        self._counts = Counts()

    def add_user(self, user: PlannedUser) -> None:
        self._counts = self._counts.plus(user.counts)
        self.user_actions[user.action] += 1
        self.user_fields.update(change.field for change in user.changes)
        self.left.update(user.left)
        self.left_out.update(user.left_out.keys())
        self.edited.update(edit.field for edit in user.edits)
        self.lost += user.lost
        self.attaches += len(user.attach)
        self.merges += len(user.merge)
        self.searches += user.searched
        self.companies_to_make.update(user.companies_to_make)
        self.tags += len(user.tag)
        self.untags += len(user.untag)
        self.tags_to_make.update(user.tags_to_make)
        if user.may_go_by_bulk:
            self.bulk_users += 1
            self.bulk_saves += user.calls
        if user.action is PlannedAction.CREATE:
            self.new_users.append(user.user_id)
        if self._shown or (user.problem and len(self.users) < SHOWN):
            self.users.append(user)

    def add_team(self, team: PlannedTeam) -> None:
        self.team_actions[team.action] += 1
        self.team_fields.update(change.field for change in team.changes)
        self.team_calls += team.calls
        self.bulk_teams += team.may_go_by_bulk
        self.team_tags += len(team.tag)
        self.team_untags += len(team.untag)
        self.left.update(team.left)
        self.left_out.update(team.left_out.keys())
        if team.action is PlannedAction.CREATE:
            self.new_teams.append(team.team_id)
        if self._shown or (team.problem and len(self.teams) < SHOWN):
            self.teams.append(team)

    @property
    def nowhere(self) -> list[str]:
        """Who was named and is on neither side."""
        users = [f"user {u.user_id}" for u in self.users if u.action is PlannedAction.ABSENT]
        return users + [f"team {t.team_id}" for t in self.teams if t.action is PlannedAction.ABSENT]

    @property
    def counts(self) -> Counts:
        """What the guards look at, and a plan's id is made of."""
        return reduce(Counts.plus, (switch.counts for switch in self.switches), self._counts)

    @property
    def attributes_to_make(self) -> list[tuple[str, Field]]:
        return [(model, field) for model, fields in self.to_make.items() for field in fields]

    @property
    def calls(self) -> int:
        """Of everything, each by itself: users, companies, searches of leads, attributes, tags."""
        searches = -(-self.searches // LEADS_A_CALL)
        made = len(self.attributes_to_make) + len(self.tags_to_make)
        return self._counts.calls + self.team_calls + searches + made


# --- for people -----------------------------------------------------------------------------------


def print_summary(console: Console, summary: PlanSummary) -> None:
    for user in summary.users:
        _show(
            console, f"User {user.user_id}: {user.problem or LABELS[user.action]}", _of_user(user)
        )
    for team in summary.teams:
        _show(
            console, f"Team {team.team_id}: {team.problem or LABELS[team.action]}", _of_team(team)
        )
    fields = summary.user_fields, summary.team_fields
    for what, counted in zip(("users", "teams"), fields, strict=True):
        if counted:
            console.print(_fields_table(what, counted))
    for line in _lines(summary):
        console.print(Text(plain(line)), soft_wrap=True)


def _show(console: Console, title: str, table: Listing) -> None:
    console.print(Text(plain(title)), soft_wrap=True)
    if table.row_count:
        console.print(table)


def _lines(summary: PlanSummary) -> list[str]:
    counts = summary.counts
    lines = [
        f"{count_of(counts.users, 'user')}: {_actions(summary.user_actions)}",
        f"{count_of(summary.team_actions.total(), 'team')}: {_actions(summary.team_actions)}",
        f"Memberships: {summary.attaches:,} to attach, {counts.detaches:,} to detach. "
        f"Leads: {summary.searches:,} addresses to search, {summary.merges:,} found to merge.",
    ]
    if summary.tags or summary.untags:
        made = f", {count_of(len(summary.tags_to_make), 'tag')} to make first"
        lines.append(
            f"Tags: {summary.tags:,} to put on, {summary.untags:,} to take off"
            f"{made if summary.tags_to_make else ''}."
        )
    if summary.team_tags or summary.team_untags:
        lines.append(
            f"Tags of companies: {summary.team_tags:,} to put on, "
            f"{summary.team_untags:,} to take off."
        )
    for model, new in summary.to_make.items():
        if new:
            names = ", ".join(f"{field.intercom} ({field.kind})" for field in new)
            lines.append(f"Custom attributes of a {model} to make: {names}")
    for name, count in summary.left.most_common():
        lines.append(
            f"{name} is no longer in the mapping: its value stays in Intercom for {count:,}"
        )
    if summary.left_out:
        parts = ", ".join(f"{name} of {count:,}" for name, count in summary.left_out.most_common())
        lines.append(f"Left out; everything else is synced: {parts}.")
    if summary.edited:
        parts = ", ".join(f"{name} of {count:,}" for name, count in summary.edited.most_common())
        lines.append(f"Changed in Intercom since it was last read: {parts}.")
    if summary.lost:
        lines.append(f"{count_of(summary.lost, 'contact')} can no longer be found in Intercom.")
    if summary.shared.users:
        lines.append(_sharing(summary.shared))
    if not summary.looked and not summary.unasked:
        lines.append(NOT_LOOKED)
    if summary.unasked:
        lines.append(f"{summary.unasked} Existing contacts and leads look new in this plan.")
    cost = _cost(summary.calls, summary.minutes)
    lines.append(f"About {cost} at the present limit.")
    if summary.bulk is not None:
        lines.append(_by_bulk(summary.bulk, summary.bulk_minutes))
    if summary.past_guards:
        lines.append(
            f"This exceeds the guards in sync.yaml: it {' and '.join(summary.past_guards)}. If "
            f"that is intended: intercom-assets sync --all --accept {summary.plan_id}"
        )
    for switch in summary.switches:
        lines.append(as_sentence(f"{switch.finding}. {switch.way_on(summary.plan_id)}"))
    return [*lines, f"Plan {summary.plan_id}. Nothing was written."]


def _cost(calls: int, minutes: float) -> str:
    lasting = f"{minutes:,.1f} minutes" if minutes >= 1 else "less than a minute"
    return f"{count_of(calls, 'call')}, {lasting}"


def _by_bulk(bulk: Outlook, minutes: float) -> str:
    """What the other way takes: the one above is each user by itself."""
    if bulk.hindrance:
        return f"Not by bulk: {bulk.hindrance}."
    cost = f"about {_cost(bulk.calls, minutes)} and as long as Intercom's index is late"
    whom = f"with {count_of(bulk.users, 'user')} a hundred to a call"
    if bulk.is_on:
        return f"By bulk, as sync.yaml says: {cost}, {whom}."
    return f"bulk: preview in sync.yaml would make it {cost}, {whom}."


def _sharing(shared: SharedEmails) -> str:
    first = " and ".join(shared.groups[0])
    refused = f"refuses it to {shared.refused_if_strict:,} of them, which leaves their email out"
    return (
        f"{count_of(shared.users, 'user')} share an e-mail address with another, such as {first}. "
        f"Intercom mails it once for each; a workspace that takes an address only once {refused}."
    )


def _actions(actions: Counter[PlannedAction]) -> str:
    parts = [f"{count:,} {LABELS[action]}" for action, count in actions.most_common()]
    return ", ".join(parts) or "none"


def _fields_table(what: str, counted: Counter[str]) -> Listing:
    listing = Listing("", f"field of {what}", "to write", numbers=("to write",))
    for name, count in counted.most_common():
        listing.add(plain(name), f"{count:,}")
    return listing


def _of_user(user: PlannedUser) -> Listing:
    table = _table(user.changes)
    for edit in user.edits:
        then, now = cell(edit.then, edit.kind), cell(edit.now, edit.kind)
        table.add(plain(edit.field), "intercom", then, now, "somebody changed it there")
    for team in user.attach:
        table.add("membership", "intercom", "-", f"team {plain(team)}", "the user is in the team")
    for company in user.detach:
        why = "the user is not in the team"
        table.add("membership", "intercom", f"company {company}", "-", why)
    _add_tags(table, QueueKind.USER, user.tag, user.untag)
    for lead in user.merge:
        why = "it has the user's e-mail"
        table.add("lead", "intercom", f"lead {lead}", "merged into the user", why)
    _add_left(table, user.left, user.left_out)
    return table


def _of_team(team: PlannedTeam) -> Listing:
    table = _table(team.changes)
    _add_tags(table, QueueKind.TEAM, team.tag, team.untag)
    _add_left(table, team.left, team.left_out)
    return table


def _add_tags(table: Listing, kind: QueueKind, put_on: Sequence[str], off: Sequence[str]) -> None:
    for tag in put_on:
        table.add("tag", "intercom", "-", plain(tag), TAGGED_WHY[kind])
    for tag in off:
        table.add("tag", "intercom", plain(tag), "-", UNTAGGED_WHY)


def _table(changes: Sequence[PlannedChange]) -> Listing:
    table = Listing("", "field", "side", "old", "new", "why")
    for change in changes:
        look = "decided after reading: " if change.looks else ""
        old, new = cell(change.old, change.kind), cell(change.new, change.kind)
        table.add(plain(change.field), change.side, old, new, look + change.why)
    return table


def _add_left(table: Listing, left: Sequence[str], left_out: Mapping[str, str]) -> None:
    for name, why in left_out.items():
        table.add(plain(name), "intercom", "-", "-", f"LEFT OUT: {plain(why)}")
    for name in left:
        table.add(plain(name), "-", "-", "-", "no longer in the mapping: left in Intercom as it is")
