"""Commands that make what the sync needs: `init`, `init-db`, the app's triggers, `up`, `listen`."""

from pathlib import Path

import click

from intercom_assets.cli.commands.shared import FROM_ENVIRONMENT
from intercom_assets.cli.loading import ending_at_once

DEFAULT_PORT = 3000
LISTENING_PORT = 8080

_accept = click.option(
    "--accept-publication",
    "accept",
    multiple=True,
    metavar="NAME",
    help="A publication whose subscribers have our tables already.",
)
_take_over = click.option(
    "--take-over", is_flag=True, help="Also what belongs to another workspace or mapping."
)
_dry_run = click.option("--dry-run", is_flag=True, help="Only print the statements.")


@click.command()
@click.argument(
    "folder", metavar="DIR", required=False, type=click.Path(file_okay=False, path_type=Path)
)
@click.option(
    "--from",
    "source",
    metavar="[URL]",
    is_flag=False,
    flag_value=FROM_ENVIRONMENT,
    help="Propose it from the tables of the app's database: at URL, or at APP_DATABASE_URL.",
)
@click.option("--users", metavar="TABLE", default="", help="With --from: the table of users.")
@click.option(
    "--teams", metavar="TABLE", default="", help="With --from: the table of teams, or none."
)
def init(folder: Path | None, source: str | None, users: str, teams: str) -> None:
    """Write a commented mapping into DIR, to be edited. Overwrites nothing.

    Example: intercom-assets init my_app --from
    """
    if folder is None and source and "://" not in source and "=" not in source:
        # `--from DIR`: an option with a value that may be left out takes what stands next.
        folder, source = Path(source), FROM_ENVIRONMENT
    if folder is None or not str(folder).strip():
        raise click.UsageError("Missing argument 'DIR'.")
    if source is None and (users or teams):
        raise click.UsageError("--users and --teams go with --from.")
    with ending_at_once():
        from intercom_assets.cli import init as work
    work.init(folder, source, users, teams)


@click.command("init-db")
@_accept
def init_db(accept: tuple[str, ...]) -> None:
    """Make or upgrade the sync's own tables, and size Dagster's pool.

    Whom the sync knows already, each becomes a partition, if Dagster does not know them yet.

    Example: intercom-assets init-db
    """
    with ending_at_once():
        from intercom_assets.cli import installation as work
    work.init_db(accept)


@click.command("install-capture")
@_dry_run
@_accept
@_take_over
def install_capture(dry_run: bool, accept: tuple[str, ...], take_over: bool) -> None:
    """Make the change log and its triggers in the app's database.

    Example: intercom-assets install-capture --dry-run
    """
    with ending_at_once():
        from intercom_assets.cli import installation as work
    work.install(dry_run, accept, take_over)


@click.command("remove-capture")
@_dry_run
@_take_over
def remove_capture(dry_run: bool, take_over: bool) -> None:
    """Take the change log and its triggers away again.

    Example: intercom-assets remove-capture --dry-run
    """
    with ending_at_once():
        from intercom_assets.cli import installation as work
    work.remove(dry_run, take_over)


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Where Dagster's webserver listens, on this machine only.",
)
@click.option(
    "--listen-port",
    type=click.IntRange(1, 65_535),
    default=LISTENING_PORT,
    show_default=True,
    help="Where `listen` does, on this machine only.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def up(port: int, listen_port: int, dry_run: bool) -> None:
    """Run Dagster and the sync's sensors here until Ctrl-C, and make what that needs.

    It makes what is missing: Dagster's home and database, the sync's own tables, the pool's size.
    A service that ends by itself is started again. `listen` is among them where
    INTERCOM_CLIENT_SECRET is set.

    Example: intercom-assets up --dry-run
    """
    with ending_at_once():
        from intercom_assets.cli import up as work
    work.up(port, listen_port, dry_run)


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="The address of this machine to take."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=LISTENING_PORT,
    show_default=True,
    help="0: a free one.",
)
def listen(host: str, port: int) -> None:
    """Take what Intercom sends, until Ctrl-C: webhooks, and the inbox's questions.

    It needs INTERCOM_CLIENT_SECRET and the sync's own tables; no token, no database of the app. TLS
    is the business of a proxy before it. Polling goes on without it, and finds the same, later.

    Example: intercom-assets listen --port 8080
    """
    with ending_at_once():
        from intercom_assets.cli import listen as work
    work.listen(host, port)
