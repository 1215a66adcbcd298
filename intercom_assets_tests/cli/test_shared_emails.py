"""Users of the app who share an e-mail address: `check`, `plan` and `status` count them, by id."""

import json
from typing import Any

import pytest

from intercom_assets.sync.environment import opened, read_environment
from intercom_assets.sync.feeders.sweep import sweep
from intercom_assets_tests.builders import insert_user
from intercom_assets_tests.cli.conftest import Shell
from intercom_assets_tests.database.mappings import run


@pytest.fixture(autouse=True)
def _nobody_shares_one(shell: Shell) -> None:
    run(url(shell), "update users set email = id || '@own.example'")


def url(shell: Shell) -> str:
    return shell.variables["APP_DATABASE_URL"]


def read(shell: Shell, *words: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(shell.run(*words, "--json").stdout)
    return document


def given_shared(shell: Shell) -> list[str]:
    """Three with one address, in any case; two more with another, of whom one has left."""
    ids = [insert_user(url(shell), email=email) for email in ("A@b.example", "a@b.example")]
    ids.append(insert_user(url(shell), email="a@B.example"))
    insert_user(url(shell), email="c@d.example")
    insert_user(url(shell), email="c@d.example", deleted_at="2026-01-01T00:00:00Z")
    insert_user(url(shell), email="  ")
    insert_user(url(shell), email="  ")
    return [str(one) for one in ids]


def test_nobody_shares_one_in_an_app_where_nobody_does(shell: Shell) -> None:
    assert read(shell, "plan")["shared_emails"]["users"] == 0
    assert read(shell, "status", "--shared-emails")["shared_emails"]["groups"] == []
    assert "e-mail address" not in shell.run("check").stdout
    assert "e-mail address" not in shell.run("plan").stdout


def test_check_notes_how_many_share_one_and_shows_no_address(shell: Shell) -> None:
    given_shared(shell)

    said = " ".join(shell.run("check").stdout.split())

    assert "3 users share 1 e-mail address" in said
    assert "refuses it to 2 of them" in said
    assert "b.example" not in said


def test_plan_says_what_a_strict_workspace_would_refuse(shell: Shell) -> None:
    ids = given_shared(shell)

    everybody = read(shell, "plan")["shared_emails"]

    assert everybody == {
        "users": 3, "addresses": 1, "refused_if_strict": 2, "groups": [ids],
    }  # fmt: skip
    assert read(shell, "plan", "--user", ids[1])["shared_emails"] == everybody
    assert read(shell, "plan", "--user", "7")["shared_emails"]["users"] == 0
    said = " ".join(shell.run("plan", "--user", ids[0]).stdout.split())
    assert f"such as {' and '.join(ids)}" in said
    assert "refuses it to 2 of them, which leaves their email out" in said


def test_status_names_them_on_request_and_counts_them_by_the_sweep(shell: Shell) -> None:
    ids = given_shared(shell)
    assert "not counted yet" in shell.run("status").stdout

    with opened(read_environment(shell.variables)) as services:
        sweep(services)

    assert read(shell, "status")["last_sweep"]["sharing_email"] == 3
    assert "shared_emails" not in read(shell, "status")
    assert "3 users share 1, as of the last" in " ".join(shell.run("status").stdout.split())
    named = read(shell, "status", "--shared-emails")["shared_emails"]
    assert named == {"users": 3, "addresses": 1, "groups": [ids]}
    assert ", ".join(ids) in shell.run("status", "--shared-emails").stdout


def test_an_app_that_is_away_is_one_sentence(shell: Shell) -> None:
    done = shell.run(
        "status", "--shared-emails", APP_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none"
    )

    assert done.exit_code == 1
    assert "Traceback" not in done.output
