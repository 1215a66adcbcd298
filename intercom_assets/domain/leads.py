"""Which users have a lead to look for. Pure; the look-up and the merge are the shell's.

A lead is searched by e-mail, only while the account is young, and once for each address: leads
that turn up later are found through Intercom's changes.
"""

from intercom_assets.domain.models import AppUser, UserLink

CREATED = "created_at"
EMAIL = "email"


def lead_email(user: AppUser, link: UserLink, now: int, window: int) -> str | None:
    """The address to search leads for, or None. `now` and `window` are in seconds.

    Strictly inside the window, and never for a user without e-mail, which would ask Intercom for
    everybody's leads.
    """
    email, created = user.values.get(EMAIL), user.values.get(CREATED)
    if not isinstance(email, str) or not isinstance(created, int) or user.deleted:
        return None
    if now - created >= window or email.lower() == link.lead_email:
        return None
    return email.lower()
