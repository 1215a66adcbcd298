"""What the triggers log, and that the app never fails because of them."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from secrets import token_hex

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.capture.guards import Permissions
from intercom_assets.database.capture.installation import install_capture, remove_capture
from intercom_assets.database.capture.state import capture_state
from intercom_assets.database.failures import AppUnavailable
from intercom_assets.mapping.load import AppMapping, load_mapping
from intercom_assets.mapping.problems import MappingError
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets_tests.builders import insert_membership, insert_team, insert_user
from intercom_assets_tests.database.mappings import a_mapping, rows, run

SAMPLE = load_mapping()


def watching(*watch: dict[str, str]) -> AppMapping:
    return a_mapping(watch=watch)


TAKE_OVER = Permissions(take_over=True)
USERS = {"table": "users", "wakes": "user", "key": "id"}


@pytest.fixture
def url(database: str) -> str:
    """The sample app with its triggers and an empty log."""
    install_capture(database, SAMPLE)
    return database


def server_version(url: str) -> int:
    with psycopg.connect(url) as connection:
        return connection.info.server_version // 10_000


def wait_until_somebody_waits(url: str) -> None:
    waiting = "select 1 from pg_stat_activity where datname = current_database()"
    waiting += " and wait_event_type = 'Lock'"
    assert wait_until(lambda: bool(rows(url, waiting)), 10, every=0.01)


def logged(url: str) -> list[tuple[str, list[str]]]:
    found = rows(url, "select kind, keys from intercom_capture.change_log order by id")
    return [(kind, sorted(keys)) for kind, keys in found]


@contextmanager
def only_logged(url: str) -> Iterator[list[tuple[str, list[str]]]]:
    """What was logged within the block, in order."""
    run(url, "delete from intercom_capture.change_log")
    found: list[tuple[str, list[str]]] = []
    yield found
    found.extend(logged(url))


# --- what is logged -------------------------------------------------------------------------------


def test_a_statement_is_one_row_with_every_key_that_it_touched(url: str) -> None:
    with only_logged(url) as log:
        run(url, "insert into users (id, email) select n, 'a' from generate_series(1, 3) as n")
        run(url, "update users set name = 'x' where id <> 2")
        run(url, "update users set id = 9 where id = 1")
        run(url, "delete from users where id = 9")
        run(url, "update users set name = 'y' where false")

    assert log == [
        ("user", ["1", "2", "3"]),
        ("user", ["1", "3"]),
        ("user", ["1", "9"]),
        ("user", ["9"]),
    ]


def test_a_moved_membership_wakes_both_users_and_both_teams(url: str) -> None:
    one, two = insert_user(url), insert_user(url)
    here, there = insert_team(url), insert_team(url)
    insert_membership(url, one, here)
    with only_logged(url) as log:
        run(url, "update memberships set user_id = %s, team_id = %s", two, there)

    assert sorted(log) == [
        ("team", sorted([str(here), str(there)])),
        ("user", sorted([str(one), str(two)])),
    ]


def test_upserts_merges_and_cascades_are_logged(url: str) -> None:
    user, team = insert_user(url), insert_team(url)
    insert_membership(url, user, team)
    with only_logged(url) as log:
        run(
            url,
            "insert into users (id, email) values (%s, 'a'), (77, 'b') "
            "on conflict (id) do update set email = 'c'",
            user,
        )
        run(
            url,
            "merge into users using (values (77), (78)) as v (id) on users.id = v.id "
            "when matched then update set email = 'd' "
            "when not matched then insert (id, email) values (v.id, 'e')",
        )
        run(url, "delete from users where id = %s", user)

    assert sorted(log) == sorted(
        [
            ("user", ["77"]),
            ("user", [str(user)]),
            ("user", ["78"]),
            ("user", ["77"]),
            ("user", [str(user)]),
            ("user", [str(user)]),
            ("team", [str(team)]),
        ]
    )


def test_a_change_that_is_rolled_back_is_not_logged(url: str) -> None:
    with only_logged(url) as log, psycopg.connect(url) as connection:
        connection.execute("insert into users (email) values ('a')")
        connection.rollback()

    assert log == []


def test_a_truncate_says_sweep_now_and_never_all_deleted(url: str) -> None:
    insert_user(url)
    with only_logged(url) as log:
        run(url, "truncate users cascade")

    assert set(map(str, log)) == {"('user', ['*'])", "('team', ['*'])"}


def test_a_statement_of_very_many_rows_says_sweep_now(url: str) -> None:
    """A row of the log that lists millions of keys could be too large to be built."""
    with only_logged(url) as log:
        run(url, "insert into users (email) select 'a' from generate_series(1, 100001)")

    assert log == [("user", ["*"])]


def test_changes_made_with_triggers_in_replica_role_are_logged(url: str) -> None:
    user = insert_user(url)
    with only_logged(url) as log:
        run(url, "set session_replication_role = replica; update users set name = 'x'")

    assert log == [("user", [str(user)])]


def test_keys_of_any_type_in_any_schema_are_logged_as_their_text(empty_database: str) -> None:
    run(
        empty_database,
        """
        create schema "odd Schema";
        create table "odd Schema"."The ""Users"" " ("the id" uuid primary key, changed text);
        create table codes (code char(6) primary key, n int);
        """,
    )
    install_capture(
        empty_database,
        watching(
            {"table": '"odd Schema"."The ""Users"" "', "wakes": "user", "key": "the id"},
            {"table": "public.codes", "wakes": "team", "key": "code"},
        ),
    )
    key = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    run(empty_database, 'insert into "odd Schema"."The ""Users"" " values (%s)', key)
    run(empty_database, "insert into codes values ('ab')")

    assert logged(empty_database) == [("user", [key]), ("team", ["ab"])]


def test_a_generated_column_may_be_the_key(empty_database: str) -> None:
    run(empty_database, "create table users (n int, id int generated always as (n + 1) stored)")
    install_capture(empty_database, watching(USERS))
    with only_logged(empty_database) as log:
        run(empty_database, "insert into users values (6)")
        run(empty_database, "update users set n = 7")
        run(empty_database, "delete from users")

    assert log == [("user", ["7"]), ("user", ["7", "8"]), ("user", ["8"])]


def test_a_virtual_column_is_refused_as_the_key_and_is_no_trouble_later(
    empty_database: str,
) -> None:
    """PostgreSQL fails the app's statement if a trigger asks for one."""
    if server_version(empty_database) < 18:
        pytest.skip("there are no virtual columns before PostgreSQL 18")
    run(empty_database, "create table users (n int, id int generated always as (n + 1) virtual)")
    with pytest.raises(MappingError, match=r'watch\[1\] logs "id" of users, a virtual column'):
        install_capture(empty_database, watching(USERS))

    run(empty_database, "alter table users drop id, add id int")
    install_capture(empty_database, watching(USERS))
    run(empty_database, "alter table users drop id")
    run(empty_database, "alter table users add id int generated always as (n + 1) virtual")
    with only_logged(empty_database) as log:
        run(empty_database, "insert into users values (6)")

    assert log == [("user", ["*"])]


