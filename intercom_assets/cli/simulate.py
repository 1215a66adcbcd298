"""The simulator alone, for trying things out."""

import click

from intercom_assets.cli.failures import Failed
from intercom_assets.simulator.server import serve
from intercom_assets.simulator.simulator import Simulator

DEFAULT_TOKEN = "demo-token"


@click.command()
@click.option("--port", type=click.IntRange(1, 65_535), required=True, help="Where it listens.")
@click.option("--token", default=DEFAULT_TOKEN, show_default=True, help="The only one it takes.")
def simulate(port: int, token: str) -> None:
    """Run a stand-in Intercom on this machine until Ctrl-C. Its page is at /.

    Example: intercom-assets simulate --port 8080
    """

    def announce(url: str) -> None:
        click.echo(f"A simulated Intercom answers at {url} (token {token}); Ctrl-C ends it.")

    try:
        serve(Simulator(token=token), port, announce)
    except OSError as error:
        raise Failed(f"Port {port} cannot be used: {error.strerror}.") from error
