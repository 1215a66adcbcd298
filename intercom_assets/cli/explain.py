"""`explain`: why Intercom shows what it shows for one user, as a timeline.

Values of a person are printed here because the person was asked for by id; nowhere else are they.
"""

import json

import click

from intercom_assets.cli.cells import a_console
from intercom_assets.cli.explain_telling import Story, document, tell
from intercom_assets.cli.failures import Failed
from intercom_assets.cli.ids import ID
from intercom_assets.database.records import QueueKind
from intercom_assets.domain.models import AppUser
from intercom_assets.sync.environment import opened, read_environment
from intercom_assets.sync.services import Services
from intercom_assets.sync.spelling import named
from intercom_assets.sync.users import read_users, user_rules

SHOWN = 100
"""Entries of the timeline, the newest, unless another number is asked for."""


@click.command()
@click.option(
    "--user", "user_id", type=ID, required=True, metavar="ID", help="The app's id of the user."
)
@click.option(
    "--last",
    default=SHOWN,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="How many entries of the timeline, the newest.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
def explain(user_id: str, last: int, as_json: bool) -> None:
    """Show what was decided for one user, when and why. Reads; calls nobody.

    Each write with who wins the field, both sides' values when it was decided, what they had
    agreed on before, Intercom's request id, and the run. Edits that lost stand out.

    Example: intercom-assets explain --user 7
    """
    with opened(read_environment()) as services:
        story = _story(services, user_id, last)
    if not story.is_known:
        raise Failed(f"Nothing is known of user {user_id}: the app has none, and nothing was done.")
    if as_json:
        click.echo(json.dumps(document(story), indent=2))
    else:
        tell(a_console(), story)


def _story(services: Services, user_id: str, last: int) -> Story:
    """With how a pass would decide now, on what is remembered of Intercom."""
    store = services.store
    [user_id] = named(services, QueueKind.USER, [user_id])
    user = read_users(services, [user_id], user_rules(services, {}))[0]
    in_app = isinstance(user.row, AppUser)
    erased = store.tombstones([user_id])
    rows = store.explain(user_id, last + 1)
    return Story(
        user_id=user_id,
        link=user.link,
        in_app=in_app,
        problem=user.problem.message if user.problem else None,
        decisions=user.plan().decisions if in_app and not erased else (),
        base=user.base,
        left_out=user.fields_left_out,
        waiting=store.waiting(QueueKind.USER, user_id),
        held=user_id in store.held_gone().keys,
        erased=erased[0] if erased else None,
        rows=rows[:last],
        has_more=len(rows) > last,
    )
