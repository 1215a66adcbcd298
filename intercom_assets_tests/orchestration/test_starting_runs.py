"""The ways to start a run. Several times each: traps of Dagster appear once there are events."""

from pathlib import Path

import dagster as dg
import pytest

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.orchestration.sync_targets import TEAMS, USERS
from intercom_assets_tests.builders import insert_membership, insert_team, insert_user, update_row
from intercom_assets_tests.orchestration.stage import TOKEN, Stage, a_mapping, a_stage
from intercom_assets_tests.sync.small_bulk import OLD, SMALL, sizes_of_bulk

USER_ASSETS = ("app_users", "intercom_contacts", "reconciled_profiles")


def given_users(stage: Stage, count: int) -> list[str]:
    return [
        str(insert_user(stage.url, email=f"user{n}@example.com", name=f"User No {n}"))
        for n in range(count)
    ]


def test_a_list_of_users_shows_in_each_partition_what_changed_and_what_it_cost(
    stage: Stage,
) -> None:
    ada, bob = given_users(stage, 2)

    ran = stage.run(USERS, config={"user_ids": [ada, int(bob)]})

    assert ran.succeeded
    for asset in USER_ASSETS:
        assert set(ran.materialized(asset)) == {ada, bob}
    profile = ran.materialized("reconciled_profiles")[ada]
    assert {"email", "name"} <= set(profile["changed"].split(", "))
    assert profile["calls"] == 1
    assert profile["intercom_id"] == ran.materialized("intercom_contacts")[ada]["intercom_id"]
    assert profile["contact"].endswith(f"/users/{profile['intercom_id']}")
    assert stage.instance.has_dynamic_partition("app_user", bob)


def test_settled_users_are_reported_and_cost_no_call(stage: Stage) -> None:
    users = given_users(stage, 2)
    stage.run(USERS, config={"user_ids": users})

    again = stage.run(USERS, config={"user_ids": users})

    assert again.requests == 0
    assert [m["changed"] for m in again.materialized("reconciled_profiles").values()] == [
        "nothing",
        "nothing",
    ]


def test_a_contact_is_a_link_to_intercoms_own_screen_and_no_run_asks_where_that_is(
    stage: Stage,
) -> None:
    """The workspace is asked for with its attributes, and kept."""
    ada, bob = given_users(stage, 2)

    first, second = (stage.run(USERS, config={"user_ids": [each]}) for each in (ada, bob))

    assert second.requests == 1
    [contact] = stage.intercom.contacts()[1:]
    answered = stage.intercom.handle("GET", "/me", {"Authorization": f"Bearer {TOKEN}"}).json()
    expected = f"/a/apps/{answered['app']['id_code']}/users/{contact['id']}"
    for asset in ("intercom_contacts", "reconciled_profiles"):
        link = second.materialized(asset)[bob]["contact"]
        assert link.partition("127.0.0.1:")[2].partition("/")[1:] == ("/", expected[1:])
        assert first.materialized(asset)[ada]["contact"] != link


def test_the_numbers_of_a_run_are_plotted_and_its_cause_and_size_are_tags(stage: Stage) -> None:
    users = given_users(stage, 2)

    ran = stage.run(USERS, config={"user_ids": users})

    numbers = ran.observed("sync_health")[None]
    assert {
        name for name, number in numbers.items() if not isinstance(number, int | float)
    } == set()
    assert (numbers["users"], numbers["users_changed"], numbers["users_parked"]) == (2, 2, 0)
    assert numbers["user_calls"] == ran.requests
    assert numbers["user_calls_refused_by_rate_limit"] == numbers["user_overruled_edits"] == 0
    assert numbers["users_per_second"] > 0
    assert 0 < numbers["user_share_of_rate_limit"] < 1
    assert ran.run.tags["intercom_assets/users"] == "2"
    assert ran.run.tags["intercom_assets/calls"] == str(ran.requests)
    assert ran.run.tags["intercom_assets/cause"] == "list"


def test_a_run_of_a_sensor_is_tagged_with_what_woke_it(stage: Stage) -> None:
    users = given_users(stage, 2)
    [request] = stage.tick("changed_users").run_requests

    ran = stage.launch(USERS, request)

    assert ran.run.tags["intercom_assets/cause"] == "app"
    assert ran.run.tags["intercom_assets/users"] == str(len(users))
    assert ran.run.tags["intercom_assets/lane"] == "live"


