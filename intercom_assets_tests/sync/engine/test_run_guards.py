"""Rules 1 to 5 of the replaced job: when nothing runs, what one run is, and who waits for 429s.

Numbers are those of `rules.RULES`, where each rule names its test.
"""

import pytest

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.intercom.errors import Unauthorized
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.environment import read_environment
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld, a_played_world

ON = {"INTERCOM_ACCESS_TOKEN": "demo-token", "INTERCOM_SYNC_ENABLED": "true"}


def test_many_users_are_one_run_and_each_has_an_outcome_of_its_own(worlds: Worlds) -> None:
    """Rule 1: the job was one user; a chunk is many, and nobody depends on another."""
    world = worlds(chunk_size=2)
    users = [world.given_user(email=f"u{n}@example.com") for n in range(5)]

    synced = world.sync(*users)

    assert sorted(synced.outcomes) == sorted(str(user) for user in users)
    assert all(outcome.status is Status.CHANGED for outcome in synced.outcomes.values())
    assert len({world.contact(user)["id"] for user in users}) == 5


@pytest.mark.parametrize("token", [None, "", "   "])
def test_without_a_token_nothing_is_called(token: str | None) -> None:
    """Rule 2, and its hole: an empty token is no token."""
    env = ON | ({} if token is None else {"INTERCOM_ACCESS_TOKEN": token})
    if token is None:
        del env["INTERCOM_ACCESS_TOKEN"]

    refusal = read_environment(env).refusal

    assert refusal is not None
    assert "INTERCOM_ACCESS_TOKEN is not set" in refusal


def test_a_run_without_a_token_makes_no_request(played: SyncWorld, worlds: Worlds) -> None:
    folder = played.services.app.mapping.folder
    with a_played_world(played.url, folder, token="") as world:
        ada = world.given_user()

        with pytest.raises(Unauthorized):
            world.sync(ada)

        assert world.wire.requests == []


@pytest.mark.parametrize("switch", [None, "", "false", "0", "no", "off", "nil", "enabled"])
def test_a_sync_that_is_not_switched_on_does_nothing(switch: str | None) -> None:
    """Rule 3: only what means "on" is on; the job's `true?` left nil to chance."""
    env = {key: value for key, value in ON.items() if key != "INTERCOM_SYNC_ENABLED"}
    refusal = read_environment(env if switch is None else env | {"INTERCOM_SYNC_ENABLED": switch})

    assert refusal.refusal is not None
    assert "switched off" in refusal.refusal


@pytest.mark.parametrize("switch", ["true", "TRUE", "1", "yes", "On"])
def test_a_sync_that_is_switched_on_runs(switch: str) -> None:
    assert read_environment(ON | {"INTERCOM_SYNC_ENABLED": switch}).refusal is None


def test_a_429_waits_for_the_window_that_intercom_names(played: SyncWorld) -> None:
    """Rule 5: the wait is until `X-RateLimit-Reset`, however many 429s there are."""
    played.intercom.set(faults=[{"kind": "rate_limit", "endpoint": "POST /contacts", "count": 5}])
    ada = played.given_user(email="ada@example.com")

    synced = played.sync(ada)

    assert synced[ada].status is Status.CHANGED
    assert played.contact(ada)["email"] == "ada@example.com"
    assert synced.calls.count("POST /contacts") == 6
    assert 20 < played.times.skipped < 60


def test_a_user_that_another_run_keeps_is_left_to_it(
    played: SyncWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 1 had no lock; here the other run is told to look once more instead."""
    monkeypatch.setattr("intercom_assets.sync.engine.chunk_source.PATIENCE_IN_LEASES", 0)
    ada = played.given_user()
    played.sync(ada)
    played.update_user(ada, name="Ada Lovelace")
    played.services.store.queue.enqueue(QueueKind.USER, [str(ada)])
    with played.lease_of(ada):
        assert played.sync(ada)[ada].status is Status.HELD
        assert played.contact(ada)["name"] != "Ada Lovelace"

    played.sync_due()

    assert played.contact(ada)["name"] == "Ada Lovelace"
