"""What `check` finds, part by part; how it is printed is the CLI's test."""

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from intercom_assets.database.capture.guards import Permissions
from intercom_assets.database.capture.installation import install_capture, remove_capture
from intercom_assets.database.store.schema import apply_schema
from intercom_assets.database.store.store import Store
from intercom_assets.demo.sample_app import create_sample_app, seed
from intercom_assets.domain.fields import Field, Policy
from intercom_assets.domain.models import Kind
from intercom_assets.domain.vocabulary import AttributeModel, StateKey
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.mapping.load import load_mapping
from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator
from intercom_assets.sync.environment import Configuration
from intercom_assets.sync.preflight.check_intercom import (
    check_attributes,
    check_limits,
    check_token,
)
from intercom_assets.sync.preflight.check_setup import check_variables
from intercom_assets.sync.preflight.findings import Finding, Severity
from intercom_assets.sync.preflight.preflight import Preflight
from intercom_assets_tests.database.mappings import run
from intercom_assets_tests.in_process import InProcess
from intercom_assets_tests.mapping_folders import a_folder
from intercom_assets_tests.roles import a_role

READS = ("select on users", "select on teams", "select on memberships")
CHANGES = "Changes in the app"
POLLING = "capture: polling\nwrite_back: off\n"


@pytest.fixture
def app(database: str) -> str:
    seed(database, users=10, teams=3)
    return database


@pytest.fixture
def untouched(app: str) -> str:
    """As somebody's app is who polls: without triggers of ours."""
    remove_capture(app)
    return app


def checked(url: str, folder: Path | None = None, sync_url: str | None = None) -> list[Finding]:
    """Without a token, so that only the app's side and our own tables are looked at."""
    configuration = Configuration(url, sync_url or url, mapping_folder=folder, switch="true")
    return list(Preflight(configuration, {}, lambda: None).findings())


def of(found: list[Finding], verdict: Severity, part: str) -> list[str]:
    return [f.sentence for f in found if (f.verdict, f.part) == (verdict, part)]


def reds(found: list[Finding]) -> list[str]:
    """Less the token, which these tests leave out."""
    return [f.sentence for f in found if f.verdict is Severity.BAD and f.title != "token"]


def notes(found: list[Finding], part: str) -> list[str]:
    return of(found, Severity.WARNING, part)


# --- the mapping ----------------------------------------------------------------------------------


def test_every_file_that_is_wrong_is_told_and_hides_neither_database_nor_tables(
    app: str, tmp_path: Path
) -> None:
    folder = a_folder(tmp_path, users="-- nothing", sync="memberchips: mirror")
    (folder / "teams.sql").unlink()

    found = checked(app, folder)

    told = of(found, Severity.BAD, "Mapping")
    assert [text.split(" ")[0] for text in told] == ["users.sql", "teams.sql", "sync.yaml:"]
    assert 'did you mean "memberships"?' in told[2]
    assert of(found, Severity.OK, "App database")
    assert of(found, Severity.OK, "Own tables")


def test_all_mistakes_in_queries_and_settings_are_told_at_once(app: str, tmp_path: Path) -> None:
    settings = """
        watch: [{table: userz, wakes: user, key: id}, {table: users, wakes: user, key: ident}]
        write_back: {table: users, columns: {name: nome}}
        fields: {nam: app, name: later_value}
    """
    folder = a_folder(
        tmp_path,
        users="select id, email, name, metadata from users",
        teams="select id, domain as name, 'x' as \"a$\", false as company_deleted\nform teams",
        memberships="select user_id from memberships",
        sync=settings,
    )

    assert [text.split(";")[0] for text in reds(checked(app, folder))] == [
        "users.sql: metadata is jsonb, and Intercom holds single values only",
        'teams.sql, line 2: syntax error at or near "form".',
        "memberships.sql: the column team_id is missing",
        'sync.yaml: watch[1].table is "userz", and no such table is visible',
        'sync.yaml: watch[2].key is "ident", which users does not have',
    ]
    folder = a_folder(tmp_path, users="select id, email, name from users", sync=settings)
    told = "\n".join(reds(checked(app, folder)))
    assert 'fields.nam is no value of users.sql; did you mean "name"?' in told
    assert "fields.name is later_value; allowed for dates only" in told
    assert 'write_back.columns.name is "nome", which users does not have' in told


