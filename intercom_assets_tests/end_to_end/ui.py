"""Dagster's webserver, asked as its own pages ask it: their GraphQL, and nothing else.

Belongs here: starting runs and backfills and waiting for their end, for tests and benchmarks.
Must not: what is expected of them.
"""

from typing import Any

import requests

from intercom_assets.supervision.process_groups import wait_until

WAIT_TIMEOUT_S = 300
USER_ASSETS = ("app_users", "intercom_contacts", "reconciled_profiles")
LOCATION = {"repositoryLocationName": "intercom_assets", "repositoryName": "__repository__"}
LAUNCHED = "... on LaunchRunSuccess { run { runId } } ... on PythonError { message }"


class Ui:
    def __init__(self, webserver: str) -> None:
        self._url = f"{webserver}/graphql"
        self._session = requests.Session()
        self._session.trust_env = False

    def ask(self, query: str, **variables: Any) -> Any:
        answer = self._session.post(
            self._url, json={"query": query, "variables": variables}, timeout=60
        ).json()
        assert "errors" not in answer, answer["errors"]
        [result] = answer["data"].values()
        return result

    def reload(self) -> None:
        """The button "Reload definitions"."""
        loaded = self.ask(
            "mutation { reloadWorkspace { ... on Workspace { locationEntries { loadStatus } }"
            " ... on PythonError { message } } }"
        )
        assert loaded == {"locationEntries": [{"loadStatus": "LOADED"}]}

    def stop_sensor(self, name: str) -> None:
        """The switch beside the sensor."""
        sensor = self.ask(
            "query ($sensor: SensorSelector!) { sensorOrError(sensorSelector: $sensor) "
            "{ ... on Sensor { sensorState { id } } } }",
            sensor={**LOCATION, "sensorName": name},
        )
        self.ask(
            "mutation ($id: String!) { stopSensor(id: $id) { ... on StopSensorMutationResult "
            "{ instigationState { status } } ... on PythonError { message } } }",
            id=sensor["sensorState"]["id"],
        )

    def materialize(self, asset: str, partition: str) -> str:
        """The button on an asset's page, with one partition chosen; returns the run's id."""
        launched = self.ask(
            "mutation ($params: ExecutionParams!) "
            f"{{ launchPipelineExecution(executionParams: $params) {{ {LAUNCHED} }} }}",
            params={
                "selector": {
                    **LOCATION,
                    "pipelineName": "__ASSET_JOB",
                    "assetSelection": [{"path": [asset]}],
                },
                "mode": "default",
                "executionMetadata": {"tags": [{"key": "dagster/partition", "value": partition}]},
            },
        )
        return str(launched["run"]["runId"])

    def backfill(self, assets: tuple[str, ...]) -> str:
        launched = self.ask(
            "mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: "
            "$params) { ... on LaunchBackfillSuccess { backfillId } "
            "... on PythonError { message } } }",
            params={"assetSelection": [{"path": [each]} for each in assets], "allPartitions": True},
        )
        return str(launched["backfillId"])

    def execute_again(self, run_id: str) -> str:
        launched = self.ask(
            "mutation ($params: ReexecutionParams!) "
            f"{{ launchRunReexecution(reexecutionParams: $params) {{ {LAUNCHED} }} }}",
            params={"parentRunId": run_id, "strategy": "ALL_STEPS"},
        )
        return str(launched["run"]["runId"])

    def end_of_run(self, run_id: str) -> str:
        query = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
        ended = ("SUCCESS", "FAILURE", "CANCELED")
        assert wait_until(lambda: self.ask(query, id=run_id)["status"] in ended, WAIT_TIMEOUT_S)
        return str(self.ask(query, id=run_id)["status"])

    def end_of_backfill(
        self, backfill_id: str, patience: float = WAIT_TIMEOUT_S, every: float = 0.1
    ) -> str:
        """Its status once it has ended. Asked `every` so many seconds; an answer costs 20 ms."""
        query = (
            "query ($id: String!) { partitionBackfillOrError(backfillId: $id) "
            "{ ... on PartitionBackfill { status } } }"
        )
        going = ("REQUESTED", "CANCELING", "FAILING")
        assert wait_until(
            lambda: self.ask(query, id=backfill_id)["status"] not in going, patience, every
        )
        return str(self.ask(query, id=backfill_id)["status"])

    def materialized(self, asset: str, run_id: str | None = None) -> set[str]:
        """Partitions of the asset with a materialization, of this run or of any."""
        found = self.ask(
            "query ($key: AssetKeyInput!) { assetOrError(assetKey: $key) { ... on Asset { "
            "assetMaterializations(limit: 5000) { runId partition } } } }",
            key={"path": [asset]},
        )["assetMaterializations"]
        return {each["partition"] for each in found if run_id in (None, each["runId"])}

    def batch_run(self) -> str:
        """A run that leased several users from the queue."""
        runs = self.ask(
            'query { runsOrError(filter: {pipelineName: "sync_users", statuses: [SUCCESS]}) '
            "{ ... on Runs { results { runId runConfigYaml } } } }"
        )["results"]
        return str(next(r["runId"] for r in reversed(runs) if "from_queue" in r["runConfigYaml"]))
