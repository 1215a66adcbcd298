"""Variables that look like ours and are read by nobody: one line on stderr before anything is done.

`check` has a red line for each. Must not: decide which are ours (`sync/preflight/check_setup.py`).
"""

import os

import click

from intercom_assets.sync.preflight.check_setup import unknown_variables


def warn_of_unknown_variables() -> None:
    if sentences := list(unknown_variables(os.environ)):
        click.echo(f"Warning: {' '.join(_ended(sentence) for sentence in sentences)}", err=True)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith("?") else f"{sentence}."
