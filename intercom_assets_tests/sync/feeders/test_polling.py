"""Polling: a bounded part at every look, nobody left out, and nothing read that has not moved."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import psycopg
import pytest

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.app.polling import Polled, PolledPage, Window, page, window
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.mapping.load import load_mapping
from intercom_assets.sync.feeders import app_changes as feeders
from intercom_assets.sync.feeders import polling
from intercom_assets.sync.feeders.app_changes import feed_from_app
from intercom_assets_tests.builders import CREATED_AT, insert_membership, insert_team, insert_user
from intercom_assets_tests.database.mappings import an_app, run
from intercom_assets_tests.mapping_folders import a_folder
from intercom_assets_tests.sync.world import World, a_world

After: TypeAlias = tuple[int, str] | None
OLD = datetime.now(UTC) - timedelta(days=400)


@pytest.fixture
def app(database: str) -> Iterator[AppDatabase]:
    with an_app(database, load_mapping()) as app:
        yield app


@pytest.fixture
def polled(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """After the first look; pages of two, and no time for more than one of each kind."""
    monkeypatch.setattr(polling, "PAGE", 2)
    monkeypatch.setattr(feeders, "FEED_SECONDS", 0.0)
    with a_world(database, a_folder(tmp_path, sync="capture: polling\nwrite_back: off")) as world:
        feed_from_app(world.services)
        yield world


def a_page(
    app: AppDatabase, polled: Polled, since: int, limit: int, after: After = None
) -> PolledPage:
    return app.reading(lambda c, shapes: page(c, shapes, polled, since, limit=limit, after=after))


def a_window(app: AppDatabase, polled: Polled, since: int) -> Window:
    return app.reading(lambda c, shapes: window(c, shapes, polled, since))


def reads(world: World, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many users each later read of the app asks for."""
    counts: list[int] = []
    read: Callable[..., object] = world.services.app.read_users

    def counted(keys: list[str]) -> object:
        counts.append(len(keys))
        return read(keys)

    monkeypatch.setattr(world.services.app, "read_users", counted)
    return counts


def due(world: World) -> set[str]:
    return set(world.services.store.queue.due_keys(QueueKind.USER, 99))


# --- pages of the app -----------------------------------------------------------------------------


def test_each_file_is_polled_by_its_own_updated_at(app: AppDatabase) -> None:
    old = insert_user(app.url, updated_at=CREATED_AT)
    fresh, member = insert_user(app.url), insert_user(app.url, updated_at=CREATED_AT)
    team = insert_team(app.url)
    insert_membership(app.url, member, team)
    since = app.now() - 60

    def keys(polled: Polled) -> set[str]:
        return set(a_page(app, polled, since, 9).keys)

    assert keys(Polled.USERS) == {str(fresh)}
    assert keys(Polled.MEMBERSHIPS) == {str(member)}
    assert keys(Polled.TEAMS) == {str(team)}
    assert str(old) not in keys(Polled.USERS)


def test_pages_go_on_behind_each_other_though_all_changed_at_once(app: AppDatabase) -> None:
    run(app.url, "insert into users (email) select 'u' || n from generate_series(1, 7) as n")
    since = app.now() - 60
    part = a_page(app, Polled.USERS, since, 3)
    found = list(part.keys)
    while part.last:
        part = a_page(app, Polled.USERS, since, 3, part.last)
        found += part.keys

    assert len(found) == len(set(found)) == 7


def test_a_row_dated_in_the_future_does_not_blind_the_poller(app: AppDatabase) -> None:
    run(app.url, "insert into users (email, updated_at) values ('a', '2099-01-01')")
    run(app.url, "insert into users (email, updated_at) values ('b', 'infinity')")

    assert a_window(app, Polled.USERS, app.now() - 60).newest <= app.now()


def test_a_query_without_updated_at_is_not_polled(database: str) -> None:
    insert_user(database)
    with an_app(database) as app:
        for polled in Polled:
            assert a_page(app, polled, 0, 9) == PolledPage()
            assert a_window(app, polled, 0).newest == 0


# --- looks ----------------------------------------------------------------------------------------


def test_a_burst_is_queued_look_by_look_and_nobody_is_left_out(polled: World) -> None:
    users = {str(polled.given_user(email=f"u{n}@example.com")) for n in range(9)}

    found = [feed_from_app(polled.services).users for _ in range(9)]

    assert max(found) <= 4  # the newest page and one of the rest
    assert due(polled) == users


def test_a_small_change_and_a_team_are_not_behind_a_burst(polled: World) -> None:
    run(polled.url, "insert into users (email) select n || '@b.c' from generate_series(1, 50) as n")
    feed_from_app(polled.services)
    ada = polled.given_user(email="ada@example.com")
    team = polled.given_team()

    feed_from_app(polled.services)

    assert str(ada) in due(polled)
    assert str(team) in polled.services.store.queue.due_keys(QueueKind.TEAM, 9)


def test_a_burst_that_was_seen_is_not_read_again(
    polled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(9):
        polled.given_user(email=f"u{n}@example.com", created_at=OLD)
    for _ in range(9):
        feed_from_app(polled.services)
    polled.sync_due()
    counts = reads(polled, monkeypatch)

    assert [feed_from_app(polled.services).users for _ in range(3)] == [0, 0, 0]
    assert counts == []


def test_after_a_burst_a_change_costs_a_page_of_it_at_a_look(
    polled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeders, "FEED_SECONDS", 60.0)
    users = [polled.given_user(email=f"u{n}@example.com", created_at=OLD) for n in range(9)]
    feed_from_app(polled.services)
    polled.sync_due()
    now = datetime.now(UTC) + timedelta(seconds=1)
    polled.update_user(users[0], name="Ada L.", updated_at=now)
    counts = reads(polled, monkeypatch)

    fed = feed_from_app(polled.services)

    assert (fed.users, sum(counts)) == (1, 4)


def test_what_commits_late_in_the_midst_of_a_burst_is_found(polled: World) -> None:
    """A long transaction: its `updated_at` is from before what was read already."""
    with psycopg.connect(polled.url) as late:
        late.execute("insert into users (email) values ('late@example.com')")
        users = {str(polled.given_user(email=f"u{n}@example.com")) for n in range(9)}
        for _ in range(9):
            feed_from_app(polled.services)
        assert due(polled) == users
        late.commit()

    for _ in range(9):
        feed_from_app(polled.services)

    assert len(due(polled)) == 10
