"""Who is linked, in step, left out: questions about many users and teams, as lists and numbers.

For the feeders, the guards and `status`, which want no whole link. Nothing is written here.
"""

from collections.abc import Iterator, Sequence

from intercom_assets.database.reports import LeftOutCount
from intercom_assets.database.store.connection import StorePart
from intercom_assets.domain.models import Reason
from intercom_assets.domain.vocabulary import QueueKind


class LinkedStore(StorePart):
    """What is asked of everybody's links."""

    def hashes(self, ids: Sequence[str], kind: QueueKind = QueueKind.USER) -> dict[str, str | None]:
        """id -> hash of the app's row at the last pass, of those that were ever recorded."""
        return dict(self._pool.rows(f"{kind}_hashes", ids=list(ids)))

    def ids(self, kind: QueueKind = QueueKind.USER, *, chunk: int = 5_000) -> Iterator[list[str]]:
        """All ids that have a contact (company), in order, in short transactions of `chunk`."""
        after = ""
        while found := [
            row[0] for row in self._pool.rows(f"linked_{kind}s_after", after=after, limit=chunk)
        ]:
            yield found
            after = found[-1]

    def in_step(
        self, kind: QueueKind = QueueKind.USER, *, chunk: int = 5_000
    ) -> Iterator[list[tuple[str, str]]]:
        """Everybody who was synced and is not parked, with the contact's (company's) id."""
        after = ""
        while found := self._pool.rows(f"{kind}s_in_step_after", after=after, limit=chunk):
            yield [(key, other) for key, other in found]
            after = found[-1][0]

    def among(self, ids: Sequence[str]) -> list[str]:
        """Those of the users that have a contact."""
        return [row[0] for row in self._pool.rows("linked_users_among", ids=list(ids))]

    def count_edges(self, ids: Sequence[str]) -> int:
        """Memberships that we made for these users."""
        return int(self._pool.value("count_edges_among", ids=list(ids)))

    def members_of_teams(self, team_ids: Sequence[str]) -> list[str]:
        """Users for whom we hold an edge to one of the teams."""
        return [row[0] for row in self._pool.rows("members_of_teams", ids=list(team_ids))]

    def users_who_searched_leads(self, emails: Sequence[str]) -> list[str]:
        """Users whose pass searched leads of one of these (lower-case) e-mails."""
        return [row[0] for row in self._pool.rows("users_who_searched_leads", emails=list(emails))]

    def left_out(self) -> list[LeftOutCount]:
        """Fields that are not sent of somebody."""
        return [
            LeftOutCount(QueueKind(kind), field, Reason(reason), count, key, why)
            for kind, field, reason, count, key, why in self._pool.rows("left_out")
        ]

    def left_out_for(self, kind: QueueKind, fields: Sequence[str]) -> list[str]:
        """Of whom one of these fields is left out, since nobody could write it."""
        return [key for (key,) in self._pool.rows(f"{kind}s_left_out_for", fields=list(fields))]

    def with_a_free_email(
        self, ids: Sequence[str] | None = None, holders: Sequence[str] | None = None
    ) -> list[str]:
        """Users whose e-mail is left out though, as far as is known, no other user holds it by now.

        Of these `ids`, or who were refused for one of these contacts (`holders`), if given.
        """
        found = self._pool.rows("users_with_a_free_email", ids=ids, holders=holders)
        return [key for (key,) in found]
