"""What stops a batch before its first write, and who is held although a read says they are gone."""

import pytest

from intercom_assets.domain.guards import GuardStopped
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.mapping.problems import MappingError
from intercom_assets.sync.engine.batch import run_batch
from intercom_assets.sync.engine.chunk_source import Batch
from intercom_assets.sync.engine.last_stop import stops
from intercom_assets_tests.sync.sync_world import Sql, SyncWorld
from intercom_assets_tests.sync.world import World


def _users(world: World, many: int) -> list[int]:
    return [world.given_user(email=f"u{n}@example.com") for n in range(many)]


def test_many_users_found_gone_are_held_and_everybody_else_goes_on(world: World) -> None:
    users = _users(world, 30)
    world.sync(*users)
    for user in users[:25]:
        world.delete_user(user)
    world.update_user(users[29], name="Still Here")

    world.sync(*users)

    marked = [u for u in users if world.contact(u)["custom_attributes"]["deleted"]]
    assert marked == []
    assert world.contact(users[29])["name"] == "Still Here"
    assert len(world.services.store.gone.held().keys) == 25

    world.services.store.gone.release()
    world.sync_due()

    marked = [u for u in users if world.contact(u)["custom_attributes"]["deleted"]]
    assert marked == users[:25]


def test_what_looks_like_a_secret_is_sent_to_nobody_unless_it_is_allowed(played: SyncWorld) -> None:
    ada = played.given_user()
    secret = Sql(users={"    billing_period,": "    billing_period, 'h' as pw_hash,"})
    played.remap(secret)

    with pytest.raises(MappingError, match=r"pw_hash looks like .*allow_secrets"):
        played.sync(ada)
    assert played.intercom.contacts() == []

    played.remap(secret, allow_secrets=["pw_hash"])
    played.sync(ada)
    assert played.contact(ada)["custom_attributes"]["pw_hash"] == "h"


def test_a_few_gone_users_are_marked_at_once(world: World) -> None:
    users = _users(world, 3)
    world.sync(*users)
    world.delete_user(users[0])

    world.sync(*users)

    assert world.contact(users[0])["custom_attributes"]["deleted"] is True


def test_a_batch_past_a_guard_stops_before_its_first_write_and_names_its_plan(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = world.services.settings
    guards = settings.guards.model_copy(update={"above": 2, "creates": 2})
    small = settings.model_copy(update={"guards": guards, "chunk_size": 2})
    monkeypatch.setattr(type(world.services), "settings", property(lambda _: small))
    users = _users(world, 5)
    before = world.intercom.stats()["writes"]

    with pytest.raises(GuardStopped, match="creates 5 contacts") as stopped:
        world.sync(*users)
    assert world.intercom.stats()["writes"] == before

    accepted = str(stopped.value).split("--accept ")[1].split(";")[0]
    batch = Batch(QueueKind.USER, keys=tuple(map(str, users)), accepted=accepted)
    assert sum(len(r.outcomes) for r in run_batch(world.services, batch, "accepted")) == 5
    assert len(world.intercom.contacts()) == 5


def test_a_stop_is_remembered_until_a_run_of_its_kind_goes_through(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, store = world.services.settings, world.services.store
    guards = settings.guards.model_copy(update={"above": 2, "creates": 2})
    small = settings.model_copy(update={"guards": guards, "chunk_size": 2})
    users = _users(world, 3)
    with monkeypatch.context() as patched:
        patched.setattr(type(world.services), "settings", property(lambda _: small))
        with pytest.raises(GuardStopped) as stopped:
            world.sync(*users)

    [stop] = stops(store)
    assert (stop.kind, stop.why) == (QueueKind.USER, str(stopped.value))
    world.sync_teams()
    assert stops(store) == [stop]
    world.sync(*users)
    assert stops(store) == []
