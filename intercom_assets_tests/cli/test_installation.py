"""`init-db`, `install-capture`, `remove-capture`: what they make, say, and leave out."""

from pathlib import Path

import dagster as dg
import psycopg
import pytest

from intercom_assets.database.capture import capture_state
from intercom_assets.demo.sample_app import create_sample_app
from intercom_assets.mapping.load import load_mapping
from intercom_assets.pool import missing_pool
from intercom_assets_tests.cli.conftest import Shell


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

    said = [shell.run("init-db", DAGSTER_HOME=str(tmp_path)).stdout for _ in range(2)]

    assert "Dagster: pool intercom_api set to 3" in said[0]
    assert "Dagster: pool intercom_api had its size already" in said[1]
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
