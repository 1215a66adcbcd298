"""`check` as an operator reads it: green and red lines, what to do, and the exit code."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from intercom_assets.database.store.store import Store
from intercom_assets.demo.sample_app import create_sample_app
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets_tests.cli.conftest import Shell
from intercom_assets_tests.sync.sync_world import a_mapping

DEPLOY = Path(str(files("intercom_assets"))) / "deploy"
PLENTY = {"COLUMNS": "200"}


def check(shell: Shell, **variables: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(shell.run("check", "--json", **variables).stdout)
    return document


def reds(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(f["part"], f["title"]) for f in document["findings"] if f["verdict"] == "bad"]


def test_a_sync_that_is_ready_has_no_red_line_and_nothing_was_written(shell: Shell) -> None:
    done = shell.run("check", **PLENTY)

    assert done.exit_code == 0, done.output
    assert "RED" not in done.stdout
    assert "Nothing is red" in done.stdout
    assert "workspace Simulated workspace" in done.stdout
    assert "The first sync makes, of a contact: time_zone (string)" in done.stdout
    assert "Users: who wins" in done.stdout
    assert shell.intercom.stats()["writes"] == 0


def test_a_red_line_says_what_to_do_and_the_exit_code_tells(shell: Shell) -> None:
    done = shell.run("check", INTERCOM_ACCESS_TOKEN="not-this-one", **PLENTY)

    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    red = next(n for n, line in enumerate(lines) if "RED" in line)
    assert "401" in lines[red]
    assert (
        lines[red + 1].strip()
        == "-> Set INTERCOM_ACCESS_TOKEN to an access token of this workspace."
    )
    assert "1 red" in lines[-1]
    assert "not-this-one" not in done.output


def test_with_nothing_configured_it_says_what_to_set(shell: Shell) -> None:
    document = check(shell, APP_DATABASE_URL="", INTERCOM_ACCESS_TOKEN="", INTERCOM_SYNC_ENABLED="")

    assert reds(document) == [("Configuration", "app"), ("Configuration", "token")]
    assert all(f["to_do"] for f in document["findings"] if f["verdict"] != "ok")


def test_an_app_without_our_tables_and_triggers_does_not_hide_what_the_token_may_do(
    shell: Shell, empty_database: str
) -> None:
    create_sample_app(empty_database)

    document = check(shell, APP_DATABASE_URL=empty_database)

    assert reds(document) == [("Changes in the app", "triggers"), ("Own tables", "schema")]
    assert {"contacts", "companies", "attributes"} <= {f["title"] for f in document["findings"]}


def test_a_token_that_may_not_list_contacts_may_still_read_companies(shell: Shell) -> None:
    refusal = {"kind": "error", "endpoint": "GET /contacts", "status": 403, "code": "forbidden"}
    shell.intercom.set(faults=[refusal])

    document = check(shell)

    [red] = [f for f in document["findings"] if f["verdict"] == "bad"]
    assert red["title"] == "contacts"
    assert "Read and list users and companies" in red["to_do"]


def test_an_address_that_is_not_https_is_red(shell: Shell) -> None:
    document = check(shell, INTERCOM_BASE_URL="http://api.intercom.io")

    assert reds(document) == [("Intercom", "token")]


def test_dagster_is_red_until_it_is_set_up(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    ready = {
        "DAGSTER_HOME": str(tmp_path),
        "DAGSTER_EVENT_BATCH_SIZE": "500",
        "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1",
        "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR": "1",
    }

    assert reds(check(shell, DAGSTER_HOME=str(tmp_path))) == [
        ("Dagster", "pool"),
    ]
    shell.run("init-db", **ready)

    assert reds(check(shell, **ready)) == []


def test_what_a_backfill_needs_to_outlive_a_restart_is_a_note_until_it_is_set(
    shell: Shell, tmp_path: Path
) -> None:
    url = shell.variables["APP_DATABASE_URL"]
    home = {"DAGSTER_HOME": str(tmp_path), "DAGSTER_DATABASE_URL": url}
    bare = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(bare))
    assert notes_on_settings(check(shell, **home)) == []

    del bare["run_coordinator"]["config"]["max_user_code_failure_retries"], bare["run_retries"]
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(bare))

    queued, died = notes_on_settings(check(shell, **home))
    assert "max_user_code_failure_retries is not set" in queued
    assert "run_retries are off" in died


def notes_on_settings(document: dict[str, Any]) -> list[str]:
    return [f["found"] for f in document["findings"] if f["title"] == "settings"]


def test_a_dagster_home_that_is_none_is_not_mended_by_init_db(shell: Shell) -> None:
    document = check(shell, DAGSTER_HOME="/nowhere/at/all")

    [pool] = [f for f in document["findings"] if f["title"] == "pool"]
    assert "DAGSTER_HOME is /nowhere/at/all" in pool["found"]
    assert pool["to_do"] == "Correct that variable; then run check again."


def test_who_wins_is_that_of_this_mapping(shell: Shell, tmp_path: Path) -> None:
    for name, text in {
        "users.sql": "select id, email, name, plan as tier from users",
        "teams.sql": "select id, domain as name from teams",
        "memberships.sql": "select user_id, team_id from memberships",
        "sync.yaml": "capture: polling\nfields: {email: intercom}\n",
    }.items():
        (tmp_path / name).write_text(text)

    document = check(shell, INTERCOM_SYNC_CONFIG=str(tmp_path))

    wins = {row["app"]: row for row in document["who_wins"]["users"]}
    assert list(wins) == ["id", "email", "name", "tier", "deleted"]
    assert wins["email"]["wins"] == "Intercom"
    assert "write_back.columns has no name" in wins["name"]["remarks"]


def test_a_dagster_home_that_up_will_make_is_a_note(shell: Shell, tmp_path: Path) -> None:
    home = {"DAGSTER_HOME": str(tmp_path / "later")}

    document = check(shell, **home)
    made = shell.run("init-db", **home)

    assert reds(document) == []
    [note] = [f for f in document["findings"] if f["title"] == "home"]
    assert "which is not there yet (`intercom-assets up` makes it)" in note["found"]
    assert made.exit_code == 0
    assert "left out what concerns Dagster" in made.stdout


def test_dagsters_own_defaults_are_notes_each_with_what_they_cost(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    found = " ".join(notes_on_settings(check(shell, DAGSTER_HOME=str(tmp_path))))

    for setting in (
        "max_user_code_failure_retries",
        "run_retries",
        "run_monitoring",
        "granularity",
        "tag_concurrency_limits",
        "use_threads",
    ):
        assert setting in found


def test_check_says_how_to_subscribe_to_webhooks_once_there_is_a_secret(shell: Shell) -> None:
    without = shell.run("check").stdout
    with_one = shell.run("check", INTERCOM_CLIENT_SECRET="new,old").stdout

    assert "Not used: edits in Intercom are found by its search." in without
    assert "INTERCOM_CLIENT_SECRET holds 2 secrets" in with_one
    assert "None has come yet." in with_one
    assert "https://YOUR-HOST/webhooks" in with_one
    assert "company.contact.detached" in with_one
    assert "new" not in with_one.split("Webhooks")[1].split("2 secrets")[0]


def test_check_says_when_the_last_webhook_came(shell: Shell) -> None:
    with Store(shell.variables["APP_DATABASE_URL"]) as store:
        store.state.put(StateKey.WEBHOOK_SEEN, True)

    assert "The last one came at 20" in shell.run("check").stdout


def test_check_says_that_a_tag_needs_webhooks(shell: Shell, tmp_path: Path) -> None:
    folder = a_mapping(tmp_path / "mapping", None, sync_now_tag="sync now")

    found = shell.run("check", INTERCOM_SYNC_CONFIG=str(folder)).stdout

    assert "only webhooks tell of tags" in found
