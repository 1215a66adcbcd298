"""Commands that change people on either side: `sync`, `retry`, `undo`, `erase`, `relink`."""

import click

from intercom_assets.cli.commands import shared
from intercom_assets.cli.ids import ID, NamesIds
from intercom_assets.cli.loading import ending_at_once


@click.command(cls=NamesIds)
@shared.users
@shared.teams
@click.option("--all", "everybody", is_flag=True, help="All teams, then all users.")
@click.option(
    "--accept", metavar="PLAN_ID", help="Go past the guards for this plan's kind and size."
)
@click.option("--look", is_flag=True, help="With --all: look at everybody's contact, too.")
@shared.as_json
@click.pass_context
def sync(
    ctx: click.Context,
    users: tuple[str, ...],
    teams: tuple[str, ...],
    everybody: bool,
    accept: str | None,
    look: bool,
    as_json: bool,
) -> None:
    """Bring users and teams into step now. Ctrl-C ends it after the chunk in work.

    Named users are read from Intercom, one call each. With --all that is done only if --look is
    given (150 contacts a call); without, an unchanged user costs no call.

    Example: intercom-assets sync --user 7 8
    """
    if everybody == bool(users or teams):
        raise click.UsageError("Say whom: --user ID..., --team ID..., or --all alone.")
    with ending_at_once():
        from intercom_assets.cli import sync as work
    work.sync(
        ctx,
        users=users,
        teams=teams,
        everybody=everybody,
        accept=accept,
        look=look,
        as_json=as_json,
    )


@click.command(cls=NamesIds)
@shared.users
@shared.teams
@click.option(
    "--all", "everybody", is_flag=True, help="All who are parked, or of whom a field is left out."
)
@click.option("--gone", is_flag=True, help="All who are held as gone: they are gone indeed.")
def retry(users: tuple[str, ...], teams: tuple[str, ...], everybody: bool, gone: bool) -> None:
    """Put parked users and teams back into the queue, their attempts counted anew.

    Those too of whom a field is left out, since Intercom refused it or somebody else kept writing
    it: it is sent again. The sensors' next run tries them, or `sync --user ID` at once. `status`
    lists who is parked and what is left out, and why.

    Example: intercom-assets retry --user 7 8
    """
    if bool(users or teams) + everybody + gone != 1:
        raise click.UsageError("Say whom: --user ID..., --team ID..., --all alone, or --gone.")
    with ending_at_once():
        from intercom_assets.cli import recovery as work
    work.retry(users, teams, everybody, gone)


@click.command()
@click.option(
    "--run",
    "given",
    required=True,
    metavar="ID",
    help="As `explain` and Dagster show it; its beginning is enough.",
)
@click.option("--yes", is_flag=True, help="Take it back; without this only the plan is shown.")
@shared.as_json
@click.pass_context
def undo(ctx: click.Context, given: str, yes: bool, as_json: bool) -> None:
    """Take back what a run wrote, where nobody changed it since.

    Fields on both sides, memberships, companies' fields, and archiving. What was changed since is
    left and listed. Nobody is deleted: a contact or company that the run created stays as it is.
    What is taken back stays so until the app's or Intercom's value changes; then the mapping
    decides again, so mend first what made the run go wrong. Without --yes it writes nothing.

    Example: intercom-assets undo --run 0f2c1a3b --yes
    """
    with ending_at_once():
        from intercom_assets.cli import recovery as work
    work.undo(ctx, given, yes, as_json)


@click.command()
@click.option("--user", "user_id", type=ID, metavar="ID", help="The app's id of the user.")
@click.option("--yes", is_flag=True, help="Do it; without this nothing is deleted.")
@click.option("--unknown", is_flag=True, help="Also an id that neither side knows.")
@click.option("--list", "listed", is_flag=True, help="List who was erased, and who is no more.")
@click.option("--lift", is_flag=True, help="The user may be made again; needs --reason.")
@click.option("--reason", metavar="TEXT", default="", help="Why; it is kept with who said so.")
@click.option("--json", "as_json", is_flag=True, help="Print the receipt, or the list, as JSON.")
@click.pass_context
def erase(
    ctx: click.Context,
    user_id: str | None,
    yes: bool,
    unknown: bool,
    listed: bool,
    lift: bool,
    reason: str,
    as_json: bool,
) -> None:
    """Delete one person from Intercom and from our own tables, with a receipt.

    The person is never made again by a later sync, sweep or backfill, unless --lift says so. What
    the app has stays; it is yours to delete. Cut short, run it again. Without --yes it shows the
    receipt of one who was erased before. An id that is nowhere is refused: see --unknown.

    Example: intercom-assets erase --user 7 --yes
    """
    if listed + bool(user_id) != 1 or (lift and (yes or not reason.strip())):
        raise click.UsageError(
            "Say --user ID (with --yes, or with --lift and --reason TEXT), or --list alone."
        )
    with ending_at_once():
        from intercom_assets.cli import recovery as work
    work.erase(ctx, user_id, yes=yes, unknown=unknown, lift=lift, reason=reason, as_json=as_json)


@click.command()
@click.option("--dry-run", is_flag=True, help="Show whose links would be moved; write nothing.")
@shared.as_json
@click.pass_context
def relink(ctx: click.Context, dry_run: bool, as_json: bool) -> None:
    """Give contacts to the new ids of their users, after the app switched its ids.

    For users whom the app no longer returns and whose e-mail one user has who is new to the sync:
    the contact gets the new id, with all that is remembered of it. Cut short, run it again; then
    `sync --all`. Who cannot be told by the e-mail is listed and left.

    Example: intercom-assets relink --dry-run
    """
    with ending_at_once():
        from intercom_assets.cli import relink as work
    work.relink(ctx, dry_run, as_json)
