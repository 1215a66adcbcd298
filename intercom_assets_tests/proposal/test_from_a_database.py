"""`init --from`, as a stranger uses it: from the app's tables to settled, with nothing edited.

Each schema is one that a framework makes (`schemas/`); `hush` is its every secret.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from intercom_assets.database.app.catalogue import read_catalogue
from intercom_assets.mapping.load import FILES, load_mapping
from intercom_assets.mapping.proposal.proposing import propose
from intercom_assets_tests.apps.stage import APPS, Stage, a_stage
from intercom_assets_tests.roles import a_role

SCHEMAS = Path(__file__).parent / "schemas"
A = "00000000-0000-4000-8000-00000000000"


@dataclass(frozen=True)
class Expected:
    """`teams`: of each user whose contact is made; `names`: those that Intercom gets."""

    teams: dict[str, set[str]]
    names: set[str | None]
    watched: set[str]


EXPECTED = {
    "rails": Expected(
        {"1": {"1"}, "2": {"1", "2"}}, {"Ada Byron", "Bo"}, {"users", "accounts", "account_users"}
    ),
    "prisma": Expected(
        {"clv1": {"org1"}, "clv2": {"org1"}},
        {"Ada", None},
        {"app.User", "app.Organization", "app.OrganizationMember"},
    ),
    "odd": Expected({"1": {"10"}, "3": set()}, {"Ada", None}, {"users", "teams"}),
    "laravel": Expected({"1": {"1"}, "2": {"1"}}, {"Ada", "Bo"}, {"users", "teams", "team_user"}),
    "supabase": Expected(
        {f"{A}1": set(), f"{A}2": set()}, {"Ada Byron", None}, {"auth.users", "profiles"}
    ),
    "phoenix": Expected(
        {"1": {"1"}, "2": set()}, {None}, {"users", "organizations", "memberships"}
    ),
    "typeorm": Expected(
        {f"{A}1": {f"{A[:-1]}a1"}},
        {"Ada Byron"},
        {"user", "workspace", "user_workspaces_workspace"},
    ),
    "dotnet": Expected(
        {f"{A}1": {f"{A[:-1]}a1"}, f"{A}2": set()},
        {"Łukasz Byron", None},
        {"identity.AspNetUsers", "profiles", "organisations", "memberships"},
    ),
    "shop": Expected({"1": set()}, {"Ada Byron"}, {"customers"}),
    "django": Expected(
        {f"{A}1": {"1"}, f"{A}2": {"1", "2"}, f"{A}3": set(), f"{A}4": set(), f"{A}5": set()},
        set(),
        {"auth_user", "accounts_profile", "auth_group", "auth_user_groups"},
    ),
}


def make(url: str, name: str) -> None:
    files = [SCHEMAS / f"{name}.sql"]
    if name == "django":
        files = [APPS / name / "schema.sql", APPS / name / "data.sql"]
    with psycopg.connect(url) as connection:
        for file in files:
            connection.execute(file.read_bytes())


@pytest.fixture(params=EXPECTED)
def proposed(
    request: pytest.FixtureRequest, empty_database: str, tmp_path: Path
) -> Iterator[tuple[str, Stage, Path]]:
    make(empty_database, request.param)
    folder = tmp_path / "my_app"
    with a_stage(empty_database, folder) as stage:
        stage.run("init", str(folder), "--from")
        yield request.param, stage, folder


def test_nothing_has_to_be_edited_from_init_to_settled(
    proposed: tuple[str, Stage, Path],
) -> None:
    name, stage, folder = proposed
    expected = EXPECTED[name]
    assert {watch.table for watch in load_mapping(folder).settings.watch} == expected.watched

    stage.run("init-db")
    stage.run("install-capture")
    stage.check_plan_and_sync()

    assert {user: stage.teams_of(user) for user in stage.contacts()} == expected.teams
    if expected.names:
        assert {contact["name"] for contact in stage.contacts().values()} == expected.names
    assert "hush" not in str(stage.contacts())


def test_what_is_offered_in_comments_is_accepted_when_it_is_uncommented(
    proposed: tuple[str, Stage, Path],
) -> None:
    _, stage, folder = proposed
    for name in FILES[:3]:
        text = (folder / name).read_text()
        (folder / name).write_text(re.sub(r"(?m)^    -- , ", "    , ", text))
    stage.run("init-db")
    stage.run("install-capture")

    stage.check_plan_and_sync()

    assert "hush" not in str(stage.contacts())


@pytest.mark.parametrize(
    ("columns", "offered"),
    [
        ("tags text[]", "tags"),
        ("labels varchar(20)[]", "labels as tags"),
        ('"Labels" char(3)[]', '"Labels"::text[] as tags'),
        ("tags jsonb", "tags"),
        ("labels text[], tags text[]", "tags"),
        ("tags text", "tags as user_tags"),
        ("tags integer[]", None),
        ("label text[]", None),
    ],
)
def test_an_array_of_tags_or_labels_is_offered_as_tags(
    empty_database: str, tmp_path: Path, columns: str, offered: str | None
) -> None:
    with psycopg.connect(empty_database) as connection:
        table = f"create table users (id int primary key, email text, {columns})"
        connection.execute(table.encode())
    with a_stage(empty_database, tmp_path) as stage:
        stage.run("init", str(tmp_path), "--from")

    text = (tmp_path / "users.sql").read_text()
    lines = [line for line in text.splitlines() if "-- , " in line]
    found = [line.partition("-- , ")[2] for line in lines if line.endswith("tags")]
    assert found == ([offered] if offered else [])
    assert ("put on as tags" in text) is (offered is not None and "user" not in offered)


def test_every_secret_is_named_as_left_out_and_selected_nowhere(
    empty_database: str, tmp_path: Path
) -> None:
    make(empty_database, "rails")
    with a_stage(empty_database, tmp_path) as stage:
        stage.run("init", str(tmp_path), "--from")
    text = (tmp_path / "users.sql").read_text()

    for secret in (
        "encrypted_password",
        "reset_password_token",
        "confirmation_token",
        "otp_secret",
    ):
        assert f"-- {secret}: looks like a secret" in text
        assert secret not in re.sub(r"(?m)^-- .*$", "", text)


def test_alternatives_are_listed_and_can_be_asked_for(empty_database: str, tmp_path: Path) -> None:
    make(empty_database, "rails")
    with a_stage(empty_database, tmp_path / "a") as stage:
        printed = stage.run("init", str(tmp_path / "a"), "--from").stdout
        other = ("--users", "admin_users", "--teams", "none")
        stage.run("init", str(tmp_path / "b"), "--from", *other)
        wrong = stage.shell.run("init", str(tmp_path / "c"), "--from", "--users", "acounts")
        unfit = stage.shell.run("init", str(tmp_path / "c"), "--from", "--users", "projects")

    assert "not chosen, but possible (--users TABLE): admin_users" in printed
    assert "not chosen, but possible (--teams TABLE): projects" in printed
    assert load_mapping(tmp_path / "b").users_sql.count("from admin_users") == 1
    assert "where false" in load_mapping(tmp_path / "b").teams_sql
    assert (wrong.exit_code, unfit.exit_code) == (1, 1)
    assert 'did you mean "accounts"?' in wrong.stderr
    assert "The table projects cannot be that of users" in unfit.stderr
    assert not (tmp_path / "c").exists()


def test_what_the_role_may_not_read_is_left_out_and_named(
    empty_database: str, tmp_path: Path
) -> None:
    make(empty_database, "phoenix")
    rights = ("select (id, email, inserted_at) on users", "select on organizations, memberships")
    with a_role(empty_database, *rights) as role, a_stage(empty_database, tmp_path) as stage:
        stage.shell.run("init", str(tmp_path), "--from", APP_DATABASE_URL=role)

    text = (tmp_path / "users.sql").read_text()
    assert "-- updated_at: this role may not read it" in text
    mapping = load_mapping(tmp_path)
    assert mapping.settings.capture == "polling"
    assert (
        "may put no triggers on memberships, organizations, users"
        in (tmp_path / "sync.yaml").read_text()
    )


def test_views_are_polled_since_they_can_have_no_triggers(
    empty_database: str, tmp_path: Path
) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute(
            "create schema kept;"
            "create table kept.rows (id integer primary key, mail text, changed timestamptz);"
            "insert into kept.rows values (1, 'ada@views.example', now());"
            "create view users as select id, mail as email, changed as updated_at from kept.rows"
        )
    with a_stage(empty_database, tmp_path) as stage:
        stage.run("init", str(tmp_path), "--from", "--users", "users")
        stage.run("init-db")
        stage.check_plan_and_sync()

    assert load_mapping(tmp_path).settings.capture == "polling"
    assert "may put no triggers on users, which is a view" in (tmp_path / "sync.yaml").read_text()


@pytest.mark.parametrize("given", ["dir first", "dir last", "address"])
def test_the_address_is_the_variable_or_given(
    empty_database: str, tmp_path: Path, given: str
) -> None:
    make(empty_database, "shop")
    folder = str(tmp_path / "m")
    ways = {
        "dir first": (folder, "--from"),
        "dir last": ("--from", folder),
        "address": ("--from", empty_database, folder),
    }
    with a_stage(empty_database if given != "address" else "", tmp_path) as stage:
        done = stage.shell.run("init", *ways[given])

    assert done.exit_code == 0, done.output
    assert "from customers" in (tmp_path / "m" / "users.sql").read_text()
    assert "install-capture" in done.stdout


def test_a_database_without_people_is_told_in_one_sentence(
    empty_database: str, tmp_path: Path
) -> None:
    with a_stage(empty_database, tmp_path) as stage:
        done = stage.shell.run("init", str(tmp_path / "m"), "--from")

    assert done.exit_code == 1
    assert "None of the 0 tables" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "m").exists()


def test_when_somebody_was_last_seen_is_taken_from_the_profile(
    empty_database: str, tmp_path: Path
) -> None:
    make(empty_database, "dotnet")
    with a_stage(empty_database, tmp_path / "my_app") as stage:
        stage.run("init", str(tmp_path / "my_app"), "--from")

    text = (tmp_path / "my_app" / "users.sql").read_text()
    assert "-- last_request_at: from profiles; last_seen_at here; without a zone, taken" in text
    assert "    p.last_seen_at at time zone 'UTC' as last_request_at" in text


def test_a_table_between_that_the_role_may_not_read_is_named_beside_the_owners(
    empty_database: str,
) -> None:
    make(empty_database, "laravel")
    with a_role(empty_database, "select on users, teams") as reader:
        proposal = propose(read_catalogue(reader))

    what = "team_user may say who is in which team, too, but this role may not read it: grant"
    assert any(what in sentence for sentence in proposal.sentences)
    assert what in " ".join(proposal.files["memberships.sql"].replace("--", "").split())
    assert "from teams" in proposal.files["memberships.sql"]


def test_where_everything_can_be_read_nothing_is_named_so(empty_database: str) -> None:
    make(empty_database, "laravel")

    proposal = propose(read_catalogue(empty_database))

    assert "may not read" not in " ".join([*proposal.sentences, *proposal.files.values()])
