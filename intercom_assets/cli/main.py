"""The console script `intercom-assets`: its commands, and nothing else."""

import click

from intercom_assets.cli.check import check
from intercom_assets.cli.demo import demo
from intercom_assets.cli.explain import explain
from intercom_assets.cli.failures import Commands
from intercom_assets.cli.init import init
from intercom_assets.cli.installation import (
    init_db,
    install_capture_command,
    remove_capture_command,
)
from intercom_assets.cli.plan import plan
from intercom_assets.cli.relink import relink
from intercom_assets.cli.repair import erase, retry, undo
from intercom_assets.cli.simulate import simulate
from intercom_assets.cli.status import status
from intercom_assets.cli.sync import sync
from intercom_assets.cli.up import up


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="intercom_assets", message="%(version)s")
def main() -> None:
    """Keeps an app's PostgreSQL database and Intercom in step, both ways."""


for command in (
    demo, simulate, init, check, init_db, install_capture_command, remove_capture_command, plan,
    sync, up, status, explain, retry, relink, undo, erase,
):  # fmt: skip
    main.add_command(command)


if __name__ == "__main__":
    main()
