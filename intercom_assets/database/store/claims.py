"""Links that are written before a pass: what a listing of Intercom says, and whose a contact is.

Listings suggest links for users and teams that have none yet. Two users may take one contact for
theirs: who gets it is settled here, before anything is written to it. The outcome of a pass is
written in `record`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.store.connection import StorePart, rows, run
from intercom_assets.database.store.encoding import document, team_document, user_document
from intercom_assets.database.store.enqueuing import enqueue
from intercom_assets.domain.models import TeamLink, UserLink, Values
from intercom_assets.domain.vocabulary import Cause, QueueKind


@dataclass(frozen=True, slots=True)
class Claimed:
    """`owners`: who claimed in vain -> whose the contact is. `taken`: users who got somebody's."""

    owners: Mapping[str, str]
    taken: frozenset[str] = frozenset()


class ClaimStore(StorePart):
    """Who has which contact or company, outside of a pass."""

    def adopt_users(self, links: Sequence[UserLink]) -> int:
        """Stores what a listing says of users that have no link. Existing links win; how many."""
        documents = [user_document(link, in_flight={}) for link in links]
        return self._pool.run("adopt_users", links=document(documents)) if documents else 0

    def adopt_teams(self, links: Sequence[TeamLink]) -> int:
        documents = [team_document(link) for link in links]
        return self._pool.run("adopt_teams", links=document(documents)) if documents else 0

    def claim_contacts(
        self,
        claims: Mapping[str, str],
        by_external_id: Collection[str] = (),
        opt_outs: Mapping[str, Values] | None = None,
    ) -> Claimed:
        """Links contacts (user id -> contact id) before they are written to.

        Of several claims to one contact that of `by_external_id` wins, whose id the contact
        carries, also against whoever is linked to it: that user's link is forgotten, and the user
        queued to be looked for anew. Otherwise the first by user id wins, and who is linked stays.
        `opt_outs`: user id -> what a base keeps of those that the contact shows.
        """
        first: dict[str, str] = {}
        for user, contact in sorted(claims.items(), key=lambda c: (c[0] not in by_external_id, c)):
            first.setdefault(contact, user)
        certain = {user: claims[user] for user in by_external_id if first[claims[user]] == user}

        def work(cursor: Cursor[TupleRow]) -> Claimed:
            taken = _take(cursor, certain, opt_outs or {})
            owners: dict[str, str] = dict(rows(cursor, "owners_of_user_links", **_columns(claims)))
            won = {u: c for u, c in claims.items() if u not in owners and first[c] == u}
            run(cursor, "claim_contacts", **_columns(won))
            lost = {u: owners.get(u, first[c]) for u, c in claims.items() if u not in won}
            return Claimed(lost, frozenset(taken))

        return self._pool.transact(work)

    def mark_others_contacts(self, contacts: Mapping[str, str]) -> None:
        """Users -> contacts that carry their external ids and were other users' until now.

        The users are queued, to be read first.
        """

        def work(cursor: Cursor[TupleRow]) -> None:
            due = dict.fromkeys(sorted(contacts), 0.0)
            enqueue(cursor, QueueKind.USER, due, cause=Cause.EXTERNAL_ID_MOVED, needs_read=True)
            run(cursor, "mark_others_contacts", **_columns(contacts))

        self._pool.transact(work)

    def give_up_email(self, user_id: str, kept_off: str | None) -> None:
        """The address is about to be taken off the user's contact. `kept_off`: it is not to get
        this one again, although the row of the user, who left, still has it."""
        self._pool.run("give_up_email", user_id=user_id, kept_off=kept_off)

    def forget_refused_leads(self, user_ids: Sequence[str]) -> None:
        """A lead of theirs moved: whoever Intercom would not merge is tried once more."""
        self._pool.run("forget_refused_leads", ids=list(user_ids))


def _take(
    cursor: Cursor[TupleRow], certain: Mapping[str, str], opt_outs: Mapping[str, Values]
) -> dict[str, str]:
    """Takes contacts from whoever is linked to them: who got one -> whose it was."""
    taken: dict[str, str] = dict(rows(cursor, "owners_of_user_links", **_columns(certain)))
    if taken:  # the queue's rows before the links, the order of locks
        losers = dict.fromkeys(sorted(set(taken.values())), 0.0)
        enqueue(cursor, QueueKind.USER, losers, cause=Cause.EXTERNAL_ID_MOVED, needs_read=True)
        words = [document(opt_outs.get(user, {})) for user in certain]
        run(cursor, "yield_to_external_ids", **_columns(certain), words=words)
    return taken


def _columns(claims: Mapping[str, str]) -> dict[str, list[str]]:
    return {"ids": list(claims), "contacts": list(claims.values())}
