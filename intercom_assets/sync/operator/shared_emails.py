"""Users of the app who share an e-mail address, as `plan` tells of them. Reads the app only."""

from collections.abc import Sequence

from intercom_assets.database.app.lookups import SharedEmails
from intercom_assets.domain.leads import EMAIL
from intercom_assets.domain.models import AppUser
from intercom_assets.sync.context.services import Services

GROUPS = 20
"""Shared addresses whose users are named; all are counted."""


def shared_emails(services: Services, users: Sequence[str] | None) -> SharedEmails:
    """Of everybody (None), or the addresses of these users, with all who have one of them."""
    if users is None:
        return services.app.shared_emails(most=GROUPS)
    rows = services.app.read_users(users).values() if users else ()
    emails = {row.values.get(EMAIL) for row in rows if isinstance(row, AppUser)}
    wanted = [email for email in emails if isinstance(email, str)]
    return services.app.shared_emails(GROUPS, wanted) if wanted else SharedEmails()
