"""What a query reads and nobody is woken for, told query by query; and what is no gap."""

import pytest

from intercom_assets.database.app.watch_gaps import Gap, Hidden, gaps, hidden
from intercom_assets_tests.database.mappings import a_mapping, an_app, run

USERS = {"table": "users", "wakes": "user", "key": "id"}
TEAMS = {"table": "teams", "wakes": "team", "key": "id"}
ALL_USERS = "select id, email from users"


def found(url: str, *watch: dict[str, str], **queries: str) -> list[Gap]:
    with an_app(url, a_mapping(watch=watch, **queries)) as app:
        return app.reading(lambda c, s: gaps(c, s, app.mapping.settings.watch))


def calls(url: str, users: str, *watch: dict[str, str]) -> list[Hidden]:
    with an_app(url, a_mapping(users, watch=watch or (USERS,))) as app:
        return app.reading(lambda c, s: hidden(c, s, app.mapping.settings.watch))


def members(wakes: str, key: str) -> dict[str, str]:
    return {"table": "memberships", "wakes": wakes, "key": key}


COUNTS_MEMBERS = (
    "select id, domain as name, (select count(*) from memberships where team_id = t.id) as seats "
    "from teams as t"
)


def test_a_table_whose_watch_wakes_only_the_other_kind_is_told_per_query(database: str) -> None:
    answer = found(database, USERS, TEAMS, members("user", "user_id"), teams=COUNTS_MEMBERS)

    assert answer == [Gap("teams.sql", "public.memberships", "team", elsewhere=True)]
    both = (members("user", "user_id"), members("team", "team_id"))
    assert found(database, USERS, TEAMS, *both, teams=COUNTS_MEMBERS) == []


def test_a_table_that_two_queries_read_is_told_for_each(database: str) -> None:
    users = "select id, email, (select max(updated_at) from memberships where user_id = users.id) "
    answer = found(
        database,
        USERS,
        members("team", "team_id"),
        users=f"{users} as joined from users",
        memberships="select user_id, team_id from memberships",
    )

    assert [(gap.file, gap.kind, gap.elsewhere) for gap in answer] == [
        ("users.sql", "user", True),
        ("memberships.sql", "user", True),
    ]


@pytest.mark.parametrize(
    ("joined", "by"),
    [
        ("(select count(*) from teams where owner_id = u.id)", ("owner_id",)),
        (
            "(select max(domain) from teams t where t.owner_id = u.id and t.plan = 'x')",
            ("owner_id",),
        ),
    ],
)
def test_a_column_by_which_the_watch_wakes_nobody_is_told(
    database: str, joined: str, by: tuple[str, ...]
) -> None:
    """The watch says that a team's id is a user's."""
    wrong = {"table": "teams", "wakes": "user", "key": "id"}
    users = f"select u.id, u.email, {joined} as more from users u"

    [gap] = found(database, USERS, wrong, users=users)

    assert gap == Gap("users.sql", "public.teams", "user", by=by, keys=("id",))
    assert found(database, USERS, wrong | {"key": "owner_id"}, users=users) == []
    select = wrong | {"key": "select owner_id from teams where id = any(:keys)"}
    assert found(database, USERS, select, users=users) == []


@pytest.mark.parametrize(
    "users",
    [
        ALL_USERS,
        "select id, email from users where deleted_at is null and plan = 'free'",
        "select u.id, u.email from users u join teams t on t.domain = u.plan and t.owner_id = u.id",
        "select u.id, u.email, m.n from users u left join (select owner_id, count(*) as n from "
        "teams group by owner_id) m on m.owner_id = u.id",
        "select id, email from (select distinct on (id) id, email from users order by id) as x",
    ],
)
def test_what_is_reached_by_its_watched_column_is_no_gap(database: str, users: str) -> None:
    owned = {"table": "teams", "wakes": "user", "key": "owner_id"}

    assert found(database, USERS, owned, users=users) == []


def test_children_of_a_watched_table_are_no_gap(database: str) -> None:
    run(
        database, "create table guests () inherits (users); create table stars () inherits (guests)"
    )

    assert found(database, USERS, users=ALL_USERS) == []
    assert found(database, USERS, users="select id, email from guests") == []
    [gap] = found(database, TEAMS, users=ALL_USERS)
    assert gap.table == "public.users"


def test_what_has_no_triggers_is_told_as_such(database: str) -> None:
    run(database, "create materialized view scores as select 1::bigint as user_id, 2 as score")
    users = "select id, email, (select max(score) from scores where user_id = id) as s from users"

    assert [gap.relkind for gap in found(database, USERS, users=users)] == ["m"]


def a_function(url: str, body: str, name: str = "plan_of", language: str = "plpgsql") -> None:
    run(url, "create table if not exists plans (id bigint, label text)")
    run(
        url,
        f"create function {name}(bigint) returns text language {language} stable as $f$ {body} $f$",
    )


def test_a_function_that_reads_tables_is_told_with_them(database: str) -> None:
    a_function(database, "begin return (select label from public.plans where id = $1); end")

    answer = calls(database, "select id, email, plan_of(id) as plan from users")

    assert answer == [Hidden("users.sql", "public.plan_of", "user", ("public.plans",))]


@pytest.mark.parametrize(
    "body",
    [
        "begin return inner_one($1); end",
        "begin return (select inner_one from inner_one($1)); end",
    ],
)
def test_so_is_one_that_calls_such_a_function(database: str, body: str) -> None:
    a_function(database, "begin return (select label from plans where id = $1); end", "inner_one")
    a_function(database, body)
    run(database, "create view people as select id, email, plan_of(id) as plan from users")

    answer = calls(database, "select id, email, plan from people")

    assert ("public.plan_of", ("public.plans",)) in [(h.function, h.tables) for h in answer]


def test_so_is_one_that_makes_its_own_sql(database: str) -> None:
    a_function(database, "declare x text; begin execute 'select 1' into x; return x; end")

    answer = calls(database, "select id, email, plan_of(id) as plan from users")

    assert answer == [Hidden("users.sql", "public.plan_of", "user", ())]


@pytest.mark.parametrize(
    "body",
    [
        "begin return upper($1::text); end",
        "begin return (select name from users where id = $1); end",
        "begin /* from plans */ return 'from plans'; end",
    ],
)
def test_a_function_that_reads_nothing_or_what_is_watched_is_no_gap(
    database: str, body: str
) -> None:
    a_function(database, body)

    assert calls(database, "select id, email, plan_of(id) as plan from users") == []


def test_words_that_are_not_called_are_no_functions(database: str) -> None:
    a_function(database, "begin return (select label from plans where id = $1); end")

    assert calls(database, "select id, email, 'plan_of(id)' as t -- plan_of(id)\nfrom users") == []
