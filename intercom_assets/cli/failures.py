"""How a command fails: an error for the operator becomes one sentence on stderr and exit code 1.

The only place that decides this, for every command. Wrong use is click's own exit code 2. Any other
error is a fault of ours and keeps its traceback.
"""

import click

from intercom_assets.domain.errors import OperatorError

FAILED = 1


class CommandFailed(click.ClickException):
    """Something that the command was asked for did not come about; the text says what."""

    exit_code = FAILED


def as_failure(error: Exception) -> Exception:
    """The sentence of one that an operator may read; any other as it is."""
    return CommandFailed(error.sentence) if isinstance(error, OperatorError) else error
