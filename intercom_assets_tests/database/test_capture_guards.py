"""What an installation refuses: to end the app's replication, to take a log or triggers away."""

import psycopg
import pytest

from intercom_assets.database.capture.guards import Permissions
from intercom_assets.database.capture.installation import install_capture, remove_capture
from intercom_assets.database.capture.state import capture_state
from intercom_assets.database.failures import AppUnavailable, Refused
from intercom_assets.database.publications import subscribed
from intercom_assets.database.store.schema import apply_schema, published
from intercom_assets.mapping.load import AppMapping, load_mapping
from intercom_assets_tests.database.mappings import a_mapping, rows, run

SAMPLE = load_mapping()
ALL = "create publication everything for all tables"


def watching(table: str, wakes: str = "user", key: str = "id") -> AppMapping:
    return a_mapping(watch=[{"table": table, "wakes": wakes, "key": key}])


def server_version(url: str) -> int:
    with psycopg.connect(url) as connection:
        return connection.info.server_version // 10_000


@pytest.fixture
def app(empty_database: str) -> str:
    """Two tables of somebody's app, and nothing of ours."""
    run(
        empty_database,
        "create table users (id int primary key, code text); create table teams (id int)",
    )
    return empty_database


def triggers_on(url: str, table: str) -> int:
    found = rows(url, "select 1 from pg_trigger where tgrelid = %s::regclass", table)
    return len(found)


# --- the app's logical replication ----------------------------------------------------------------


def test_no_table_is_made_that_a_publication_of_all_tables_would_carry(app: str) -> None:
    run(app, ALL)

    with pytest.raises(Refused) as log:
        install_capture(app, watching("users"))
    with pytest.raises(Refused) as tables:
        apply_schema(app)

    assert "install-capture --accept-publication everything" in str(log.value)
    assert "init-db --accept-publication everything" in str(tables.value)
    assert "SYNC_DATABASE_URL" in str(tables.value)
    assert rows(app, "select 1 from pg_namespace where nspname like 'intercom%%'") == []
    assert triggers_on(app, "users") == 0


def test_a_publication_whose_subscribers_have_our_tables_is_accepted_once(app: str) -> None:
    run(app, ALL)
    accepted = Permissions(accept=["everything"])

    install_capture(app, watching("users"), may=accepted)
    apply_schema(app, accept=["everything"])

    assert capture_state(app, watching("users")).complete
    assert install_capture(app, watching("users")) == []
    assert (published(app), apply_schema(app)) == ([], [])
    run(app, "create publication later for all tables")
    assert published(app) == ["later"]


@pytest.mark.parametrize("schema", ["intercom_capture", "intercom_sync"])
def test_a_publication_of_our_schema_is_refused_before_there_is_a_table(
    app: str, schema: str
) -> None:
    if server_version(app) < 15:
        pytest.skip("publications of schemas came with PostgreSQL 15")
    run(app, f"create schema {schema}; create publication ours for tables in schema {schema}")

    make = apply_schema if schema == "intercom_sync" else _install
    with pytest.raises(Refused, match='the publication "ours" carries'):
        make(app)


def _install(url: str) -> list[str]:
    return install_capture(url, watching("users"))


@pytest.mark.parametrize(
    "harmless",
    [
        "create publication few for table users",
        "create publication none for all tables with (publish = '')",
        "create publication empty",
    ],
)
def test_publications_that_carry_nothing_of_ours_are_no_trouble(app: str, harmless: str) -> None:
    run(app, harmless)

    install_capture(app, watching("users"))
    apply_schema(app)

    assert capture_state(app, watching("users")).complete


def test_a_dry_run_says_what_would_stop_it_and_shows_the_tables_to_make_elsewhere(app: str) -> None:
    run(app, ALL)

    first, *others = install_capture(app, watching("users"), dry_run=True)

    assert first.startswith("-- install-capture would stop: the publication")
    assert any("create table" in statement for statement in others)


