"""The front door: what is answered without loading the world, and Ctrl-C while it loads."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from intercom_assets.cli.commands.trying import LETTERS
from intercom_assets.cli.main import COMMANDS
from intercom_assets.demo.scenario import CHANGES
from intercom_assets.domain.alarms import LIMITS
from intercom_assets.sync.status.overview import FIGURES

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
DOES_IT = {
    **{name: name for name in COMMANDS},
    **dict.fromkeys(("init-db", "install-capture", "remove-capture"), "installation"),
    **dict.fromkeys(("retry", "undo", "erase"), "recovery"),
}
"""The module of `cli/` that does what a command is asked for."""
ENOUGH = {
    "erase": ("--list",), "explain": ("--user", "7"), "init": ("a_folder",), "retry": ("--all",),
    "simulate": ("--port", "1"), "sync": ("--all",), "undo": ("--run", "a"),
}  # fmt: skip
"""What a command must be told before it does anything."""
WRONG_USE = (
    *((name, "--no-such-option") for name in COMMANDS),
    ("snyc",),
    ("demo", "--stay"), ("demo", "--play", "b"), ("demo", "--play", "z"),
    ("erase",), ("erase", "--user", "7", "--lift"), ("explain",), ("explain", "--user", " "),
    ("init",), ("init", "a_folder", "--users", "people"), ("retry",), ("retry", "--all", "--gone"),
    ("simulate",), ("status", "--fail-if", "parkd"), ("sync",), ("sync", "--all", "--user", "7"),
    ("undo",), ("up", "--port", "none"),
)  # fmt: skip


def run(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60,
        check=False, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip


def loaded(done: "subprocess.CompletedProcess[str]") -> set[str]:
    """Of the world, and of the engine."""
    modules = set(done.stderr.splitlines()[-1].split())
    packages = {name.partition(".")[0] for name in modules}
    return packages & {*WORLD} | modules & {"intercom_assets.sync"}


ASKING = (
    ("--version",),
    *((option,) for option in ("--help", "-h")),
    *((name, "--help") for name in COMMANDS),
)


@pytest.mark.parametrize("asked", ASKING, ids=" ".join)
def test_nothing_of_the_world_is_loaded_to_answer(asked: tuple[str, ...]) -> None:
    done = run(SHOWS_WHAT_IT_LOADS, *asked)

    assert done.returncode == 0
    assert loaded(done) == set()


@pytest.mark.parametrize("asked", WRONG_USE, ids=" ".join)
def test_nothing_of_the_world_is_loaded_to_refuse(asked: tuple[str, ...]) -> None:
    done = run(SHOWS_WHAT_IT_LOADS, *asked)

    assert done.returncode == 2
    assert "Error: " in done.stderr
    assert loaded(done) == set()


def test_what_a_command_needs_is_seen_by_these_tests() -> None:
    assert {"psycopg", "intercom_assets.sync"} <= loaded(run(SHOWS_WHAT_IT_LOADS, "sync", "--all"))


def test_the_list_says_of_each_command_what_it_says_of_itself() -> None:
    listed = re.sub(r"\s+", " ", run(SHOWS_WHAT_IT_LOADS, "--help").stdout)

    for name, command in COMMANDS.items():
        assert command.name == name
        line = re.sub(r"\s+", " ", (command.help or "").split("\n\n")[0])
        assert f" {name} {line} " in f"{listed} "


def test_every_command_is_in_the_list() -> None:
    """A command that nobody can call is none."""
    room = Path(__file__).parents[2] / "intercom_assets" / "cli"
    declared = [
        path.parent.name
        for path in room.rglob("*.py")
        for _ in re.findall(r"(?m)^@click\.command", path.read_text())
    ]

    assert declared == ["commands"] * len(COMMANDS)


def test_steps_and_alarms_that_may_be_named_are_those_that_there_are() -> None:
    answer = run(SHOWS_WHAT_IT_LOADS, "status", "--help").stdout

    assert [step.letter for step in CHANGES] == LETTERS
    assert LIMITS.keys() == FIGURES.keys()
    assert f"{', '.join(FIGURES)}, or any of them" in re.sub(r"\s+", " ", answer)


@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_while_a_command_is_loaded_is_one_word(name: str) -> None:
    does_it = f"intercom_assets.cli.{DOES_IT[name].replace('-', '_')}"
    done = run(STOPS_IN_THE_MIDDLE, does_it, name, *ENOUGH.get(name, ()))

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


def test_a_misspelt_command_is_answered_with_the_nearest_one() -> None:
    done = run(SHOWS_WHAT_IT_LOADS, "synch")

    assert "No such command 'synch'. Did you mean 'sync'?" in done.stderr


def test_what_is_like_no_command_gets_no_suggestion() -> None:
    assert "Did you mean" not in run(SHOWS_WHAT_IT_LOADS, "xyzzy").stderr
