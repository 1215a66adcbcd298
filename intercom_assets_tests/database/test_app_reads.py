"""Reading users and teams: what a row becomes, and what it may not do to the others."""

import re
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.failures import AppUnavailable
from intercom_assets.domain.models import AppTeam, AppUser, Gone, InvalidRow
from intercom_assets.mapping.load import load_mapping
from intercom_assets.mapping.problems import MappingError
from intercom_assets_tests.builders import (
    CREATED_AT,
    SIGNED_UP,
    insert_membership,
    insert_team,
    insert_user,
)
from intercom_assets_tests.database.mappings import an_app, run


@pytest.fixture
def app(database: str) -> Iterator[AppDatabase]:
    with an_app(database, load_mapping()) as app:
        yield app


def of_values(url: str, values: str, names: str, ids: list[str]) -> dict[str, object]:
    """Reads `ids` of a users.sql that is a list of values."""
    users = f"select * from (values {values}) as v ({names})"
    with an_app(url, users=users) as app:
        return dict(app.read_users(ids))


# --- what a row becomes ---------------------------------------------------------------------------


def test_a_user_is_read_with_its_teams_in_canonical_form(app: AppDatabase) -> None:
    user = insert_user(
        app.url, email=" Ada@Example.com ", name="  ", phone_number="", time_zone="Europe/London"
    )
    team = insert_team(app.url)
    insert_membership(app.url, user, team)

    read = app.read_users([str(user)])[str(user)]

    assert isinstance(read, AppUser)
    assert read.id == str(user)
    assert read.values["email"] == "Ada@Example.com"
    assert (read.values["name"], read.values["phone_number"]) == (None, None)
    assert read.values["created_at"] == SIGNED_UP
    assert read.values["admin_link"] == f"https://app.example.com/admin/users/{user}"
    assert not {"id", "from_oauth", "deleted_at", "updated_at"} & set(read.values)
    assert (read.from_oauth, read.deleted, read.teams) == (False, False, frozenset({str(team)}))


def test_a_user_from_oauth_and_one_marked_as_deleted_say_so(app: AppDatabase) -> None:
    user = insert_user(app.url, oauth_provider="google", deleted_at=CREATED_AT)

    read = app.read_users([str(user)])[str(user)]

    assert isinstance(read, AppUser)
    assert (read.from_oauth, read.deleted) == (True, True)


def test_a_team_is_read_with_its_owner(app: AppDatabase) -> None:
    owner = insert_user(app.url)
    team = insert_team(app.url, owner_id=owner, monthly_spend=79.4)

    read = app.read_teams([str(team), "999"])

    assert read["999"] == Gone("999")
    found = read[str(team)]
    assert isinstance(found, AppTeam)
    assert (found.owner_id, found.deleted) == (str(owner), False)
    assert found.values["monthly_spend"] == 79
    assert found.values["size"] == 0


def test_times_are_read_in_utc_whatever_the_database_is_set_to(database: str) -> None:
    name = conninfo_to_dict(database)["dbname"]
    run(database, f"alter database {name} set timezone = 'Asia/Tokyo'")
    run(database, f"alter database {name} set datestyle = 'German'")
    values = of_values(
        database,
        "(1, 'a', timestamptz '2024-01-01 00:30+00', timestamptz '1965-01-01 00:00:00.9+00')",
        "id, email, created_at, seen",
        ["1"],
    )["1"]

    assert isinstance(values, AppUser)
    assert values.values["created_at"] == 1_704_069_000
    assert values.values["seen"] == -157_766_400


def test_five_thousand_memberships_are_read_once_each(app: AppDatabase) -> None:
    user = insert_user(app.url)
    run(app.url, "insert into teams (domain) select 't' || n from generate_series(1, 5000) as n")
    run(app.url, "insert into memberships (user_id, team_id) select %s, id from teams", user)

    read = app.read_users([str(user)])[str(user)]

    assert isinstance(read, AppUser)
    assert len(read.teams) == 5_000


def test_users_and_memberships_are_read_at_one_moment_and_read_only(database: str) -> None:
    users = """
        select 1 as id, 'a' as email, current_setting('transaction_isolation') as isolation,
            current_setting('transaction_read_only') as read_only
    """
    with an_app(database, users=users) as app:
        read = app.read_users(["1"])["1"]

    assert isinstance(read, AppUser)
    assert (read.values["isolation"], read.values["read_only"]) == ("repeatable read", "on")


