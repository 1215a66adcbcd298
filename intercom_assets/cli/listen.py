"""`listen`: what Intercom sends, taken until Ctrl-C. Must not: anything but start, and say so."""

import logging

import click

from intercom_assets.cli.failures import CommandFailed
from intercom_assets.cli.variables import warn_of_unknown_variables
from intercom_assets.database.store.connection import StoreNotReady, StoreUnavailable
from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.inbound.server import WORKERS, serve
from intercom_assets.inbound.settings import read_settings
from intercom_assets.sync.environment import read_environment


def listen(host: str, port: int) -> None:
    warn_of_unknown_variables()
    configuration = read_environment()
    settings = read_settings(configuration)
    logging.basicConfig(format="%(asctime)s  %(message)s", level=logging.WARNING)

    def announce(url: str) -> None:
        click.echo(f"Listening at {url} for what Intercom sends; Ctrl-C ends it.")

    with Store(configuration.sync_url, max_connections=WORKERS) as store:
        _warn_of_silence(store)
        try:
            serve(store, settings, host, port, announce)
        except OSError as error:
            raise CommandFailed(
                f"{host}, port {port}, cannot be listened on: {error.strerror or error}."
            ) from error


def _warn_of_silence(store: Store) -> None:
    """It listens all the same: Intercom is asked to try again until our own tables answer."""
    try:
        store.state.get(StateKey.WORKSPACE)
    except (StoreUnavailable, StoreNotReady) as error:
        click.echo(f"Warning: {error.sentence}", err=True)