@pytest.mark.parametrize("key", ["email", "phone_number"])
def test_a_write_back_whose_key_finds_no_row_is_red(app: str, tmp_path: Path, key: str) -> None:
    folder = a_folder(
        tmp_path,
        users="select id, email, name from users",
        sync=f"write_back: {{table: users, key: {key}, columns: {{name: name}}}}",
    )

    [red] = [text for text in reds(checked(app, folder)) if "write_back" in text]

    assert red.startswith("sync.yaml: write_back.key finds no row for any of the first 10 users")
    folder = a_folder(
        tmp_path,
        users="select id, email, name from users",
        sync="write_back: {table: users, key: id, columns: {name: name}}",
    )
    assert [text for text in reds(checked(app, folder)) if "write_back" in text] == []


def test_a_query_that_differs_when_run_twice_is_red(untouched: str, tmp_path: Path) -> None:
    users = "select id, email, now() as looked_at, random() as luck from users"
    folder = a_folder(tmp_path, users=users, sync=POLLING)

    [red] = reds(checked(untouched, folder))

    assert red.startswith("users.sql: looked_at, luck differ each time")


def test_a_query_that_changes_with_the_day_is_noted(untouched: str, tmp_path: Path) -> None:
    users = "select id, email, current_date - created_at::date as days from users"
    found = checked(untouched, a_folder(tmp_path, users=users, sync=POLLING))

    assert reds(found) == []
    assert any("current_date lets rows differ" in text for text in notes(found, "Mapping"))


def test_a_query_that_writes_is_red(untouched: str, tmp_path: Path) -> None:
    run(
        untouched,
        "create function seen(bigint) returns bigint language sql as "
        "'update users set updated_at = now() where id = $1 returning id'",
    )
    folder = a_folder(tmp_path, users="select id, email, seen(id) as seen from users", sync=POLLING)

    assert reds(checked(untouched, folder)) == [
        "users.sql: cannot execute UPDATE in a read-only transaction; allowed: a SELECT that only "
        "reads."
    ]


def test_a_query_that_reads_everybody_for_a_few_is_noted_with_its_table(
    untouched: str, tmp_path: Path
) -> None:
    run(
        untouched, "insert into users (email) select n || '@x.y' from generate_series(1, 2000) as n"
    )
    run(
        untouched,
        "insert into memberships (user_id, team_id) select id, 1 from users where id > 20",
    )
    run(untouched, "analyze users, memberships")
    folder = a_folder(
        tmp_path,
        users="select id::text as id, email from users",
        memberships="select user_id::text as user_id, team_id from memberships",
        sync=POLLING,
    )

    told = notes(checked(untouched, folder), "Mapping")

    assert "users.sql: reading a few rows goes through all of public.users." in told
    assert "memberships.sql: reading a few rows goes through all of public.memberships." in told


def test_values_that_cannot_be_sent_are_noted_with_their_column(
    untouched: str, tmp_path: Path
) -> None:
    users = "select id, email, 'NaN'::float8 as ratio from users"

    [told] = notes(checked(untouched, a_folder(tmp_path, users=users, sync=POLLING)), "Mapping")

    assert told.startswith("ratio cannot be sent of 10 of the rows that were read; of 1: ratio is")


def test_a_spend_that_intercom_cannot_hold_is_noted(untouched: str, tmp_path: Path) -> None:
    teams = "select id, domain as name, 3000000000 as monthly_spend from teams"

    [told] = notes(checked(untouched, a_folder(tmp_path, teams=teams, sync=POLLING)), "Mapping")

    assert "monthly_spend is beyond 2,147,483,647" in told


def test_memberships_in_teams_that_nobody_selects_are_noted(untouched: str, tmp_path: Path) -> None:
    memberships = "select user_id, team_id + 1000 as team_id from memberships"
    found = checked(untouched, a_folder(tmp_path, memberships=memberships, sync=POLLING))

    assert any("names teams that teams.sql does not return" in t for t in notes(found, "Mapping"))


