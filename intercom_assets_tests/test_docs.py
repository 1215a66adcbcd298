"""The README and the page of the six steps say what the code does: tables, variables, set-ups.

What the demo prints is compared in `end_to_end/test_demo.py`, where one runs.
"""

import re
import tomllib
from pathlib import Path

import pytest

from intercom_assets.sync import environment
from intercom_assets_tests.commands import commands_in, misunderstood
from intercom_assets_tests.readme import COMMANDS_PAGE, MADE, README, block, with_parts

ROOT = README.parent
STEPS = ROOT / "docs" / "your-own-app.md"


@pytest.fixture(scope="module")
def readme() -> str:
    return README.read_text()


@pytest.mark.parametrize("page", MADE, ids=lambda page: page.name)
def test_tables_that_are_made_from_code_are_those_of_the_code(page: Path) -> None:
    """`python -m intercom_assets_tests.readme` writes them anew."""
    text = page.read_text()

    assert text == with_parts(text, MADE[page])


@pytest.mark.parametrize(
    "variable",
    [
        environment.APP_DATABASE_URL,
        environment.SYNC_DATABASE_URL,
        environment.INTERCOM_ACCESS_TOKEN,
        environment.INTERCOM_BASE_URL,
        environment.INTERCOM_API_VERSION,
        environment.INTERCOM_SYNC_CONFIG,
        environment.INTERCOM_SYNC_ENABLED,
        environment.INTERCOM_ALERT_WEBHOOK,
        "DAGSTER_HOME",
        "DAGSTER_DATABASE_URL",
    ],
)
def test_every_variable_is_explained(variable: str) -> None:
    assert re.search(rf"^ *\| .*`{variable}`.* \|$", STEPS.read_text(), re.MULTILINE)


def test_each_set_up_is_one_command_with_an_extra_that_exists(readme: str) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for mark, extra, last in (
        ("demo", "demo", ".venv/bin/intercom-assets demo --once"),
        ("tests", "test", ".venv/bin/pytest -n 3"),
    ):
        [command] = block(readme, mark).splitlines()
        assert f".[{extra}]'" in command
        assert extra in extras
        assert command.endswith(f" && {last}")


def test_ci_finds_the_test_command_by_its_mark() -> None:
    assert "<!-- tests -->" in (ROOT / ".ci" / "run").read_text()


def test_it_is_short_and_leads_to_the_rest(readme: str) -> None:
    """Tables have a row for each field that there is."""
    assert sum(not line.startswith("|") for line in readme.splitlines()) <= 143
    for page in (STEPS, COMMANDS_PAGE):
        assert f"(docs/{page.name})" in readme


def test_its_commands_are_understood(readme: str) -> None:
    commands = list(commands_in(readme))

    assert len(commands) > 6
    assert [wrong for words in commands if (wrong := misunderstood(words))] == []


def test_its_pictures_are_there_and_all_are_shown(readme: str) -> None:
    """Those of the README, and those of the pages of docs/."""
    shown = re.findall(r"!\[[^\]]+\]\(docs/images/([\w-]+\.png)\)", readme)
    for page in (ROOT / "docs").glob("*.md"):
        shown += re.findall(r"!\[[^\]]+\]\(images/([\w-]+\.png)\)", page.read_text())

    assert sorted(shown) == sorted(path.name for path in (ROOT / "docs" / "images").iterdir())
