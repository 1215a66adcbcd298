"""How a run ends that cannot do its work, and what an operator reads then."""

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.mapping.load import SAMPLE
from intercom_assets.orchestration.partitions import APP_USER
from intercom_assets.orchestration.resources import (
    AppDatabaseResource,
    IntercomResource,
    SyncDatabaseResource,
)
from intercom_assets.orchestration.sync_targets import STOPPED_TAG, USERS
from intercom_assets.sync.engine.last_stop import stops
from intercom_assets_tests.builders import insert_user, update_row
from intercom_assets_tests.orchestration.stage import Ran, Stage, a_mapping

NOBODY_LISTENS = "postgresql://nobody:secret@127.0.0.1:9/nothing"
NO_TIME = "infinity"
"""Nobody can tell whether such a user is deleted, so the user is parked at once."""


def red(stage: Stage) -> set[str]:
    """The partitions that the UI shows as failed."""
    status = get_and_update_asset_status_cache_value(
        stage.instance, dg.AssetKey("reconciled_profiles"), APP_USER
    )
    assert status is not None
    return set(status.deserialize_failed_partition_subsets(APP_USER).get_partition_keys())


def one_sentence(ran: Ran) -> str:
    """The failure as it is shown; no stack, no second line, no second event with more."""
    assert not ran.succeeded
    assert ran.failure is not None
    assert "\n" not in ran.failure
    assert "Traceback" not in ran.failure
    assert "Stack Trace" not in ran.failure
    return ran.failure


def test_a_batch_that_parked_somebody_fails_with_exactly_those_partitions_red(
    stage: Stage,
) -> None:
    well = str(insert_user(stage.url, email="well@example.com"))
    ill = str(insert_user(stage.url, email="ill@example.com", deleted_at=NO_TIME))
    stage.store.queue.enqueue(QueueKind.USER, [well, ill])

    ran = stage.run(USERS, config={"from_queue": 10})

    sentence = one_sentence(ran)
    assert sentence.startswith("1 user could not be synced")
    assert f"{ill}: deleted_at" in sentence
    assert "ill@example.com" not in sentence
    assert set(ran.materialized("reconciled_profiles")) == {well}
    assert ran.observed("reconciled_profiles")[ill]["state"] == "parked"
    assert red(stage) == {ill}

    update_row(stage.url, "users", int(ill), deleted_at=None)
    mended = stage.run(USERS, config={"user_ids": [ill]})
    assert mended.succeeded
    assert red(stage) == set()


def test_who_was_parked_is_green_again_also_when_nothing_is_left_to_change(stage: Stage) -> None:
    """As when the value that Intercom refused is taken back; nobody asks for that user by hand."""
    ill = str(insert_user(stage.url, email="ill@example.com"))
    stage.run(USERS, config={"user_ids": [ill]})
    for deleted_at, reds in ((NO_TIME, {ill}), (None, set[str]())):
        update_row(stage.url, "users", int(ill), deleted_at=deleted_at)
        stage.store.queue.enqueue(QueueKind.USER, [ill])

        stage.run(USERS, config={"from_queue": 10})

        assert red(stage) == reds


def test_who_was_parked_before_does_not_fail_the_next_run(stage: Stage) -> None:
    ill = str(insert_user(stage.url, deleted_at=NO_TIME))
    stage.run(USERS, config={"user_ids": [ill]})
    stage.store.queue.enqueue(QueueKind.USER, [ill])

    again = stage.run(USERS, config={"from_queue": 10})

    assert again.succeeded
    assert again.observed("reconciled_profiles")[ill]["state"] == "parked"


def test_users_who_are_tried_again_do_not_fail_a_run(stage: Stage) -> None:
    ada = str(insert_user(stage.url, email="ada@example.com"))
    stage.run(USERS, config={"user_ids": [ada]})
    update_row(stage.url, "users", int(ada), name="Ada L.")
    refusals = {"kind": "error", "status": 422, "endpoint": "PUT *", "count": 2}
    stage.intercom.set(fail_next=refusals)

    ran = stage.run(USERS, config={"user_ids": [ada]})

    assert ran.succeeded
    assert ran.observed("reconciled_profiles")[ada]["state"] == "waits for its next try"
    assert ran.materialized("reconciled_profiles") == {}


def test_a_wrong_token_stops_the_run_at_once_and_blames_no_user(stage: Stage) -> None:
    users = [str(insert_user(stage.url, email=f"user{n}@example.com")) for n in range(3)]
    stage.store.queue.enqueue(QueueKind.USER, users)
    intercom = stage.resources["intercom"]
    assert isinstance(intercom, IntercomResource)
    wrong = IntercomResource(access_token="wrong", base_url=intercom.base_url, sync_enabled="on")

    ran = stage.having(intercom=wrong).run(USERS, config={"from_queue": 10})

    assert "INTERCOM_ACCESS_TOKEN" in one_sentence(ran)
    assert ran.run.tags[STOPPED_TAG] == ran.failure
    assert stage.store.queue.parked() == []
    [stop] = stops(stage.store)
    assert (stop.kind, stop.why) == (QueueKind.USER, ran.failure)
    assert stage.run(USERS, config={"from_queue": 10}).succeeded
    assert stops(stage.store) == []
    assert stage.store.queue.due(QueueKind.USER).count == 0


@pytest.mark.parametrize(
    ("name", "resource", "sentence"),
    [
        ("intercom", IntercomResource(access_token="tok"), "The sync is switched off: INTERCOM"),
        ("intercom", IntercomResource(sync_enabled="yes"), "INTERCOM_ACCESS_TOKEN is not set"),
        ("app_database", AppDatabaseResource(), "APP_DATABASE_URL is not set"),
        (
            "app_database",
            AppDatabaseResource(url=NOBODY_LISTENS, mapping=str(SAMPLE)),
            "The app's database cannot be",
        ),
        ("app_database", AppDatabaseResource(url=NOBODY_LISTENS), "INTERCOM_SYNC_CONFIG is not"),
        (
            "app_database",
            AppDatabaseResource(url=NOBODY_LISTENS, mapping="/nowhere"),
            "INTERCOM_SYNC_CONFIG: the mapping's folder /nowhere does not exist",
        ),
        ("sync_database", SyncDatabaseResource(url=NOBODY_LISTENS), "The sync's own database did"),
    ],
)
def test_what_an_operator_has_to_set_right_is_one_sentence(
    stage: Stage, name: str, resource: object, sentence: str
) -> None:
    ran = stage.having(**{name: resource}).run(USERS, config={"from_queue": 1})

    assert one_sentence(ran).startswith(sentence)
    assert "secret" not in one_sentence(ran)
    assert ran.requests == 0


def test_a_broken_query_is_named_with_its_file(stage: Stage, tmp_path: Path) -> None:
    folder = a_mapping(tmp_path / "broken")
    (folder / "users.sql").write_text("select id, emial as email from users", encoding="utf-8")
    ada = str(insert_user(stage.url))
    broken = AppDatabaseResource(url=stage.url, mapping=str(folder))

    ran = stage.having(app_database=broken).run(USERS, config={"user_ids": [ada]})

    assert "users.sql" in one_sentence(ran)
    assert "emial" in one_sentence(ran)


def test_a_database_without_our_tables_says_what_to_run(stage: Stage, empty_database: str) -> None:
    elsewhere = SyncDatabaseResource(url=empty_database)

    ran = stage.having(sync_database=elsewhere).run(USERS, config={"user_ids": ["1"]})

    assert "`intercom-assets init-db`" in one_sentence(ran)
