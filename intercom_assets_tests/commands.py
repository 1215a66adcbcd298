"""Whether a command line that we ship or document is one: its program, subcommand and options.

Asked of click's own tables; nothing is run.
"""

import re
import shlex
from collections.abc import Callable, Iterator, Sequence

import click
from dagster._cli import create_dagster_cli
from dagster._daemon.cli import create_dagster_daemon_cli
from dagster_webserver.cli import dagster_webserver

from intercom_assets.cli.main import main as intercom_assets

PROGRAMS: dict[str, Callable[[], click.Command]] = {
    "dagster": create_dagster_cli,
    "dagster-daemon": create_dagster_daemon_cli,
    "dagster-webserver": lambda: dagster_webserver,
    "intercom-assets": lambda: intercom_assets,
}


def misunderstood(words: Sequence[str]) -> str | None:
    """What is wrong with a command of one of our programs; None if it would be understood."""
    name, *args = words
    if name not in PROGRAMS:
        return f"{name} is no program of ours"
    return _wrong(PROGRAMS[name](), name, list(args))


def _wrong(command: click.Command, name: str, args: list[str]) -> str | None:
    try:
        context = command.make_context(name, args, resilient_parsing=False)
    except click.exceptions.Exit:
        return None
    except click.BadParameter as error:
        # A file of the machine that it is meant for, after all options were known.
        absent = isinstance(error.param, click.Option) and isinstance(error.param.type, click.Path)
        return None if absent else f"{name}: {error.format_message()}"
    except click.ClickException as error:
        return f"{name}: {error.format_message()}"
    if not isinstance(command, click.Group):
        return None
    [sub, *rest] = [*context._protected_args, *context.args]
    found = command.get_command(context, sub)
    return _wrong(found, f"{name} {sub}", rest) if found else f"{name} has no {sub}"


def commands_in(markdown: str) -> Iterator[list[str]]:
    """The commands of our programs in a document: in its shell blocks, and between backticks."""
    for block in re.findall(r"^```sh\n(.*?)^```", markdown, re.DOTALL | re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines():
            yield from _commands_of(shlex.split(line, comments=True))
    for quoted in re.findall(r"`((?:intercom-assets|dagster(?:-\w+)?) [^`]+)`", markdown):
        yield from _commands_of(shlex.split(quoted))


def _commands_of(words: list[str]) -> Iterator[list[str]]:
    """Also of one behind `docker compose run ... code` or `kubectl exec ... --`."""
    at = next((place for place, word in enumerate(words) if word in PROGRAMS), None)
    if at is not None:
        ends = [place for place, word in enumerate(words) if word in ("|", "&&", ">")]
        yield words[at : min([end for end in ends if end > at], default=len(words))]
