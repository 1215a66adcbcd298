"""A mistake of the operator's is one sentence on stderr and an exit code, never a traceback."""

import socket
from pathlib import Path

import pytest

from intercom_assets.cli.ids import with_options_repeated
from intercom_assets.mapping.load import SAMPLE
from intercom_assets_tests.cli.conftest import Shell
from intercom_assets_tests.roles import a_role

NOWHERE = "postgresql://me:hush@127.0.0.1:9/app"
COMMANDS = [
    ("sync", "--user", "7"), ("sync", "--all"), ("init-db",), ("install-capture",),
    ("remove-capture", "--dry-run"), ("status",), ("plan",),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_without_a_database_it_says_which_variable_to_set(
    shell: Shell, command: tuple[str, ...]
) -> None:
    done = shell.run(*command, APP_DATABASE_URL="")

    assert (done.exit_code, done.stdout) == (1, "")
    assert "APP_DATABASE_URL" in done.stderr
    assert "set" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_database_that_is_down_is_told_without_its_password(
    shell: Shell, command: tuple[str, ...]
) -> None:
    done = shell.run(*command, APP_DATABASE_URL=NOWHERE)

    assert (done.exit_code, done.stdout) == (1, "")
    assert "database" in done.stderr
    assert "hush" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_wrong_token_stops_the_sync_and_is_not_printed(shell: Shell) -> None:
    done = shell.run("sync", "--user", "7", INTERCOM_ACCESS_TOKEN="not-this-one")

    assert done.exit_code == 1
    assert "INTERCOM_ACCESS_TOKEN" in done.stderr
    assert "not-this-one" not in done.output
    assert "Traceback" not in done.output


def test_a_broken_mapping_is_named_by_file_and_key(shell: Shell, tmp_path: Path) -> None:
    for name in ("users.sql", "teams.sql", "memberships.sql"):
        (tmp_path / name).write_text("select 1 as id")
    (tmp_path / "sync.yaml").write_text("memberchips: mirror\n")

    done = shell.run("sync", "--user", "7", INTERCOM_SYNC_CONFIG=str(tmp_path))

    assert done.exit_code == 1
    assert "sync.yaml" in done.stderr
    assert "memberships" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("switch", ["", "false", "maybe"])
def test_a_sync_that_is_switched_off_touches_nothing(shell: Shell, switch: str) -> None:
    done = shell.run("sync", "--all", INTERCOM_SYNC_ENABLED=switch)

    assert done.exit_code == 1
    assert "switched off" in done.stderr
    assert shell.intercom.stats()["calls"] == 0


@pytest.mark.parametrize(
    "command",
    [
        ("sync", "--all"), ("sync", "--user", "7"), ("sync", "--team", "1"), ("install-capture",),
        ("retry", "--all"), ("retry", "--gone"), ("undo", "--run", "x", "--yes"), ("relink",),
        ("erase", "--user", "7", "--yes"), ("erase", "--user", "7", "--lift", "--reason", "so"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_nothing_is_written_with_the_samples_mapping_unless_it_is_named(
    shell: Shell, command: tuple[str, ...]
) -> None:
    done = shell.run(*command, INTERCOM_SYNC_CONFIG="")

    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("Error: INTERCOM_SYNC_CONFIG is not set: nothing is written")
    assert "intercom-assets init DIR" in done.stderr
    assert f"set it to {SAMPLE}" in done.stderr
    assert shell.intercom.stats()["calls"] == 0


@pytest.mark.parametrize(
    "command",
    [("plan",), ("status",), ("explain", "--user", "7"), ("install-capture", "--dry-run")],
    ids=" ".join,
)
def test_what_only_reads_works_without_a_mapping_of_ones_own(
    shell: Shell, command: tuple[str, ...]
) -> None:
    done = shell.run(*command, INTERCOM_SYNC_CONFIG="")

    assert (done.exit_code, done.stderr) == (0, "")


def test_check_says_that_nothing_is_written_with_the_samples_mapping(shell: Shell) -> None:
    printed = shell.run("check", INTERCOM_SYNC_CONFIG="", COLUMNS="200").stdout

    assert "INTERCOM_SYNC_CONFIG is not set: nothing is written with the sample" in printed


@pytest.mark.parametrize(
    "command",
    [
        ("sync",), ("sync", "--all", "--user", "7"), ("sync", "--user"), ("simulate",),
        ("sync", "--all", "--accept", "yes"),
        ("simulate", "--port", "many"), ("demo", "--play", "b"), ("demo", "--stay"), ("sing",),
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_use_is_exit_code_2(shell: Shell, command: tuple[str, ...]) -> None:
    assert shell.run(*command).exit_code == 2


def test_a_port_that_is_taken_is_told(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = shell.run("simulate", "--port", str(taken.getsockname()[1]))

    assert done.exit_code == 1
    assert "cannot be used" in done.stderr
    assert "answers" not in done.stdout


def test_several_ids_may_follow_one_option() -> None:
    given = ["--json", "--user", "7", "8", "--team", "3", "4", "--all"]
    assert with_options_repeated(given) == [
        "--json", "--user", "7", "--user", "8", "--team", "3", "--team", "4", "--all",
    ]  # fmt: skip


def test_a_mapping_that_is_a_file_is_told_as_such(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "sync.yaml"
    file.write_text("")

    done = shell.run("plan", INTERCOM_SYNC_CONFIG=str(file))

    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "is a file: set INTERCOM_SYNC_CONFIG to the folder" in done.stderr


def test_a_role_without_rights_is_told_the_grants(shell: Shell) -> None:
    url = shell.variables["APP_DATABASE_URL"]
    with a_role(url, "select on users", "select on teams", "select on memberships") as role:
        status = shell.run("status", APP_DATABASE_URL=role)
        removed = shell.run("remove-capture", APP_DATABASE_URL=role)

    assert 'grant usage on schema intercom_sync to "intercom_assets_test_' in status.stderr
    assert "as the role that owns the tables" in removed.stderr
    assert (status.stderr.count("\n"), removed.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize("command", [("sync", "--user", "1"), ("up", "--dry-run")])
def test_a_variable_that_nothing_reads_is_named_in_one_line(
    shell: Shell, tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = shell.run(
        *command,
        INTERCOM_ACESS_TOKEN="x",
        INTERCOM_XYZZY_0="1",
        DAGSTER_HOME=str(tmp_path / "home"),
    )

    [line] = [line for line in done.stderr.splitlines() if line.startswith("Warning: ")]
    assert line.startswith(
        "Warning: INTERCOM_ACESS_TOKEN is set, and nothing reads it; did you mean "
        '"INTERCOM_ACCESS_TOKEN"? INTERCOM_XYZZY_0 is set, and nothing reads it'
    )


def test_variables_that_are_read_are_not_warned_of(shell: Shell) -> None:
    assert "Warning" not in shell.run("sync", "--user", "1").stderr
