"""The run coordinator that dagster.yaml names: Dagster's queue, looked into twice a second.

    run_coordinator: {module: intercom_assets.orchestration.run_coordinator,
                      class: PromptRunCoordinator, config: as QueuedRunCoordinator's}

Dagster's own setting takes whole seconds, of which a change waits half. The daemon and the
webserver load this, and nothing more of ours. Must not: which run is next, which is Dagster's.
"""

import dagster as dg

LOOKS_EVERY_S = 0.25
"""The daemon's loop waits in steps of half a second, so this makes it one of them."""


class PromptRunCoordinator(dg.QueuedRunCoordinator):
    """As `QueuedRunCoordinator`, with all its settings."""

    @property
    def dequeue_interval_seconds(self) -> float:  # type: ignore[override]
        return min(super().dequeue_interval_seconds, LOOKS_EVERY_S)
