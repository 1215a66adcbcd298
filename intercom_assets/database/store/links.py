"""What we know of each user and team: links read back, by our id or Intercom's, and for the sweep.

Links are written with the outcome of a pass, in one transaction (`store_record`). The exceptions
are here: links that a listing of Intercom suggests, for users and teams that have none yet, and
claims to contacts that two users might take for theirs.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.records import QueueKind
from intercom_assets.database.store.connection import Connected, rows, run
from intercom_assets.database.store.encoding import (
    document,
    team_document,
    team_link,
    user_document,
    user_link,
)
from intercom_assets.database.store.queue import enqueue
from intercom_assets.domain.models import TeamLink, UserLink


@dataclass(frozen=True, slots=True)
class Claimed:
    """`owners`: who claimed in vain -> whose the contact is. `taken`: users who got somebody's."""

    owners: Mapping[str, str]
    taken: frozenset[str] = frozenset()


_HASHES = {QueueKind.USER: "user_hashes", QueueKind.TEAM: "team_hashes"}
_LINKED_AFTER = {QueueKind.USER: "linked_users_after", QueueKind.TEAM: "linked_teams_after"}
_IN_STEP_AFTER = {
    QueueKind.USER: "users_in_step_after",
    QueueKind.TEAM: "teams_in_step_after",
}
EXTERNAL_ID_MOVED = "external id moved"
_COUNT_LINKED = {QueueKind.USER: "count_linked_users", QueueKind.TEAM: "count_linked_teams"}