def test_memberships_of_users_whom_nobody_selects_are_noted(untouched: str, tmp_path: Path) -> None:
    memberships = "select user_id + 1000 as user_id, team_id from memberships"
    found = checked(untouched, a_folder(tmp_path, memberships=memberships, sync=POLLING))

    assert any("names users that users.sql does not return" in t for t in notes(found, "Mapping"))


def test_rows_without_an_id_are_not_told_as_nobody(untouched: str, tmp_path: Path) -> None:
    users = "select null::bigint as id, email from users"
    found = checked(untouched, a_folder(tmp_path, users=users, sync=POLLING))

    assert reds(found) == ["users.sql returns rows without an id, and nobody else."]


@pytest.mark.parametrize(
    "end", ["limit 5", "offset 2", "fetch first 5 rows only", "LIMIT 5 -- few"]
)
def test_a_query_that_is_cut_off_is_red(untouched: str, tmp_path: Path, end: str) -> None:
    users = f"select id, email, (select 'limit 3' limit 1) as a from users order by id {end}"
    found = checked(untouched, a_folder(tmp_path, users=users, sync=POLLING))
    within = "select id, email, (select domain from teams limit 1) as a from users -- limit 5"

    [told] = reds(found)

    assert told.startswith(f"users.sql ends in {end.split()[0].upper()}: ")
    assert reds(checked(untouched, a_folder(tmp_path, users=within, sync=POLLING))) == []


def test_rows_whose_id_is_null_are_noted(untouched: str, tmp_path: Path) -> None:
    users = "select nullif(id, 1) as id, email from users"
    found = checked(untouched, a_folder(tmp_path, users=users, sync=POLLING))

    assert "users.sql returns rows whose id is null; they are left out." in notes(found, "Mapping")


@pytest.mark.parametrize(
    ("users", "told"),
    [
        ("select id, email from user", 'and the table is "user"'),
        ("select id, email", "the SELECT has no FROM"),
        ('select "createdAt" from users', 'reference the column "users.created_at"'),
    ],
)
def test_what_postgresql_hints_at_is_told(
    untouched: str, tmp_path: Path, users: str, told: str
) -> None:
    found = checked(untouched, a_folder(tmp_path, users=users, sync=POLLING))

    assert any(told in text for text in reds(found)), reds(found)


def test_every_key_of_the_settings_that_is_wrong_is_told(untouched: str, tmp_path: Path) -> None:
    folder = a_folder(tmp_path, sync="threads: many\nlease: 30\nguards: {create: 5}\n")

    assert [text.split(";")[0] for text in reds(checked(untouched, folder))] == [
        'sync.yaml: unknown key "guards.create"',
        'sync.yaml: threads is "many"',
        "sync.yaml: lease is 30",
    ]


def test_triggers_without_a_watched_table_are_told_as_the_settings_mistake(
    untouched: str, tmp_path: Path
) -> None:
    found = checked(untouched, a_folder(tmp_path, sync="capture: triggers\n"))

    [red] = [f for f in found if f.verdict is Severity.BAD and f.title == "triggers"]
    assert "watch is empty" in red.sentence
    assert red.to_do == "Correct it; then run check again."


# --- rights ---------------------------------------------------------------------------------------


def test_each_missing_right_is_red_with_the_grant_that_mends_it(app: str) -> None:
    with a_role(app, *READS) as reader:
        found = checked(reader, sync_url=app)
        told = [f for f in found if f.part == "Rights in the app"]

        assert len(told) == 6
        assert all(f.verdict is Severity.BAD for f in told)
        assert any('"time_zone"' in f.sentence for f in told)
        for finding in told:
            grant = finding.to_do.removeprefix("Run as the tables' owner: ").split(";")[0]
            run(app, grant)
        assert reds(checked(reader, sync_url=app)) == []


def test_a_table_that_may_not_be_read_is_named(app: str) -> None:
    with a_role(app, "select on users", "select on memberships") as reader:
        told = reds(checked(reader, sync_url=app))

    assert any(text.startswith("teams.sql: permission denied for table teams") for text in told)


