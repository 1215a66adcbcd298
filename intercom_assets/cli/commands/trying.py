"""Commands to try things out with, on nothing of yours: `demo`, `simulate`."""

from pathlib import Path

import click

from intercom_assets.cli.loading import ending_at_once

LETTERS = ["b", "c", "d", "e", "f", "g"]
"""The steps of `demo/scenario.py`."""
DEFAULT_TOKEN = "demo-token"


@click.command()
@click.option("--once", is_flag=True, help="Play the story, check it, and stop everything.")
@click.option("--stay", is_flag=True, help="With --once: leave it running after the story.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where its files are, kept afterwards. Default: a temporary directory.",
)
@click.option(
    "--database-url",
    metavar="URL",
    help="A PostgreSQL server to use, where it makes and drops only databases of its own "
    "(intercom_assets_demo_*). Default: a server of its own.",
)
@click.option(
    "--play",
    "letters",
    multiple=True,
    type=click.Choice(LETTERS),
    help="Play this step of the story on the demo that runs in --data-dir, and check it.",
)
@click.option("--patience", type=float, help="Seconds for a step.", hidden=True)
@click.pass_context
def demo(
    ctx: click.Context,
    once: bool,
    stay: bool,
    data_dir: Path | None,
    database_url: str | None,
    letters: tuple[str, ...],
    patience: float | None,
) -> None:
    """Show the sync at work: a sample app, a stand-in Intercom, and Dagster between them.

    No address and no token of the environment is used, so nothing of yours can be touched.

    Example: intercom-assets demo --once
    """
    if stay and not once:
        raise click.UsageError("--stay goes with --once.")
    if letters and data_dir is None:
        raise click.UsageError("--play needs the --data-dir of the demo that is running.")
    with ending_at_once():
        from intercom_assets.cli import demo as work
    work.demo(
        ctx,
        once=once,
        stay=stay,
        data_dir=data_dir,
        database_url=database_url,
        letters=letters,
        patience=patience,
    )


@click.command()
@click.option("--port", type=click.IntRange(1, 65_535), required=True, help="Where it listens.")
@click.option("--token", default=DEFAULT_TOKEN, show_default=True, help="The only one it takes.")
@click.option(
    "--probed",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What `check --probe --json` printed: it behaves as that workspace was measured to.",
)
def simulate(port: int, token: str, probed: Path | None) -> None:
    """Run a stand-in Intercom on this machine until Ctrl-C. Its page is at /.

    Example: intercom-assets simulate --port 8080
    """
    with ending_at_once():
        from intercom_assets.cli import simulate as work
    work.simulate(port, token, probed)
