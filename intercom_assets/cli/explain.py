"""`explain`: why Intercom shows what it shows for one user or team, as a timeline.

Values of a person are printed here because the person was asked for by id; nowhere else are they.
"""

import json

import click

from intercom_assets.cli.failures import CommandFailed
from intercom_assets.cli.output.explain import Story, print_summary
from intercom_assets.cli.output.explain_document import document
from intercom_assets.cli.output.tables import a_console
from intercom_assets.domain.tags import NOTHING
from intercom_assets.domain.vocabulary import AttributeModel, QueueKind
from intercom_assets.sync.context.attributes import unwritable_now
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.spellings import named
from intercom_assets.sync.environment import opened, read_environment
from intercom_assets.sync.passes.rules import team_rules, user_rules
from intercom_assets.sync.passes.teams.reading import read_teams
from intercom_assets.sync.passes.users.reading import read_users


def explain(user_id: str | None, team_id: str | None, last: int, as_json: bool) -> None:
    with opened(read_environment()) as services:
        if user_id is not None:
            story = _story_of_user(services, user_id, last)
        else:
            story = _story_of_team(services, team_id or "", last)
    if not story.is_known:
        raise CommandFailed(
            f"Nothing is known of {story.kind} {story.key}: not in the app, nor in the journal."
        )
    if as_json:
        click.echo(json.dumps(document(story), indent=2))
    else:
        print_summary(a_console(), story)


def _story_of_user(services: Services, user_id: str, last: int) -> Story:
    """With how a pass would decide now, on what is remembered of Intercom."""
    store = services.store
    [user_id] = named(services, QueueKind.USER, [user_id])
    rules = user_rules(services, unwritable_now(store).get(AttributeModel.CONTACT, {}))
    [user] = read_users(services, [user_id], rules)
    in_app = user.app.is_here
    erased = store.tombstones.find([user_id])
    rows = store.journal.of_key(user_id, last + 1)
    return Story(
        kind=QueueKind.USER,
        key=user_id,
        intercom_id=user.link.contact_id,
        read_at=user.link.shadow_read_at,
        archived=user.link.archived,
        tags=list(user.tags),
        tag_plan=NOTHING if erased else user.tag_plan,
        in_app=in_app,
        problem=user.problem.message if user.problem else None,
        decisions=user.plan.decisions if in_app and not erased else (),
        base=user.base,
        left_out=user.fields_left_out,
        waiting=store.queue.waiting(QueueKind.USER, user_id),
        held=user_id in store.gone.held().keys,
        erased=erased[0] if erased else None,
        rows=rows[:last],
        has_more=len(rows) > last,
    )


def _story_of_team(services: Services, team_id: str, last: int) -> Story:
    store = services.store
    [team_id] = named(services, QueueKind.TEAM, [team_id])
    rules = team_rules(services, unwritable_now(store).get(AttributeModel.COMPANY, {}))
    [team] = read_teams(services, [team_id], rules)
    in_app = team.app.is_here
    rows = store.journal.of_key(team_id, last + 1, QueueKind.TEAM)
    return Story(
        kind=QueueKind.TEAM,
        key=team_id,
        intercom_id=team.link.company_id,
        read_at=team.link.shadow_read_at,
        tags=list(team.tags),
        tag_plan=team.tag_plan,
        in_app=in_app,
        problem=team.problem.message if team.problem else None,
        decisions=team.plan.decisions if in_app else (),
        base=team.link.base,
        left_out=team.fields_left_out,
        waiting=store.queue.waiting(QueueKind.TEAM, team_id),
        held=team_id in store.gone.held(QueueKind.TEAM).keys,
        rows=rows[:last],
        has_more=len(rows) > last,
    )
