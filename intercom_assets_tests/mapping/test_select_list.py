"""A SELECT's column names as its text tells them; PostgreSQL is asked whether they are so."""

import psycopg
import pytest

from intercom_assets.mapping.load import load_mapping
from intercom_assets.mapping.select_list import column_names

TOLD = {
    "select id, email from users": ["id", "email"],
    "select u.id, u.name::text from users u": ["id", "name"],
    "SELECT Id, 'a, b' || email AS \"My Link\" FROM users": ["id", "My Link"],
    "select distinct on (id, name) id, lower(email) as email from users": ["id", "email"],
    "with late as (select 1 as x from users) select x, 2 as y from late": ["x", "y"],
    "select id, -- , commented\n /* , from */ name from users where id > 1": ["id", "name"],
    "select id is distinct from 3 as other, plan from users": ["other", "plan"],
    "select extract(year from created_at) as year, $x$, from $x$ as words from users": [
        "year",
        "words",
    ],
    "select case when plan = 'it''s' then 1 end as paid, (array[1, 2])[1] as first from users": [
        "paid",
        "first",
    ],
    "select id, name from users union select id, domain from teams": ["id", "name"],
}


@pytest.mark.parametrize("sql", TOLD)
def test_names_are_told_as_postgresql_tells_them(sql: str, database: str) -> None:
    with psycopg.connect(database) as connection:
        described = connection.execute(f"select * from ({sql}) q limit 0").description or []

    assert column_names(sql) == TOLD[sql] == [column.name for column in described]


@pytest.mark.parametrize(
    "sql",
    [
        "select * from users",
        "select u.* from users u",
        "select id, lower(email) from users",
        "select id, null from users",
        "select id, case when plan = 'a' then 1 end from users",
        "",
    ],
)
def test_what_the_text_does_not_tell_is_not_guessed(sql: str) -> None:
    assert column_names(sql) is None


def test_the_sample_mapping_is_told_whole() -> None:
    sample = load_mapping()

    assert column_names(sample.memberships_sql) == ["user_id", "team_id", "updated_at"]
    assert "annual_saving" in (column_names(sample.users_sql) or [])
    assert "team_admin_link" in (column_names(sample.teams_sql) or [])