# --- ids ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["", " ", "x", "007", "+1", "1.0", "1 or true", "9" * 30, "é", "\ud800", "a\x00b", "-"]
)
def test_a_key_that_could_not_be_an_id_is_gone_and_harms_nobody(app: AppDatabase, key: str) -> None:
    user = str(insert_user(app.url))

    read = app.read_users([key, user])

    assert read[key] == Gone(key)
    assert isinstance(read[user], AppUser)


@pytest.mark.parametrize(
    ("sql_type", "key"),
    [
        ("smallint", "-7"),
        ("bigint", "9007199254740993"),
        ("numeric(30, 0)", "123456789012345678901234567890"),
        ("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("text", " with spaces, commas/slashes 🙂'\"\\ "),
        ("varchar(600)", "x" * 500),
        ("char(8)", "ab"),
    ],
)
def test_ids_of_any_type_are_found_by_their_text(
    empty_database: str, sql_type: str, key: str
) -> None:
    run(empty_database, f"create table users (id {sql_type} primary key, email text)")
    run(empty_database, "insert into users values (%s, 'a@b')", key)

    with an_app(empty_database, users="select id, email from users") as app:
        read = app.read_users([key, str(UUID(int=0)), "12", "nobody"])

    assert [key for key, row in read.items() if isinstance(row, AppUser)] == [key]


def test_one_spelling_per_id(empty_database: str) -> None:
    """`A0EE...` and `a0ee...` are one row; two keys for it would be two users."""
    uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    read = of_values(empty_database, f"('{uuid}'::uuid, 'a')", "id, email", [uuid, uuid.upper()])

    assert isinstance(read[uuid], AppUser)
    assert read[uuid.upper()] == Gone(uuid.upper())


def test_a_membership_in_another_case_is_its_users(empty_database: str) -> None:
    """Where the app's own type takes both for the same id."""
    run(
        empty_database,
        "create extension citext;"
        "create table users (id citext, email text, name text);"
        "create table members (user_id citext, team_id int);"
        "insert into users values ('ada', 'a@b.example'), ('bob', 'b@b.example');"
        "insert into members values ('ADA', 1), ('ada', 2), ('Bob', 3)",
    )
    with an_app(empty_database, memberships="select user_id, team_id from members") as app:
        found = app.read_users(["ada", "bob"])

    assert {key: user.teams for key, user in found.items() if isinstance(user, AppUser)} == {
        "ada": {"1", "2"},
        "bob": {"3"},
    }


def test_an_id_that_comes_with_several_rows_is_unfit(empty_database: str) -> None:
    read = of_values(
        empty_database, "(1, 'a'), (1, 'b'), (1, 'c'), (2, 'd')", "id, email", ["1", "2"]
    )

    assert read["1"] == InvalidRow(
        "1", "id", "id is not unique: users.sql returns several rows for it"
    )
    assert isinstance(read["2"], AppUser)


# --- rows that cannot be --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("'NaN'::float8", "is not a finite number"),
        ("'Infinity'::numeric", "is not a finite number"),
        ("9007199254740993::bigint", "is above 2^53"),
        ("'infinity'::timestamptz", "is infinite or not within the years 1 to 9999"),
        ("'0044-03-15 BC'::date", "is infinite or not within the years 1 to 9999"),
        ("'20000-01-01'::timestamptz", "is infinite or not within the years 1 to 9999"),
    ],
)
def test_a_value_that_cannot_be_is_left_out_and_names_its_column(
    empty_database: str, sql: str, reason: str
) -> None:
    read = of_values(empty_database, f"(1, 'a', null), (2, 'b', {sql})", "id, email, x", ["1", "2"])

    assert isinstance(read["1"], AppUser)
    assert read["1"].unfit == {}
    assert isinstance(read["2"], AppUser)
    assert read["2"].values == {"email": "b"}
    assert read["2"].unfit.keys() == {"x"}
    assert read["2"].unfit["x"].startswith(f"x {reason}")


DIVIDED = "select id, email, 100 / sessions_this_month as rate from users"


def test_a_row_that_cannot_be_computed_costs_itself_only(database: str) -> None:
    ids = [str(insert_user(database, sessions_this_month=n)) for n in (1, 0, 5, 2, 0)]
    with an_app(database, users=DIVIDED) as app:
        read = app.read_users(ids)

    unfit = InvalidRow(ids[1], "users.sql", "users.sql: division by zero")
    assert read[ids[1]] == unfit
    assert isinstance(read[ids[4]], InvalidRow)
    assert [type(read[ids[n]]) for n in (0, 2, 3)] == [AppUser] * 3


