"""The front door: what is answered without loading the world, and Ctrl-C while it loads."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from intercom_assets.cli.main import COMMANDS, main

WORLD = ("psycopg", "pydantic", "requests", "rich", "dagster", "sqlalchemy", "yaml", "uvicorn")
SHOWS_WHAT_IT_LOADS = """
import sys
from intercom_assets.cli.early import main
sys.argv = ["intercom-assets", *sys.argv[1:]]
try:
    main()
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""
STOPS_IN_THE_MIDDLE = """
import os, signal, sys
from intercom_assets.cli.early import main
last = sys.argv[1]
sys.argv = ["intercom-assets", *sys.argv[2:]]
class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == last:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupts())
main()
"""
"""Presses Ctrl-C when the module that is named first is about to be loaded."""


def run(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60,
        check=False, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip


@pytest.mark.parametrize("option", ["--version", "--help", "-h"])
def test_nothing_of_the_world_is_loaded_to_answer(option: str) -> None:
    done = run(SHOWS_WHAT_IT_LOADS, option)

    assert done.returncode == 0
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert loaded & {*WORLD} == set()
    assert "intercom_assets.sync" not in done.stderr.split()


def test_the_list_says_of_each_command_what_it_says_of_itself() -> None:
    listed = run(SHOWS_WHAT_IT_LOADS, "--help").stdout

    for name, place in COMMANDS.items():
        command = main.get_command(click.Context(main), name)
        assert command is not None
        assert command.name == name
        assert place.line == re.sub(r"\s+", " ", (command.help or "").split("\n\n")[0])
        assert re.search(rf"^  {name} +{re.escape(place.line[:40])}", listed, re.MULTILINE)


def test_every_module_of_commands_is_in_the_list() -> None:
    """A command that nobody can call is none."""
    room = Path(__file__).parents[2] / "intercom_assets" / "cli"
    declared = {
        path.stem
        for path in room.glob("*.py")
        if re.search(r"(?m)^@click\.command", path.read_text())
    }

    assert declared == {place.module for place in COMMANDS.values()}


@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_while_a_command_is_loaded_is_one_word(name: str) -> None:
    done = run(STOPS_IN_THE_MIDDLE, f"intercom_assets.cli.{COMMANDS[name].module}", name)

    assert done.returncode == 1
    assert done.stderr.strip() == "Aborted!"


def test_ctrl_c_before_that_too() -> None:
    done = run(STOPS_IN_THE_MIDDLE, "click", "--version")

    assert done.returncode == 1
    assert done.stderr.strip() == "Aborted!"


def test_an_unknown_command_is_wrong_use() -> None:
    done = run(SHOWS_WHAT_IT_LOADS, "snyc")

    assert done.returncode == 2
    assert "No such command 'snyc'" in done.stderr
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
