"""The ways to start a run, each also on an instance that already has events."""

import pytest

from intercom_assets.assets.subjects import TEAMS, USERS
from intercom_assets_tests.builders import insert_user, insert_team
from intercom_assets_tests.orchestration.stage import Stage


def test_a_list_of_users_is_synced_and_each_partition_shows_what_changed(stage: Stage) -> None:
    ada = str(insert_user(stage.url, email="ada@example.com", name="Ada"))
    bob = str(insert_user(stage.url, email="bob@example.com", name="Bob"))

    ran = stage.run(USERS, config={"user_ids": [ada, bob]})

    print(ran.failure, ran.logged(), ran.observed("users"), ran.run.tags)
    assert ran.succeeded
    for asset in ("app_users", "intercom_contacts", "reconciled_profiles"):
        print(ran.materialized(asset))
        assert set(ran.materialized(asset)) == {ada, bob}
    again = stage.run(USERS, config={"user_ids": [ada, bob]})
    assert again.requests == 0
