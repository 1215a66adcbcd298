"""What is stored in the app's tables, what is left alone, and what the change log keeps of it."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.app.write_back import WriteBack
from intercom_assets.database.capture.installation import install_capture
from intercom_assets.database.failures import AppUnavailable
from intercom_assets.domain.models import AppUser, Gone, InvalidRow, Values
from intercom_assets.mapping.load import load_mapping
from intercom_assets.mapping.problems import MappingError
from intercom_assets_tests.builders import insert_membership, insert_team, insert_user, read_row
from intercom_assets_tests.database.mappings import a_mapping, an_app, rows, run
from intercom_assets_tests.mapping_folders import a_folder

MAPPING = load_mapping()


@pytest.fixture
def app(database: str) -> Iterator[AppDatabase]:
    install_capture(database, MAPPING)
    with an_app(database, MAPPING) as app:
        yield app


def a_write_back(id: int, expected: dict[str, Any], new: dict[str, Any]) -> WriteBack:
    return WriteBack(str(id), expected, new)


def logged(url: str) -> list[tuple[str, list[str]]]:
    return rows(url, "select kind, keys from intercom_capture.change_log order by id")


def empty_log(url: str) -> None:
    run(url, "delete from intercom_capture.change_log")


# --- storing --------------------------------------------------------------------------------------


def test_a_value_is_stored_and_the_row_read_again(app: AppDatabase) -> None:
    user = insert_user(app.url, name=None)

    written = app.write_back_users([a_write_back(user, {"name": None}, {"name": "Ada L."})])

    answer = written[str(user)]
    assert (answer.status, answer.reason) == ("written", None)
    assert answer.row == app.read_users([str(user)])[str(user)]
    assert isinstance(answer.row, AppUser)
    assert answer.row.values["name"] == "Ada L."


def test_times_are_stored_as_the_columns_type_holds_them(empty_database: str) -> None:
    run(
        empty_database,
        """
        create table users (id int primary key, email text, zoned timestamptz, naive timestamp,
            day date, seconds bigint);
        insert into users values (1, 'a@b')
        """,
    )
    users = """
        select id, email, zoned as a, naive at time zone 'UTC' as b, day as c,
            to_timestamp(seconds) as d
        from users
    """
    columns = {"a": "zoned", "b": "naive", "c": "day", "d": "seconds"}
    write_back = {"table": "users", "columns": columns}
    with an_app(empty_database, a_mapping(users, write_back=write_back)) as app:
        noon = 1_704_110_400
        written = app.write_back_users([WriteBack("1", {}, dict.fromkeys("abcd", noon))])["1"]
        again = app.write_back_users([WriteBack("1", {}, dict.fromkeys("abd", noon))])["1"]

    assert rows(
        empty_database, "select zoned::text, naive::text, day::text, seconds from users"
    ) == [("2024-01-01 12:00:00+00", "2024-01-01 12:00:00", "2024-01-01", noon)]
    assert written.status == again.status == "written"


def test_values_are_stored_in_columns_of_their_own_type(empty_database: str) -> None:
    run(
        empty_database,
        """
        create domain code as varchar(4);
        create table "App Users" ("The Id" uuid primary key, email text, n numeric(9, 2), c code,
            ok boolean, phone bigint);
        insert into "App Users" values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a@b')
        """,
    )
    users = 'select "The Id" as id, email, n, c, ok, phone as phone_number from "App Users"'
    names = {"n": "n", "c": "c", "ok": "ok", "phone_number": "phone"}
    write_back = {"table": '"App Users"', "key": "The Id", "columns": names}
    new: Values = {"n": 1.25, "c": "abcd", "ok": False, "phone_number": "49301234"}
    key = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    with an_app(empty_database, a_mapping(users, write_back=write_back)) as app:
        written = app.write_back_users([WriteBack(key, {}, new)])[key]
        too_long = app.write_back_users([WriteBack(key, {}, {"c": "abcdefgh"})])[key]

    assert written.status == "written"
    assert isinstance(written.row, AppUser)
    assert {name: written.row.values[name] for name in new} == new
    assert too_long.status == "refused"
    assert too_long.reason == "value too long for type character varying(4)"


def test_a_value_that_is_there_already_is_not_stored_again(app: AppDatabase) -> None:
    user = insert_user(app.url, name="Ada")
    before = rows(app.url, "select xmin::text from users")

    written = app.write_back_users([a_write_back(user, {"name": None}, {"name": "Ada"})])

    assert written[str(user)].status == "written"
    assert rows(app.url, "select xmin::text from users") == before


# --- the Intercom id ------------------------------------------------------------------------------


def test_the_intercom_id_is_one_key_among_others(app: AppDatabase) -> None:
    user = insert_user(app.url, metadata={"theme": "dark", "intercom_user_id": "old"})

    app.write_back_users([WriteBack(str(user), intercom_id="c9")])

    row = read_row(app.url, "users", user)
    assert row is not None
    assert row["metadata"] == {"theme": "dark", "intercom_user_id": "c9"}


@pytest.mark.parametrize("before", ["null", "'null'", "'{}'"])
def test_a_metadata_that_holds_nothing_becomes_an_object(app: AppDatabase, before: str) -> None:
    user = insert_user(app.url)
    run(app.url, "alter table users alter metadata drop not null")
    run(app.url, f"update users set metadata = {before}")

    app.write_back_users([WriteBack(str(user), intercom_id="c9")])

    row = read_row(app.url, "users", user)
    assert row is not None
    assert row["metadata"] == {"intercom_user_id": "c9"}


def test_a_metadata_that_is_no_object_is_not_replaced(app: AppDatabase) -> None:
    user = insert_user(app.url)
    run(app.url, "update users set metadata = '[1, 2]'")

    written = app.write_back_users([WriteBack(str(user), intercom_id="c9")])[str(user)]

    assert (written.status, written.reason) == (
        "refused",
        "the column for the Intercom id holds a JSON array",
    )
    assert rows(app.url, "select metadata from users") == [([1, 2],)]


def test_a_teams_intercom_id_is_stored_too(app: AppDatabase) -> None:
    team = insert_team(app.url)

    written = app.write_back_teams([WriteBack(str(team), intercom_id="co1")])

    assert written[str(team)].status == "written"
    row = read_row(app.url, "teams", team)
    assert row is not None
    assert row["metadata"] == {"intercom_company_id": "co1"}


def test_the_intercom_id_can_have_a_column_of_its_own(empty_database: str) -> None:
    run(empty_database, "create table users (id int primary key, email text, crm_id varchar(24))")
    run(empty_database, "insert into users values (1, 'a@b')")
    slot = {"table": "users", "intercom_id": "crm_id"}
    mapping = a_mapping("select id, email from users", write_back=slot)
    with an_app(empty_database, mapping) as app:
        app.write_back_users([WriteBack("1", intercom_id="c9")])

    assert rows(empty_database, "select crm_id from users") == [("c9",)]


# --- rows that are left alone ---------------------------------------------------------------------


def test_a_row_that_moved_on_is_not_overwritten(app: AppDatabase) -> None:
    user = insert_user(app.url, name="Newer")

    written = app.write_back_users([a_write_back(user, {"name": "Older"}, {"name": "Intercom's"})])

    answer = written[str(user)]
    assert answer.status == "changed"
    assert isinstance(answer.row, AppUser)
    assert answer.row.values["name"] == "Newer"


def test_a_row_that_is_gone_or_unfit_is_told_as_changed(database: str, tmp_path: Path) -> None:
    """A user is unfit whom the query returns twice."""
    unfit = insert_user(database, name=None)
    folder = a_folder(
        tmp_path,
        users="select id, email, name from users union all select id, email, name from users",
        sync="write_back: {table: users, columns: {name: name}}",
    )

    with an_app(database, load_mapping(folder)) as app:
        gone = [WriteBack("x", {"name": None}, {"name": "x"})]
        written = app.write_back_users(
            [a_write_back(n, {"name": None}, {"name": "x"}) for n in (unfit, 999)] + gone
        )

    assert [type(answer.row) for answer in written.values()] == [InvalidRow, Gone, Gone]
    assert {answer.status for answer in written.values()} == {"changed"}
    assert rows(app.url, "select name from users") == [(None,)]


def test_a_row_that_the_app_holds_is_not_waited_for(app: AppDatabase) -> None:
    held, free = insert_user(app.url, name=None), insert_user(app.url, name=None)
    with psycopg.connect(app.url) as other:
        other.execute("update users set plan = 'team' where id = %s", (held,))
        written = app.write_back_users(
            [a_write_back(user, {"name": None}, {"name": "x"}) for user in (held, free)]
        )

    assert written[str(held)].status == "busy"
    assert written[str(free)].status == "written"


def test_a_row_that_is_not_in_the_table_yet_is_told_apart_from_one_that_is_held(
    database: str,
) -> None:
    """A profile that the app makes when it is first opened."""
    run(database, "create table profiles (user_id bigint primary key, phone text)")
    users = "select id, email, phone as phone_number from users left join profiles on user_id = id"
    with_profile, without = insert_user(database), insert_user(database)
    run(database, "insert into profiles (user_id) values (%s)", with_profile)
    columns = {"table": "profiles", "key": "user_id", "columns": {"phone_number": "phone"}}
    with an_app(database, a_mapping(users, write_back=columns)) as app:
        written = app.write_back_users(
            [
                a_write_back(user, {"phone_number": None}, {"phone_number": "+1"})
                for user in (with_profile, without)
            ]
        )

    assert written[str(with_profile)].status == "written"
    assert written[str(without)].status == "refused"
    assert written[str(without)].reason == "the table of write_back has no row for it"


def test_the_app_never_waits_for_a_foreign_key_because_of_us(app: AppDatabase) -> None:
    """`for no key update`: the app can insert a membership of a user that we are writing to."""
    user, team = insert_user(app.url, name=None), insert_team(app.url)
    run(
        app.url,
        """
        create function slow() returns trigger language plpgsql as
        $$ begin perform pg_sleep(0.2); return new; end $$;
        create trigger slow before update on users for each row execute function slow()
        """,
    )
    with psycopg.connect(app.url) as other:
        other.execute("set lock_timeout = '1ms'")
        other.execute("insert into memberships (user_id, team_id) values (%s, %s)", (user, team))
        written = app.write_back_users([a_write_back(user, {"name": None}, {"name": "x"})])

    assert written[str(user)].status == "written"


# --- values that the app does not take ------------------------------------------------------------


def test_a_refused_value_costs_its_own_user_only(app: AppDatabase) -> None:
    run(app.url, "alter table users add check (name not like '%@%')")
    users = [insert_user(app.url, name=None) for _ in range(5)]
    names = ["Ada", "a@b.c", "Grace", "x@y.z", "Edsger"]
    empty_log(app.url)

    written = app.write_back_users(
        [a_write_back(u, {"name": None}, {"name": n}) for u, n in zip(users, names, strict=True)]
    )

    statuses = [written[str(user)].status for user in users]
    assert statuses == ["written", "refused", "written", "refused", "written"]
    refused = written[str(users[1])]
    assert 'violates check constraint "users_name_check"' in (refused.reason or "")
    assert isinstance(refused.row, AppUser)
    assert refused.row.values["name"] is None
    assert logged(app.url) == []


TRIGGER = """
    create function judge() returns trigger language plpgsql as $$
    begin
        if new.name = 'Raise' then raise exception 'no % here', new.name; end if;
        if new.name = 'Ignore' then return null; end if;
        if new.name = 'Broken' then perform nothing_of_the_kind(); end if;
        if new.name = 'Slow' then set local statement_timeout = 50; perform pg_sleep(9); end if;
        new.name := upper(new.name);
        return new;
    end $$;
    create trigger judge before update on users for each row execute function judge()
