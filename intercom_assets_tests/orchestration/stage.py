"""A stage for one test: an app database, a workspace in the simulator, and Dagster between.

`run` executes a job as a run worker would; `tick` evaluates a sensor as the code server would;
`launch` does with a tick's requests what the daemon would. Nothing here knows a rule of the sync.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import dagster as dg

from intercom_assets.assets.subjects import Subject
from intercom_assets.database.store import Store
from intercom_assets.definitions import build_defs
from intercom_assets.resources import AppDatabaseResource, IntercomResource, SyncDatabaseResource
from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator

TOKEN = "demo-token"


@dataclass(frozen=True)
class Ran:
    """A run that has ended, and the requests that Intercom saw during it."""

    instance: dg.DagsterInstance
    run: dg.DagsterRun
    requests: int

    @property
    def succeeded(self) -> bool:
        return self.run.status is dg.DagsterRunStatus.SUCCESS

    @property
    def failure(self) -> str | None:
        """What an operator reads in the run's red step: message and stack."""
        records = self.instance.get_records_for_run(
            self.run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE
        ).records
        if not records:
            return None
        event = records[0].event_log_entry.dagster_event
        assert event is not None
        error = event.step_failure_data.error
        assert error is not None
        return error.to_string()

    def materialized(self, asset: str) -> dict[str | None, dict[str, Any]]:
        """Partition -> metadata of what this run reported for the asset."""
        return self._events(dg.DagsterEventType.ASSET_MATERIALIZATION, asset)

    def observed(self, asset: str) -> dict[str | None, dict[str, Any]]:
        return self._events(dg.DagsterEventType.ASSET_OBSERVATION, asset)

    def logged(self) -> list[str]:
        entries = self.instance.all_logs(self.run.run_id)
        return [entry.user_message for entry in entries if not entry.is_dagster_event]

    def _events(self, of_type: dg.DagsterEventType, asset: str) -> dict[str | None, dict[str, Any]]:
        found: dict[str | None, dict[str, Any]] = {}
        for record in self.instance.get_records_for_run(self.run.run_id, of_type=of_type).records:
            entry = record.event_log_entry
            said = entry.asset_materialization or entry.asset_observation
            assert said is not None
            if said.asset_key == dg.AssetKey(asset):
                found[said.partition] = {k: v.value for k, v in said.metadata.items()}
        return found


class Stage:
    """`resources` are what the tests hand in place of the environment."""

    def __init__(
        self,
        url: str,
        instance: dg.DagsterInstance,
        simulator: Simulator,
        resources: dict[str, object],
    ) -> None:
        self.url, self.instance, self.intercom = url, instance, simulator
        self.resources = resources
        self.store = Store(url)

    @cached_property
    def defs(self) -> dg.Definitions:
        return build_defs(self.resources)

    def requests(self) -> int:
        return int(self.intercom.stats()["calls"])

    def run(
        self,
        subject: Subject,
        *,
        partition: str | None = None,
        config: dict[str, object] | None = None,
        tags: dict[str, str] | None = None,
        only: Sequence[str] | None = None,
    ) -> Ran:
        before = self.requests()
        result = self.defs.resolve_job_def(subject.job).execute_in_process(
            instance=self.instance,
            run_config=subject.run_config(**config) if config else None,
            partition_key=partition,
            tags=tags,
            asset_selection=[dg.AssetKey(name) for name in only] if only else None,
            raise_on_error=False,
        )
        return self.ran(result.run_id, before)

    def ran(self, run_id: str, requests_before: int = 0) -> Ran:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return Ran(self.instance, run, self.requests() - requests_before)

    def tick(self, sensor: str) -> Any:
        """What the tick decided: its run requests and its skip reason."""
        defs = self.defs
        found = defs.get_repository_def().get_sensor_def(sensor)
        context = dg.build_sensor_context(
            instance=self.instance, sensor_name=sensor, definitions=defs
        )
        with context:
            return found.evaluate_tick(context)


@contextmanager
def a_stage(url: str, instance: dg.DagsterInstance, **simulated: Any) -> Iterator[Stage]:
    simulator = Simulator(**simulated)
    with serving(simulator) as address:
        resources: dict[str, object] = {
            "app_database": AppDatabaseResource(url=url),
            "sync_database": SyncDatabaseResource(url=url),
            "intercom": IntercomResource(access_token=TOKEN, base_url=address, sync_enabled="true"),
        }
        stage = Stage(url, instance, simulator, resources)
        try:
            yield stage
        finally:
            stage.store.close()
