"""How a command fails: known errors become one sentence on stderr and exit code 1.

The only place that decides this, for every command. Wrong use is click's own exit code 2. What is
not known here is a fault of ours and keeps its traceback.
"""

import click

from intercom_assets.demo.binaries import PostgresUnavailable
from intercom_assets.demo.place import DirectoryUnusable
from intercom_assets.demo.processes import ProcessFailed
from intercom_assets.sync.environment import SAID_IN_ONE_SENTENCE, sentence_of

FAILED = 1
KNOWN: tuple[type[Exception], ...] = (
    *SAID_IN_ONE_SENTENCE,
    PostgresUnavailable,
    ProcessFailed,
    DirectoryUnusable,
)


class Failed(click.ClickException):
    """Something that the command was asked for did not come about; the text says what."""

    exit_code = FAILED


def as_failure(error: Exception) -> Exception:
    """The sentence of one that is known; any other as it is."""
    return Failed(sentence_of(error)) if isinstance(error, KNOWN) else error
