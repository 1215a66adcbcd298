"""`plan`: what a sync would change, field by field, before anything does.

Writes nothing, on neither side nor in our own tables. Values are shown for users and teams that
were named; for everybody only fields and counts are. What is printed is `plan_telling.py`'s.
"""

import json
from collections.abc import Iterable, Sequence

import click

from intercom_assets.cli.failures import FAILED, CommandFailed
from intercom_assets.cli.ids import several
from intercom_assets.cli.output.plan import PlanSummary, print_summary
from intercom_assets.cli.output.plan_document import document
from intercom_assets.cli.output.progress import Bars, progress_on
from intercom_assets.cli.output.tables import a_console
from intercom_assets.domain.guards import plan_id
from intercom_assets.domain.models import AppTeam, AppUser, InvalidRow
from intercom_assets.domain.vocabulary import AttributeModel, QueueKind
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.spellings import named
from intercom_assets.sync.context.switched_ids import Switch, find_switch
from intercom_assets.sync.engine.bulk import outlook
from intercom_assets.sync.engine.guard import past_guards
from intercom_assets.sync.engine.plan import plan_teams, plan_users
from intercom_assets.sync.environment import opened, read_environment
from intercom_assets.sync.operator.preview import Foresight, previewing
from intercom_assets.sync.operator.shared_emails import shared_emails


def plan(users: tuple[str, ...], teams: tuple[str, ...], look: bool, as_json: bool) -> None:
    configuration = read_environment()
    console = a_console(stderr=True)
    with opened(configuration) as services:
        asked = _named(services, users, teams) if users or teams else None
        with (
            progress_on(console, not as_json and console.is_terminal) as progress,
            previewing(
                services,
                None if asked is None else asked[0],
                ask=bool(configuration.token),
                look=look,
                progress=(bars := Bars(progress)).advance,
            ) as seen,
        ):
            keys = asked or _everybody(services)
            summary = _planned(seen, bars, *keys, shown=asked is not None)
            summary.switches = _switches(seen.services, summary)
            summary.plan_id = plan_id(summary.counts, services.app.mapping_version)
            summary.past_guards = past_guards(seen.services, summary.counts)
            summary.minutes = seen.minutes(summary.calls)
            _look_at_bulk(seen, summary)
            summary.unasked = seen.unasked
            summary.looked = look or asked is not None
            summary.to_make = seen.to_make
            summary.shared = shared_emails(services, None if asked is None else asked[0])
    if as_json:
        click.echo(json.dumps(document(summary), indent=2))
    else:
        print_summary(a_console(), summary)
    if seen.failed:
        raise click.exceptions.Exit(FAILED)
    if named is not None and (nowhere := summary.nowhere):
        raise CommandFailed(f"{nowhere[0]} is nowhere{several(nowhere[0])}.")


def _planned(
    seen: Foresight, bars: Bars, users: Sequence[str], teams: Sequence[str], *, shown: bool
) -> PlanSummary:
    summary = PlanSummary(shown=shown)
    bars.expect("users", len(users))
    unwritable = seen.unwritable.get(AttributeModel.CONTACT)
    for user in plan_users(
        seen.services,
        users,
        unwritable=unwritable,
        find_leads=seen.find_leads,
        contacts_now=seen.contacts_now,
    ):
        summary.add_user(user)
        bars.advance("users", 1)
    # Companies that these users need are made on their way.
    companies = list(dict.fromkeys([*teams, *summary.companies_to_make]))
    bars.expect("teams", len(companies))
    for team in plan_teams(seen.services, companies, seen.unwritable.get(AttributeModel.COMPANY)):
        summary.add_team(team)
        bars.advance("teams", 1)
    return summary


def _look_at_bulk(seen: Foresight, summary: PlanSummary) -> None:
    companies = summary.bulk_teams
    summary.bulk = outlook(
        seen.services,
        users=summary.bulk_users,
        companies=companies,
        saved=summary.bulk_saves + companies,
        calls=summary.calls,
    )
    if summary.bulk is not None:
        summary.bulk_minutes = seen.minutes(summary.bulk.calls)


def _switches(services: Services, summary: PlanSummary) -> list[Switch]:
    """As the runs look for them, which stop there."""
    new = {QueueKind.USER: summary.new_users, QueueKind.TEAM: summary.new_teams}
    found = (find_switch(services, kind, keys) for kind, keys in new.items())
    return [switch for switch in found if switch is not None]


def _named(
    services: Services, users: Sequence[str], teams: Sequence[str]
) -> tuple[Sequence[str], Sequence[str]]:
    return named(services, QueueKind.USER, users), named(services, QueueKind.TEAM, teams)


def _everybody(services: Services) -> tuple[Sequence[str], Sequence[str]]:
    return _ids(services.app.stream_users()), _ids(services.app.stream_teams())


def _ids(chunks: Iterable[Sequence[AppUser | AppTeam | InvalidRow]]) -> list[str]:
    return [row.id for rows in chunks for row in rows]
