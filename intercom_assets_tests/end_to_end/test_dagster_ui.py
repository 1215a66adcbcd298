"""Runs large and small on the demo that is up, started as the UI starts them, by its requests.

Events are there already when these run, which is where batch runs of partitioned assets break.
"""

from typing import Any

import pytest
import requests

from intercom_assets.demo.groups import wait_until
from intercom_assets.demo.play import settle
from intercom_assets.demo.sides import without
from intercom_assets.demo.story import SEARCH
from intercom_assets_tests.end_to_end.conftest import Demo

PATIENCE = 300
USER_ASSETS = ("app_users", "intercom_contacts", "reconciled_profiles")
LOCATION = {"repositoryLocationName": "intercom_assets", "repositoryName": "__repository__"}
LAUNCHED = "... on LaunchRunSuccess { run { runId } } ... on PythonError { message }"


class Ui:
    """Dagster's webserver, asked as its pages ask it."""

    def __init__(self, demo: Demo) -> None:
        self._url = f"{demo.addresses.webserver}/graphql"
        self._session = requests.Session()
        self._session.trust_env = False

    def ask(self, query: str, **variables: Any) -> Any:
        answer = self._session.post(
            self._url, json={"query": query, "variables": variables}, timeout=60
        ).json()
        assert "errors" not in answer, answer["errors"]
        [result] = answer["data"].values()
        return result

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
        assert wait_until(lambda: self.ask(query, id=run_id)["status"] in ended, PATIENCE)
        return str(self.ask(query, id=run_id)["status"])

    def end_of_backfill(self, backfill_id: str) -> str:
        query = (
            "query ($id: String!) { partitionBackfillOrError(backfillId: $id) "
            "{ ... on PartitionBackfill { status } } }"
        )
        going = ("REQUESTED", "CANCELING", "FAILING")
        assert wait_until(lambda: self.ask(query, id=backfill_id)["status"] not in going, PATIENCE)
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


@pytest.fixture
def ui(demo: Demo) -> Ui:
    settle(demo.sides)
    return Ui(demo)


def calls_but_searches(demo: Demo) -> int:
    calls = demo.sides.intercom.calls_by_endpoint()
    return sum(count for name, count in calls.items() if name != SEARCH)


def test_a_click_materializes_one_users_profile(ui: Ui) -> None:
    run = ui.materialize("reconciled_profiles", "7")

    assert ui.end_of_run(run) == "SUCCESS"
    assert ui.materialized("reconciled_profiles", run) == {"7"}


def test_a_thousand_new_users_are_one_run_with_hardly_a_call_more(demo: Demo, ui: Ui) -> None:
    """Their accounts are older than the time in which leads are looked for, as after an import.

    A user whose row the app holds just then may come again, in a run of its own.
    """
    sides = demo.sides
    calls = sides.intercom.calls_by_endpoint()

    sides.app.do(
        "insert into users (email, name, created_at) select 'many' || n || '@example.com',"
        " 'Many ' || n, now() - interval '30 days' from generate_series(1, 1000) as n"
    )
    assert wait_until(lambda: many_in_intercom(demo) == 1_000, PATIENCE, every=1)
    assert settle(sides)

    made = without(sides.intercom.calls_by_endpoint(), calls)
    assert most_of_many_in_a_run(demo) == 1_000
    assert 1_000 <= made["POST /contacts"] + made.get("PUT /contacts/{id}", 0) <= 1_010


def test_a_backfill_of_everybody_ends_well_and_costs_no_call(demo: Demo, ui: Ui) -> None:
    before = calls_but_searches(demo)

    backfill = ui.backfill(USER_ASSETS)

    assert ui.end_of_backfill(backfill) == "COMPLETED_SUCCESS"
    assert len(ui.materialized("reconciled_profiles")) >= 1_200
    assert calls_but_searches(demo) == before


def test_a_batch_that_is_executed_again_handles_the_same_users_without_a_call(
    demo: Demo, ui: Ui
) -> None:
    parent, before = ui.batch_run(), calls_but_searches(demo)

    again = ui.execute_again(parent)

    assert ui.end_of_run(again) == "SUCCESS"
    handled = ui.materialized("reconciled_profiles", again)
    assert handled == ui.materialized("reconciled_profiles", parent)
    assert len(handled) > 100
    assert calls_but_searches(demo) == before


def most_of_many_in_a_run(demo: Demo) -> int:
    """How many of the thousand the largest run leased."""
    leased = demo.sides.app.rows(
        "select count(distinct u.id) from intercom_sync.run_member m"
        " cross join unnest(m.keys) as k (key) join users u on u.id::text = k.key"
        " where m.kind = 'user' and u.email like 'many%%' group by m.run_id order by 1 desc limit 1"
    )
    return int(leased[0]["count"])


def many_in_intercom(demo: Demo) -> int:
    written = demo.sides.app.rows(
        "select count(*) from users where email like 'many%%'"
        " and metadata ->> 'intercom_user_id' is not null"
    )
    return int(written[0]["count"])
