"""The sample app: the same people every time, the awkward ones among them, and signs of life."""

from random import Random
from threading import Event, Thread

import psycopg

from intercom_assets.demo import sample_people
from intercom_assets.demo.sample_app import (
    Seeded,
    change_something,
    create_sample_app,
    seed,
    wander,
)
from intercom_assets.demo.sample_people import sample_memberships, sample_teams, sample_users


def answer(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def test_the_seed_makes_some_200_users_in_60_teams(empty_database: str) -> None:
    create_sample_app(empty_database)

    assert seed(empty_database) == Seeded(users=200, teams=60, memberships=233)


def test_the_same_people_come_out_of_every_seed() -> None:
    assert list(sample_users(50)) == list(sample_users(200))[:50]
    assert list(sample_teams(60, 200)) == list(sample_teams(60, 200))
    assert list(sample_memberships(200, 60)) == list(sample_memberships(200, 60))


AWKWARD = {
    "no name": "name is null and oauth_provider is null and id = 2",
    "one letter": "length(name) = 1",
    "no name, from OAuth": "name is null and oauth_provider is not null and id = 4",
    "no e-mail": "email is null",
    "unknown time zone": "time_zone = 'Mars/Olympus_Mons'",
    "several teams": "id = 7 and (select count(*) from memberships where user_id = id) = 3",
    "no team": "id = 8 and not exists (select from memberships where user_id = id)",
    "deleted": "deleted_at is not null",
    "two with one e-mail": "email = 'shared@pebble.example' and id = 10",
    "the other of them": "email = 'shared@pebble.example' and id = 11",
    "mixed case": "email <> lower(email)",
    "blanks for a name": "btrim(name) = ''",
    "pays by the month": "billing_period = 'month' and id = 14",
    "fraction of a second": "last_request_at <> date_trunc('second', last_request_at)",
}


def test_the_awkward_users_are_there(database: str) -> None:
    seed(database)

    counts = ", ".join(f"count(*) filter (where {condition})" for condition in AWKWARD.values())
    [found] = answer(database, f"select {counts} from users")

    assert dict(zip(AWKWARD, found, strict=True)) == dict.fromkeys(AWKWARD, 1)


def test_the_awkward_teams_are_there(database: str) -> None:
    seed(database)

    nobody = "not exists (select from memberships where team_id = teams.id)"
    outsider = "not exists (select from memberships where team_id = id and user_id = owner_id)"
    assert answer(database, f"select id from teams where id < 5 and {nobody}") == [(4,)]
    assert answer(database, "select id from teams where owner_id is null") == [(2,), (4,)]
    assert answer(
        database, f"select id from teams where id < 5 and owner_id > 0 and {outsider}"
    ) == [(3,)]


def test_a_small_seed_refers_to_nobody_who_is_missing(database: str) -> None:
    assert seed(database, users=3, teams=2) == Seeded(users=3, teams=2, memberships=3)


def test_rows_that_the_app_adds_later_get_numbers_of_their_own(database: str) -> None:
    seed(database, users=20, teams=5)

    with psycopg.connect(database) as connection:
        found = connection.execute(
            "insert into users (email) values ('new@example.com') returning id"
        ).fetchone()
    assert found == (21,)


def test_what_happens_in_the_app_leaves_the_awkward_rows_alone(database: str) -> None:
    seed(database)
    everything = (
        "select 'user', id, md5(users::text) from users where id <= 16 union all "
        "select 'team', id, md5(teams::text) from teams where id <= 4 union all "
        "select 'edge', user_id, md5(memberships::text) from memberships where user_id <= 16"
    )
    before = answer(database, everything)

    printed = {change_something(database, random) for random in map(Random, range(40))}

    assert answer(database, everything) == before
    assert len(printed) > 20
    assert not any("@" in clause for clause in printed)


def test_an_app_without_ordinary_people_stays_as_it_is(database: str) -> None:
    seed(database, users=3, teams=2)
    before = answer(database, "select md5(users::text) from users")

    for number in range(20):
        change_something(database, Random(number))

    assert answer(database, "select md5(users::text) from users") == before


def test_wandering_goes_on_until_it_is_stopped(database: str) -> None:
    seed(database)
    stop = Event()
    changed = "select count(*) from users where updated_at > '2026-07-01 00:00:00+00'"
    walk = Thread(target=wander, args=(database, stop, 0.001, Random(1)))
    walk.start()
    try:
        while answer(database, changed) == [(0,)]:
            assert walk.is_alive()
    finally:
        stop.set()
        walk.join(timeout=10)
    assert not walk.is_alive()


def test_the_numbers_of_the_awkward_rows_are_those_of_their_names() -> None:
    users = {user.id: user for user in sample_people.AWKWARD_USERS}
    assert list(users) == list(range(1, 17))
    assert users[sample_people.MONTHLY_PAYER].billing_period == "month"
    assert users[sample_people.NAMELESS].name is None
