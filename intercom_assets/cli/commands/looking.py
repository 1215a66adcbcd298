"""Commands that only look: `check`, `explain`, `plan`, `status`."""

import re

import click

from intercom_assets.cli.commands import shared
from intercom_assets.cli.ids import ID, NamesIds
from intercom_assets.cli.loading import ending_at_once
from intercom_assets.domain.alarms import LIMITS

LAST = 100
"""Entries of a timeline, the newest, unless another number is asked for."""
ANY = "any"
_CONDITION = re.compile(r"([a-z]+)(?:>(\d+(?:\.\d+)?))?")


@click.command()
@click.option(
    "--probe",
    is_flag=True,
    help="Instead: make two contacts and a company in a workspace to develop in, measure by them "
    "what Intercom does not document, and delete them.",
)
@click.option("--save", is_flag=True, help="With --probe: keep what was measured.")
@click.option(
    "--in-production",
    is_flag=True,
    help="With --probe: also where the workspace looks like production.",
)
@shared.as_json
@click.pass_context
def check(ctx: click.Context, probe: bool, save: bool, in_production: bool, as_json: bool) -> None:
    """Look at everything that the sync needs; every red line says what to do.

    Writes nothing, unless --probe is asked for. Exit code 1 if a line is red.

    Example: intercom-assets check
    """
    if (save or in_production) and not probe:
        raise click.UsageError("--save and --in-production belong to --probe.")
    if probe:
        with ending_at_once():
            from intercom_assets.cli import probe as probing
        probing.run_probe(save, in_production, as_json)
        return
    with ending_at_once():
        from intercom_assets.cli import check as work
    work.check(ctx, as_json)


@click.command()
@click.option("--user", "user_id", type=ID, metavar="ID", help="The app's id of the user.")
@click.option("--team", "team_id", type=ID, metavar="ID", help="The app's id of the team.")
@click.option(
    "--last",
    default=LAST,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="How many entries of the timeline, the newest.",
)
@shared.as_json
def explain(user_id: str | None, team_id: str | None, last: int, as_json: bool) -> None:
    """Show what was decided for one user or team, when and why. Reads; calls nobody.

    Each write with who wins the field, both sides' values when it was decided, what they had
    agreed on before, Intercom's request id, and the run. Edits that lost stand out.

    Example: intercom-assets explain --user 7

    Example: intercom-assets explain --team 3
    """
    if (user_id is None) == (team_id is None):
        raise click.UsageError("Name one user (--user ID) or one team (--team ID).")
    with ending_at_once():
        from intercom_assets.cli import explain as work
    work.explain(user_id, team_id, last, as_json)


@click.command(cls=NamesIds)
@shared.users
@shared.teams
@click.option("--look", is_flag=True, help="Look at everybody's contact in Intercom, too.")
@shared.as_json
def plan(users: tuple[str, ...], teams: tuple[str, ...], look: bool, as_json: bool) -> None:
    """Show what a sync would change; of everybody, if none are named. Writes nothing.

    Named users are read from Intercom, one call each; everybody only with --look (150 a call).

    Example: intercom-assets plan --user 7 8
    """
    with ending_at_once():
        from intercom_assets.cli import plan as work
    work.plan(users, teams, look, as_json)


class Conditions(click.ParamType[dict[str, float]]):
    """`parked`, `waiting>60`, `any`; several with commas between."""

    name = "NAME[>N]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, float]:
        limits: dict[str, float] = {}
        for condition in str(value).replace(" ", "").split(","):
            found = _CONDITION.fullmatch(condition)
            name, limit = found.groups() if found else (condition, None)
            if name == ANY and limit is None:
                limits = {**LIMITS, **limits}
            elif name in LIMITS:
                limits[name] = LIMITS[name] if limit is None else float(limit)
            else:
                self.fail(f"{condition!r} is none of {', '.join(LIMITS)}, {ANY}", param, ctx)
        return limits


@click.command()
@click.option(
    "--fail-if",
    "conditions",
    type=Conditions(),
    multiple=True,
    help=f"Exit with 1 if one of these is above its limit: {', '.join(LIMITS)}, or {ANY} of them. "
    "NAME>N sets another limit. Several may be given.",
)
@click.option(
    "--shared-emails",
    "shares",
    is_flag=True,
    help="Name users of the app who share an e-mail address, by id; it reads everybody there.",
)
@shared.as_json
def status(conditions: tuple[dict[str, float], ...], shares: bool, as_json: bool) -> None:
    """Show what waits, how long already, what is parked, and what is used of Intercom's limit.

    The exit code is 0 whatever is shown, unless --fail-if asks for another; it is 1 if nothing
    can be shown. What is an alarm stands below `Attention`, and in `alarms` of the JSON.

    Example, for a monitor: intercom-assets status --json --fail-if any

    Example: intercom-assets status --fail-if 'parked>10,waiting>60'
    """
    with ending_at_once():
        from intercom_assets.cli import status as work
    work.status(conditions, shares, as_json)
