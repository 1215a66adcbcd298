"""What is made once before the sync can run, and can be taken away: our tables, the triggers."""

import click

from intercom_assets.database.capture.guards import Permissions, replaced_and_dropped
from intercom_assets.database.capture.installation import install_capture, remove_capture
from intercom_assets.database.store.schema import apply_schema
from intercom_assets.database.store.store import Store
from intercom_assets.mapping.load import load_mapping
from intercom_assets.sync.environment import (
    APP_DATABASE_URL,
    SYNC_DATABASE_URL,
    Configuration,
    ConfigurationError,
    no_dagster,
    read_environment,
)
from intercom_assets.sync.preflight.check_setup import LOOKS_LIKE


def init_db(accept: tuple[str, ...]) -> None:
    configuration = read_environment()
    if not configuration.sync_url:
        raise ConfigurationError(
            f"Neither {SYNC_DATABASE_URL} nor {APP_DATABASE_URL} is set: set one to the address of "
            f"the database for the sync's own tables, {LOOKS_LIKE}"
        )
    done = apply_schema(configuration.sync_url, accept=accept)
    for line in done or ["intercom_sync: nothing to do"]:
        click.echo(line)
    if hindrance := no_dagster():
        click.echo(f"{hindrance}: left out what concerns Dagster (the size of its pool).")
        return
    # Importing Dagster takes two seconds, which the other commands need not wait for.
    from intercom_assets.cli.dagster_setup import (
        missing_dagster_settings,
        register_linked,
        set_pool,
        show_unshown,
    )

    click.echo(set_pool())
    for sentence in missing_dagster_settings():
        click.echo(f"Note: {sentence}")
    with Store(configuration.sync_url, max_connections=1) as store:
        if registered := register_linked(store):
            click.echo(registered)
        if shown := show_unshown(store):
            click.echo(shown)


def install(dry_run: bool, accept: tuple[str, ...], take_over: bool) -> None:
    configuration = _with_app()
    if configuration.unmapped and not dry_run:
        raise ConfigurationError(configuration.unmapped)
    mapping = load_mapping(configuration.mapping_folder)
    may = Permissions(configuration.workspace, accept, take_over)
    _print_statements(install_capture(configuration.app_url, mapping, dry_run, may), dry_run)


def remove(dry_run: bool, take_over: bool) -> None:
    configuration = _with_app()
    may = Permissions(configuration.workspace, take_over=take_over)
    _print_statements(remove_capture(configuration.app_url, dry_run, may), dry_run)


def _with_app() -> Configuration:
    configuration = read_environment()
    if not configuration.app_url:
        raise ConfigurationError(
            f"{APP_DATABASE_URL} is not set: set it to the address of the app's database, "
            f"{LOOKS_LIKE}"
        )
    return configuration


def _print_statements(statements: list[str], dry_run: bool) -> None:
    """A dry run prints what a script can run; else only how much was done."""
    if dry_run:
        for statement in statements:
            click.echo(f"{statement.strip().rstrip(';')};\n")
        return
    for tables, what in zip(replaced_and_dropped(statements), ("replaced", "dropped"), strict=True):
        if tables:
            click.echo(f"intercom_capture: triggers {what} on {', '.join(tables)}")
    click.echo(f"intercom_capture: {len(statements) or 'no'} statements run")