def test_every_table_of_ours_has_the_key_that_a_publication_of_all_tables_asks_for(
    database: str,
) -> None:
    """PostgreSQL refuses UPDATE and DELETE on a published table without one."""
    run(database, ALL)

    without = rows(
        database,
        "select c.relname from pg_class c where c.relkind = 'r' and c.relnamespace in "
        "('intercom_sync'::regnamespace, 'intercom_capture'::regnamespace) and not exists "
        "(select from pg_index i where i.indrelid = c.oid and i.indisprimary)",
    )

    assert without == []
    run(database, "insert into users (email) values ('a'); delete from intercom_capture.change_log")
    run(
        database,
        "insert into intercom_sync.run_member (run_id, kind, keys) values ('r','user','{}')",
    )
    run(database, "update intercom_sync.run_member set at = now()")
    run(database, "delete from intercom_sync.run_member")


def test_tables_that_a_subscription_fills_are_found(app: str) -> None:
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
    with psycopg.connect(app) as connection:
        found = subscribed(connection, ["public.users", "public.teams"])
    run(app, "delete from pg_subscription_rel; drop subscription copy")

    assert found == ["public.users"]


# --- another mapping's triggers -------------------------------------------------------------------


def test_triggers_on_tables_that_this_mapping_does_not_watch_stay(app: str) -> None:
    install_capture(app, watching("users"))

    with pytest.raises(Refused, match=r"drop the triggers on public\.users"):
        install_capture(app, watching("teams", "team"))

    assert (triggers_on(app, "users"), triggers_on(app, "teams")) == (4, 0)
    assert capture_state(app, watching("teams", "team")).foreign == ("public.users",)
    first, *_ = install_capture(app, watching("teams", "team"), dry_run=True)
    assert first.startswith("-- install-capture would stop: it would drop the triggers on")
    install_capture(app, watching("teams", "team"), may=Permissions(take_over=True))
    assert (triggers_on(app, "users"), triggers_on(app, "teams")) == (0, 4)


def test_a_kind_that_another_mapping_wakes_by_the_same_table_stays(app: str) -> None:
    install_capture(app, watching("users"))

    with pytest.raises(Refused, match=r"drop the triggers on public\.users"):
        install_capture(app, watching("users", "team"))


def test_another_key_of_the_same_watch_is_an_edit(app: str) -> None:
    install_capture(app, watching("users"))

    install_capture(app, watching("users", key="code"))

    assert triggers_on(app, "users") == 4


def test_the_log_of_another_workspace_is_left_alone(app: str) -> None:
    """Also with the very same watch: whoever drains the log first would have it alone."""
    mapping = watching("users")
    install_capture(app, mapping, may=Permissions("eu"))

    for doing in (install_capture, None):
        with pytest.raises(Refused, match="is the workspace eu's"):
            install_capture(app, mapping) if doing else remove_capture(app)

    assert capture_state(app, mapping).owner == "the workspace eu"
    assert capture_state(app, mapping, "eu").owner is None
    assert install_capture(app, mapping, may=Permissions("eu")) == []
    install_capture(app, mapping, may=Permissions(take_over=True))
    assert capture_state(app, mapping, "eu").owner == "the workspace without INTERCOM_WORKSPACE"
    remove_capture(app, may=Permissions("eu", take_over=True))
    assert triggers_on(app, "users") == 0


def test_what_an_earlier_version_installed_belongs_to_whoever_comes(app: str) -> None:
    install_capture(app, watching("users"))
    run(app, "comment on schema intercom_capture is 'a note of the app owner''s'")

    assert capture_state(app, watching("users"), "eu").owner is None
    install_capture(app, watching("users"), may=Permissions("eu"))
    assert capture_state(app, watching("users")).owner == "the workspace eu"


# --- the app's own guards -------------------------------------------------------------------------


def test_an_event_trigger_that_forbids_it_is_told_in_its_own_words(app: str) -> None:
    run(
        app,
        "create function no_ddl() returns event_trigger language plpgsql as "
        "$$ begin raise exception 'tables are made by migrations only'; end $$; "
        "create event trigger guard on ddl_command_start execute function no_ddl()",
    )

    with pytest.raises(AppUnavailable, match="tables are made by migrations only"):
        install_capture(app, watching("users"))