def test_what_a_row_holds_is_not_told_with_its_reason(database: str) -> None:
    user = str(insert_user(database, name="Jane Doe"))
    with an_app(database, users="select id, email, name::integer as age from users") as app:
        read = app.read_users([user])[user]

    assert isinstance(read, InvalidRow)
    assert read.reason == 'users.sql: invalid input syntax for type integer: "..."'


def test_a_query_that_fails_for_everybody_blames_nobody(database: str) -> None:
    user = str(insert_user(database))
    users = "with broken as materialized (select 1 / 0 as x) select id, email, x from users, broken"
    with (
        an_app(database, users=f"{users} where x is not null") as app,
        pytest.raises(AppUnavailable, match=r"users\.sql: division by zero"),
    ):
        app.read_users([user, "2"])


def test_bytes_that_are_no_utf8_cost_their_own_value(database: str) -> None:
    name = f"{conninfo_to_dict(database)['dbname']}_ascii"
    options = "template template0 encoding 'SQL_ASCII' locale 'C'"
    with psycopg.connect(database, autocommit=True) as admin:
        if admin.info.server_version >= 150_000:
            options += " locale_provider libc"
        admin.execute(f"create database {name} {options}")
    url = make_conninfo(database, dbname=name)
    try:
        run(url, "create table users (id text, email text, name text)")
        run(url, r"insert into users values ('1', 'a', E'Ren\xe9'), ('2', 'b', E'Ren\xc3\xa9')")
        with an_app(url, users="select id, email, name, 'é' as accent from users") as app:
            read = app.read_users(["1", "2", "é"])
    finally:
        with psycopg.connect(database, autocommit=True) as admin:
            admin.execute(f"drop database {name} with (force)")

    assert isinstance(read["1"], AppUser)
    assert read["1"].values == {"email": "a", "accent": "é"}
    assert read["1"].unfit == {"name": "name holds bytes that are no UTF-8"}
    assert isinstance(read["2"], AppUser)
    assert read["2"].values["name"] == "René"


# --- streaming ------------------------------------------------------------------------------------


def test_everybody_is_streamed_in_chunks_with_teams(app: AppDatabase) -> None:
    run(app.url, "insert into users (email) select n || '@x.y' from generate_series(1, 25) as n")
    team = insert_team(app.url)
    run(app.url, "insert into memberships (user_id, team_id) select id, %s from users", team)

    chunks = list(app.stream_users(chunk=10))

    assert [len(chunk) for chunk in chunks] == [10, 10, 5]
    users = [user for chunk in chunks for user in chunk]
    assert {user.id: user for user in users} == app.read_users([user.id for user in users])


def test_teams_are_streamed_too(app: AppDatabase) -> None:
    team = str(insert_team(app.url))

    assert list(app.stream_teams()) == [[app.read_teams([team])[team]]]


def test_several_rows_of_one_id_are_one_unfit_user_of_a_stream(empty_database: str) -> None:
    users = "select n / 3 as id, n || '@x.y' as email from generate_series(3, 11) as n"
    with an_app(empty_database, users=users) as app:
        streamed = [row for chunk in app.stream_users(chunk=2) for row in chunk]

    assert [(row.id, type(row)) for row in streamed] == [
        ("1", InvalidRow),
        ("2", InvalidRow),
        ("3", InvalidRow),
    ]