def test_rows_that_row_security_hides_are_noted(untouched: str, tmp_path: Path) -> None:
    run(untouched, "alter table users enable row level security")
    run(untouched, "create policy a_few on users using (id < 5)")
    with a_role(untouched, *READS) as reader:
        found = checked(reader, a_folder(tmp_path, sync=POLLING), sync_url=untouched)

    told = notes(found, "Rights in the app")
    assert any("Row security hides rows of public.users" in text for text in told)


# --- capture --------------------------------------------------------------------------------------


def test_without_its_triggers_the_capture_is_red(app: str) -> None:
    remove_capture(app)

    assert reds(checked(app)) == ["The change log is not installed."]


def test_triggers_that_are_disabled_or_missing_are_named(app: str) -> None:
    run(app, "alter table teams disable trigger all")
    run(app, "drop table memberships cascade")
    create_memberships = (
        "create table memberships (user_id bigint, team_id bigint, updated_at timestamptz)"
    )
    run(app, create_memberships)

    told = reds(checked(app))

    assert len(told) == 2
    assert "public.memberships: delete" in told[0]
    assert "is missing" in told[0]
    assert "public.teams" in told[1]
    assert "is disabled" in told[1]


def test_a_table_that_is_read_and_not_watched_is_noted(app: str, tmp_path: Path) -> None:
    run(app, "create table seats (user_id bigint primary key, seat text)")
    users = "select id, email, name, phone_number, time_zone, last_request_at, "
    users += "(select seat from seats where user_id = id) as seat from users"
    found = checked(app, a_folder(tmp_path, users=users))

    assert reds(found) == []
    assert notes(found, "Changes in the app") == [
        "public.seats is read by users.sql and not watched: its changes wait for the sweep."
    ]


def test_triggers_of_a_watch_that_is_gone_are_noted(app: str, tmp_path: Path) -> None:
    watch = "watch: [{table: users, wakes: user, key: id}, {table: teams, wakes: team, key: id}]\n"
    found = checked(app, a_folder(tmp_path, sync=watch))

    told = notes(found, "Changes in the app")
    assert any(text.startswith("public.memberships has triggers and is not in") for text in told)
    assert "public.memberships is read by memberships.sql and not watched" in "\n".join(told)


def test_a_publication_that_carries_our_tables_is_red_until_it_is_accepted(app: str) -> None:
    """Made after the installation, as by somebody who knows nothing of us."""
    run(app, "set client_min_messages = error; create publication everything for all tables")

    found = checked(app)

    for part, schema in (
        ("Changes in the app", "intercom_capture"),
        ("Own tables", "intercom_sync"),
    ):
        [told] = [text for text in of(found, Severity.BAD, part)]
        assert told.startswith(f'The publication "everything" carries the tables of {schema}')
    install_capture(app, load_mapping(), may=Permissions(accept=["everything"]))
    apply_schema(app, accept=["everything"])
    assert reds(checked(app)) == []


def test_the_log_of_another_workspace_is_red(app: str) -> None:
    install_capture(app, load_mapping(), may=Permissions("eu", take_over=True))

    [told] = reds(checked(app))

    assert told.startswith("The change log is that of the workspace eu")


def test_a_table_that_a_subscription_fills_is_noted(app: str) -> None:
    run(
        app,
        "create subscription copy connection 'dbname=nowhere' publication p "
        "with (connect = false, slot_name = none)",
    )
    run(
        app,
        "insert into pg_subscription_rel select oid, 'users'::regclass, 'r' from pg_subscription "
        "where subname = 'copy'",
    )
    found = checked(app)
    run(app, "delete from pg_subscription_rel; drop subscription copy")

    assert any("public.users is filled by a subscription" in t for t in notes(found, CHANGES))


def test_changes_that_nobody_takes_from_the_log_are_noted(app: str) -> None:
    run(app, "update intercom_capture.change_log set at = now() - interval '2 hours'")

    assert any("log rows wait, since" in text for text in notes(checked(app), "Changes in the app"))


