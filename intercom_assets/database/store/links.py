"""What we know of each user and team: links read back, by our id or Intercom's.

Links are written with the outcome of a pass, in one transaction (`record`), or beforehand from what
a listing of Intercom says (`claims`). Questions about many at once are in `linked`.
"""

from collections.abc import Sequence
from typing import Protocol

from intercom_assets.database.store.connection import StorePart
from intercom_assets.database.store.encoding import team_link, user_link
from intercom_assets.domain.models import TeamLink, UserLink
from intercom_assets.domain.vocabulary import QueueKind


class Links(Protocol):
    """What a pass and a plan ask; a preview lays its own over the stored ones."""

    def users(self, ids: Sequence[str]) -> dict[str, UserLink]: ...

    def teams(self, ids: Sequence[str]) -> dict[str, TeamLink]: ...

    def by_contact(self, contact_ids: Sequence[str]) -> dict[str, str]: ...

    def by_company(self, company_ids: Sequence[str]) -> dict[str, str]: ...

    def count(self, kind: QueueKind = QueueKind.USER) -> int: ...


class LinkStore(StorePart):
    """`Links` as they are stored."""

    def users(self, ids: Sequence[str]) -> dict[str, UserLink]:
        """Those of the ids that were ever recorded. `needs_read` also if the queue asks for it."""
        found = self._pool.dicts("user_links", ids=list(ids))
        return {row["user_id"]: user_link(row) for row in found}

    def teams(self, ids: Sequence[str]) -> dict[str, TeamLink]:
        found = self._pool.dicts("team_links", ids=list(ids))
        return {row["team_id"]: team_link(row) for row in found}

    def by_contact(self, contact_ids: Sequence[str]) -> dict[str, str]:
        """contact id -> user id, of those that are linked."""
        return dict(self._pool.rows("users_by_contact", ids=list(contact_ids)))

    def by_company(self, company_ids: Sequence[str]) -> dict[str, str]:
        """Intercom's id of a company -> team id, of those that are linked."""
        return dict(self._pool.rows("teams_by_company", ids=list(company_ids)))

    def count(self, kind: QueueKind = QueueKind.USER) -> int:
        return int(self._pool.value(f"count_linked_{kind}s"))
