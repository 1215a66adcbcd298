"""What a tick decides, from what the app did to what the daemon is asked to launch."""

import threading
import time
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from intercom_assets.database.records import Lane
from intercom_assets.domain.vocabulary import QueueKind, StateKey
from intercom_assets.mapping.load import SAMPLE
from intercom_assets.orchestration.pool import POOL, set_up_pool
from intercom_assets.orchestration.resources import (
    AppDatabaseResource,
    IntercomResource,
    SyncDatabaseResource,
)
from intercom_assets.orchestration.sync_targets import LANE_TAG, SENSOR_TAG, TEAMS, USERS
from intercom_assets_tests.builders import insert_team, insert_user, update_row
from intercom_assets_tests.orchestration.stage import Stage, a_mapping

NOBODY_LISTENS = "postgresql://nobody:secret@127.0.0.1:9/nothing"
QUEUED, STARTING = dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING
LAUNCHED_LIVE = {SENSOR_TAG: "changed_users", LANE_TAG: "live"}


def leased(stage: Stage) -> int:
    with psycopg.connect(stage.url) as connection:
        row = connection.execute(
            "select count(*) from intercom_sync.queue where claim_token is not null"
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_one_changed_user_is_launched_by_partition_whose_key_exists_by_then(stage: Stage) -> None:
    ada = str(insert_user(stage.url, email="ada@example.com"))

    [request] = stage.tick("changed_users").run_requests

    assert request.partition_key == ada
    assert request.tags[LANE_TAG] == "live"
    assert stage.instance.has_dynamic_partition("app_user", ada)
    assert leased(stage) == 0
    ran = stage.launch(USERS, request)
    assert set(ran.materialized("reconciled_profiles")) == {ada}
    assert stage.tick("changed_users").run_requests == []


def test_several_changed_users_are_one_run_that_takes_them_from_the_queue(stage: Stage) -> None:
    users = [str(insert_user(stage.url, email=f"user{n}@example.com")) for n in range(3)]

    [request] = stage.tick("changed_users").run_requests

    assert request.partition_key is None
    assert request.run_config == USERS.run_config(from_queue=3)
    assert request.tags["intercom_assets/users"] == "3"
    assert leased(stage) == 0
    ran = stage.launch(USERS, request)
    assert ran.run.tags["dagster/priority"] == "10"
    assert set(ran.materialized("reconciled_profiles")) == set(users)


def test_a_tick_that_is_lost_loses_nothing(stage: Stage) -> None:
    insert_user(stage.url)

    [lost] = stage.tick("changed_users").run_requests
    [next_one] = stage.tick("changed_users").run_requests

    assert next_one.partition_key == lost.partition_key


def test_a_changed_team_is_launched_by_its_own_sensor(stage: Stage) -> None:
    team = str(insert_team(stage.url))

    assert stage.tick("changed_users").run_requests == []
    [request] = stage.tick("changed_teams").run_requests

    ran = stage.launch(TEAMS, request, sensor="changed_teams")
    assert set(ran.materialized("intercom_companies")) == {team}


def test_nobody_due_is_one_line_and_no_call(stage: Stage) -> None:
    tick = stage.tick("changed_users")

    assert tick.run_requests == []
    assert tick.skip_message == "No user is due."
    assert stage.requests() == 0


@pytest.mark.parametrize("status", [QUEUED, STARTING])
def test_what_is_due_is_left_to_a_run_that_waits_or_starts(
    stage: Stage, status: dg.DagsterRunStatus
) -> None:
    insert_user(stage.url)
    run_id = stage.given_run(USERS, status, LAUNCHED_LIVE)

    tick = stage.tick("changed_users")

    assert tick.run_requests == []
    assert run_id[:8] in tick.skip_message
    stage.instance.delete_run(run_id)
    assert len(stage.tick("changed_users").run_requests) == 1


def test_what_is_due_is_left_to_a_run_that_has_not_yet_leased_all_it_was_asked_to(
    stage: Stage,
) -> None:
    users = [str(insert_user(stage.url, email=f"user{n}@example.com")) for n in range(2)]
    config = USERS.run_config(from_queue=2)
    run_id = stage.given_run(USERS, dg.DagsterRunStatus.STARTED, LAUNCHED_LIVE, config)

    assert stage.tick("changed_users").run_requests == []
    for user in users:
        stage.note_leased(run_id, user)

    [request] = stage.tick("changed_users").run_requests
    assert request.run_config == config
    stage.instance.delete_run(run_id)


def test_bulk_rows_get_a_run_of_their_own_lane(stage: Stage) -> None:
    ada = str(insert_user(stage.url))
    [live] = stage.tick("changed_users").run_requests
    stage.launch(USERS, live)
    stage.enqueue_long_ago(QueueKind.USER, ada, Lane.BULK)

    [bulk] = stage.tick("changed_users").run_requests

    assert bulk.tags[LANE_TAG] == "bulk"
    assert bulk.partition_key == ada


def test_a_change_is_noticed_while_the_tick_waits(stage: Stage, tmp_path: Path) -> None:
    waiting = stage.having(
        app_database=AppDatabaseResource(
            url=stage.url, mapping=str(a_mapping(tmp_path / "m", sensor_wait_seconds=50))
        )
    )
    began, later = time.monotonic(), threading.Timer(1.0, insert_user, [stage.url])
    later.start()

    tick = waiting.tick("changed_users")

    later.join()
    assert len(tick.run_requests) == 1
    assert time.monotonic() - began < 40


def test_while_the_sync_is_off_the_log_is_drained_and_nobody_is_called(stage: Stage) -> None:
    insert_user(stage.url)
    off = stage.having(intercom=IntercomResource(sync_enabled="off"))

    tick = off.tick("changed_users")

    assert tick.run_requests == []
    assert tick.skip_message.startswith("The sync is switched off: INTERCOM_SYNC_ENABLED is 'off'")
    assert stage.store.queue.due(QueueKind.USER).count == 1
    assert off.tick("intercom_changes").skip_message.startswith("The sync is switched off")
    assert stage.requests() == 0


@pytest.mark.parametrize("sensor", ["changed_users", "changed_teams", "intercom_changes"])
@pytest.mark.parametrize(
    ("switch", "sentence"),
    [("true", "INTERCOM_SYNC_CONFIG is not set"), ("off", "The sync is switched off")],
)
def test_without_a_mapping_of_its_own_the_app_is_not_even_read(
    stage: Stage, sensor: str, switch: str, sentence: str
) -> None:
    """The sample's mapping might take the log's rows for what they are not."""
    insert_user(stage.url)
    unmapped = stage.having(
        app_database=AppDatabaseResource(url=stage.url),
        intercom=IntercomResource(access_token="t", sync_enabled=switch),
    )

    tick = unmapped.tick(sensor)

    assert tick.run_requests == []
    assert tick.skip_message.startswith(sentence)
    assert stage.store.queue.due(QueueKind.USER).count == 0


@pytest.mark.parametrize("switch", ["true", "1", "yes", "on", "TRUE", "On"])
def test_the_switch_is_on_for_these_words(stage: Stage, switch: str) -> None:
    intercom = stage.resources["intercom"]
    assert isinstance(intercom, IntercomResource)
    on = IntercomResource(access_token="t", base_url=intercom.base_url, sync_enabled=switch)

    assert stage.having(intercom=on).tick("changed_users").skip_message == "No user is due."


@pytest.mark.parametrize("sensor", ["changed_users", "changed_teams", "intercom_changes"])
@pytest.mark.parametrize(
    ("name", "resource", "sentence"),
    [
        ("intercom", IntercomResource(sync_enabled="true"), "INTERCOM_ACCESS_TOKEN is not set"),
        ("app_database", AppDatabaseResource(), "APP_DATABASE_URL is not set"),
        (
            "app_database",
            AppDatabaseResource(url=NOBODY_LISTENS, mapping="/nowhere"),
            "INTERCOM_SYNC_CONFIG: the mapping's folder /nowhere does not exist",
        ),
        ("sync_database", SyncDatabaseResource(url=NOBODY_LISTENS), "The sync's own database did"),
    ],
)
def test_what_keeps_a_tick_from_working_is_its_reason_to_skip(
    stage: Stage, sensor: str, name: str, resource: object, sentence: str
) -> None:
    tick = stage.having(**{name: resource}).tick(sensor)

    assert tick.run_requests == []
    assert tick.skip_message.startswith(sentence)
    assert "\n" not in tick.skip_message
    assert "secret" not in tick.skip_message


@pytest.mark.parametrize("sensor", ["changed_users", "changed_teams"])
def test_an_app_database_that_is_down_skips_the_tick(stage: Stage, sensor: str) -> None:
    nobody = AppDatabaseResource(url=NOBODY_LISTENS, mapping=str(SAMPLE))
    down = stage.having(app_database=nobody)

    tick = down.tick(sensor)

    assert tick.skip_message.startswith("The app's database cannot be reached")
    assert "nothing is lost" in tick.skip_message
    assert "secret" not in tick.skip_message


def test_without_the_pools_own_row_nothing_is_launched(stage: Stage) -> None:
    insert_user(stage.url)
    storage = stage.instance.event_log_storage
    storage.delete_concurrency_limit(POOL)

    tick = stage.tick("changed_users")

    assert tick.run_requests == []
    assert "intercom-assets init-db" in tick.skip_message
    assert set_up_pool(stage.instance)
    assert len(stage.tick("changed_users").run_requests) == 1


def test_after_intercom_refused_a_run_as_a_whole_the_next_one_waits(stage: Stage) -> None:
    ada = str(insert_user(stage.url))
    intercom = stage.resources["intercom"]
    assert isinstance(intercom, IntercomResource)
    wrong = stage.having(
        intercom=IntercomResource(
            access_token="wrong", base_url=intercom.base_url, sync_enabled="true"
        )
    )
    [request] = wrong.tick("changed_users").run_requests
    refused = wrong.launch(USERS, request)

    tick = wrong.tick("changed_users")

    assert tick.run_requests == []
    assert "INTERCOM_ACCESS_TOKEN" in tick.skip_message
    assert stage.store.queue.due(QueueKind.USER).sole_key == ada
    stage.instance.delete_run(refused.run.run_id)
    assert len(stage.tick("changed_users").run_requests) == 1


def test_an_edit_in_intercom_is_queued_and_reaches_the_app(stage: Stage) -> None:
    ada = insert_user(stage.url, name=None)
    stage.run(USERS, config={"user_ids": [ada]})
    stage.tick("changed_users")
    stage.intercom.by_hand.edit_contact(str(ada), name="Ada L.")

    assert "1 user to read" in stage.tick("intercom_changes").skip_message
    [request] = stage.tick("changed_users").run_requests
    stage.launch(USERS, request)

    with psycopg.connect(stage.url) as connection:
        assert connection.execute("select name from users").fetchall() == [("Ada L.",)]


def test_a_page_view_alone_launches_nothing(stage: Stage) -> None:
    ada = insert_user(stage.url)
    stage.run(USERS, config={"user_ids": [ada]})
    stage.tick("changed_users")
    update_row(stage.url, "users", ada, last_request_at="2026-07-01T10:00:00Z")

    assert stage.tick("changed_users").run_requests == []


def test_who_was_synced_where_dagster_was_not_at_hand_is_shown_by_the_next_tick(
    stage: Stage,
) -> None:
    """By a command without DAGSTER_HOME, or by a run that died before it could show it."""
    ada, bob = (str(insert_user(stage.url, email=f"user{n}@example.com")) for n in range(2))
    stage.run(USERS, config={"user_ids": [ada, bob]})
    shown = dg.AssetKey("reconciled_profiles")
    stage.instance.wipe_assets([shown])
    assert stage.tick("changed_users").run_requests == []
    assert stage.instance.get_materialized_partitions(shown) == set()

    stage.store.state.put(StateKey.NOT_SHOWN_IN_DAGSTER, True)
    stage.tick("changed_users")

    assert {ada, bob} <= set(stage.instance.get_materialized_partitions(shown))
    assert stage.store.state.get(StateKey.NOT_SHOWN_IN_DAGSTER) is None