def test_nothing_that_a_person_typed_is_in_dagsters_events(stage: Stage) -> None:
    ada = str(insert_user(stage.url, email="ada@example.com", name="Ada Lovelace"))

    ran = stage.run(USERS, config={"user_ids": [ada]})

    answer = " ".join(str(entry) for entry in stage.instance.all_logs(ran.run.run_id))
    assert "reconciled_profiles" in answer
    assert "example.com" not in answer
    assert "Lovelace" not in answer


def test_one_partition_by_hand(stage: Stage) -> None:
    [ada] = given_users(stage, 1)
    stage.instance.add_dynamic_partitions("app_user", [ada])

    first, second = (stage.run(USERS, partition=ada) for _ in range(2))

    assert first.succeeded
    assert second.succeeded
    assert set(second.materialized("reconciled_profiles")) == {ada}
    assert second.requests == 0


def test_a_range_of_partitions_as_a_backfill_asks_for_it(stage: Stage) -> None:
    users = given_users(stage, 4)
    stage.run(USERS, config={"user_ids": users})

    ran = stage.run_range(USERS, users[0], users[2])

    assert ran.succeeded
    for asset in USER_ASSETS:
        assert set(ran.materialized(asset)) == set(users[:3])


def test_a_large_run_goes_by_bulk_and_says_meanwhile_how_many_were_sent(
    database: str, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    mapping = a_mapping(tmp_path / "mapping", bulk="preview")
    with a_stage(database, instance, mapping) as stage, sizes_of_bulk(SMALL):
        users = [
            str(insert_user(stage.url, email=f"user{n}@example.com", created_at=OLD))
            for n in range(7)
        ]
        stage.store.queue.enqueue(QueueKind.USER, users)

        ran = stage.run(USERS, config={"from_queue": 10})

        assert ran.succeeded
        assert "users by bulk: 7 sent so far" in ran.logged()
        assert set(ran.materialized("reconciled_profiles")) == set(users)
        assert stage.intercom.stats()["calls_by_endpoint"]["POST /contacts/bulk"] == 1


def test_a_number_from_the_queue_takes_who_is_due_and_reports_who_changed(stage: Stage) -> None:
    users = given_users(stage, 3)
    stage.run(USERS, config={"user_ids": users})
    update_row(stage.url, "users", int(users[0]), name="Somebody Else")
    stage.store.queue.enqueue(QueueKind.USER, users)

    ran = stage.run(USERS, config={"from_queue": 10})

    assert ran.succeeded
    assert ran.observed("sync_health")[None]["users"] == 3
    assert set(ran.materialized("reconciled_profiles")) == {users[0]}
    assert stage.store.queue.due(QueueKind.USER).count == 0


def test_companies_come_by_list_by_partition_and_from_the_queue(stage: Stage) -> None:
    teams = [str(insert_team(stage.url, domain=f"team{n}.example")) for n in range(3)]

    by_list = stage.run(TEAMS, config={"team_ids": teams[:2]})
    by_partition = stage.run(TEAMS, partition=teams[0])
    stage.store.queue.enqueue(QueueKind.TEAM, [teams[2]])
    from_queue = stage.run(TEAMS, config={"from_queue": 5})

    assert set(by_list.materialized("intercom_companies")) == set(teams[:2])
    assert by_list.observed("sync_health")[None]["teams"] == 2
    assert set(by_partition.materialized("intercom_companies")) == {teams[0]}
    assert "/companies/" in by_list.materialized("intercom_companies")[teams[0]]["company"]
    assert by_partition.requests == 0
    assert set(from_queue.materialized("intercom_companies")) == {teams[2]}


def test_a_batch_of_users_still_runs_once_companies_have_events(stage: Stage) -> None:
    """A partitioned asset upstream of the user step breaks batch runs at the second time."""
    team = insert_team(stage.url)
    [ada] = given_users(stage, 1)
    insert_membership(stage.url, int(ada), team)
    stage.run(TEAMS, config={"team_ids": [team]})

    first, second = (stage.run(USERS, config={"user_ids": [ada]}) for _ in range(2))

    assert first.succeeded
    assert second.succeeded


def test_a_run_that_is_executed_again_handles_the_same_users_and_makes_no_call(
    stage: Stage,
) -> None:
    users = given_users(stage, 3)
    stage.store.queue.enqueue(QueueKind.USER, users)
    ran = stage.run(USERS, config={"from_queue": 10})
    later = given_users(stage, 1)
    stage.store.queue.enqueue(QueueKind.USER, later)

    again = stage.run_again(USERS, ran)
    once_more = stage.run_again(USERS, again)

    for each in (again, once_more):
        assert set(each.materialized("reconciled_profiles")) == set(users)
        assert each.requests == 0
    assert stage.store.queue.due(QueueKind.USER).sole_key == later[0]


def test_one_asset_of_a_partition_does_the_work_for_the_change_alone(stage: Stage) -> None:
    [ada] = given_users(stage, 1)
    stage.run(USERS, config={"user_ids": [ada]})
    update_row(stage.url, "users", int(ada), name="Ada Byron")

    ran = stage.run(USERS, partition=ada, only=["reconciled_profiles"])

    assert ran.materialized("reconciled_profiles")[ada]["changed"] == "name"
    assert ran.requests == 1


@pytest.mark.parametrize("only", [[asset] for asset in USER_ASSETS])
def test_whichever_asset_of_a_user_is_launched_the_user_is_synced_and_missing_nowhere(
    stage: Stage, only: list[str]
) -> None:
    """One pass brings all three; one that was not launched would stay grey, as never synced."""
    [ada] = given_users(stage, 1)
    stage.instance.add_dynamic_partitions("app_user", [ada, "987651"])

    for key in (ada, "987651"):
        ran = stage.run(USERS, partition=key, only=only)
        assert ran.succeeded
        for asset in USER_ASSETS:
            assert set(ran.materialized(asset)) == {key}

    assert [contact["external_id"] for contact in stage.intercom.contacts()] == [ada]


def test_a_partition_that_has_nobody_says_so_and_fails_no_backfill(stage: Stage) -> None:
    """A backfill counts a partition for which its run brought nothing as failed."""
    stage.instance.add_dynamic_partitions("app_user", ["987651"])

    ran = stage.run_range(USERS, "987651", "987651")

    for asset in USER_ASSETS:
        assert ran.materialized(asset) == {
            "987651": {"state": "neither the app nor Intercom has it: nothing to do"}
        }


def test_a_range_whose_first_partition_was_deleted_and_added_again_is_no_use(stage: Stage) -> None:
    """Its keys are those between the two, in the order in which they were added."""
    users = given_users(stage, 3)
    stage.instance.add_dynamic_partitions("app_user", users)
    stage.instance.delete_dynamic_partition("app_user", users[0])
    stage.instance.add_dynamic_partitions("app_user", users[:1])

    ran = stage.run_range(USERS, users[0], users[2])

    assert not ran.succeeded
    assert (ran.failure or "").startswith("The range of partitions holds no user: ")
    assert "\n" not in (ran.failure or "")
    assert ran.requests == 0


def test_a_range_whose_partition_is_deleted_while_its_run_waits_is_no_use(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster refuses such a range when it makes the run; in the run it is ours to say."""
    users = given_users(stage, 3)
    stage.instance.add_dynamic_partitions("app_user", users)

    def gone(_: object) -> list[str]:
        raise dg.DagsterInvalidInvocationError("Partition range is not a valid range")

    monkeypatch.setattr(dg.AssetExecutionContext, "partition_keys", property(gone))
    ran = stage.run_range(USERS, users[0], users[2])

    assert not ran.succeeded
    assert (ran.failure or "").startswith("The range of partitions holds no user: ")
    assert ran.requests == 0


def test_a_user_that_nobody_knows_gets_no_partition(stage: Stage) -> None:
    ran = stage.run(USERS, config={"user_ids": ["987654"]})

    assert ran.succeeded
    assert ran.materialized("app_users") == {}
    assert not stage.instance.has_dynamic_partition("app_user", "987654")


@pytest.mark.parametrize(
    ("config", "partition", "sentence"),
    [
        (None, False, "Nothing says which users to sync"),
        ({"from_queue": 5, "user_ids": ["1"]}, False, "Both from_queue and user_ids say which"),
        ({"user_ids": ["1"]}, True, "Both a partition and user_ids say which"),
        ({"user_ids": []}, False, "user_ids is empty"),
        ({"from_queue": 0}, False, "from_queue is 0"),
    ],
)
def test_a_launch_that_does_not_say_whom_ends_with_one_sentence(
    stage: Stage, config: dict[str, object] | None, partition: bool, sentence: str
) -> None:
    stage.instance.add_dynamic_partitions("app_user", ["1"])

    ran = stage.run(USERS, config=config, partition="1" if partition else None)

    assert not ran.succeeded
    assert ran.failure is not None
    assert ran.failure.startswith(sentence)
    assert "\n" not in ran.failure
    assert ran.requests == 0
