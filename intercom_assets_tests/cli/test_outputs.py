"""docs/commands.md shows what the commands really print.

WRITE_OUTPUTS=1 puts what was printed there, to be read before it is kept.
"""

import os
from io import StringIO

import click
import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from rich.console import Console

from intercom_assets.cli.main import COMMANDS, main
from intercom_assets.cli.output.tables import Listing, cell
from intercom_assets_tests.cli.conftest import Shell
from intercom_assets_tests.outputs import PAGES, agrees, played, shown_in, write


def test_every_output_on_the_pages_is_what_the_command_prints(shell: Shell) -> None:
    outputs = dict(played(shell))
    if os.environ.get("WRITE_OUTPUTS"):
        write(outputs)

    shown = [(page.name, *each) for page in PAGES for each in shown_in(page).items()]

    assert {command for _, command, _ in shown} == outputs.keys()
    for page, command, text in shown:
        assert agrees(text, outputs[command]), f"{page} shows another output of {command}"


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_screen_and_nothing_typed_by_a_stranger_reaches_it(
    width: int,
) -> None:
    strange = ["\x1b[31mred", "[bold]x[/nope]", "\u202eback", "שלום", "x" * 10_000, "a\r\nb"]
    strange.append("\U0001f468\u200d\U0001f469\u200d\U0001f467")
    listing = Listing("All", "who", "what", "was", "wrote", "now", "why", "state")
    for value in strange:
        listing.add("user 7", cell(value), *[cell(value)] * 4, "due")
    console = Console(width=width, file=StringIO(), markup=False, emoji=False)

    console.print(listing)

    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(cell_len(line) <= width for line in text.splitlines())
    assert not set("\x1b\r\u202e") & set(text)
    assert "10,000" in text.replace("\n", "")
    assert text.count("x" * 161) == 0


def test_every_command_has_an_example_in_its_help() -> None:
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command
        answer = CliRunner().invoke(main, [name, "--help"]).output
        assert f"intercom-assets {name}" in answer.partition("Example")[2], name
        assert command.help
