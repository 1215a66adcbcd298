"""`check --probe`: what is measured is what the workspace does, and nothing of it is left there."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets.sync.context.probed import Probed, read_probed
from intercom_assets.sync.environment import APP_DATABASE_URL
from intercom_assets_tests.cli.conftest import Shell

COMMAND = (sys.executable, "-m", "intercom_assets.cli.main")
WAIT_TIMEOUT_S = 120
WIDE = {"COLUMNS": "200"}


def probe(shell: Shell, *options: str) -> dict[str, Any]:
    done = shell.run("check", "--probe", "--json", *options)
    assert done.exit_code == 0, done.output
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def live(shell: Shell) -> tuple[int, int]:
    """(contacts, companies) that are there."""
    return len(shell.intercom.contacts()), len(shell.intercom.companies())


def left(shell: Shell) -> Any:
    with Store(shell.variables[APP_DATABASE_URL]) as store:
        return store.state.get(StateKey.PROBE_LEFT)


def saved(shell: Shell) -> Probed:
    with Store(shell.variables[APP_DATABASE_URL]) as store:
        return read_probed(store)


def test_it_says_first_what_it_makes_and_leaves_nothing(shell: Shell) -> None:
    done = shell.run("check", "--probe", **WIDE)

    assert done.exit_code == 0, done.output
    first = done.output.splitlines()[0]
    assert first.startswith("In the workspace Simulated workspace")
    assert "makes the contacts intercom-assets-probe-" in first
    assert "Does each item of a bulk call count against the limit?" in done.stdout
    assert live(shell) == (0, 0)
    assert left(shell) is None
    assert saved(shell) == Probed()


@pytest.mark.parametrize(
    ("settings", "measured"),
    [
        ({"bulk_counts": "call"}, {"items_count_as_calls": False}),
        ({"bulk_counts": "item"}, {"items_count_as_calls": True}),
        ({"bulk_attach_creates": True}, {"attach_creates_companies": True}),
        ({"bulk_attach_creates": False}, {"attach_creates_companies": False}),
        ({"bulk_null": "reject_item"}, {"null_in_bulk": "refused"}),
        ({"bulk_null": "refuse_call"}, {"null_in_bulk": "refused"}),
        ({"bulk_null": "clear"}, {"null_in_bulk": "clears"}),
        ({"bulk_null": "ignore"}, {"null_in_bulk": "ignored"}),
        ({"names_escaped": True}, {"names_escaped": True}),
        ({"names_escaped": False}, {"names_escaped": False}),
        ({"in_list_limit": 15}, {"in_list_limit": 15}),
        ({"in_list_limit": 120}, {"in_list_limit": 100}),
        ({"equal_email": "always"}, {"emails_unique": True}),
        ({"equal_email": "unless_both_have_external_ids"}, {"emails_unique": False}),
        ({"bulk_job_delay_s": 0.2}, {"null_in_bulk": "refused", "bulk_offered": True}),
        ({"bulk_item_limit": 2}, {"items_count_as_calls": False}),
        ({}, {"index_lag_s": 0.0, "bulk_offered": True, "writes_fire_webhooks": None}),
    ],
)
def test_what_is_measured_is_what_the_workspace_does(
    shell: Shell, settings: dict[str, Any], measured: dict[str, Any]
) -> None:
    shell.intercom.set(**settings)

    document = probe(shell)

    assert {name: document["measured"][name] for name in measured} == measured
    assert live(shell) == (0, 0)


def test_the_simulator_behaves_by_the_settings_as_was_measured(shell: Shell) -> None:
    strange = {"bulk_counts": "item", "bulk_null": "clear", "in_list_limit": 50}
    shell.intercom.set(**strange, equal_email="always", names_escaped=False)

    settings = probe(shell)["simulator"]

    shell.intercom.reset()
    shell.intercom.set(**settings)
    present = shell.intercom.settings
    assert {name: present.choice(name) for name in strange} == strange
    assert (present.choice("equal_email"), present.choice("names_escaped")) == ("always", False)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read as JSON (FileNotFoundError)"),
        ("no JSON", "cannot be read as JSON"),
        ("[]", "is not what check --probe --json prints"),
        ('{"simulator": {"bulk_null": "explode"}}', "bulk_null is 'explode'"),
    ],
)
def test_a_file_that_no_probe_printed_is_told_in_one_sentence(
    shell: Shell, tmp_path: Path, content: str | None, sentence: str
) -> None:
    file = tmp_path / "probed.json"
    if content is not None:
        file.write_text(content)

    done = shell.run("simulate", "--port", "1", "--probed", str(file))

    assert done.exit_code == 1
    assert sentence in done.output
    assert len(done.output.splitlines()) == 1


def test_a_simulator_of_a_file_is_as_was_measured(shell: Shell, tmp_path: Path) -> None:
    shell.intercom.set(bulk_null="clear")
    file = tmp_path / "probed.json"
    file.write_text(shell.run("check", "--probe", "--json").stdout)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        (*COMMAND, "simulate", "--port", str(port), "--probed", str(file)),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert "answers at" in process.stdout.readline()
        known = requests.get(f"http://127.0.0.1:{port}/_simulator/settings", timeout=60).json()
    finally:
        process.terminate()
        process.communicate(timeout=WAIT_TIMEOUT_S)

    assert known["choices"]["bulk_null"] == "clear"


def test_what_is_saved_is_what_syncs_read(shell: Shell) -> None:
    document = probe(shell, "--save")

    known = saved(shell)
    assert known.probed_at is not None
    assert (known.items_count_as_calls, known.null_in_bulk) == (False, "refused")
    assert document["saved"] is True


def test_check_tells_what_was_measured_and_nothing_where_nothing_was(shell: Shell) -> None:
    assert _lines_about_probes(shell) == []

    probe(shell, "--save")

    [line] = _lines_about_probes(shell)
    assert line["verdict"] == "ok"
    assert "items of a bulk call: all of them are one call" in line["found"]


def test_check_tells_that_a_probe_was_killed(shell: Shell) -> None:
    with Store(shell.variables[APP_DATABASE_URL]) as store:
        store.state.put(StateKey.PROBE_LEFT, {"contacts": ["a"], "company": "b"})

    [line] = _lines_about_probes(shell)

    assert line["verdict"] == "warning"
    assert line["to_do"] == "Run check --probe again, which deletes that first."


def _lines_about_probes(shell: Shell) -> list[dict[str, Any]]:
    document = json.loads(shell.run("check", "--json").stdout)
    return [finding for finding in document["findings"] if finding["title"] == "probe"]


def test_where_there_are_no_bulk_calls_the_rest_is_measured(shell: Shell) -> None:
    refusal = {"kind": "error", "status": 403, "code": "action_forbidden"}
    shell.intercom.set(faults=[{**refusal, "endpoint": "PUT /contacts/bulk"}])

    document = probe(shell)

    measured = document["measured"]
    assert (measured["bulk_offered"], measured["null_in_bulk"]) == (False, None)
    assert measured["names_escaped"] is True
    assert "action_forbidden" in document["not_known"]["items_count_as_calls"]
    assert live(shell) == (0, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_deletion(shell: Shell, number: int) -> None:
    shell.intercom.set(index_delay_s=3600)
    process = subprocess.Popen(
        (*COMMAND, "check", "--probe"),
        env={**os.environ, **shell.variables, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert wait_until(lambda: shell.intercom.contacts() != [], WAIT_TIMEOUT_S, every=0.02)
    process.send_signal(number)
    _, said = process.communicate(timeout=WAIT_TIMEOUT_S)

    assert process.returncode == 1
    assert "what it had made was deleted" in said.splitlines()[-1]
    assert (live(shell), left(shell)) == ((0, 0), None)


# --- what it does not begin ---


def test_a_workspace_that_the_app_is_synced_with_is_left_alone(shell: Shell) -> None:
    assert shell.run("sync", "--user", "7").exit_code == 0
    before = shell.intercom.stats()["writes"]

    done = shell.run("check", "--probe")

    assert done.exit_code == 1
    assert "looks like production (the sync's own tables know 1 contact of it)" in done.output
    assert "--in-production" in done.output
    assert len(done.output.splitlines()) == 1
    assert shell.intercom.stats()["writes"] == before


def test_a_workspace_of_thousands_is_left_alone_unless_that_is_asked_for(shell: Shell) -> None:
    shell.intercom.seed({"count": 1001})

    refused = shell.run("check", "--probe")
    assert "it has 1,001 contacts" in refused.output
    assert shell.intercom.stats()["writes"] == 0

    assert probe(shell, "--in-production")["measured"]["bulk_offered"] is True
    assert live(shell)[0] == 1001


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"INTERCOM_ACCESS_TOKEN": ""}, "INTERCOM_ACCESS_TOKEN is not set"),
        ({"INTERCOM_ACCESS_TOKEN": "not-this-one"}, "401"),
        ({"INTERCOM_BASE_URL": "http://127.0.0.1:1"}, "GET /me"),
    ],
)
def test_what_it_cannot_begin_is_one_sentence(
    shell: Shell, variables: dict[str, str], sentence: str
) -> None:
    done = shell.run("check", "--probe", **variables)

    assert done.exit_code == 1
    assert sentence in done.output
    assert done.output.startswith("Error: ")
    assert len(done.output.splitlines()) == 1
    assert "not-this-one" not in done.output


@pytest.mark.parametrize("option", ["--save", "--in-production"])
def test_its_options_are_nothing_without_it(shell: Shell, option: str) -> None:
    assert shell.run("check", option).exit_code == 2