def test_a_key_whose_type_changes_is_logged_on_by_sessions_that_were_there_before(
    empty_database: str,
) -> None:
    run(empty_database, "create table users (id int, dropped int, name text)")
    install_capture(empty_database, watching(USERS))
    with only_logged(empty_database) as log, psycopg.connect(empty_database) as session:
        session.execute("insert into users values (1)")
        session.commit()
        run(empty_database, "alter table users drop dropped, alter id type text using 'u' || id")
        session.execute("update users set name = 'x'")
        session.commit()

    assert log == [("user", ["1"]), ("user", ["u1"])]


def test_a_column_named_as_our_variable_is_no_trouble(empty_database: str) -> None:
    run(empty_database, "create table t (changed int, tg_op text)")
    install_capture(empty_database, watching({"table": "t", "wakes": "user", "key": "changed"}))
    run(empty_database, "insert into t values (1, 'x'), (null, 'y')")

    assert logged(empty_database) == [("user", ["1"])]


@pytest.mark.parametrize(
    "made",
    [
        "create table users (id int, region int) partition by list (region);"
        "create table users_1 partition of users for values in (1);"
        "create table users_2 partition of users for values in (2) partition by list (id);"
        "create table users_2a partition of users_2 default",
        "create table users (id int, region int); create table users_1 () inherits (users);",
    ],
    ids=["partitioned", "inherited"],
)
def test_partitions_are_logged_whoever_is_addressed(empty_database: str, made: str) -> None:
    run(empty_database, made)
    install_capture(empty_database, watching(USERS))
    assert capture_state(empty_database, watching(USERS)).complete
    with only_logged(empty_database) as log:
        run(empty_database, "insert into users_1 values (7, 1)")
        run(empty_database, "update users set id = 8")
        run(empty_database, "delete from users_1")

    assert log == [("user", ["7"]), ("user", ["7", "8"]), ("user", ["8"])]


