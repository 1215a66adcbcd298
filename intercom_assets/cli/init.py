"""`init`: a mapping to begin with, for an app whose schema we do not know."""

from pathlib import Path

import click

from intercom_assets.mapping.starting import write_starter
from intercom_assets.sync.environment import INTERCOM_SYNC_CONFIG

NEXT = """\
1. Edit the three queries in {folder}: your tables, your columns. sync.yaml can stay as it is.
2. export {variable}={folder}
3. intercom-assets check"""


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Write a commented mapping into DIR, to be edited. Overwrites nothing.

    Example: intercom-assets init my_app
    """
    for made in write_starter(folder):
        click.echo(f"made {made}")
    click.echo(NEXT.format(folder=folder.resolve(), variable=INTERCOM_SYNC_CONFIG))
