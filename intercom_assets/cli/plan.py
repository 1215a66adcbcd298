"""`plan`: what a sync would change, field by field, before anything does.

Calls nobody and writes nothing. Values are shown for users that were named; for everybody only
fields and counts are.
"""

import json
from collections import Counter

import click
from rich.console import Console
from rich.table import Table

from intercom_assets.cli.ids import NamesIds
from intercom_assets.domain.guards import Counts, plan_id
from intercom_assets.domain.models import Value
from intercom_assets.sync.environment import opened, read_environment
from intercom_assets.sync.plan import PlannedUser, plan_users
from intercom_assets.sync.services import Services

CALLS_A_MINUTE = 10_000
"""What Intercom permits an app by default (intercom-api section 3)."""


@click.command(cls=NamesIds)
@click.option("--user", "users", multiple=True, metavar="ID...", help="These; default: everybody.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
def plan(users: tuple[str, ...], as_json: bool) -> None:
    """Show what a sync would change. Writes nothing on either side.

    Example: intercom-assets plan --user 7 8
    """
    with opened(read_environment()) as services:
        keys = list(dict.fromkeys(users)) or _everybody(services)
        summary = _Summary(shown=bool(users))
        for planned in plan_users(services, keys):
            summary.add(planned)
        accepted = plan_id(summary.counts, services.app.mapping_version)
        minutes = summary.counts.calls / (CALLS_A_MINUTE * services.settings.rate_share)
    if as_json:
        click.echo(json.dumps(_document(summary, accepted, minutes), indent=2))
        return
    _print(Console(), summary, accepted, minutes)


class _Summary:
    """Counts for everybody, and the users themselves where they were named."""

    def __init__(self, *, shown: bool) -> None:
        self.counts = Counts()
        self.actions: Counter[str] = Counter()
        self.fields: Counter[str] = Counter()
        self.users: list[PlannedUser] = []
        self._shown = shown

    def add(self, planned: PlannedUser) -> None:
        self.counts = self.counts.plus(planned.counts)
        self.actions[planned.action] += 1
        self.fields.update(change.field for change in planned.changes)
        if self._shown or planned.problem:
            self.users.append(planned)


def _everybody(services: Services) -> list[str]:
    return [row.id for rows in services.app.stream_users() for row in rows]


def _print(console: Console, summary: _Summary, accepted: str, minutes: float) -> None:
    for user in summary.users:
        console.print(_user_table(user))
    fields = Table(title="Fields that would be written", title_justify="left")
    fields.add_column("field")
    fields.add_column("users", justify="right")
    for name, count in summary.fields.most_common():
        fields.add_row(name, f"{count:,}")
    if summary.fields:
        console.print(fields)
    actions = ", ".join(f"{count:,} {action}" for action, count in summary.actions.most_common())
    console.print(f"{summary.counts.users:,} users: {actions}", highlight=False)
    console.print(
        f"About {summary.counts.calls:,} calls, {minutes:.1f} minutes at the present limit.",
        highlight=False,
    )
    console.print(f"Plan {accepted}. Nothing was written.", highlight=False, soft_wrap=True)


def _user_table(user: PlannedUser) -> Table:
    title = f"User {user.user_id}: {user.problem or user.action}"
    table = Table("field", "side", "old", "new", "why", title=title, title_justify="left")
    for change in user.changes:
        look = "decided on a look: " if change.looks else ""
        table.add_row(
            change.field, change.side, _text(change.old), _text(change.new), look + change.why
        )
    for team in user.attach:
        table.add_row("membership", "intercom", "-", f"team {team}", "the user is in the team")
    for company in user.detach:
        why = "the user is not in the team"
        table.add_row("membership", "intercom", f"company {company}", "-", why)
    return table


def _document(summary: _Summary, accepted: str, minutes: float) -> dict[str, object]:
    counts = summary.counts
    return {
        "plan": accepted,
        "users": counts.users,
        "actions": dict(summary.actions),
        "fields": dict(summary.fields),
        "creates": counts.creates,
        "changes": counts.changes,
        "archives": counts.archives,
        "detaches": counts.detaches,
        "calls": counts.calls,
        "minutes": round(minutes, 2),
        "details": [_user_document(user) for user in summary.users],
    }


def _user_document(user: PlannedUser) -> dict[str, object]:
    return {
        "id": user.user_id,
        "action": user.action,
        "problem": user.problem,
        "changes": [
            {
                "field": c.field,
                "side": c.side,
                "old": c.old,
                "new": c.new,
                "why": c.why,
                "looks_first": c.looks,
            }
            for c in user.changes
        ],
        "attach": list(user.attach),
        "detach": list(user.detach),
    }


def _text(value: Value) -> str:
    return "-" if value is None else str(value)
