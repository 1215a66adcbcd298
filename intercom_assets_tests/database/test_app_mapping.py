"""What the app's database says about a mapping's queries before any row is read."""

from typing import Any

import pytest

from intercom_assets.database.app.validation import mapping_problems
from intercom_assets.database.connections import Connections
from intercom_assets.database.failures import AppUnavailable
from intercom_assets.domain.models import Column, Kind
from intercom_assets.mapping.load import AppMapping, load_mapping
from intercom_assets.mapping.problems import MappingError
from intercom_assets_tests.database.mappings import a_mapping, an_app, run


def refusal(url: str, **parts: Any) -> str:
    with an_app(url, **parts) as app, pytest.raises((MappingError, AppUnavailable)) as caught:
        _ = app.users_columns
    return str(caught.value)


def test_the_sample_mapping_fits_the_sample_app(database: str) -> None:
    with an_app(database, load_mapping()) as app:
        users = {column.name: column for column in app.users_columns}
        teams = {column.name: column for column in app.teams_columns}

    assert users["email"] == Column("email", Kind.STRING, is_attribute=False)
    assert users["admin_link"] == Column("admin_link", Kind.STRING, is_attribute=True)
    assert users["subscribed_on"].kind is Kind.DATE
    assert users["monthly_minutes"].kind is Kind.FLOAT
    assert teams["monthly_spend"].kind is Kind.INTEGER


def test_attributes_are_typed_by_their_sql_type(empty_database: str) -> None:
    run(empty_database, "create type mood as enum ('well', 'ill')")
    users = """
        select 1 as id, 'a@b' as email, 'x'::varchar(9) as a, 'well'::mood as b, true as c,
            1::smallint as d, 1::bigint as e, 1.5 as f, 1::numeric(9, 0) as g, now() as h,
            current_date as i, gen_random_uuid() as j, '10.0.0.1'::inet as k
    """
    with an_app(empty_database, users=users) as app:
        kinds = {c.name: str(c.kind) for c in app.users_columns if c.is_attribute}

    assert kinds == {
        "a": "string",
        "b": "string",
        "c": "boolean",
        "d": "integer",
        "e": "integer",
        "f": "float",
        "g": "integer",
        "h": "date",
        "i": "date",
        "j": "string",
        "k": "string",
    }


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        ("array[1] as labels", "labels is integer[], and Intercom holds single values only"),
        ("array[1] as tags", "tags is integer[]; allowed: an array of text, or json that is one"),
        ("'{}'::jsonb as metadata", "metadata is jsonb, and Intercom holds single values only"),
        ("'x'::bytea as photo", "photo is bytea"),
        ("interval '1 day' as age", "age is interval"),
        ("now()::timestamp as created_at", "created_at is a timestamp without time zone"),
        ("now()::timestamp as seen", "seen at time zone 'UTC' as seen"),
        ("1 as created_at", "created_at is integer; allowed: timestamptz or date"),
        ("'yes' as from_oauth", "from_oauth is text; allowed: true or false"),
        ("1 as name", "name is integer; allowed: text"),
        ("'{}'::json as settings", "settings ->> 'key' as settings"),
        ("array['a'] as labels", "array_to_string(labels, ', ') as labels"),
        ("'10:00'::time as opens", "opens::text as opens"),
        ("1 + 1", "a column has no name"),
        ('1 as " x"', 'the column " x" begins or ends with a space'),
        ("1 as plan, 2 as plan", "plan is selected twice"),
        ("false as deleted", "deleted is set by the sync"),
        ('1 as "price in $"', 'the column "price in $" has characters other than'),
    ],
)
def test_a_column_that_cannot_be_is_named_with_what_is_allowed(
    empty_database: str, extra: str, sentence: str
) -> None:
    text = refusal(empty_database, users=f"select 1 as id, 'a@b' as email, {extra}")

    assert text.startswith("users.sql: ")
    assert sentence in text


