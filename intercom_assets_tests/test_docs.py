"""The README says what the code does: its tables, its commands, its variables, its two set-ups.

What the demo prints is compared in `end_to_end/test_demo.py`, where one runs.
"""

import re
import tomllib

import pytest

from intercom_assets.sync import environment
from intercom_assets_tests.readme import README, block, with_parts

ROOT = README.parent


@pytest.fixture(scope="module")
def readme() -> str:
    return README.read_text()


def test_its_tables_and_commands_are_those_of_the_code(readme: str) -> None:
    """Mend it by `python -m intercom_assets_tests.readme`."""
    assert readme == with_parts(readme)


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
def test_every_variable_is_explained(readme: str, variable: str) -> None:
    assert re.search(rf"^ *\| .*`{variable}`.* \|$", readme, re.MULTILINE)


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


def test_files_that_it_names_are_there(readme: str) -> None:
    named = set(re.findall(r"`(intercom_assets/[\w./]+)`", readme))

    assert named
    assert [each for each in sorted(named) if not (ROOT / each).exists()] == []


def test_its_pictures_are_there_and_all_are_shown(readme: str) -> None:
    shown = re.findall(r"!\[[^\]]+\]\(docs/images/([\w-]+\.png)\)", readme)

    assert sorted(shown) == sorted(path.name for path in (ROOT / "docs" / "images").iterdir())
