"""`erase`: an id that is nowhere is refused; an erasure can be listed, and lifted with a reason."""

import json

from intercom_assets_tests.cli.conftest import Shell


def test_an_id_that_nobody_knows_is_refused_unless_told_otherwise(shell: Shell) -> None:
    refused = shell.run("erase", "--user", "4711", "--yes")

    assert refused.exit_code == 1
    assert "neither in the app nor in Intercom" in refused.stderr
    assert json.loads(shell.run("erase", "--list", "--json").stdout)["erased"] == []
    assert shell.run("erase", "--user", "4711", "--yes", "--unknown").exit_code == 0
    assert "4711" in shell.run("erase", "--list").stdout


def test_who_is_only_in_intercom_or_only_in_the_app_is_known(shell: Shell) -> None:
    shell.intercom.by_hand.create_contact(role="user", external_id="4711", email="x@x.example")

    assert shell.run("erase", "--user", "4711", "--yes").exit_code == 0
    assert shell.run("erase", "--user", "7", "--yes").exit_code == 0
    assert not [c for c in shell.intercom.contacts() if c["external_id"] in ("7", "4711")]


def test_a_lifted_erasure_keeps_who_and_why_and_the_user_is_made_again(shell: Shell) -> None:
    shell.run("sync", "--user", "7")
    shell.run("erase", "--user", "7", "--yes")
    assert shell.run("erase", "--user", "7", "--lift").exit_code == 2

    lifted = shell.run("erase", "--user", "7", "--lift", "--reason", "the wrong person")

    assert lifted.exit_code == 0
    [row] = json.loads(shell.run("erase", "--list", "--json").stdout)["lifted"]
    assert (row["user"], row["reason"]) == ("7", "the wrong person")
    assert row["by"]
    shell.run("sync", "--user", "7")
    assert [c["external_id"] for c in shell.intercom.contacts()] == []  # its identity is locked
    assert shell.run("erase", "--user", "7", "--lift", "--reason", "again").exit_code == 1


def test_ids_that_are_nowhere_make_the_exit_code_1(shell: Shell) -> None:
    for command in ("sync", "plan"):
        done = shell.run(command, "--user", "8,9")
        assert done.exit_code == 1
        assert "2 ids: 8 9" in done.output
        assert shell.run(command, "--user", "8", "4711").exit_code == 1
        assert shell.run(command, "--user", "8").exit_code == 0
        assert shell.run(command, "--team", "4711").exit_code == 1
