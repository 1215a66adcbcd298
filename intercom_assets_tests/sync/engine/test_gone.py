"""Too many gone at once are held; whoever a read returns is let go of, by whatever reads."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.feeders.app_changes import feed_from_app
from intercom_assets.sync.feeders.sweep import sweep
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import SyncWorld

MAKE: LiteralString = "create table if not exists {target} (like {source})"
MOVE: LiteralString = """
    with moved as (delete from {source} where id = any({keys}) returning *)
    insert into {target} select * from moved
"""


def _users(world: SyncWorld, many: int) -> list[int]:
    users = [world.given_user(email=f"u{n}@example.com") for n in range(many)]
    world.sync(*users)
    return users


def _teams(world: SyncWorld, many: int) -> list[int]:
    teams = [world.given_team(domain=f"t{n}.example") for n in range(many)]
    world.sync_teams(*teams)
    return teams


@contextmanager
def _hidden(world: SyncWorld, keys: list[int], table: str = "users") -> Iterator[None]:
    """A WHERE clause that leaves these out, for a while."""
    _move(world, keys, table, f"hidden_{table}")
    yield
    _move(world, keys, f"hidden_{table}", table)


def _move(world: SyncWorld, keys: list[int], source: str, target: str) -> None:
    names = {"source": sql.Identifier(source), "target": sql.Identifier(target)}
    with psycopg.connect(world.url) as connection:
        for statement in (MAKE, MOVE):
            connection.execute(sql.SQL(statement).format(**names, keys=sql.Literal(keys)))


def _swept(world: SyncWorld) -> None:
    sweep(world.services)
    world.run_due(QueueKind.TEAM)
    world.run_due(QueueKind.USER)


def _marked(world: SyncWorld, users: list[int]) -> list[int]:
    return [u for u in users if world.contact(u)["custom_attributes"].get("deleted")]


def _held(world: SyncWorld, kind: QueueKind = QueueKind.USER) -> int:
    return len(world.services.store.gone.held(kind).keys)


def _run_of_one(world: SyncWorld, user: int) -> None:
    world.sync(user)


def _sweep(world: SyncWorld, user: int) -> None:
    sweep(world.services)


def test_a_sweep_that_finds_them_unchanged_lets_go_of_all_who_were_held(played: SyncWorld) -> None:
    users = _users(played, 120)
    with _hidden(played, users[:60]):
        _swept(played)
        assert _held(played) == 60
    _swept(played)

    assert (_held(played), _marked(played, users)) == (0, [])
    assert played.services.store.gone.found(QueueKind.USER) == frozenset()


@pytest.mark.parametrize("look", [_run_of_one, _sweep])
def test_a_real_deletion_after_a_mistake_is_marked(
    played: SyncWorld, look: Callable[[SyncWorld, int], None]
) -> None:
    users = _users(played, 40)
    with _hidden(played, users[:30]):
        _swept(played)
    look(played, users[0])

    played.delete_user(users[0])
    played.run_all_due()

    assert _marked(played, users) == users[:1]


def test_the_same_mistake_is_held_again_although_an_operator_released_the_first(
    played: SyncWorld,
) -> None:
    users = _users(played, 120)
    for _ in range(2):
        with _hidden(played, users[:60]):
            _swept(played)
            assert _held(played) == 60
        played.services.store.gone.release()
        _swept(played)
        assert (_held(played), _marked(played, users)) == (0, [])


def test_those_released_and_marked_are_held_by_the_next_mistake(played: SyncWorld) -> None:
    users = _users(played, 60)
    with _hidden(played, users[:30]):
        _swept(played)
        played.services.store.gone.release()
        _swept(played)
        assert _marked(played, users) == users[:30]
    _swept(played)
    assert _marked(played, users) == []

    with _hidden(played, users[:30]):
        _swept(played)
        assert (_held(played), _marked(played, users)) == (30, [])


def test_of_two_mistakes_at_once_each_lets_go_of_its_own(played: SyncWorld) -> None:
    users = _users(played, 120)
    with _hidden(played, users[60:90]):
        with _hidden(played, users[:60]):
            _swept(played)
            assert _held(played) == 90
        _swept(played)
        assert _held(played) == 30
    _swept(played)

    assert (_held(played), _marked(played, users)) == (0, [])


def test_a_mistake_of_days_is_let_go_of_as_well(played: SyncWorld) -> None:
    users = _users(played, 40)
    with _hidden(played, users[:30]):
        _swept(played)
        played.run("update intercom_sync.gone set found_at = now() - interval '3 days'")
        _swept(played)
        assert _held(played) == 30
    _swept(played)
    played.delete_user(users[0])
    _swept(played)

    assert (_held(played), _marked(played, users)) == (0, users[:1])


def test_who_returned_no_longer_counts_against_who_is_really_gone(played: SyncWorld) -> None:
    users = _users(played, 50)
    with _hidden(played, users[:20]):
        _swept(played)
        assert _marked(played, users) == users[:20]
    _swept(played)

    for user in users[20:35]:
        played.delete_user(user)
    _swept(played)

    assert (_held(played), _marked(played, users)) == (0, users[20:35])


def test_a_poll_that_sees_them_unchanged_lets_go(worlds: Worlds) -> None:
    played = worlds(capture="polling", poll_overlap="1h")
    users = _users(played, 30)
    feed_from_app(played.services)
    with _hidden(played, users):
        _swept(played)
        assert _held(played) == 30
    played.run("update users set updated_at = now()")

    feed_from_app(played.services)

    assert _held(played) == 0


def test_a_drain_that_only_postpones_them_lets_go(played: SyncWorld) -> None:
    users = _users(played, 30)
    with _hidden(played, users):
        _swept(played)
        assert _held(played) == 30
        feed_from_app(played.services)
    played.run("update users set last_request_at = now()")

    feed_from_app(played.services)

    assert _held(played) == 0


def test_teams_are_held_and_let_go_of_as_users_are(played: SyncWorld) -> None:
    teams = _teams(played, 60)
    for _ in range(2):
        with _hidden(played, teams[:30], "teams"):
            _swept(played)
            assert _held(played, QueueKind.TEAM) == 30
        played.services.store.gone.release(QueueKind.TEAM)
        _swept(played)
        assert _held(played, QueueKind.TEAM) == 0
    assert not any(played.company(t)["custom_attributes"].get("company_deleted") for t in teams)

    played.delete_team(teams[0])
    _swept(played)
    assert played.company(teams[0])["custom_attributes"]["company_deleted"] is True


def test_a_large_batch_holds_teams_before_the_first_company_is_marked(worlds: Worlds) -> None:
    played = worlds(chunk_size=5)
    teams = _teams(played, 40)
    with _hidden(played, teams[:30], "teams"):
        _swept(played)

        assert _held(played, QueueKind.TEAM) == 30
        companies = [played.company(team)["custom_attributes"] for team in teams]
    assert not any(each.get("company_deleted") for each in companies)
