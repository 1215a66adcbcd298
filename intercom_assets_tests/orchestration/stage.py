"""A stage for one test: an app database, a workspace in the simulator, and Dagster between.

`run` executes a job as a run worker would; `tick` evaluates a sensor as the code server would;
`launch` does with a tick's request what the daemon would. Nothing here knows a rule of the sync.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import psycopg
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from intercom_assets.database.records import Lane
from intercom_assets.database.store.store import Store
from intercom_assets.definitions import build_defs
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.mapping.load import SAMPLE, SYNC_YAML
from intercom_assets.orchestration.resources import (
    AppDatabaseResource,
    IntercomResource,
    SyncDatabaseResource,
    all_resources,
)
from intercom_assets.orchestration.sync_targets import SyncTarget
from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator

TOKEN = "demo-token"
LOCATION = "intercom_assets.definitions"


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
            printed = entry.asset_materialization or entry.asset_observation
            assert printed is not None
            if printed.asset_key == dg.AssetKey(asset):
                found[printed.partition] = {k: v.value for k, v in printed.metadata.items()}
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

    def having(self, **resources: object) -> "Stage":
        """The same stage with other resources, as after a restart with another environment."""
        return Stage(self.url, self.instance, self.intercom, self.resources | resources)

    def requests(self) -> int:
        """What Intercom was asked so far."""
        return int(self.intercom.stats()["calls"])

    # --- runs -------------------------------------------------------------------------------------

    def run(
        self,
        subject: SyncTarget,
        *,
        partition: str | None = None,
        config: dict[str, object] | None = None,
        tags: dict[str, str] | None = None,
        only: Sequence[str] | None = None,
    ) -> Ran:
        """Executes the subject's job to its end, as a run worker would."""
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

    def run_range(self, subject: SyncTarget, first: str, last: str) -> Ran:
        """As each run of a backfill is started."""
        bounds = {
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last,
        }
        return self.run(subject, tags=bounds)

    def run_again(self, subject: SyncTarget, ran: Ran) -> Ran:
        """Re-executes a run as the UI does: its config, its tags, itself as the parent."""
        config: Any = ran.run.run_config
        lineage = {
            "dagster/parent_run_id": ran.run.run_id,
            "dagster/root_run_id": ran.run.root_run_id or ran.run.run_id,
        }
        step = config["ops"][subject.step]["config"] if config else None
        return self.run(subject, config=step, tags={**ran.run.tags, **lineage})

    def ran(self, run_id: str, requests_before: int = 0) -> Ran:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return Ran(self.instance, run, self.requests() - requests_before)

    def given_run(
        self,
        subject: SyncTarget,
        status: dg.DagsterRunStatus,
        tags: dict[str, str] | None = None,
        config: dict[str, object] | None = None,
        location: str = LOCATION,
    ) -> str:
        """A run of this code location that is in `status` and that nobody works on."""
        run = self.instance.create_run_for_job(
            self.defs.resolve_job_def(subject.job),
            status=status,
            tags=tags,
            run_config=config,
            remote_job_origin=RemoteRepositoryOrigin(
                InProcessCodeLocationOrigin(
                    LoadableTargetOrigin(module_name="intercom_assets.definitions"),
                    location_name=location,
                ),
                "__repository__",
            ).get_job_origin(subject.job),
        )
        return run.run_id

    # --- the queue --------------------------------------------------------------------------------

    def note_leased(self, run_id: str, user: str) -> None:
        """As if that run had taken the user, and given it back."""
        token = uuid4()
        self.store.queue.lease(
            QueueKind.USER, run_id, token=token, limit=1, seconds=30, keys=[user]
        )
        self.store.queue.release(token)

    def enqueue_long_ago(self, kind: QueueKind, key: str, lane: Lane) -> None:
        self.store.queue.enqueue(kind, [key], lane=lane)
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "update intercom_sync.queue"
                " set first_at = now() - interval '1h', due_at = now() - interval '1h'"
            )

    # --- sensors ----------------------------------------------------------------------------------

    def tick(self, sensor: str) -> Any:
        """What the code server would answer: run requests or a skip message."""
        repository = self.defs.get_repository_def()
        with (
            partition_loading_context(dynamic_partitions_store=self.instance),
            dg.build_sensor_context(
                instance=self.instance,
                sensor_name=sensor,
                repository_def=repository,
                resources=all_resources(self.resources),
            ) as context,
        ):
            return repository.get_sensor_def(sensor).evaluate_tick(context)

    def launch(self, subject: SyncTarget, request: Any, sensor: str = "changed_users") -> Ran:
        """Does with a run request what the daemon does with it."""
        config = dict(request.run_config)
        return self.run(
            subject,
            partition=request.partition_key,
            config=config["ops"][subject.step]["config"] if config else None,
            tags={**request.tags, "dagster/sensor_name": sensor},
        )


@contextmanager
def a_stage(
    url: str, instance: dg.DagsterInstance, mapping: Path, **simulated: Any
) -> Iterator[Stage]:
    simulator = Simulator(**simulated)
    with serving(simulator) as address:
        intercom = IntercomResource(access_token=TOKEN, base_url=address, sync_enabled="true")
        resources: dict[str, object] = {
            "app_database": AppDatabaseResource(url=url, mapping=str(mapping)),
            "sync_database": SyncDatabaseResource(url=url),
            "intercom": intercom,
        }
        stage = Stage(url, instance, simulator, resources)
        try:
            yield stage
        finally:
            stage.store.close()


def a_mapping(folder: Path, **settings: object) -> Path:
    """The sample app's mapping with other settings; sensors do not wait unless told to."""
    shutil.copytree(SAMPLE, folder)
    chosen = {"sensor_wait_seconds": 0, **settings}
    with (folder / SYNC_YAML).open("a", encoding="utf-8") as sync_yaml:
        sync_yaml.writelines(f"{key}: {value}\n" for key, value in chosen.items())
    return folder
