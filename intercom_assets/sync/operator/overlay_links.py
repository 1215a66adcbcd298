"""Links as they are, and beside them those that a listing suggests, which are written nowhere.

So that a preview decides on what the first sync will find. A stored link that has a contact (a
company) always wins.
"""

from collections.abc import Sequence

from intercom_assets.database.store.links import Links
from intercom_assets.domain.models import TeamLink, UserLink
from intercom_assets.domain.vocabulary import QueueKind


class OverlayLinks:
    """`Links` over those of the store. What is shown is added with `show`."""

    def __init__(self, stored: Links) -> None:
        self._stored = stored
        self._users: dict[str, UserLink] = {}
        self._teams: dict[str, TeamLink] = {}

    def show(self, users: Sequence[UserLink] = (), teams: Sequence[TeamLink] = ()) -> None:
        self._users.update({link.user_id: link for link in users})
        self._teams.update({link.team_id: link for link in teams})

    def count(self, kind: QueueKind = QueueKind.USER) -> int:
        """With the users that were listed: they are linked before the guards look at them."""
        stored = self._stored.count(kind)
        if kind is not QueueKind.USER:
            return stored
        known = self._stored.users(list(self._users))
        return stored + sum(key not in known or not known[key].contact_id for key in self._users)

    def users(self, ids: Sequence[str]) -> dict[str, UserLink]:
        stored = self._stored.users(ids)
        shown = {key: self._users[key] for key in ids if key in self._users}
        return shown | {
            key: link for key, link in stored.items() if link.contact_id or key not in shown
        }

    def teams(self, ids: Sequence[str]) -> dict[str, TeamLink]:
        stored = self._stored.teams(ids)
        shown = {key: self._teams[key] for key in ids if key in self._teams}
        return shown | {
            key: link for key, link in stored.items() if link.company_id or key not in shown
        }

    def by_contact(self, contact_ids: Sequence[str]) -> dict[str, str]:
        return self._stored.by_contact(contact_ids)

    def by_company(self, company_ids: Sequence[str]) -> dict[str, str]:
        asked = set(company_ids)
        shown = {
            link.company_id: team
            for team, link in self._teams.items()
            if link.company_id is not None and link.company_id in asked
        }
        return shown | self._stored.by_company(company_ids)
