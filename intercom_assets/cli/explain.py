"""`explain`: why Intercom shows what it shows for one user, as a timeline.

Values of a person are printed here because the person was asked for by id; nowhere else are they.
"""

import json
from datetime import UTC, datetime

import click
from rich.table import Table

from intercom_assets.cli.cells import a_console, cell
from intercom_assets.cli.failures import Failed
from intercom_assets.cli.ids import ID
from intercom_assets.database.records import JournalRow
from intercom_assets.domain.fields import Field
from intercom_assets.domain.models import AppUser, UserLink, Value
from intercom_assets.domain.reconcile import Decision
from intercom_assets.sync.environment import opened, read_environment
from intercom_assets.sync.services import Services
from intercom_assets.sync.users import read_users, user_rules

SHOWN = 100
OVERRULED = "overruled"


@click.command()
@click.option(
    "--user", "user_id", type=ID, required=True, metavar="ID", help="The app's id of the user."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
def explain(user_id: str, as_json: bool) -> None:
    """Show what was decided for one user, when and why. Reads; calls nobody.

    Example: intercom-assets explain --user 7
    """
    with opened(read_environment()) as services:
        rows = services.store.explain(user_id, SHOWN)
        decisions, link, known = _present(services, user_id)
    if not rows and not known and link.contact_id is None:
        raise Failed(f"Nothing is known of user {user_id}: the app has none, and nothing was done.")
    if as_json:
        click.echo(json.dumps(_document(user_id, link, rows, decisions), indent=2))
        return
    console = a_console()
    console.print(_headline(user_id, link), highlight=False)
    console.print(_decisions_table(decisions))
    console.print(_timeline(rows))


def _present(services: Services, user_id: str) -> tuple[list[Decision], UserLink, bool]:
    """How a pass would decide now, on what is remembered of Intercom."""
    user = read_users(services, [user_id], user_rules(services, {}))[0]
    known = isinstance(user.row, AppUser)
    return list(user.plan().decisions) if known else [], user.link, known


def _headline(user_id: str, link: UserLink) -> str:
    if link.contact_id is None:
        return f"User {user_id} has no contact in Intercom that we know of."
    looked = f", read {_age(link)}" if link.shadow_read_at else ", seen in a listing only"
    return f"User {user_id} is contact {link.contact_id}{looked}."


def _age(link: UserLink) -> str:
    return f"at {_utc(link.shadow_read_at or 0)}"


def _decisions_table(decisions: list[Decision]) -> Table:
    table = Table(title="Who wins now", title_justify="left")
    for name in ("field", "policy", "app", "Intercom", "what a pass would do"):
        table.add_column(name, overflow="fold")
    for decision in decisions:
        table.add_row(
            decision.field.name,
            decision.field.policy,
            _shown(decision.field, decision.app),
            _shown(decision.field, decision.intercom),
            _would_do(decision),
        )
    return table


def _would_do(decision: Decision) -> str:
    if decision.write_to is None:
        return "nothing"
    look = "look first; " if decision.deferred else ""
    return f"{look}write to {decision.write_to}: {decision.why}"


def _timeline(rows: list[JournalRow]) -> Table:
    table = Table(title="What was done, newest first", title_justify="left")
    for name in ("when", "what", "field", "old", "new", "why", "request", "run"):
        table.add_column(name, overflow="fold")
    for row in rows:
        entry = row.entry
        side = f" -> {entry.side}" if entry.side else ""
        table.add_row(
            f"{row.at:%Y-%m-%d %H:%M:%S}",
            f"{entry.action}{side}",
            entry.field or "",
            cell(entry.old),
            cell(entry.new),
            entry.why,
            entry.request_id or "",
            row.run_id[:12],
            style="bold red" if entry.action == OVERRULED else None,
        )
    return table


def _shown(field: Field, value: Value) -> str:
    if field.kind == "date" and isinstance(value, int):
        return _utc(value)
    return cell(value)


def _utc(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _document(
    user_id: str, link: UserLink, rows: list[JournalRow], decisions: list[Decision]
) -> dict[str, object]:
    return {
        "user": user_id,
        "contact": link.contact_id,
        "read_at": link.shadow_read_at,
        "fields": [
            {
                "field": each.field.name,
                "policy": each.field.policy,
                "app": each.app,
                "intercom": each.intercom,
                "would_write_to": each.write_to,
                "looks_first": each.deferred,
                "why": each.why,
            }
            for each in decisions
        ],
        "timeline": [
            {
                "at": row.at.isoformat(),
                "action": row.entry.action,
                "field": row.entry.field,
                "side": row.entry.side,
                "old": row.entry.old,
                "new": row.entry.new,
                "why": row.entry.why,
                "request_id": row.entry.request_id,
                "run_id": row.run_id,
            }
            for row in rows
        ],
    }
