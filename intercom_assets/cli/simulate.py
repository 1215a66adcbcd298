"""The simulator alone, for trying things out; also as a workspace was measured to be."""

import json
from pathlib import Path
from typing import Any

import click

from intercom_assets.cli.failures import CommandFailed
from intercom_assets.simulator.server import serve
from intercom_assets.simulator.settings import BadSetting
from intercom_assets.simulator.simulator import Simulator


def simulate(port: int, token: str, probed: Path | None) -> None:
    settings = {} if probed is None else _settings_in(probed)

    def announce(url: str) -> None:
        click.echo(f"A simulated Intercom answers at {url} (token {token}); Ctrl-C ends it.")

    try:
        simulator = Simulator(token=token, **settings)
    except BadSetting as error:
        raise CommandFailed(f"{probed}: {error}.") from error
    try:
        serve(simulator, port, announce)
    except OSError as error:
        raise CommandFailed(f"Port {port} cannot be used: {error.strerror}.") from error


def _settings_in(probed: Path) -> dict[str, Any]:
    """Of what `check --probe --json` printed."""
    try:
        document = json.loads(probed.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandFailed(f"{probed} cannot be read as JSON ({type(error).__name__}).") from error
    settings = document.get("simulator") if isinstance(document, dict) else None
    if not isinstance(settings, dict):
        raise CommandFailed(f"{probed} is not what check --probe --json prints.")
    return settings