def test_a_row_that_moves_between_partitions_is_logged(empty_database: str) -> None:
    run(
        empty_database,
        """
        create table users (id int, region int) partition by list (region);
        create table users_1 partition of users for values in (1);
        create table users_2 partition of users for values in (2);
        insert into users values (7, 1)
        """,
    )
    install_capture(empty_database, watching(USERS))
    run(empty_database, "update users set region = 2")

    assert logged(empty_database) == [("user", ["7"])]


# --- the app never fails, nor waits, because of us ------------------------------------------------


@pytest.mark.parametrize(
    "harm",
    [
        "drop table intercom_capture.change_log",
        "drop schema intercom_capture cascade",
        "alter table users rename id to uid",
    ],
)
def test_the_app_works_on_whatever_becomes_of_the_log(url: str, harm: str) -> None:
    run(url, harm)

    run(url, "insert into users (email) values ('a')")
    run(url, "update users set email = 'b'")
    run(url, "delete from users")


def test_a_log_restored_without_its_sequence_loses_nothing(url: str) -> None:
    """As by a data-only restore, which copies the log, then the app's tables, then sequences."""
    run(
        url,
        "insert into intercom_capture.change_log (id, kind, keys) overriding system value "
        "select n, 'user', array['7'] from generate_series(1, 500) as n",
    )
    run(url, "alter sequence intercom_capture.change_log_id_seq restart")

    run(url, "insert into users (id, email) values (1, 'a'), (2, 'b')")
    run(url, "insert into users (id, email) values (3, 'c')")

    assert logged(url)[500:] == [("user", ["1", "2"]), ("user", ["3"])]


def test_a_watched_column_that_is_gone_says_sweep_now(url: str) -> None:
    run(url, "alter table users rename id to uid")
    with only_logged(url) as log:
        run(url, "insert into users (email) values ('a')")

    assert log == [("user", ["*"])]


def test_the_apps_role_needs_no_right_on_our_schema(url: str) -> None:
    role = f"app_{token_hex(4)}"
    run(url, f"create role {role}; grant all on users to {role}")
    try:
        with only_logged(url) as log, psycopg.connect(url) as connection:
            connection.execute(f"set role {role}")
            connection.execute("create temp table change_log (x int)")
            connection.execute("insert into users (id, email) values (5, 'a')")
            connection.commit()
        with psycopg.connect(url) as connection:
            connection.execute(f"set role {role}")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("select * from intercom_capture.change_log")
    finally:
        run(url, f"drop owned by {role}; drop role {role}")

    assert log == [("user", ["5"])]


def test_two_transactions_of_the_app_do_not_wait_for_each_other(url: str) -> None:
    with psycopg.connect(url) as one, psycopg.connect(url) as other:
        other.execute("set lock_timeout = '1ms'")
        one.execute("insert into users (email) values ('a')")
        other.execute("insert into users (email) values ('b')")


# --- installing and removing ----------------------------------------------------------------------


def test_installing_twice_does_nothing_the_second_time(database: str) -> None:
    remove_capture(database)

    shown = install_capture(database, SAMPLE, dry_run=True)
    assert not capture_state(database, SAMPLE).has_log
    assert install_capture(database, SAMPLE) == shown
    assert install_capture(database, SAMPLE) == []
    assert capture_state(database, SAMPLE).complete


def test_what_a_dry_run_shows_can_be_run_by_hand(database: str) -> None:
    remove_capture(database)
    statements = install_capture(database, SAMPLE, dry_run=True)

    run(database, "\n".join(s if s.endswith(";") else f"{s};" for s in statements))

    assert capture_state(database, SAMPLE).complete


def test_removing_leaves_nothing_and_can_be_repeated(url: str) -> None:
    shown = remove_capture(url, dry_run=True)
    assert capture_state(url, SAMPLE).complete

    assert remove_capture(url) == shown
    assert remove_capture(url) == []
    assert rows(url, "select 1 from pg_namespace where nspname = 'intercom_capture'") == []
    assert rows(url, "select 1 from pg_trigger where tgname like 'intercom%'") == []
    assert len(capture_state(url, SAMPLE).missing) == 16


