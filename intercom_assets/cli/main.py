"""The commands of `intercom-assets`, as a group.

Belongs here: which there are. Must not: their options (`commands/`), what they do, or importing
what that needs: help and wrong use are answered without.
"""

from difflib import get_close_matches
from typing import Any

import click

from intercom_assets.cli.commands.looking import check, explain, plan, status
from intercom_assets.cli.commands.setting_up import (
    init,
    init_db,
    install_capture,
    listen,
    remove_capture,
    up,
)
from intercom_assets.cli.commands.trying import demo, simulate
from intercom_assets.cli.commands.working import erase, relink, retry, sync, undo

COMMANDS: dict[str, click.Command] = {
    "check": check,
    "demo": demo,
    "erase": erase,
    "explain": explain,
    "init": init,
    "init-db": init_db,
    "install-capture": install_capture,
    "listen": listen,
    "plan": plan,
    "relink": relink,
    "remove-capture": remove_capture,
    "retry": retry,
    "simulate": simulate,
    "status": status,
    "sync": sync,
    "undo": undo,
    "up": up,
}


class Commands(click.Group):
    """A group whose commands need not know how an error is told."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """With all that the first lines of each say, where click cuts them short."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_lines(item)) for name, item in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(error.message + _meant(args[0]), ctx) from None

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


def _meant(name: str) -> str:
    found = get_close_matches(name, COMMANDS, n=1)
    return f" Did you mean '{found[0]}'?" if found else ""


def _first_lines(command: click.Command) -> str:
    return " ".join((command.help or "").partition("\n\n")[0].split())


@click.group(
    cls=Commands, commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="intercom_assets", message="%(version)s")
def main() -> None:
    """Keeps an app's PostgreSQL database and Intercom in step, both ways."""


if __name__ == "__main__":
    main()
