"""The console script. Ctrl-C before a command has begun ends it in one word (`loading`).

Must not: import anything else before the handler is there.
"""

import sys

from intercom_assets.cli.loading import ending_at_once


def main() -> None:
    """The console script: nothing is imported before the handler is there."""
    with ending_at_once():
        from intercom_assets.cli.main import main as commands
    sys.exit(commands())