def test_missing_disabled_and_stale_triggers_are_seen_and_put_right(url: str) -> None:
    triggers = rows(
        url, "select tgname from pg_trigger where tgrelid = 'users'::regclass and tgname ~ 'inter'"
    )
    names = sorted(name for (name,) in triggers)
    run(url, f"drop trigger {names[0]} on users")
    run(url, f"alter table users disable trigger {names[1]}")
    run(url, f"alter table users enable trigger {names[2]}")
    run(url, "create table more (id int)")
    install_more = {"table": "more", "wakes": "user", "key": "id"}

    state = capture_state(url, SAMPLE)

    assert state.missing == ("public.users: delete",)
    assert state.disabled == ("public.users: insert", "public.users: truncate")
    assert (state.stale, state.complete) == ((), False)
    statements = install_capture(url, SAMPLE)
    assert len(statements) == 4
    assert capture_state(url, SAMPLE).complete
    more = a_mapping(watch=[*SAMPLE.settings.watch, install_more])
    install_capture(url, more)
    assert len(capture_state(url, SAMPLE).stale) == 4
    install_capture(url, SAMPLE, may=TAKE_OVER)
    assert capture_state(url, SAMPLE).complete


def test_a_changed_key_replaces_its_triggers(empty_database: str) -> None:
    run(empty_database, "create table users (id int, owner_id int)")
    install_capture(empty_database, watching(USERS))
    changed = watching({**USERS, "key": "owner_id"})
    assert capture_state(empty_database, changed).stale

    install_capture(empty_database, changed)
    run(empty_database, "insert into users values (1, 2)")

    assert capture_state(empty_database, changed).complete
    assert logged(empty_database) == [("user", ["2"])]
    functions = rows(empty_database, "select proname from pg_proc where proname ~ '^user_users_'")
    assert len(functions) == 1


def test_a_new_partition_is_seen_as_not_watched(empty_database: str) -> None:
    run(empty_database, "create table users (id int) partition by list (id)")
    install_capture(empty_database, watching(USERS))
    run(empty_database, "create table users_1 partition of users default")

    assert capture_state(empty_database, watching(USERS)).missing == (
        "public.users_1: delete",
        "public.users_1: insert",
        "public.users_1: truncate",
        "public.users_1: update",
    )


def test_the_backlog_is_counted(url: str) -> None:
    run(url, "delete from intercom_capture.change_log")
    assert (capture_state(url, SAMPLE).waiting, capture_state(url, SAMPLE).oldest_at) == (0, None)

    insert_user(url)

    state = capture_state(url, SAMPLE)
    assert state.waiting == 1
    assert state.oldest_at is not None


def test_installing_is_all_or_nothing(database: str) -> None:
    remove_capture(database)
    both = watching(USERS, {"table": "users", "wakes": "team", "key": "team_idd"})

    with pytest.raises(MappingError):
        install_capture(database, both)

    assert not capture_state(database, SAMPLE).has_log


