"""Servers that lost their supervisor to a kill and that nobody will start again.

Belongs here: finding and removing them, for whoever makes such servers by the dozen (the tests).
Must not: touching one that is in use, or another user's.
"""

from contextlib import suppress
from pathlib import Path

from intercom_assets.supervision.binaries import PostgresUnavailable
from intercom_assets.supervision.lockfiles import age_of_lock
from intercom_assets.supervision.postgres import EmbeddedPostgres

BEING_MADE_SECONDS = 60
"""Younger directories may be those of a server whose supervisor is about to take its lock."""


def remove_abandoned(parent: Path, prefix: str) -> list[Path]:
    """Ends servers below `parent`/`prefix`* whose supervisor is dead; deletes and returns them.

    Those of other users, and those just being made, are left alone.
    """
    removed = []
    for home in sorted(parent.glob(f"{prefix}*")):
        if age_of_lock(home) < BEING_MADE_SECONDS:
            continue
        with suppress(PostgresUnavailable, OSError):
            EmbeddedPostgres(home).remove()
            removed.append(home)
    return removed
