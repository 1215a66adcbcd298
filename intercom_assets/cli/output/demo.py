"""What the demo prints: how it gets on, the story as a table, the addresses, who wins."""

import time
from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from intercom_assets.cli.output.policy_table import as_table
from intercom_assets.cli.output.tables import WIDTH
from intercom_assets.demo.addresses import Addresses
from intercom_assets.demo.runner import StepResult
from intercom_assets.demo.scenario import Facts
from intercom_assets.domain.policy_table import rows_of_teams, rows_of_users


class Narrator:
    """One line a milestone on stderr, with the seconds since the beginning."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._began = time.monotonic()

    def __call__(self, milestone: str) -> None:
        self._console.print(f"{time.monotonic() - self._began:5.1f} s  {milestone}")


def all_held(results: Sequence[StepResult]) -> bool:
    return bool(results) and all(step.held for step in results)


def print_scenario(results: Sequence[StepResult]) -> None:
    """One table, and the verdict, with a line for each remark."""
    console = _console()
    table = Table("step", show_lines=True)
    table.add_column("expected", overflow="fold")
    table.add_column("seen", overflow="fold")
    table.add_column("seconds", justify="right")
    table.add_column("calls", justify="right")
    for step in results:
        table.add_row(
            f"{step.letter}) {step.title}", _text(step.expected), _seen(step),
            f"{step.seconds:.1f}", f"{step.calls:,}",
        )  # fmt: skip
    console.print(table)
    console.print(_verdict(results), highlight=False)


def print_addresses(addresses: Addresses) -> None:
    """Who wins, and then the three addresses, which are printed whole however narrow it is."""
    console = _console()
    console.print(as_table("Users: who wins", rows_of_users()))
    console.print(as_table("Teams: who wins", rows_of_teams()))
    click.echo(f"Dagster               {addresses.webserver}")
    click.echo(f"Intercom (simulated)  {addresses.simulator}  (click a contact: the inbox's panel)")
    click.echo(f"The app's database    {addresses.app_database}")
    click.echo("Ctrl-C stops everything.")


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def _text(facts: Facts) -> Text:
    return Text("\n".join(f"{name}: {_value(value)}" for name, value in facts.items()))


def _value(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _seen(step: StepResult) -> Text:
    """The facts as they were seen, whether they are the expected ones or not."""
    seen = _text(step.seen)
    if step.held:
        seen.stylize("green")
        return seen
    why = f"\n({step.remark})" if step.remark else ""
    return Text.assemble(("NOT HELD\n", "bold red"), seen, why)


def _verdict(results: Sequence[StepResult]) -> str:
    missed = [step.letter for step in results if not step.held]
    remarks = [f"{step.letter}) {step.remark}." for step in results if step.held and step.remark]
    if missed:
        return f"{len(missed)} of {len(results)} steps did not hold: {', '.join(missed)}."
    what = "The step" if len(results) == 1 else f"All {len(results)} steps"
    return "\n".join([f"{what} held.", *remarks])
