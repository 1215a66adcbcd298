"""What `check` is told about a mapping's queries."""

from collections.abc import Iterator

import pytest

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.app.inspection import (
    clock_words,
    read_whole,
    tables_read,
    unstable_columns,
)
from intercom_assets.database.app.watch_gaps import gaps, hidden
from intercom_assets.mapping.load import load_mapping
from intercom_assets_tests.builders import insert_team, insert_user
from intercom_assets_tests.database.mappings import an_app, run


@pytest.fixture
def app(database: str) -> Iterator[AppDatabase]:
    """The sample app with so many users that nobody wants them all read for one."""
    run(database, "insert into users (email) select n || '@x.y' from generate_series(1, 2000) as n")
    run(database, "analyze users")
    insert_team(database)
    with an_app(database, load_mapping()) as app:
        yield app


def whole(url: str, users: str) -> list[str]:
    with an_app(url, users=users) as app:
        return app.reading(lambda connection, shapes: read_whole(connection, shapes.users))


def test_the_sample_mapping_reads_by_id_and_watches_what_it_reads(app: AppDatabase) -> None:
    watches = app.mapping.settings.watch

    assert app.reading(lambda c, shapes: read_whole(c, shapes.users)) == []
    assert app.reading(lambda c, shapes: read_whole(c, shapes.teams)) == []
    assert app.reading(lambda c, shapes: gaps(c, shapes, watches)) == []
    assert app.reading(lambda c, shapes: hidden(c, shapes, watches)) == []
    assert unstable_columns(app.reading) == {}
    assert clock_words(app.shapes.users) == []


@pytest.mark.parametrize(
    "users",
    [
        "select id::text as id, email from users",
        "select id, email, row_number() over (order by created_at) as n from users",
        "select a.id, a.email, count(*) as n from users as a "
        "left join users as b on b.plan = a.plan group by a.id",
    ],
)
def test_a_query_that_visits_everybody_for_one_is_named(app: AppDatabase, users: str) -> None:
    assert whole(app.url, users) == ["public.users"]


def test_a_small_table_may_be_read_whole(app: AppDatabase) -> None:
    run(app.url, "create table plans (name text, label text)")
    run(app.url, "insert into plans values ('free', 'Free'); analyze plans")
    users = "select u.id, u.email, p.label from users u left join plans p on p.name = u.plan"

    assert whole(app.url, users) == []


def test_tables_behind_views_and_partitions_are_told_by_their_own_name(database: str) -> None:
    run(
        database,
        """
        create table visits (user_id bigint, at timestamptz) partition by range (at);
        create table visits_all partition of visits default;
        create view people as select * from users
        """,
    )
    users = "select id, email, (select max(at) from visits where user_id = id) as seen from people"
    with an_app(database, users=users) as app:
        read = app.reading(tables_read)
        missing = app.reading(lambda c, s: gaps(c, s, load_mapping().settings.watch))

    assert read == {"public.users", "public.visits"}
    assert [(gap.table, gap.relkind) for gap in missing] == [("public.visits", "p")]


def test_columns_that_differ_each_time_are_named(database: str) -> None:
    insert_user(database)
    users = "select id, email, now() as seen, random() as luck, 'NaN'::float8 as n from users"
    with an_app(database, users=users) as app:
        assert unstable_columns(app.reading) == {"users.sql": ["seen", "luck"]}
        assert clock_words(app.shapes.users) == ["now()", "random()"]


def test_words_in_comments_are_no_clock(database: str) -> None:
    users = "select id, email, -- not now()\n current_date - created_at::date as days from users"
    with an_app(database, users=users) as app:
        assert clock_words(app.shapes.users) == ["current_date"]