def test_a_table_that_the_app_keeps_locked_is_left_alone(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove_capture(database)
    monkeypatch.setattr("intercom_assets.database.capture.installation._TRIES", 1)
    with psycopg.connect(database) as app:
        app.execute("insert into users (email) values ('a')")
        with pytest.raises(AppUnavailable, match="locked by the app at each of 1 tries"):
            install_capture(database, SAMPLE)

    assert not capture_state(database, SAMPLE).has_log


@pytest.mark.parametrize(
    "change",
    [lambda url: install_capture(url, SAMPLE), remove_capture],
    ids=["installing", "removing"],
)
def test_an_app_that_locks_in_another_order_is_never_the_victim(
    database: str, monkeypatch: pytest.MonkeyPatch, change: Callable[[str], list[str]]
) -> None:
    """It has its hands on the table that we lock last and then wants the one that we lock first."""
    if change is not remove_capture:
        remove_capture(database)
    monkeypatch.setattr("intercom_assets.database.capture.installation._TRIES", 1)
    with psycopg.connect(database) as app, ThreadPoolExecutor(1) as pool:
        app.execute("insert into users (email) values ('a')")
        done = pool.submit(change, database)
        wait_until_somebody_waits(database)
        app.execute("delete from memberships")
        with pytest.raises(AppUnavailable, match="locked by the app"):
            done.result()
        app.commit()

    assert rows(database, "select email from users") == [("a",)]


def test_installing_waits_for_the_app_a_little_at_a_time(database: str) -> None:
    remove_capture(database)
    with psycopg.connect(database) as app:
        app.execute("insert into users (email) values ('a')")
        released = threading.Timer(1.2, app.commit)
        released.start()
        install_capture(database, SAMPLE)
        released.join()

    assert capture_state(database, SAMPLE).complete


@pytest.mark.parametrize(
    ("watch", "sentence"),
    [
        ({"table": "usres"}, 'watch[1].table is "usres", and no such table is visible; did you'),
        ({"key": "idd"}, 'watch[1].key is "idd", which users does not have; did you mean "id"?'),
        ({"table": "seen"}, "watch[1].table is seen, which is no table; list the tables"),
        (
            {"table": "keyless", "key": "select 1 where 1 = any(:keys)"},
            "watch[1].column is missing, and keyless has no primary key of one column",
        ),
        (
            {"key": "select 1 where 1 = any(:keys)", "column": "plam"},
            'watch[1].column is "plam", which users does not have; did you mean "plan"?',
        ),
    ],
)
def test_what_cannot_be_watched_is_named(
    database: str, watch: dict[str, str], sentence: str
) -> None:
    run(database, "create view seen as select 1 as id; create table keyless (a int)")

    with pytest.raises(MappingError) as caught:
        install_capture(database, watching(USERS | watch))

    assert str(caught.value).startswith(f"sync.yaml: {sentence}")


def test_nothing_to_watch_is_told(database: str) -> None:
    with pytest.raises(MappingError, match=r"sync\.yaml: watch is empty"):
        install_capture(database, a_mapping())


def test_somebody_elses_table_is_told(database: str) -> None:
    remove_capture(database)
    role = f"guest_{token_hex(4)}"
    run(database, f"create role {role} login password 'x'")
    try:
        address = make_conninfo(database, user=role, password="x")
        with pytest.raises(AppUnavailable, match=r"install-capture: permission denied"):
            install_capture(address, SAMPLE)
    finally:
        run(database, f"drop role {role}")


# --- a log that cannot be written to --------------------------------------------------------------


@contextmanager
def installed_by_a_plain_role(url: str) -> Iterator[tuple[str, str]]:
    """The capture as a role without special rights installed it; the role, and another one."""
    owner, other = f"owner_{token_hex(4)}", f"other_{token_hex(4)}"
    remove_capture(url)
    run(
        url,
        f"create role {owner} login password 'x'; create role {other};"
        f"grant create on database {conninfo_to_dict(url)['dbname']} to {owner};"
        f"grant create on schema public to {owner};"
        f"alter table users owner to {owner}; alter table teams owner to {owner};"
        f"alter table memberships owner to {owner}",
    )
    try:
        install_capture(make_conninfo(url, user=owner, password="x"), SAMPLE)
        yield owner, other
    finally:
        run(
            url,
            f"reassign owned by {owner}, {other} to current_user;"
            f"drop owned by {owner}, {other}; drop role {owner}, {other}",
        )


HARM = {
    "owner": "alter table intercom_capture.change_log owner to {other}",
    "row security": "alter table intercom_capture.change_log enable row level security;"
    "alter table intercom_capture.change_log force row level security",
    "right": "revoke all on intercom_capture.change_log from {owner}",
    "schema": "alter schema intercom_capture owner to {other};"
    "revoke all on schema intercom_capture from {owner}",
    "identity": "alter table intercom_capture.change_log alter id drop identity",
    "column": "alter table intercom_capture.change_log add x int not null",
    "column gone": "alter table intercom_capture.change_log drop via",
    "type": "alter table intercom_capture.change_log alter keys type int[] using null",
    "constraint": "alter table intercom_capture.change_log add check (kind = 'nobody')",
    "trigger": "create function no() returns trigger language plpgsql as"
    " 'begin raise exception ''no''; end';"
    "create trigger no before insert on intercom_capture.change_log execute function no()",
}


@pytest.mark.parametrize("harm", HARM)
def test_no_statement_of_the_app_fails_and_the_state_says_why_nothing_is_logged(
    database: str, harm: str
) -> None:
    with installed_by_a_plain_role(database) as (owner, other):
        assert capture_state(database, SAMPLE).complete
        run(database, HARM[harm].format(owner=owner, other=other))

        run(database, "insert into users (email) values ('a')")
        run(database, "update users set email = 'b'")
        run(database, "delete from users")
        run(database, "truncate users cascade")

        state = capture_state(database, SAMPLE)
        assert not state.complete
        assert state.unwritable


def test_what_could_not_be_logged_is_counted_though_nobody_knows_why(url: str) -> None:
    run(
        url,
        "create domain short as text[] check (cardinality(value) < 0);"
        "alter table intercom_capture.change_log alter keys type short",
    )
    run(url, "insert into users (email) values ('a'), ('b')")

    assert capture_state(url, SAMPLE).not_logged == 1
    run(url, "alter table intercom_capture.change_log alter keys type text[]")
    assert not capture_state(url, SAMPLE).complete
    install_capture(url, SAMPLE)
    assert capture_state(url, SAMPLE).complete


def test_keys_that_cannot_be_listed_are_a_sweep(empty_database: str) -> None:
    """Here the type's own text fails; a list that is too large for a value would, too."""
    run(
        empty_database,
        "create type mood as (x int); create table users (id mood);"
        "create function angry(mood) returns text language plpgsql as"
        " 'begin raise exception ''no''; end';"
        "create cast (mood as text) with function angry(mood)",
    )
    install_capture(empty_database, watching(USERS))
    run(empty_database, "insert into users values (row(1))")

    assert logged(empty_database) == [("user", ["*"])]


# --- values, whatever the app's session looks like ------------------------------------------------

ODD_SESSION = """
set datestyle = 'SQL, DMY'; set timezone = 'Asia/Kolkata'; set intervalstyle = 'sql_standard';
set extra_float_digits = -10; set bytea_output = 'escape';
"""


@pytest.mark.parametrize(
    ("sql_type", "value", "text"),
    [
        ("timestamptz", "2026-03-04 05:06:07.123456+00", "2026-03-04 05:06:07.123456+00"),
        ("date", "2026-03-04", "2026-03-04"),
        ("float8", "0.1234567890123456", "0.1234567890123456"),
        ("real", "1.2345678", "1.2345678"),
        ("interval", "-1 day +02:03:04", "P-1DT2H3M4S"),
        ("bytea", "\\x005cff", "\\x005cff"),
        ("tstzrange", "[2026-03-04 05:06:07+00,)", '["2026-03-04 05:06:07+00",)'),
    ],
)
def test_a_value_for_a_select_is_logged_in_one_spelling(
    empty_database: str, sql_type: str, value: str, text: str
) -> None:
    run(
        empty_database, f"create table users (id int, of {sql_type}); create table x (v {sql_type})"
    )
    run(empty_database, "insert into users values (7, %s)", value)
    select = "select id from users where of = any(:keys)"
    watch = {"table": "x", "wakes": "user", "key": select, "column": "v"}
    mapping = watching(watch)
    install_capture(empty_database, mapping)

    run(empty_database, ODD_SESSION + "insert into x select of from users")

    assert logged(empty_database) == [("user", [text])]
    with AppDatabase(empty_database, mapping) as app:
        assert [row.keys for row in app.read_log(10)] == [("7",)]


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["таблица_пользователей_нашего_приложения", "利用者" * 20, "é" * 40]
)
def test_two_watches_of_a_long_name_in_other_letters_are_two(
    empty_database: str, name: str
) -> None:
    run(empty_database, f'create table "{name}" (id int, owner int)')
    both = [{"table": name, "wakes": "user", "key": key} for key in ("id", "owner")]
    mapping = watching(*both)

    install_capture(empty_database, mapping)

    assert install_capture(empty_database, mapping) == []
    assert capture_state(empty_database, mapping).complete
    run(empty_database, f'insert into "{name}" values (1, 2)')
    assert sorted(logged(empty_database)) == [("user", ["1"]), ("user", ["2"])]


# --- MERGE on partitions --------------------------------------------------------------------------

PARTITIONED = """
create table users (id int, region int, name text) partition by list (region);
create table users_1 partition of users for values in (1);
create table users_2 partition of users for values in (2);
insert into users values (7, 1, 'a'), (8, 1, 'b')
"""


@pytest.mark.parametrize(
    ("assigned", "expected"),
    [
        ("region = 2", ["*"]),
        ("name = 'x', region = case users.id when 7 then 2 else 1 end", ["*"]),
        ("name = 'x'", ["7", "8"]),
    ],
)
def test_a_merge_that_may_move_rows_between_partitions_is_a_sweep(
    empty_database: str, assigned: str, expected: list[str]
) -> None:
    run(empty_database, PARTITIONED)
    install_capture(empty_database, watching(USERS))

    run(
        empty_database,
        "merge into users using (values (7), (8)) as v (id) on users.id = v.id "
        f"when matched then update set {assigned} "
        "when not matched then insert values (v.id, 1, 'region')",
    )

    assert ("user", expected) in logged(empty_database)
