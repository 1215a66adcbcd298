"""`init`: a mapping to begin with; with `--from`, one that is proposed from the app's tables."""

from pathlib import Path

import click

from intercom_assets.cli.commands.shared import FROM_ENVIRONMENT
from intercom_assets.database.app.catalogue import read_catalogue
from intercom_assets.mapping.load import FILES
from intercom_assets.mapping.proposal.proposing import propose
from intercom_assets.mapping.starting import starter, write_files
from intercom_assets.sync.environment import (
    APP_DATABASE_URL,
    INTERCOM_SYNC_CONFIG,
    ConfigurationError,
    read_environment,
)

EDIT = "Edit the three queries in {folder}: your tables, your columns. sync.yaml can stay as it is."
LOOK = "Look through the three queries in {folder}: each choice has its reason beside it."
TRIGGERS = "intercom-assets install-capture    # sync.yaml says capture: triggers"


def init(folder: Path, source: str | None, users: str, teams: str) -> None:
    texts, sentences = (starter(), ()) if source is None else _proposed(source, users, teams)
    for made in write_files(folder, texts):
        click.echo(f"made {made}")
    for sentence in sentences:
        click.echo(f"- {sentence}")
    capture = "\ncapture: triggers\n" in texts[FILES[-1]]
    steps = [
        (LOOK if source else EDIT).format(folder=folder),
        f"export {INTERCOM_SYNC_CONFIG}={folder.resolve()}",
        *(["intercom-assets init-db", TRIGGERS] if capture else []),
        "intercom-assets check",
    ]
    for number, step in enumerate(steps, start=1):
        click.echo(f"{number}. {step}")


def _proposed(source: str, users: str, teams: str) -> tuple[dict[str, str], tuple[str, ...]]:
    url = read_environment().app_url if source == FROM_ENVIRONMENT else source
    if not url:
        raise ConfigurationError(
            f"{APP_DATABASE_URL} is not set: set it to the address of the app's database, or name "
            "that: intercom-assets init DIR --from postgresql://user:password@host:5432/name"
        )
    proposal = propose(read_catalogue(url), users, teams)
    return proposal.files, proposal.sentences