"""


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("Raise", "refused", "no ... here"),
        ("Ignore", "refused", "a trigger of the app's table passed the row over"),
        ("Broken", "refused", "function nothing_of_the_kind() does not exist"),
        ("a\x00b", "refused", "PostgreSQL text fields cannot contain NUL (0x00) bytes"),
        ("\ud800", "refused", "the app's database cannot hold a character of the value"),
    ],
)
def test_what_the_apps_own_triggers_say_is_told(
    app: AppDatabase, name: str, status: str, reason: str
) -> None:
    run(app.url, TRIGGER)
    user, other = insert_user(app.url, name=None), insert_user(app.url, name=None)

    written = app.write_back_users(
        [
            a_write_back(user, {"name": None}, {"name": name}),
            a_write_back(other, {"name": None}, {"name": "fine"}),
        ]
    )

    assert written[str(user)].status == status
    assert (written[str(user)].reason or "").startswith(reason)
    assert written[str(other)].status == "written"


def test_what_the_app_made_of_a_value_is_what_is_read(app: AppDatabase) -> None:
    run(app.url, TRIGGER)
    user = insert_user(app.url, name=None)

    written = app.write_back_users([a_write_back(user, {"name": None}, {"name": "ada"})])

    row = written[str(user)].row
    assert isinstance(row, AppUser)
    assert row.values["name"] == "ADA"


def test_a_trigger_that_waits_for_a_lock_makes_the_row_busy(app: AppDatabase) -> None:
    run(
        app.url,
        """
        create table counters (n int);
        insert into counters values (0);
        create function count_up() returns trigger language plpgsql as
        $$ begin update counters set n = n + 1; return new; end $$;
        create trigger count_up before update on users for each row execute function count_up()
        """,
    )
    user = insert_user(app.url, name=None)
    with psycopg.connect(app.url) as other:
        other.execute("update counters set n = 5")
        written = app.write_back_users([a_write_back(user, {"name": None}, {"name": "x"})])

    assert written[str(user)].status == "busy"


def test_a_missing_right_is_nobodys_fault(app: AppDatabase) -> None:
    user = insert_user(app.url, name=None)
    role = f"reader_{token_hex(4)}"
    run(app.url, f"create role {role} login password 'x'")
    run(app.url, f"grant usage on schema intercom_capture to {role}")
    run(app.url, f"grant select on users, memberships, intercom_capture.change_log to {role}")
    run(app.url, f"grant select on teams to {role}")
    address = make_conninfo(app.url, user=role, password="x")
    try:
        with an_app(address, MAPPING) as reader, pytest.raises(AppUnavailable) as caught:
            reader.write_back_users([a_write_back(user, {"name": None}, {"name": "x"})])
    finally:
        run(app.url, f"drop owned by {role}; drop role {role}")

    assert str(caught.value) == "write_back: permission denied for table users"


def test_a_role_that_may_change_the_mapped_columns_only_is_enough(app: AppDatabase) -> None:
    user = insert_user(app.url, name=None)
    empty_log(app.url)
    role = f"sync_{token_hex(4)}"
    run(
        app.url,
        f"""
        create role {role} login password 'x';
        grant select on users, teams, memberships to {role};
        grant update (name, phone_number, time_zone, last_request_at, metadata) on users to {role};
        grant usage on schema intercom_capture to {role};
        grant select, delete, update (keys) on intercom_capture.change_log to {role}
        """,
    )
    try:
        with an_app(make_conninfo(app.url, user=role, password="x"), MAPPING) as sync:
            request = WriteBack(str(user), {"name": None}, {"name": "x"}, "c9")
            written = sync.write_back_users([request])[str(user)]
            left = sync.read_log(10)
            run(app.url, "update users set plan = 'team'")
            sync.delete_log([row.id for row in sync.read_log(10)])
    finally:
        run(app.url, f"drop owned by {role}; drop role {role}")

    assert (written.status, left) == ("written", [])
    assert logged(app.url) == []


# --- the change log -------------------------------------------------------------------------------


def test_a_write_back_leaves_no_echo(app: AppDatabase) -> None:
    users = [insert_user(app.url, name=None) for _ in range(3)]
    empty_log(app.url)

    app.write_back_users([a_write_back(u, {"name": None}, {"name": "x"}) for u in users])

    assert logged(app.url) == []


def test_what_the_apps_triggers_do_to_others_stays_logged(app: AppDatabase) -> None:
    run(
        app.url,
        """
        create function follow() returns trigger language plpgsql as $$
        begin
            update users set plan = 'team' where plan <> 'team';
            update teams set plan = 'team';
            return null;
        end $$;
        create trigger follow after update on users for each row
        when (old.name is distinct from new.name) execute function follow()
        """,
    )
    user, other = insert_user(app.url, name=None), insert_user(app.url)
    team = insert_team(app.url)
    empty_log(app.url)

    app.write_back_users([a_write_back(user, {"name": None}, {"name": "x"})])

    assert sorted(logged(app.url)) == [("team", [str(team)]), ("user", [str(other)])]


def test_what_the_app_logs_meanwhile_stays_logged(app: AppDatabase) -> None:
    user = insert_user(app.url, name=None)
    empty_log(app.url)
    with psycopg.connect(app.url) as other:
        other.execute("insert into memberships select %s, id from teams", (user,))
        team = insert_team(app.url)
        empty_log(app.url)
        other.execute("insert into memberships (user_id, team_id) values (%s, %s)", (user, team))
        app.write_back_users([a_write_back(user, {"name": None}, {"name": "x"})])

    assert sorted(logged(app.url)) == [("team", [str(team)]), ("user", [str(user)])]


def test_among_the_apps_own_writes_no_echo_stays_and_no_change_is_lost(app: AppDatabase) -> None:
    users = [insert_user(app.url, name=None) for _ in range(8)]
    empty_log(app.url)

    def edit(turn: int) -> Counter[str]:
        """Commits of the app, by user."""
        done: Counter[str] = Counter()
        with psycopg.connect(app.url) as connection:
            for n in range(100):
                user = users[(turn + n) % len(users)]
                connection.execute("update users set plan = 'team' where id = %s", (user,))
                connection.commit()
                done[str(user)] += 1
        return done

    def write_back(turn: int) -> int:
        requests = [WriteBack(str(user), {}, {"name": f"n{turn}"}) for user in users]
        answers = app.write_back_users(requests).values()
        return sum(answer.status == "written" for answer in answers)

    with ThreadPoolExecutor(4) as pool:
        editors = [pool.submit(edit, turn) for turn in range(3)]
        written, turn = 0, 0
        while turn == 0 or not all(editor.done() for editor in editors):
            turn += 1
            written += write_back(turn)

    edited = sum((editor.result() for editor in editors), Counter())
    assert written
    assert Counter(key for _, keys in logged(app.url) for key in keys) == edited


def test_it_works_where_no_log_was_installed(database: str) -> None:
    user, team = insert_user(database, name=None), insert_team(database)
    insert_membership(database, user, team)
    run(database, "drop schema if exists intercom_capture cascade")
    with an_app(database, MAPPING) as app:
        written = app.write_back_users([a_write_back(user, {"name": None}, {"name": "x"})])

    assert written[str(user)].status == "written"


# --- a mapping that does not fit ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write_back", "sentence"),
    [
        ({"table": "user"}, 'write_back.table is "user", and no such table is visible; did you'),
        ({"table": "a.b.c.d"}, 'write_back.table is "a.b.c.d": '),
        ({"table": "users", "key": "ids"}, 'write_back.key is "ids", which users does not have'),
        (
            {"table": "users", "columns": {"name": "nam"}},
            'write_back.columns.name is "nam", which users does not have; did you mean "name"?',
        ),
        (
            {"table": "users", "columns": {"created_at": "name"}},
            'write_back.columns.created_at is "name" of type text; allowed for a date: ',
        ),
        (
            {"table": "users", "columns": {"name": "metadata"}},
            'write_back.columns.name is "metadata" of type jsonb; allowed: a column whose type',
        ),
        (
            {"table": "users", "columns": {"name": "created_at"}},
            'write_back.columns.name is "created_at" of type timestamp with time zone; allowed: a',
        ),
        (
            {"table": "users", "intercom_id": "metadata"},
            'write_back.intercom_id is "metadata" of type jsonb; allowed: a column of text, since',
        ),
        (
            {"table": "users", "intercom_id": "email.crm"},
            'write_back.intercom_id is "email.crm", and email is text; allowed: a column, or',
        ),
        (
            {"table": "users", "intercom_id": "metadat.crm"},
            'write_back.intercom_id is "metadat", which users does not have; did you mean',
        ),
    ],
)
def test_a_write_back_to_what_is_not_there_is_refused(
    database: str, write_back: dict[str, Any], sentence: str
) -> None:
    mapping = a_mapping("select id, email, name, created_at from users", write_back=write_back)
    with an_app(database, mapping) as app, pytest.raises(MappingError) as caught:
        app.write_back_users([WriteBack("1")])

    assert str(caught.value).startswith(f"sync.yaml: {sentence}")


def test_a_view_that_cannot_be_updated_is_refused(database: str) -> None:
    run(database, "create view people as select distinct id, email, name from users")
    mapping = a_mapping("select id, email, name from people", write_back={"table": "people"})
    with an_app(database, mapping) as app, pytest.raises(MappingError) as caught:
        app.write_back_users([WriteBack("1")])

    assert str(caught.value) == (
        'sync.yaml: write_back.table is "people", whose rows PostgreSQL cannot update; allowed: a '
        "table, or a view that can be updated"
    )


def test_without_a_table_there_is_nothing_to_write_back_to(database: str) -> None:
    with an_app(database) as app, pytest.raises(ValueError, match="no table to write back to"):
        app.write_back_users([WriteBack("1")])


# --- names ----------------------------------------------------------------------------------------

ODD_NAMES = [
    "50% off",
    "%s",
    "%(name)s",
    "100%%",
    'in "quotes"',
    "it's",
    "Two Words",
    "mIxEd",
    "größe",
    "名前",
    "order",
    "{braces}",
    "a;b -- c",
    "back\\slash",
]


@pytest.mark.parametrize("odd", ODD_NAMES)
def test_tables_columns_keys_and_types_may_be_called_anything(
    empty_database: str, odd: str
) -> None:
    name = sql.Identifier(odd)
    with psycopg.connect(empty_database) as connection:
        connection.execute(
            sql.SQL(
                "create schema {0}; create type {0}.{2} as enum ('a', 'b');"
                "create table {0}.{0} ({0} text, id int primary key, of_type {0}.{2}, at date, "
                "crm jsonb); insert into {0}.{0} (id, crm) values (1, {1})"
            ).format(name, sql.Literal('{"other": 1}'), sql.Identifier(f"{odd} type"))
        )
        users = sql.SQL("select id, {0} as name, of_type, at, 'e' as email from {0}.{0}").format(
            name
        )
        text = users.as_string(connection)
    quoted = name.as_string(None)
    mapping = a_mapping(
        text,
        watch=[{"table": f"{quoted}.{quoted}", "wakes": "user", "key": "id"}],
        write_back={
            "table": f"{quoted}.{quoted}",
            "columns": {"name": odd, "of_type": "of_type", "at": "at"},
            "intercom_id": f"crm.{odd}",
        },
    )
    install_capture(empty_database, mapping)
    new: Values = {"name": "Ada", "of_type": "b", "at": 86_400}
    with an_app(empty_database, mapping) as app:
        written = app.write_back_users([WriteBack("1", {"name": None}, new, "0abc")])

    row = written["1"].row
    assert written["1"].status == "written"
    assert isinstance(row, AppUser)
    assert {key: row.values[key] for key in new} == new
    with psycopg.connect(empty_database) as connection:
        found = connection.execute(sql.SQL("select crm from {0}.{0}").format(name)).fetchall()
    assert found == [({"other": 1, odd: "0abc"},)]
    assert logged(empty_database) == []


@pytest.mark.parametrize("odd", ODD_NAMES)
def test_the_key_and_the_watched_column_may_be_called_anything(
    empty_database: str, odd: str
) -> None:
    name = sql.Identifier(odd)
    with psycopg.connect(empty_database) as connection:
        made = "create table people ({0} int primary key, crm text, name text)"
        connection.execute(sql.SQL(made).format(name))
        connection.execute(sql.SQL("insert into people ({0}) values (1)").format(name))
        query = "select {0} as id, name, null::text as email from people"
        users = sql.SQL(query).format(name).as_string(connection)
        where = sql.SQL("select {0} from people where {0} = any(:keys) and 7 % 2 = 1")
        select = where.format(name).as_string(connection)
    mapping = a_mapping(
        users,
        watch=[
            {"table": "people", "wakes": "user", "key": odd},
            {"table": "people", "wakes": "user", "key": select, "column": odd},
        ],
        write_back={"table": "people", "key": odd, "intercom_id": "crm"},
    )
    install_capture(empty_database, mapping)
    run(empty_database, "update people set name = 'x'")
    with an_app(empty_database, mapping) as app:
        assert [row.keys for row in app.read_log(10)] == [("1",), ("1",)]
        written = app.write_back_users([WriteBack("1", intercom_id="0abc")])

    assert written["1"].status == "written"
    assert rows(empty_database, "select crm from people") == [("0abc",)]
