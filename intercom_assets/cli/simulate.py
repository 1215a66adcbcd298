"""The simulator alone, for trying things out."""

import click

from intercom_assets.cli.failures import CommandFailed
from intercom_assets.simulator.server import serve
from intercom_assets.simulator.simulator import Simulator


def simulate(port: int, token: str) -> None:

    def announce(url: str) -> None:
        click.echo(f"A simulated Intercom answers at {url} (token {token}); Ctrl-C ends it.")

    try:
        serve(Simulator(token=token), port, announce)
    except OSError as error:
        raise CommandFailed(f"Port {port} cannot be used: {error.strerror}.") from error