def test_rows_without_an_id_are_left_out_of_a_stream_and_counted(
    empty_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    users = "select * from (values ('1', 'a'), (null, 'b'), (' ', 'c')) as v (id, email)"
    with an_app(empty_database, users=users) as app:
        streamed = [row.id for chunk in app.stream_users() for row in chunk]

    assert streamed == ["1"]
    assert "users.sql: 2 rows without an id were left out" in caplog.text


def test_a_row_that_cannot_be_computed_does_not_end_a_stream(database: str) -> None:
    ids = [str(insert_user(database, sessions_this_month=n)) for n in (1, 2, 3, 0, 5, 6, 7)]
    with an_app(database, users=DIVIDED) as app:
        chunks = list(app.stream_users(chunk=2))

    assert [row.id for chunk in chunks for row in chunk] == ids
    assert [row.id for chunk in chunks for row in chunk if isinstance(row, InvalidRow)] == [ids[3]]


def test_a_stream_that_is_not_read_to_its_end_frees_its_connection(app: AppDatabase) -> None:
    run(app.url, "insert into users (email) select n || '@x.y' from generate_series(1, 25) as n")
    for _ in range(20):
        stream = app.stream_users(chunk=10)
        next(stream)
        stream.close()  # type: ignore[attr-defined]

    assert len(app.read_users(["1"])) == 1


# --- looking up -----------------------------------------------------------------------------------


def test_users_are_found_by_email_in_any_case(app: AppDatabase) -> None:
    ada = str(insert_user(app.url, email="Ada@Example.com"))
    other = str(insert_user(app.url, email="ada@example.com"))
    insert_user(app.url, email=None)

    found = app.ids_with_email(["ADA@example.com", "nobody@example.com", ""])

    assert {email: sorted(ids) for email, ids in found.items()} == {
        "ada@example.com": sorted([ada, other])
    }


# --- a database that does not answer --------------------------------------------------------------


def unavailable(url: str) -> str:
    with an_app(url) as app, pytest.raises(AppUnavailable) as caught:
        app.read_users(["1"])
    return str(caught.value)


def test_a_database_that_is_down_is_told_at_once() -> None:
    text = unavailable("postgresql://app:geheim@127.0.0.1:1/app")

    assert text.startswith("the app's database cannot be reached: ")
    assert "Connection refused" in text
    assert "geheim" not in text


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:ge#heim@127.0.0.1:1/app",
        "postgresql://app:ge@heim@nowhere.invalid:1/app",
        "postgresql://app:ge/heim@127.0.0.1:1/app",
        "host=127.0.0.1 port=1 user=app password=geheim",
        "postgresql://app:heim@127.0.0.1:port/app",
        "heim",
        "",
    ],
)
def test_an_address_that_is_wrong_is_told_without_its_password(url: str) -> None:
    assert "heim" not in unavailable(url)


def test_a_wrong_password_a_missing_database_and_a_missing_table_are_told(database: str) -> None:
    stranger = unavailable(make_conninfo(database, user="no_such_role", password="x"))
    assert re.search("password authentication failed|role .* does not exist", stranger)
    assert '"no_such" does not exist' in unavailable(make_conninfo(database, dbname="no_such"))
    run(database, "drop table users cascade")
    assert 'users.sql, line 1: relation "users" does not exist' in unavailable(database)


def test_a_table_that_vanishes_later_is_not_an_empty_one(app: AppDatabase) -> None:
    user = str(insert_user(app.url))
    assert isinstance(app.read_users([user])[user], AppUser)

    run(app.url, "drop table users cascade")

    with pytest.raises(AppUnavailable, match='relation "users" does not exist'):
        app.read_users([user])


def test_a_query_that_writes_is_stopped(database: str) -> None:
    run(
        database,
        """
        create function spoil() returns int language sql
        as $$ insert into users (email) values ('x') returning 1 $$
        """,
    )
    users = "select id, email, spoil() as spoilt from users"
    insert_user(database)
    with an_app(database, users=users) as app, pytest.raises(MappingError, match="only reads"):
        app.read_users(["1"])


def test_a_table_that_is_locked_is_told_as_such(app: AppDatabase) -> None:
    _ = app.shapes
    with psycopg.connect(app.url) as other:
        other.execute("lock table memberships in access exclusive mode")
        with pytest.raises(AppUnavailable, match="waited too long for a lock"):
            app.read_users([str(insert_user(app.url))])


def test_reading_goes_on_after_the_connections_were_cut(app: AppDatabase) -> None:
    user = str(insert_user(app.url))
    app.read_users([user])
    run(
        app.url,
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()",
    )

    assert isinstance(app.read_users([user])[user], AppUser)


def test_columns_added_to_the_apps_table_are_seen_without_a_restart(database: str) -> None:
    user = str(insert_user(database))
    users = "select id, email, seats.* from users left join seats on false"
    with an_app(database, users=users) as app:
        run(database, "create table seats (seat text)")
        before = app.read_users([user])[user]
        run(database, "alter table seats add column floor integer")
        after = app.read_users([user])[user]

    assert isinstance(before, AppUser)
    assert isinstance(after, AppUser)
    assert set(after.values) - set(before.values) == {"floor"}
