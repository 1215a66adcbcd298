"""Dagster's three services as commands, and the listener; and the variables that each needs.

One code server for the daemon and the webserver, each of which would start its own otherwise, and
the daemon a new one each minute. Must not: starting them.
"""

import sys
from pathlib import Path

HOST = "127.0.0.1"
DAGSTER_YAML = Path(__file__).parents[1] / "deploy" / "dagster.yaml"
WORKSPACE = (
    "load_from: [{{grpc_server: {{host: 127.0.0.1, port: {port}, "
    "location_name: intercom_assets}}}}]\n"
)
DEFINITIONS = "intercom_assets.definitions"
COMMAND = (sys.executable, "-m", "intercom_assets.cli.main")
DAEMON = (sys.executable, "-m", "dagster._daemon", "run", "-w")
WEBSERVER = (sys.executable, "-m", "dagster_webserver", "-h", HOST, "-p")
DAGSTER_VARIABLES = {
    "DAGSTER_EVENT_BATCH_SIZE": "500",
    "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1",
    "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR": "1",
    "DAGSTER_GRPC_TIMEOUT_SECONDS": "180",
    "DAGSTER_GRPC_SHUTDOWN_GRACE_PERIOD": "60",
}
"""The last two are for slow machines: by Dagster's default a tick, or loading the code, that takes
more than 60 s is given up; its shutdown would wait as long as that, if it were not named too."""


def code_server(port: int, module: str = DEFINITIONS) -> list[str]:
    """The command, as in `deploy/compose.yaml`."""
    api = (sys.executable, "-m", "dagster", "api", "grpc")
    return [*api, "--host", HOST, "--port", str(port), "--module-name", module]


def listener(port: int) -> list[str]:
    """The command that takes what Intercom sends; on this machine only, behind somebody's proxy."""
    return [*COMMAND, "listen", "--host", HOST, "--port", str(port)]
