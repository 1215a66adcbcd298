"""The parts of pages that are made from code: who wins, in the README, and the table of commands.

`python -m intercom_assets_tests.readme` writes them; `test_docs.py` fails where they differ. Each
part stands between a mark `<!-- NAME -->` and the next blank line after it.
"""

import re
from pathlib import Path

import click

from intercom_assets.cli.main import COMMANDS
from intercom_assets.cli.main import main as commands
from intercom_assets.domain.policy_table import as_markdown, rows_of_teams, rows_of_users

README = Path(__file__).parents[1] / "README.md"
COMMANDS_PAGE = README.parent / "docs" / "commands.md"
MADE = {README: ("users", "teams"), COMMANDS_PAGE: ("commands",)}
"""Page -> the marks of its parts."""


def parts() -> dict[str, str]:
    """What belongs after each mark."""
    return {
        "users": as_markdown(rows_of_users()),
        "teams": as_markdown(rows_of_teams()),
        "commands": _commands(),
    }


def with_parts(text: str, names: tuple[str, ...]) -> str:
    """`text` with these parts as they should be. KeyError for a mark that is missing."""
    made = parts()
    for name in names:
        mark = f"<!-- {name} -->\n"
        if mark not in text:
            raise KeyError(mark)
        before, _, after = text.partition(mark)
        text = f"{before}{mark}{made[name]}\n{_after_old_part(after)}"
    return text


def _after_old_part(text: str) -> str:
    """From the blank line on."""
    return re.sub(r"\A(?:[^\n]+\n)+", "", text)


def _commands() -> str:
    rows = [
        f"| `intercom-assets {name}` | {_command(name).get_short_help_str(200)} |"
        for name in sorted(COMMANDS)
    ]
    return "\n".join(["| command | does |", "| --- | --- |", *rows])


def _command(name: str) -> click.Command:
    found = commands.get_command(click.Context(commands), name)
    assert found, name
    return found


def block(text: str, mark: str) -> str:
    """What stands in the code block after a mark."""
    found = re.search(rf"<!-- {mark} -->\n```\w*\n(.*?)```", text, re.DOTALL)
    assert found, f"the README has no code block after <!-- {mark} -->"
    return found[1]


if __name__ == "__main__":
    for page, names in MADE.items():
        page.write_text(with_parts(page.read_text(), names))
