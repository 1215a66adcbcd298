"""How a command fails: known errors become one sentence on stderr and exit code 1.

The only place that decides this, for every command. Wrong use is click's own exit code 2. What is
not known here is a fault of ours and keeps its traceback.
"""

from typing import Any

import click

from intercom_assets.demo.binaries import PostgresUnavailable
from intercom_assets.demo.processes import ProcessFailed
from intercom_assets.sync.environment import SAID_IN_ONE_SENTENCE, sentence_of

FAILED = 1
KNOWN: tuple[type[Exception], ...] = (*SAID_IN_ONE_SENTENCE, PostgresUnavailable, ProcessFailed)


class Failed(click.ClickException):
    """Something that the command was asked for did not come about; the text says what."""

    exit_code = FAILED


class Commands(click.Group):
    """A group whose commands need not know how an error is told."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KNOWN as error:
            raise Failed(sentence_of(error)) from error
