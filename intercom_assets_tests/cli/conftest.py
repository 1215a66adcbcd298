"""An operator's shell: an app with people in it, a stand-in Intercom on a port, and the variables.

Commands run in this process unless a test is about signals; what they print is what is looked at.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result

from intercom_assets.cli.main import main
from intercom_assets.demo.sample_app import seed
from intercom_assets.mapping.load import SAMPLE
from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator
from intercom_assets.sync import environment
from intercom_assets_tests.database.mappings import run

VARIABLES = (
    environment.APP_DATABASE_URL,
    environment.SYNC_DATABASE_URL,
    environment.INTERCOM_ACCESS_TOKEN,
    environment.INTERCOM_BASE_URL,
    environment.INTERCOM_SYNC_CONFIG,
    environment.INTERCOM_SYNC_ENABLED,
    "DAGSTER_HOME",
    # The width of whoever runs the tests: what is printed here goes into a pipe.
    "COLUMNS",
    "LINES",
)


@dataclass(frozen=True)
class Shell:
    """`variables`: set for each command, over those of nobody else."""

    intercom: Simulator
    variables: Mapping[str, str]

    def run(self, *command: str, **variables: str) -> Result:
        """A variable given as "" is one that is not set."""
        env = {**dict.fromkeys(VARIABLES), **self.variables, **variables}
        return CliRunner().invoke(main, command, env=env)


@pytest.fixture
def shell(database: str) -> Iterator[Shell]:
    """20 users in 5 teams, of whom Intercom knows nothing yet."""
    seed(database, users=20, teams=5)
    simulator = Simulator()
    with serving(simulator) as address:
        yield Shell(
            simulator,
            {
                environment.APP_DATABASE_URL: database,
                environment.INTERCOM_ACCESS_TOKEN: "demo-token",
                environment.INTERCOM_BASE_URL: address,
                environment.INTERCOM_SYNC_CONFIG: str(SAMPLE),
                environment.INTERCOM_SYNC_ENABLED: "true",
            },
        )


def forget_everything(shell: Shell, hours: int = 24) -> None:
    """As after a change of the sync database; long enough ago that a listing is believed."""
    for table in ("user_link", "team_link", "edge", "queue", "workspace"):
        run(shell.variables[environment.APP_DATABASE_URL], f"delete from intercom_sync.{table}")
    yesterday = int((datetime.now(UTC) - timedelta(hours=hours)).timestamp())
    for contact in shell.intercom.contacts():
        shell.intercom.by_hand.edit_contact(contact["id"], updated_at=yesterday)