class LinkStore(Connected):
    def user_links(self, ids: Sequence[str]) -> dict[str, UserLink]:
        """Those of the ids that were ever recorded. `needs_read` also if the queue asks for it."""
        found = self.dicts("user_links", ids=list(ids))
        return {row["user_id"]: user_link(row) for row in found}

    def team_links(self, ids: Sequence[str]) -> dict[str, TeamLink]:
        found = self.dicts("team_links", ids=list(ids))
        return {row["team_id"]: team_link(row) for row in found}

    def adopt_users(self, links: Sequence[UserLink]) -> int:
        """Stores what a listing says of users that have no link. Existing links win; how many."""
        told = [user_document(link, in_flight={}) for link in links]
        return self.run("adopt_users", links=document(told)) if told else 0

    def claim_contacts(
        self, claims: Mapping[str, str], by_external_id: Collection[str] = ()
    ) -> Claimed:
        """Links contacts (user id -> contact id) before they are written to.

        Of several claims to one contact that of `by_external_id` wins, whose id the contact
        carries, also against whoever is linked to it: that user's link is forgotten, and the user
        queued to be looked for anew. Otherwise the first by user id wins, and who is linked stays.
        """
        first: dict[str, str] = {}
        for user, contact in sorted(claims.items(), key=lambda c: (c[0] not in by_external_id, c)):
            first.setdefault(contact, user)
        certain = {user: claims[user] for user in by_external_id if first[claims[user]] == user}

        def work(cursor: Cursor[TupleRow]) -> Claimed:
            taken = _take(cursor, certain)
            owners: dict[str, str] = dict(rows(cursor, "contact_owners", **_columns(claims)))
            won = {u: c for u, c in claims.items() if u not in owners and first[c] == u}
            run(cursor, "claim_contacts", **_columns(won))
            lost = {u: owners.get(u, first[c]) for u, c in claims.items() if u not in won}
            return Claimed(lost, frozenset(taken))

        return self.transact(work)

    def mark_others_contacts(self, contacts: Mapping[str, str]) -> None:
        """Users -> contacts that carry their external ids and were other users' until now.

        The users are queued, to be read first.
        """

        def work(cursor: Cursor[TupleRow]) -> None:
            due = dict.fromkeys(sorted(contacts), 0.0)
            enqueue(cursor, QueueKind.USER, due, cause=EXTERNAL_ID_MOVED, needs_read=True)
            run(cursor, "mark_others_contacts", **_columns(contacts))

        self.transact(work)

    def give_up_email(self, user_id: str, kept_off: str | None) -> None:
        """The address is about to be taken off the user's contact. `kept_off`: it is not to get
        this one again, although the row of the user, who left, still has it."""
        self.run("give_up_email", user_id=user_id, kept_off=kept_off)

    def adopt_teams(self, links: Sequence[TeamLink]) -> int:
        told = [team_document(link) for link in links]
        return self.run("adopt_teams", links=document(told)) if told else 0

    def links_by_contact(self, contact_ids: Sequence[str]) -> dict[str, str]:
        """contact id -> user id, of those that are linked."""
        return dict(self.rows("links_by_contact", ids=list(contact_ids)))

    def team_links_by_company(self, company_ids: Sequence[str]) -> dict[str, str]:
        """Intercom's id of a company -> team id, of those that are linked."""
        return dict(self.rows("team_links_by_company", ids=list(company_ids)))

    def forget_refused_leads(self, user_ids: Sequence[str]) -> None:
        """A lead of theirs moved: whoever Intercom would not merge is tried once more."""
        self.run("forget_refused_leads", ids=list(user_ids))

    def users_who_searched_leads(self, emails: Sequence[str]) -> list[str]:
        """Users whose pass searched leads of one of these (lower-case) e-mails."""
        return [row[0] for row in self.rows("users_who_searched_leads", emails=list(emails))]

    def hashes(self, ids: Sequence[str], kind: QueueKind = QueueKind.USER) -> dict[str, str | None]:
        """id -> hash of the app's row at the last pass, of those that were ever recorded."""
        return dict(self.rows(_HASHES[kind], ids=list(ids)))

    def linked_ids(
        self, kind: QueueKind = QueueKind.USER, *, chunk: int = 5_000
    ) -> Iterator[list[str]]:
        """All ids that have a contact (company), in order, in short transactions of `chunk`."""
        after = ""
        while found := [row[0] for row in self.rows(_LINKED_AFTER[kind], after=after, limit=chunk)]:
            yield found
            after = found[-1]

    def in_step(
        self, kind: QueueKind = QueueKind.USER, *, chunk: int = 5_000
    ) -> Iterator[list[tuple[str, str]]]:
        """Everybody who was synced and is not parked, with the contact's (company's) id."""
        after = ""
        while found := self.rows(_IN_STEP_AFTER[kind], after=after, limit=chunk):
            yield [(key, other) for key, other in found]
            after = found[-1][0]

    def count_linked(self, kind: QueueKind = QueueKind.USER) -> int:
        return int(self.value(_COUNT_LINKED[kind]))

    def linked_among(self, ids: Sequence[str]) -> list[str]:
        """Those of the users that have a contact."""
        return [row[0] for row in self.rows("linked_among", ids=list(ids))]

    def count_edges_among(self, ids: Sequence[str]) -> int:
        """Memberships that we made for these users."""
        return int(self.value("count_edges_among", ids=list(ids)))

    def members_of_teams(self, team_ids: Sequence[str]) -> list[str]:
        """Users for whom we hold an edge to one of the teams."""
        return [row[0] for row in self.rows("members_of_teams", ids=list(team_ids))]


def _take(cursor: Cursor[TupleRow], certain: Mapping[str, str]) -> dict[str, str]:
    """Takes contacts from whoever is linked to them: who got one -> whose it was."""
    taken: dict[str, str] = dict(rows(cursor, "contact_owners", **_columns(certain)))
    if taken:  # the queue's rows before the links, the order of locks
        losers = dict.fromkeys(sorted(set(taken.values())), 0.0)
        enqueue(cursor, QueueKind.USER, losers, cause=EXTERNAL_ID_MOVED, needs_read=True)
        run(cursor, "yield_to_external_ids", **_columns(certain))
    return taken


def _columns(claims: Mapping[str, str]) -> dict[str, list[str]]:
    return {"ids": list(claims), "contacts": list(claims.values())}
