"""Options that mean the same in several commands, and what a command and its work both know."""

import click

from intercom_assets.cli.ids import ID

FROM_ENVIRONMENT = " "
"""`init --from` without an address."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
users = click.option(
    "--user", "users", type=ID, multiple=True, metavar="ID...", help="These users."
)
teams = click.option(
    "--team", "teams", type=ID, multiple=True, metavar="ID...", help="These teams."
)
