"""How users and teams are named on the command line: `--user 7 8 --team 3`."""

from collections.abc import Sequence

import click

from intercom_assets.database.identity import MOST_BYTES, storable

NAMING = ("--user", "--team")


class NamesIds(click.Command):
    """A command in which several ids may follow one `--user` or `--team`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, with_options_repeated(args))


class AnId(click.ParamType[str]):
    """An id of the app: any text that can be one."""

    name = "id"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not storable(value):
            self.fail(f"an id is text of 1 to {MOST_BYTES} bytes of UTF-8, not blank.", param, ctx)
        return value


ID = AnId()


def with_options_repeated(args: Sequence[str]) -> list[str]:
    """`--user 7 8` as click wants it: `--user 7 --user 8`."""
    repeated: list[str] = []
    option = ""
    for arg in args:
        if arg.startswith("-"):
            option = arg if arg in NAMING else ""
        elif option and repeated[-1] != option:
            repeated.append(option)
        repeated.append(arg)
    return repeated


def several(named: str) -> str:
    """What to say of an id that is nowhere and looks like more than one."""
    ids = named.rpartition(" ")[2].replace(";", ",").split(",")
    return f"; if these are {len(ids)} ids: {' '.join(ids)}" if len(ids) > 1 and all(ids) else ""