@pytest.mark.parametrize("spend", ["12.50::numeric(12, 2)", "12.5::float8", "12.5::real"])
def test_money_with_cents_is_refused_where_intercom_holds_whole_units(
    empty_database: str, spend: str
) -> None:
    text = refusal(
        empty_database,
        users="select 1 as id, 'a@b' as email",
        teams=f"select 1 as id, {spend} as monthly_spend",
    )

    assert text.startswith("teams.sql: monthly_spend is ")
    assert text.endswith("as in: round(monthly_spend)::bigint as monthly_spend")


@pytest.mark.parametrize(
    ("users", "sentence"),
    [
        ("select 1 as id, 'x' as e_mail", 'the column email is missing; did you mean "e_mail"?'),
        ("select 'a' as email", "the column id is missing"),
        ("select 1.5 as id, 'a' as email", "id is numeric; allowed: an integer, text or uuid"),
        ("select now() as id, 'a' as email", "id is timestamp with time zone"),
    ],
)
def test_ids_and_emails_are_required(empty_database: str, users: str, sentence: str) -> None:
    assert sentence in refusal(empty_database, users=users)


def test_memberships_select_ids_only(empty_database: str) -> None:
    memberships = "select 1 as user_id, 2 as team_id, 'owner' as role"

    assert refusal(
        empty_database, users="select 1 as id, 'a' as email", memberships=memberships
    ) == ("memberships.sql: unknown column role; allowed: user_id, team_id, updated_at")


def test_a_name_used_by_users_and_teams_is_refused(empty_database: str) -> None:
    text = refusal(
        empty_database,
        users="select 1 as id, 'a' as email, 'x' as segment",
        teams="select 1 as id, 'a' as name, 'x' as segment",
    )

    assert text.startswith("teams.sql: segment is an attribute of users too")
    assert "company_segment" in text


def test_more_attributes_than_a_workspace_holds_are_refused(empty_database: str) -> None:
    columns = ", ".join(f"{n} as a{n}" for n in range(249))

    assert "251 custom attributes; allowed: 250" in refusal(
        empty_database, users=f"select 1 as id, 'a' as email, {columns}"
    )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"fields": {"nam": "app"}}, 'fields.nam is no value of users.sql; did you mean "name"?'),
        ({"fields": {"id": "app"}}, "fields.id is no value of users.sql"),
        ({"fields": {"name": "later_value"}}, "fields.name is later_value; allowed for dates only"),
        ({"fields": {"name": "opt_out"}}, "fields.name is opt_out; allowed for true or false only"),
        (
            {"fields": {"unsubscribed_from_emails": "app"}},
            "fields.unsubscribed_from_emails is app, by which somebody who opted out could be "
            "mailed again; allowed: opt_out",
        ),
        (
            {"write_back": {"table": "users", "columns": {"phone": "phone"}}},
            "write_back.columns.phone is no value of users.sql",
        ),
    ],
)
def test_settings_for_columns_that_nobody_selects_are_refused(
    empty_database: str, settings: dict[str, Any], sentence: str
) -> None:
    users = "select 1 as id, 'a' as email, 'n' as name, true as unsubscribed_from_emails"

    assert sentence in refusal(empty_database, mapping=a_mapping(users, **settings))


@pytest.mark.parametrize(
    ("users", "sentence"),
    [
        ("select id,\n  email\nform users", "users.sql, line 3: syntax error"),
        ("select id, email\nfrom userz", 'users.sql, line 2: relation "userz" does not exist'),
        ("-- 100%\nselect id,\n  mail as email from users", "users.sql, line 3: column "),
        ("select 1 as id, 'a' as email; drop table users", "users.sql, line 1: more than one"),
        (
            "select 1 as id, 'a' as email) as q; drop table users; select (1",
            "users.sql: more than one",
        ),
        (
            "with gone as (delete from users returning id) select id, 'a' as email from gone",
            "users.sql, line 1: WITH clause containing a data-modifying statement",
        ),
        ("select id, email from users\nwhere name = 'x", "users.sql, line 2: unterminated quoted"),
        ("select id, email from users where", "users.sql: the SELECT is not complete"),
    ],
)
def test_a_query_that_is_no_single_select_is_refused_with_its_line(
    database: str, users: str, sentence: str
) -> None:
    assert refusal(database, users=users).startswith(sentence)


