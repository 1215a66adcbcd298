"""`sync`: whom it handles, in which order, what it says, and how it ends."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from intercom_assets.mapping.load import SAMPLE
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets_tests.builders import update_row
from intercom_assets_tests.cli.conftest import Shell, forget_everything
from intercom_assets_tests.mapping_folders import a_folder
from intercom_assets_tests.sync.small_bulk import SMALL, sizes_of_bulk


@pytest.fixture
def dagster_home(tmp_path: Path) -> Path:
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return home


def test_a_user_who_is_named_is_brought_into_step(shell: Shell) -> None:
    done = shell.run("sync", "--user", "14")

    assert done.exit_code == 0
    assert "users: 1 changed" in done.stdout
    [contact] = shell.intercom.contacts()
    assert contact["name"] == "Mona Rossi"
    assert contact["custom_attributes"]["annual_saving"] == "Annual saving $316"


def test_one_who_is_in_step_already_costs_one_look_and_no_write(shell: Shell) -> None:
    shell.run("sync", "--user", "1", "14")
    before = shell.intercom.stats()

    done = shell.run("sync", "--user", "1", "14", "--json")

    assert json.loads(done.stdout)["users"] == {
        "asked": 2, "statuses": {"unchanged": 2}, "changed_fields": {}, "calls": 2, "overruled": 0,
    }  # fmt: skip
    assert shell.intercom.stats()["writes"] == before["writes"]


def test_the_calls_that_are_told_are_all_that_were_made_those_for_many_at_once_too(
    shell: Shell, tmp_path: Path
) -> None:
    shell.run("sync", "--all")
    folder = str(a_folder(tmp_path, sync="...bulk: preview"))
    with psycopg.connect(shell.variables["APP_DATABASE_URL"], autocommit=True) as app:
        app.execute("update users set sessions_this_month = sessions_this_month + 1")
    shell.intercom.reset("stats")

    with sizes_of_bulk(SMALL):
        done = shell.run("sync", "--all", "--json", INTERCOM_SYNC_CONFIG=folder)

    seen = shell.intercom.stats()["calls_by_endpoint"]
    told = json.loads(done.stdout)
    assert seen["PUT /contacts/bulk"] >= 1
    assert told["users"]["calls"] + told["teams"]["calls"] == sum(seen.values())


def test_all_is_teams_before_users_and_nobody_is_left_out(shell: Shell) -> None:
    done = shell.run("sync", "--all")

    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("teams: 5 changed")
    assert lines[1].startswith("users: 19 changed, 1 absent")
    assert "left out" in lines[2]
    assert {each["external_id"] for each in shell.intercom.contacts()} == {
        str(number) for number in range(1, 21) if number != 9
    }
    assert len(shell.intercom.companies()) == 5


def test_all_onto_a_full_workspace_lists_it_once_and_sends_only_differences(shell: Shell) -> None:
    """However few they are: teams too, which are fewer than a chunk."""
    shell.run("sync", "--all")
    forget_everything(shell)
    shell.intercom.reset("stats")

    done = json.loads(shell.run("sync", "--all", "--json").stdout)

    assert done["users"]["statuses"] == {"unchanged": 19, "absent": 1}
    calls = shell.intercom.stats()["calls_by_endpoint"]
    # One user left before we knew them; one company has no user, so that no listing shows it.
    assert calls.pop("GET /contacts/find_by_external_id/{external_id}") == 1
    assert calls.pop("POST /companies") == 1
    assert calls["GET /contacts"] == 1
    workspace = {"GET /contacts", "GET /companies/scroll", "GET /data_attributes", "GET /me"}
    assert set(calls) <= workspace


def test_contacts_that_were_touched_just_now_are_looked_at_and_no_breach_of_a_guard(
    shell: Shell, tmp_path: Path
) -> None:
    """A listing may be minutes old, so it does not say that they are unchanged."""
    shell.run("sync", "--all")
    forget_everything(shell, hours=0)
    above = {"INTERCOM_SYNC_CONFIG": str(a_folder(tmp_path, sync="...guards: {above: 10}"))}

    plan = json.loads(shell.run("plan", "--json", **above).stdout)
    done = json.loads(shell.run("sync", "--all", "--json", **above).stdout)

    assert plan["users"]["actions"] == {"look": 19, "find": 1}
    assert done["users"]["statuses"] == {"unchanged": 19, "absent": 1}


def test_a_query_that_differs_each_time_is_refused_before_anybody_is_sent(
    shell: Shell, tmp_path: Path
) -> None:
    users = "select id, email, now() as seen from users"
    folder = a_folder(tmp_path, users=users, sync="capture: polling\nwrite_back: off")

    done = shell.run("sync", "--all", INTERCOM_SYNC_CONFIG=str(folder))

    assert done.exit_code == 1
    assert done.stderr.startswith("Error: users.sql: seen differ each time that the same rows")
    assert done.stderr.count("\n") == 1
    assert shell.intercom.stats()["writes"] == 0


def test_somebody_who_is_nowhere_is_named(shell: Shell) -> None:
    done = shell.run("sync", "--user", "14", "999", "nobody")

    assert done.exit_code == 1
    assert "user 999: not in the app, and no contact or company of it is known" in done.stdout
    assert "user nobody: " in done.stdout
    assert "user 14" not in done.stdout


def test_all_makes_everybody_a_partition_where_dagster_is_set_up(
    shell: Shell, dagster_home: Path
) -> None:
    done = shell.run("sync", "--all", DAGSTER_HOME=str(dagster_home))

    assert "Dagster: 5 teams and 20 users are partitions" in done.stdout
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        assert len(instance.get_dynamic_partitions("app_user")) == 20
        assert len(instance.get_dynamic_partitions("app_team")) == 5


def test_a_dagster_home_that_is_none_is_told_in_one_sentence(shell: Shell, tmp_path: Path) -> None:
    done = shell.run("sync", "--all", DAGSTER_HOME=str(tmp_path / "no" / "where"))

    assert done.exit_code == 1
    assert "DAGSTER_HOME" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_user_whom_intercom_refuses_is_named_and_the_others_are_done(shell: Shell) -> None:
    """Refused for good, that is: what one refusal is about is left out, and the rest is sent."""
    assert shell.run("sync", "--user", "1").exit_code == 0
    update_row(shell.variables["APP_DATABASE_URL"], "users", 1, name="Ada Renamed")
    refusal = {"kind": "error", "endpoint": "POST /contacts", "status": 400, "count": None}
    shell.intercom.set(faults=[refusal])

    done = shell.run("sync", "--user", "1", "14")

    assert done.exit_code == 1
    assert re.search(r"^users: 1 changed, 1 retry|^users: 1 retry, 1 changed", done.stdout)
    assert re.search(r"^user 14: .*Scripted refusal", done.stdout, re.MULTILINE)
    assert len(shell.intercom.contacts()) == 1


def test_a_single_refusal_stops_nobody(shell: Shell) -> None:
    refusal = {"kind": "error", "endpoint": "POST /contacts", "status": 400, "count": 1}
    shell.intercom.set(faults=[refusal])

    done = shell.run("sync", "--user", "1", "14")

    assert (done.exit_code, done.stderr) == (0, "")
    assert "users: 2 changed" in done.stdout
    assert shell.intercom.stats()["faults_met"] == 1
    assert len(shell.intercom.contacts()) == 2


def test_ctrl_c_ends_it_after_the_chunk_with_what_was_done_kept(
    shell: Shell, tmp_path: Path
) -> None:
    mapping = tmp_path / "mapping"
    shutil.copytree(SAMPLE, mapping)
    with (mapping / "sync.yaml").open("a") as settings:
        settings.write("\nchunk_size: 1\n")
    shell.intercom.set(latency_ms=150)
    running = subprocess.Popen(
        [sys.executable, "-m", "intercom_assets.cli.main", "sync", "--all", "--json"],
        env={**os.environ, **shell.variables, "INTERCOM_SYNC_CONFIG": str(mapping)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert wait_until(lambda: len(shell.intercom.contacts()) >= 2, 30, every=0.01)

    running.send_signal(signal.SIGINT)
    printed, complained = running.communicate(timeout=30)

    assert running.returncode == 1
    assert "Stopping after the current chunk" in complained
    assert "Traceback" not in complained
    answer = json.loads(printed)
    assert answer["stopped"] is True
    assert answer["users"]["statuses"]["changed"] == len(shell.intercom.contacts()) < 19
    with psycopg.connect(shell.variables["APP_DATABASE_URL"]) as connection:
        found = connection.execute(
            "select count(*) from users where metadata ->> 'intercom_user_id' is not null"
        ).fetchone()
    assert found == (len(shell.intercom.contacts()),)


def _edit(shell: Shell, user: str, **changes: str) -> None:
    contact = next(c["id"] for c in shell.intercom.contacts() if c["external_id"] == user)
    shell.intercom.by_hand.edit_contact(contact, **changes)


def test_a_named_user_is_looked_at_and_an_overruled_edit_is_told(shell: Shell) -> None:
    shell.run("sync", "--all")
    _edit(shell, "14", email="typed@by.hand")

    done = shell.run("sync", "--user", "14")

    assert "somebody's email in Intercom was overruled" in done.stdout
    assert "typed@by.hand" not in {c["email"] for c in shell.intercom.contacts()}


def test_everybody_is_looked_at_only_if_told_to(shell: Shell) -> None:
    shell.run("sync", "--all")
    _edit(shell, "14", email="typed@by.hand")

    assert "Intercom was not read" in shell.run("sync", "--all").stdout
    assert "typed@by.hand" in {c["email"] for c in shell.intercom.contacts()}
    looked = shell.run("sync", "--all", "--look").stdout

    assert "Intercom was not read" not in looked
    assert "typed@by.hand" not in {c["email"] for c in shell.intercom.contacts()}
