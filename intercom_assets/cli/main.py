"""The commands of `intercom-assets`, each loaded only when it is asked for.

Belongs here: which there are, where each is, and its line in the list. Must not: importing any of
them, or what they import: `--version` and `--help` are answered without.
"""

import importlib
from dataclasses import dataclass
from typing import Any

import click

from intercom_assets.cli.early import ending_at_once


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command is, and its line in the list: the first sentences of its docstring."""

    module: str
    name: str
    line: str


COMMANDS = {
    "check": Place(
        "check", "check",
        "Look at everything that the sync needs; every red line says what to do. Writes nothing.",
    ),
    "demo": Place(
        "demo", "demo",
        "Show the sync at work: a sample app, a stand-in Intercom, and Dagster between them.",
    ),
    "erase": Place(
        "repair", "erase",
        "Delete one person from Intercom and from our own tables, with a receipt.",
    ),
    "explain": Place(
        "explain", "explain",
        "Show what was decided for one user or team, when and why. Reads; calls nobody.",
    ),
    "init": Place(
        "init", "init", "Write a commented mapping into DIR, to be edited. Overwrites nothing."
    ),
    "init-db": Place(
        "installation", "init_db",
        "Make or upgrade the sync's own tables, and size Dagster's pool.",
    ),
    "install-capture": Place(
        "installation", "install_capture_command",
        "Make the change log and its triggers in the app's database.",
    ),
    "plan": Place(
        "plan", "plan",
        "Show what a sync would change; of everybody, if none are named. Writes nothing.",
    ),
    "relink": Place(
        "relink", "relink",
        "Give contacts to the new ids of their users, after the app switched its ids.",
    ),
    "remove-capture": Place(
        "installation", "remove_capture_command",
        "Take the change log and its triggers away again.",
    ),
    "retry": Place(
        "repair", "retry",
        "Put parked users and teams back into the queue, their attempts counted anew.",
    ),
    "simulate": Place(
        "simulate", "simulate",
        "Run a stand-in Intercom on this machine until Ctrl-C. Its page is at /.",
    ),
    "status": Place(
        "status", "status",
        "Show what waits, how long already, what is parked, and what is used of Intercom's limit.",
    ),
    "sync": Place(
        "sync", "sync",
        "Bring users and teams into step now. Ctrl-C ends it after the chunk in work.",
    ),
    "undo": Place(
        "repair", "undo", "Take back what a run wrote, where nobody changed it since."
    ),
    "up": Place(
        "up", "up",
        "Run Dagster and the sync's sensors here until Ctrl-C, and make what that needs.",
    ),
}  # fmt: skip


class Commands(click.Group):
    """A group that loads a command when it is asked for, and whose commands need not know how an
    error is told."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        with ending_at_once():
            module = importlib.import_module(f"intercom_assets.cli.{place.module}")
        command: click.Command = getattr(module, place.name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list, without loading any of them."""
        listed = click.Group(commands={
            name: click.Command(name, short_help=place.line) for name, place in COMMANDS.items()
        })  # fmt: skip
        click.Group.format_commands(listed, ctx, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from intercom_assets.cli.failures import as_failure

            failure = as_failure(error)
            if failure is error:
                raise
            raise failure from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="intercom_assets", message="%(version)s")
def main() -> None:
    """Keeps an app's PostgreSQL database and Intercom in step, both ways."""


if __name__ == "__main__":
    main()