def test_the_version_changes_with_the_text_and_with_the_types(database: str) -> None:
    def version(users: str) -> str:
        with an_app(database, users=users) as app:
            return app.mapping_version

    plain = "select id, email from users"
    before = version(plain)

    assert version(plain) == before
    assert version(f"{plain} where true") != before
    everything = "select id, email, sessions_this_month as n from users"
    with_integer = version(everything)
    run(database, "alter table users alter sessions_this_month type numeric")
    assert version(everything) != with_integer


def test_what_postgresql_says_of_a_query_holds_nothing_that_was_put_around_it(
    database: str,
) -> None:
    text = refusal(database, users="select id, email, 'abc as x from users")

    assert text == "users.sql, line 1: unterminated quoted string"


def problems(url: str, mapping: AppMapping) -> list[str]:
    with Connections(url) as connections, connections.reading("the mapping") as connection:
        return mapping_problems(connection, mapping)


def test_everything_that_is_wrong_with_a_query_is_told_at_once(database: str) -> None:
    users = """
        select id, email, name, name, now()::timestamp as created_at, metadata, array[1] as tags
        from users
    """
    found = problems(database, a_mapping(users))

    assert [text.partition(";")[0].partition(",")[0] for text in found] == [
        "users.sql: name is selected twice",
        "users.sql: created_at is a timestamp without time zone",
        "users.sql: metadata is jsonb",
        "users.sql: tags is integer[]",
    ]


@pytest.mark.parametrize("table", ["Member", '"Member"', "public.Member", "crm.Note"])
def test_a_table_may_be_named_as_it_is_spelled(empty_database: str, table: str) -> None:
    """Prisma and others write names in mixed case, which SQL finds only in quotes."""
    run(
        empty_database,
        """
        create schema crm;
        create table "Member" (id int primary key, email text);
        create table crm."Note" (id int primary key)
        """,
    )
    users = 'select id, email from "Member"'
    watch = [{"table": table, "wakes": "user", "key": "id"}]

    assert problems(empty_database, a_mapping(users, watch=watch)) == []


@pytest.mark.parametrize("slot", [{"columns": {"name": "full_name"}}, {"intercom_id": "number"}])
def test_what_postgresql_computes_cannot_be_written_back(
    empty_database: str, slot: dict[str, Any]
) -> None:
    run(
        empty_database,
        """
        create table people (
            id int primary key, email text,
            full_name text generated always as (email || '!') stored,
            number bigint generated always as identity
        )
        """,
    )
    users = "select id, email, full_name as name from people"
    write_back = {"table": "people", **slot}

    [found] = problems(empty_database, a_mapping(users, capture="polling", write_back=write_back))

    assert "which PostgreSQL computes itself; allowed: a column that can be written" in found


@pytest.mark.parametrize(
    ("select", "sentence"),
    [
        ("select user_id from memberships where team = any(:keys)", 'column "team" does not exist'),
        ("select user_id from memberships where team_id = any(:keys", "syntax error"),
        ("select user_id, team_id from memberships where team_id = any(:keys)", "has 2 columns"),
        (
            "with gone as (delete from memberships where team_id = any(:keys) returning user_id) "
            "select user_id from gone",
            "data-modifying",
        ),
    ],
)
def test_the_select_of_a_watch_is_tried_before_a_change_needs_it(
    database: str, select: str, sentence: str
) -> None:
    watch = [{"table": "teams", "wakes": "user", "key": select}]

    [found] = problems(database, a_mapping(watch=watch))

    assert found.startswith("sync.yaml: the SELECT of watch[1].key")
    assert sentence in found
