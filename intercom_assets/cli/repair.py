"""Putting things right by hand: parked users tried again, a run taken back, a person erased."""

import json

import click
from rich.table import Table

from intercom_assets.cli.cells import a_console, cell
from intercom_assets.cli.failures import FAILED, Failed
from intercom_assets.cli.ids import ID, NamesIds
from intercom_assets.database.records import QueueKind
from intercom_assets.sync.batch import new_run_id
from intercom_assets.sync.environment import opened, read_environment
from intercom_assets.sync.erase import Receipt, erase_user
from intercom_assets.sync.undo import State, Step, plan_undo
from intercom_assets.sync.undo import undo as take_back


@click.command(cls=NamesIds)
@click.option("--user", "users", type=ID, multiple=True, metavar="ID...", help="These users.")
@click.option("--team", "teams", type=ID, multiple=True, metavar="ID...", help="These teams.")
@click.option("--all", "everybody", is_flag=True, help="Everybody who is parked.")
@click.option("--gone", is_flag=True, help="Users held as gone: treat them as gone indeed.")
def retry(users: tuple[str, ...], teams: tuple[str, ...], everybody: bool, gone: bool) -> None:
    """Put parked users and teams back into the queue, their attempts counted anew.

    Example: intercom-assets retry --user 7 8
    """
    if bool(users or teams) + everybody + gone != 1:
        raise click.UsageError("Say whom: --user ID..., --team ID..., --all alone, or --gone.")
    with opened(read_environment()) as services:
        if gone:
            count = services.store.release_gone() + services.store.release_gone(QueueKind.TEAM)
        elif everybody:
            count = sum(services.store.retry(kind) for kind in QueueKind)
        else:
            count = services.store.retry(QueueKind.USER, users) if users else 0
            count += services.store.retry(QueueKind.TEAM, teams) if teams else 0
    click.echo(f"{count:,} back in the queue.")
    named = len(set(users)) + len(set(teams))
    if named > count:
        raise Failed(f"{named - count:,} of those named are not parked.")


@click.command()
@click.option("--run", "run_id", required=True, metavar="ID", help="As `explain` shows it.")
@click.option("--yes", is_flag=True, help="Take it back; without this only the plan is shown.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
def undo(run_id: str, yes: bool, as_json: bool) -> None:
    """Take back what a run wrote, where nobody changed it since.

    Without --yes it shows the plan and writes nothing.

    Example: intercom-assets undo --run 0f2c1a --yes
    """
    configuration = read_environment()
    if yes and configuration.refusal:
        raise Failed(configuration.refusal)
    with opened(configuration) as services:
        steps = plan_undo(services, run_id)
        if not steps:
            raise Failed(f"No run {run_id} wrote anything that the journal still knows.")
        if yes:
            done = {_key(s): s for s in take_back(services, new_run_id("undo"), steps)}
            steps = [done.get(_key(step), step) for step in steps]
    if as_json:
        click.echo(json.dumps([_step_document(step) for step in steps], indent=2))
        return
    a_console().print(_steps_table(steps))
    if not yes and any(step.state is State.DUE for step in steps):
        click.echo("Nothing was written. Run it again with --yes to take back what is due.")


@click.command()
@click.option(
    "--user", "user_id", type=ID, required=True, metavar="ID", help="The app's id of the user."
)
@click.option("--yes", is_flag=True, help="Do it; without this nothing is deleted.")
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as JSON.")
@click.pass_context
def erase(ctx: click.Context, user_id: str, yes: bool, as_json: bool) -> None:
    """Delete one person from Intercom and from our own tables, with a receipt.

    The person is never made again by a later sync, sweep or backfill.

    Example: intercom-assets erase --user 7 --yes
    """
    configuration = read_environment()
    if not yes:
        raise click.UsageError(f"This deletes user {user_id} in Intercom for good: say --yes.")
    if configuration.refusal:
        raise Failed(configuration.refusal)
    with opened(configuration) as services:
        receipt = erase_user(services, user_id)
    if as_json:
        click.echo(json.dumps({"user": user_id, **receipt.document()}, indent=2))
    else:
        click.echo(_told(receipt))
    ctx.exit(0 if receipt.complete else FAILED)


def _told(receipt: Receipt) -> str:
    what = (
        f"Contact {receipt.contact_id} deleted"
        if receipt.deleted
        else "Intercom had no contact of this user"
    )
    both = "yes" if receipt.complete else "NO: run it again"
    return "\n".join(
        [
            f"{what}; our own copies of user {receipt.user_id} are removed.",
            f"Both look-ups answer 404: {both}",
            f"Requests: {', '.join(receipt.requests) or 'none'}",
        ]
    )


def _steps_table(steps: list[Step]) -> Table:
    table = Table(title="What the run wrote", title_justify="left")
    for name in ("user", "field", "side", "was", "wrote", "now", ""):
        table.add_column(name, overflow="fold")
    for step in steps:
        values = (cell(step.was), cell(step.wrote), cell(step.now))
        table.add_row(step.user_id, step.field, step.side, *values, step.state)
    return table


def _step_document(step: Step) -> dict[str, object]:
    return {
        "user": step.user_id,
        "field": step.field,
        "side": step.side,
        "was": step.was,
        "wrote": step.wrote,
        "now": step.now,
        "state": step.state,
    }


def _key(step: Step) -> tuple[str, str, str]:
    return step.user_id, step.field, step.side
