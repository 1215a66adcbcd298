"""How a run was started -> whom it handles. Values in, values out."""

import pytest

from intercom_assets.database.records import Lane
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.orchestration.assets.launch import Launch, WrongLaunch, batch_of
from intercom_assets.orchestration.sync_targets import TEAMS, USERS


def test_a_sensors_partition_is_live_and_leaves_parked_users_alone() -> None:
    batch = batch_of(USERS, Launch(partition_keys=["7"], by_sensor=True))

    assert (batch.kind, batch.keys, batch.lane) == (QueueKind.USER, ("7",), Lane.LIVE)
    assert not batch.by_hand


def test_an_operators_click_tries_parked_users_again() -> None:
    assert batch_of(USERS, Launch(partition_keys=["7"])).by_hand


def test_a_backfill_goes_after_live_changes() -> None:
    batch = batch_of(USERS, Launch(partition_keys=["1", "2"], is_range=True))

    assert (batch.keys, batch.lane, batch.cause) == (("1", "2"), Lane.BULK, "backfill")


def test_ids_may_be_written_as_numbers() -> None:
    assert batch_of(TEAMS, Launch(ids=[3, "4", "ab-c"])).keys == ("3", "4", "ab-c")


@pytest.mark.parametrize(
    ("tag", "lanes"), [("live", (Lane.LIVE,)), ("bulk", (Lane.BULK,)), (None, None)]
)
def test_a_run_takes_rows_of_its_own_lane(tag: str | None, lanes: tuple[Lane, ...] | None) -> None:
    batch = batch_of(USERS, Launch(from_queue=50, lane=tag))

    assert (batch.from_queue, batch.keys, batch.lanes) == (50, None, lanes)


def test_a_replay_handles_whom_the_parent_leased() -> None:
    batch = batch_of(USERS, Launch(from_queue=50, replayed=["3", "1"]))

    assert (batch.keys, batch.from_queue) == (("3", "1"), None)


@pytest.mark.parametrize(
    ("launch", "sentence"),
    [
        (Launch(), "Nothing says which teams to sync"),
        (Launch(from_queue=1, ids=["1"]), "Both from_queue and team_ids say which teams"),
        (Launch(partition_keys=["1"], from_queue=1), "Both a partition and from_queue say which"),
        (Launch(partition_keys=["1"], is_range=True, ids=["1"]), "Both a range of partitions and"),
        (Launch(from_queue=-1), "from_queue is -1: give a number of 1 or more."),
        (Launch(partition_keys=[], is_range=True), "The range of partitions holds no team: a"),
        (Launch(partition_keys=[]), "The range of partitions holds no team: a partition"),
        (Launch(ids=[]), "team_ids is empty: name at least one team."),
        (Launch(ids=[True]), "team_ids holds True, which is no id of a team."),
        (Launch(ids=[{"id": 3}]), "team_ids holds {'id': 3}, which is no id of a team."),
        (Launch(ids=[" "]), "team_ids holds ' ', which is no id of a team."),
    ],
)
def test_a_launch_that_is_no_use_is_one_sentence(launch: Launch, sentence: str) -> None:
    with pytest.raises(WrongLaunch) as stopped:
        batch_of(TEAMS, launch)

    assert str(stopped.value).startswith(sentence)