def test_a_log_that_the_triggers_could_not_write_to_is_red(app: str) -> None:
    run(app, "alter table intercom_capture.change_log add check (kind = 'nobody') not valid")
    run(app, "update users set name = 'x'")

    told = reds(checked(app))

    assert any("The triggers cannot write to the change log" in text for text in told)
    assert any("1 statement of the app could not be logged" in text for text in told)


def test_a_partitioned_table_has_a_note_of_what_a_merge_in_a_function_hides(
    empty_database: str, tmp_path: Path
) -> None:
    run(
        empty_database,
        "create table plain (id int primary key, email text);"
        "create table parted (user_id int, region int) partition by list (region)",
    )
    folder = a_folder(
        tmp_path,
        users="select id, email from plain",
        teams="select null::int as id, null::text as name where false",
        memberships="select user_id, region as team_id from parted",
        sync="write_back: off\nwatch:\n  - {table: plain, wakes: user, key: id}\n"
        "  - {table: parted, wakes: user, key: user_id}",
    )
    apply_schema(empty_database)
    install_capture(empty_database, load_mapping(folder))

    found = checked(empty_database, folder)

    told = [text for text in notes(found, "Changes in the app") if "MERGE" in text]
    assert [text.split()[0] for text in told] == ["parted"]
    assert "nightly sweep" in told[0]
    assert of(found, Severity.BAD, "Changes in the app") == []


def test_polling_says_what_it_cannot_see(empty_database: str, tmp_path: Path) -> None:
    create_sample_app(empty_database)
    folder = a_folder(tmp_path, users="select id, email from users", sync=POLLING)

    [told] = notes(checked(empty_database, folder), "Changes in the app")

    assert "changes in users.sql, which has no updated_at" in told
    assert "deleted users" in told
    assert "transactions longer than 5 min" in told


def test_polling_beside_triggers_whose_log_nobody_empties_is_red(app: str, tmp_path: Path) -> None:
    assert any("remove-capture" in f.to_do for f in checked(app, a_folder(tmp_path, sync=POLLING)))


# --- our tables, Dagster --------------------------------------------------------------------------


def test_our_tables_missing_or_of_another_version_are_red(empty_database: str) -> None:
    create_sample_app(empty_database)
    install_capture(empty_database, load_mapping())

    assert reds(checked(empty_database)) == ["The schema intercom_sync is not there."]


def test_our_tables_of_a_newer_program_are_red(app: str) -> None:
    run(app, "insert into intercom_sync.schema_step (step) values (1000)")

    [told] = reds(checked(app))

    assert told == "The schema intercom_sync is of version 1000, newer than this program."


def test_dagster_without_its_pool_is_red_and_without_its_variables_noted(
    app: str, tmp_path: Path
) -> None:
    env = {
        "DAGSTER_HOME": str(tmp_path),
        "DAGSTER_DATABASE_URL": app,
        "DAGSTER_EVENT_BATCH_SIZE": "500",
    }
    checkup = Preflight(Configuration(app, app), env, lambda: "The pool has no limit.")

    found = list(checkup.findings())

    assert of(found, Severity.BAD, "Dagster") == ["The pool has no limit."]
    assert [text.split(" ")[0] for text in notes(found, "Dagster")] == [
        "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS",
        "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR",
    ]


def test_a_database_that_is_down_hides_nothing_else(tmp_path: Path) -> None:
    found = checked("postgresql://me:hush@127.0.0.1:9/app", a_folder(tmp_path))

    assert [f.part for f in found if f.verdict is Severity.BAD] == [
        "Configuration", "App database",
    ]  # fmt: skip
    assert "hush" not in str(found)


# --- Intercom -------------------------------------------------------------------------------------


@pytest.fixture
def intercom() -> Simulator:
    return Simulator()


@pytest.fixture
def client(intercom: Simulator) -> Iterator[IntercomClient]:
    client = IntercomClient(
        "demo-token", "http://127.0.0.1:9", transport=InProcess(intercom.handle)
    )
    yield client
    client.close()


def _attribute(name: str, kind: Kind = Kind.STRING) -> Field:
    return Field(name, name, kind, Policy.APP, custom=True)


