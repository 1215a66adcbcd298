"""The run launcher that dagster.yaml names: Dagster's own, whose runs may start from a template.

    run_launcher: {module: intercom_assets.orchestration.run_launcher, class: WarmRunLauncher}

The daemon and the webserver load this, and nothing more of ours. Runs are started, watched and
ended by their code server, as by Dagster's default launcher, and with that one's environment; by
this name an instance asks it to fork them (`internals/warm_runs.py`). A code server of other code,
or on a system without fork, starts them as ever.
"""

from typing import Any

import dagster as dg

from intercom_assets.orchestration.internals.kept_connections import keep_connections_of
from intercom_assets.orchestration.internals.sensor_loop import begin_ticks_promptly


class WarmRunLauncher(dg.DefaultRunLauncher):
    """Asks code servers to start runs from a process that has everything imported already."""

    def register_instance(self, instance: Any) -> None:
        """In the daemon, what else lies between a change and its run is shortened."""
        super().register_instance(instance)
        keep_connections_of(instance)
        begin_ticks_promptly()
