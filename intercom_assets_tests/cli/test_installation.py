"""`init-db`, `install-capture`, `remove-capture`: what they make, say, and leave out."""

from pathlib import Path

import dagster as dg
import psycopg
import pytest

from intercom_assets.database.capture.state import capture_state
from intercom_assets.demo.sample_app import create_sample_app
from intercom_assets.mapping.load import load_mapping
from intercom_assets.orchestration.pool import missing_pool
from intercom_assets_tests.cli.conftest import Shell
from intercom_assets_tests.mapping_folders import a_folder


@pytest.fixture
def bare_app(empty_database: str) -> str:
    create_sample_app(empty_database)
    return empty_database


def test_init_db_makes_our_tables_and_says_what_it_left_out(shell: Shell, bare_app: str) -> None:
    done = shell.run("init-db", APP_DATABASE_URL=bare_app)

    assert done.exit_code == 0
    assert "intercom_sync: step 1" in done.stdout
    assert "DAGSTER_HOME is not set: left out" in done.stdout


def test_init_db_a_second_time_has_nothing_to_do(shell: Shell) -> None:
    assert "intercom_sync: nothing to do" in shell.run("init-db").stdout


def test_init_db_sizes_the_pool_where_dagster_is_set_up(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    printed = [shell.run("init-db", DAGSTER_HOME=str(tmp_path)).stdout for _ in range(2)]

    assert "Dagster: pool intercom_api set to 3" in printed[0]
    assert "Dagster: pool intercom_api already had its size" in printed[1]
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert missing_pool(instance) is None


def test_what_a_dry_run_prints_is_the_capture(shell: Shell, bare_app: str) -> None:
    done = shell.run("install-capture", "--dry-run", APP_DATABASE_URL=bare_app)
    assert not capture_state(bare_app, load_mapping()).has_log

    with psycopg.connect(bare_app) as connection:
        connection.execute(done.stdout.encode())

    assert capture_state(bare_app, load_mapping()).complete


def test_the_capture_comes_and_goes(shell: Shell, bare_app: str) -> None:
    assert shell.run("install-capture", APP_DATABASE_URL=bare_app).exit_code == 0
    assert capture_state(bare_app, load_mapping()).complete
    again = shell.run("install-capture", APP_DATABASE_URL=bare_app)
    assert again.stdout == "intercom_capture: no statements run\n"

    assert shell.run("remove-capture", APP_DATABASE_URL=bare_app).exit_code == 0

    assert not capture_state(bare_app, load_mapping()).has_log


def test_a_publication_of_everything_stops_both_until_it_is_accepted(
    shell: Shell, bare_app: str
) -> None:
    with psycopg.connect(bare_app) as connection:
        connection.execute("create publication everything for all tables")
    accept = ("--accept-publication", "everything")

    for command in ("init-db", "install-capture"):
        refused = shell.run(command, APP_DATABASE_URL=bare_app)
        assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
        assert f"run intercom-assets {command} --accept-publication everything" in refused.stderr
        assert shell.run(command, *accept, APP_DATABASE_URL=bare_app).exit_code == 0


def test_a_second_mapping_takes_no_trigger_from_the_first_without_a_word(
    shell: Shell, bare_app: str, tmp_path: Path
) -> None:
    assert shell.run("install-capture", APP_DATABASE_URL=bare_app).exit_code == 0
    folder = a_folder(tmp_path, sync="watch: [{table: teams, wakes: team, key: id}]")
    second = {"APP_DATABASE_URL": bare_app, "INTERCOM_SYNC_CONFIG": str(folder)}

    refused = shell.run("install-capture", **second)
    shown = shell.run("install-capture", "--dry-run", **second)
    taken = shell.run("install-capture", "--take-over", **second)

    assert refused.exit_code == 1
    assert "drop the triggers on public.memberships, public.users" in refused.stderr
    assert shown.stdout.startswith("-- install-capture would stop: it would drop the triggers on")
    assert "triggers dropped on public.memberships, public.users\n" in taken.stdout
    eu = shell.run("remove-capture", INTERCOM_WORKSPACE="eu", **second)
    assert "is the workspace without INTERCOM_WORKSPACE's" in eu.stderr
    removed = shell.run("remove-capture", **second)
    assert "triggers dropped on public.teams\n" in removed.stdout