def test_a_host_of_another_region_is_noted(client: IntercomClient) -> None:
    elsewhere = Configuration(base_url="https://api.eu.intercom.io")

    token, region = check_token(client, elsewhere)

    assert token.verdict is Severity.OK
    assert region.verdict is Severity.WARNING
    assert region.to_do == "Set INTERCOM_BASE_URL to https://api.intercom.io."


def test_tables_that_are_about_another_workspace_are_red(app: str, client: IntercomClient) -> None:
    with Store(app) as store:
        store.state.put(StateKey.WORKSPACE, {"id": "0ther"})

    _, _, tables = check_token(client, Configuration(sync_url=app))

    assert tables.verdict is Severity.BAD
    assert tables.sentence.endswith("the sync's own tables are about 0ther.")
    assert "SYNC_DATABASE_URL" in tables.to_do


def test_attributes_to_be_made_and_those_that_nobody_can_write_are_told(
    client: IntercomClient, intercom: Simulator
) -> None:
    client.create_attribute("seats", AttributeModel.CONTACT, "string")
    before = intercom.stats()["writes"]

    found = list(
        check_attributes(
            client,
            {
                AttributeModel.CONTACT: [_attribute("seats", Kind.INTEGER), _attribute("mood")],
                AttributeModel.COMPANY: [],
            },
        )
    )

    assert [f.verdict for f in found] == [Severity.BAD, Severity.OK, Severity.OK]
    assert "'seats' is of type string in Intercom" in found[0].sentence
    assert "mood (string)" in found[1].sentence
    assert intercom.stats()["writes"] == before


def test_more_attributes_than_the_workspace_has_room_for_are_red(client: IntercomClient) -> None:
    client.create_attribute("seats", AttributeModel.CONTACT, "string")

    found = list(
        check_attributes(
            client,
            {
                AttributeModel.CONTACT: [_attribute(f"a{n}") for n in range(250)],
                AttributeModel.COMPANY: [],
            },
        )
    )

    assert found[-1].verdict is Severity.BAD
    assert "1 custom attributes and 250 would be made; allowed: 250" in found[-1].sentence


def test_a_clock_that_is_wrong_is_noted(intercom: Simulator) -> None:
    with serving(intercom) as address:
        client = IntercomClient("demo-token", address, wall=lambda: time.time() + 3600)
        client.me()

        found = list(check_limits(client, 0.8))
        client.close()

    assert [f.verdict for f in found] == [Severity.OK, Severity.WARNING]
    assert "differ by 3600 s" in found[1].sentence.replace("3599", "3600").replace("3601", "3600")


def test_nothing_is_written_to_the_app_by_a_check(app: str) -> None:
    with a_role(
        app, *READS, "usage on schema intercom_capture", "select on intercom_capture.change_log"
    ) as reader:
        before = _written(app)
        checked(reader, sync_url=app)

        assert _written(app) == before


def _written(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        connection.execute("select pg_stat_force_next_flush()")
        return connection.execute(
            "select relname, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables order by 1"
        ).fetchall()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("INTERCOM_TOKEN", "INTERCOM_ACCESS_TOKEN"), ("INTERCOM_URL", "INTERCOM_BASE_URL"),
        ("INTERCOM_BASEURL", "INTERCOM_BASE_URL"),
        ("INTERCOM_SYNC_ENABLE", "INTERCOM_SYNC_ENABLED"),
    ],
)  # fmt: skip
def test_a_misspelt_variable_is_told_with_the_one_that_was_meant(given: str, meant: str) -> None:
    [finding] = check_variables({given: "x"})

    assert f'did you mean "{meant}"' in finding.sentence


def test_a_policy_by_its_former_name_is_named_and_reddens_nothing(app: str, tmp_path: Path) -> None:
    folder = a_folder(
        tmp_path, users="select id, email, name from users", sync="fields: {name: newest}"
    )

    found = checked(app, folder)

    told = "\n".join(of(found, Severity.WARNING, "Mapping"))
    assert (
        'sync.yaml: fields.name is "newest", which is called last_writer now; the old name is '
        "still read" in told
    )
    assert not of(found, Severity.BAD, "Mapping")
