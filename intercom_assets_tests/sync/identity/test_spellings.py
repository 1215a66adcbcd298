"""A change that names a user or team in another spelling than its own row does is its change."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from intercom_assets.database.capture.installation import install_capture
from intercom_assets.database.store.schema import apply_schema
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.context.spellings import named
from intercom_assets.sync.feeders.app_changes import feed_from_app
from intercom_assets_tests.mapping_folders import a_folder
from intercom_assets_tests.sync.world import World, a_world

UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
SPELLINGS = {
    "citext": ("citext", "citext", "ada", "ADA"),
    "uuid as text": ("uuid", "text", UUID, UUID.upper()),
    "numeric": ("bigint", "numeric(10, 1)", "7", "7.0"),
    "zeros in front": ("int", "text", "7", "007"),
    "char and varchar": ("char(9)", "varchar(12)", "ada", "ada  "),
    "char of two lengths": ("char(9)", "char(5)", "ada", "ada"),
    "plain": ("text", "text", "ada", "ada"),
}
TABLES = """
create extension citext;
create table users (id {own} primary key, email text, name text, updated_at timestamptz);
create table teams (id {own} primary key, name text, updated_at timestamptz);
create table members (user_id {own}, team_id {own}, updated_at timestamptz);
create table notes (user_ref {other}, team_ref {other});
insert into users values ('{id}', 'ada@example.com', 'Ada', now());
insert into teams values ('{id}', 'Engines', now());
"""
WATCH = """
watch:
  - {table: users, wakes: user, key: id}
  - {table: teams, wakes: team, key: id}
  - {table: notes, wakes: user, key: user_ref}
  - {table: notes, wakes: team, key: team_ref}
  - {table: members, wakes: user, key: user_id}
write_back: off
"""


@dataclass(frozen=True)
class Spelled:
    """The one user and the one team have the id `own`; the app's `notes` call both `theirs`."""

    world: World
    own: str
    theirs: str

    def sql(self, statement: str) -> None:
        with psycopg.connect(self.world.url) as connection:
            connection.execute(statement.encode())

    def due(self, kind: QueueKind) -> list[str]:
        return list(self.world.services.store.queue.due_keys(kind, 9))


def a_spelled(name: str, url: str, path: Path, capture: str) -> Iterator[Spelled]:
    own_type, other, own, theirs = SPELLINGS[name]
    with psycopg.connect(url) as connection:
        connection.execute(TABLES.format(own=own_type, other=other, id=own).encode())
    folder = a_folder(
        path,
        users="select id, email, name, updated_at from users",
        teams="select id, name, updated_at from teams",
        memberships="select user_id, team_id, updated_at from members",
        sync=f"capture: {capture}\n{WATCH}",
    )
    apply_schema(url)
    with a_world(url, folder) as world:
        if capture == "triggers":
            install_capture(url, world.services.app.mapping)
        yield Spelled(world, own, theirs)


@pytest.fixture(params=SPELLINGS)
def spelled(
    request: pytest.FixtureRequest, empty_database: str, tmp_path: Path
) -> Iterator[Spelled]:
    yield from a_spelled(request.param, empty_database, tmp_path, "triggers")


@pytest.fixture
def polled(empty_database: str, tmp_path: Path) -> Iterator[Spelled]:
    yield from a_spelled("citext", empty_database, tmp_path, "polling")


def test_a_note_of_a_new_user_wakes_it_by_its_own_key(spelled: Spelled) -> None:
    spelled.sql(f"insert into notes values ('{spelled.theirs}', '{spelled.theirs}')")

    feed_from_app(spelled.world.services)

    assert spelled.due(QueueKind.USER) == [spelled.own]
    assert spelled.due(QueueKind.TEAM) == [spelled.own]


def test_a_note_of_a_known_user_wakes_it_and_nobody_is_gone(spelled: Spelled) -> None:
    world = spelled.world
    world.sync_teams(spelled.own)
    world.sync(spelled.own)
    spelled.sql("alter table users disable trigger all; update users set name = 'Ada L.'")
    spelled.sql(f"insert into notes values ('{spelled.theirs}', '{spelled.theirs}')")

    feed_from_app(world.services)

    assert spelled.due(QueueKind.USER) == [spelled.own]
    assert spelled.due(QueueKind.TEAM) == [spelled.own]
    assert world.sync_due()[spelled.own].changed == ("name",)


def test_a_key_that_came_into_the_queue_as_it_is_wakes_its_owner(spelled: Spelled) -> None:
    """A drain while the app could not be read, or a partition that somebody clicked on."""
    if spelled.own == spelled.theirs:
        pytest.skip("one spelling")
    world = spelled.world

    assert world.sync(spelled.theirs)[spelled.theirs].status is Status.ABSENT
    assert world.sync_teams(spelled.theirs)[spelled.theirs].status is Status.ABSENT

    assert spelled.due(QueueKind.USER) == [spelled.own]
    assert spelled.due(QueueKind.TEAM) == [spelled.own]


def test_who_is_named_by_an_operator_is_found(spelled: Spelled) -> None:
    for kind in QueueKind:
        found = named(spelled.world.services, kind, [spelled.theirs, spelled.own, "nobody"])
        assert found == (spelled.own, "nobody")


def test_a_membership_in_other_spellings_is_between_the_two(polled: Spelled) -> None:
    polled.sql("insert into members values ('ADA', 'Ada', now())")

    synced = polled.world.sync("ada")

    assert synced["ada"].status is Status.CHANGED
    [company] = polled.world.intercom.companies()
    assert company["company_id"] == "ada"
    assert polled.world.contact("ada")["companies"]["total_count"] == 1


def test_a_membership_that_polling_finds_is_its_users(polled: Spelled) -> None:
    feed_from_app(polled.world.services)
    polled.sql("insert into members values ('ADA', 'ADA', now())")

    feed_from_app(polled.world.services)

    assert polled.due(QueueKind.USER) == ["ada"]
