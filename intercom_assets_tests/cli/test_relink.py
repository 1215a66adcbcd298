"""`relink`: what an operator sees, from the stop to a sync that makes no call."""

import json
from pathlib import Path

import pytest

from intercom_assets_tests.cli.conftest import Shell
from intercom_assets_tests.database.mappings import run
from intercom_assets_tests.sync.identity.switching import NO_WRITES, SWITCHED
from intercom_assets_tests.sync.sync_world import a_mapping


@pytest.fixture
def switched(shell: Shell, tmp_path: Path) -> Shell:
    """Everybody was in step before the mapping selected other ids."""
    assert shell.run("sync", "--all").exit_code == 0
    folder = a_mapping(tmp_path / "mapping", SWITCHED, **NO_WRITES)
    return Shell(shell.intercom, {**shell.variables, "INTERCOM_SYNC_CONFIG": str(folder)})


def test_from_the_stop_to_a_second_sync_without_a_call(switched: Shell) -> None:
    contacts = {c["id"] for c in switched.intercom.contacts()}
    writes = switched.intercom.stats()["writes"]

    plan = json.loads(switched.run("plan", "--json").stdout)
    answer = switched.run("plan").stdout
    stopped = switched.run("sync", "--all")
    dry = switched.run("relink", "--dry-run")

    [found] = plan["switched_ids"]
    assert (found["kind"], found["new"]) == ("user", f"usr_{found['old']}")
    assert f"switched{found['count']}-" in plan["plan"]
    assert plan["plan"] in answer
    assert "intercom-assets relink" in answer
    assert stopped.exit_code == 1
    assert "Nothing was written" in stopped.output
    assert plan["plan"] in stopped.output
    assert dry.exit_code == 0
    assert "Nothing was written." in dry.stdout
    assert switched.intercom.stats()["writes"] == writes

    moved = switched.run("relink")

    assert moved.exit_code == 0, moved.output
    assert f"Links: {len(contacts)} moved." in moved.stdout
    assert switched.run("sync", "--all").exit_code == 0
    calls = switched.intercom.stats()["calls"]
    assert switched.run("sync", "--all").exit_code == 0
    assert switched.intercom.stats()["calls"] == calls
    after = switched.intercom.contacts()
    assert {c["id"] for c in after} == contacts
    assert all(c["external_id"].startswith("usr_") for c in after)
    assert "No link to move." in switched.run("relink").stdout


def test_its_document_names_every_link_and_no_email(switched: Shell) -> None:
    done = switched.run("relink", "--dry-run", "--json")

    document = json.loads(done.stdout)
    assert document["dry_run"] is True
    assert document["to_move"] == len(document["links"]) == len(switched.intercom.contacts())
    assert {link["state"] for link in document["links"]} == {"to move"}
    assert "@" not in done.stdout


def test_what_is_unclear_is_named_and_left(switched: Shell) -> None:
    url = switched.variables["APP_DATABASE_URL"]
    run(url, 'update intercom_sync.user_link set shadow = shadow || \'{"email": "b@x.example"}\'')
    run(url, "update users set email = 'b@x.example', created_at = now()")

    done = switched.run("relink")

    assert "usr_1" in done.stdout
    assert "No link to move. 1 e-mail of more than one user: left." in done.stdout


def test_it_writes_only_where_the_sync_is_switched_on(switched: Shell) -> None:
    assert switched.run("relink", INTERCOM_SYNC_ENABLED="").exit_code == 1
    assert switched.run("relink", "--dry-run", INTERCOM_SYNC_ENABLED="").exit_code == 0
