"""What a chunk of users has for the bulk endpoints: its items, and the note before they are sent.

What becomes of the items is proven by the pass that follows (`bulk_proof.py`). Must not: send an
item.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby

from intercom_assets.database.records import InFlight
from intercom_assets.domain.attempts import Attempt, Event
from intercom_assets.domain.bulk import ContactItem
from intercom_assets.domain.models import Contact
from intercom_assets.domain.vocabulary import Action, AttributeModel
from intercom_assets.sync.context.work import Work
from intercom_assets.sync.passes.rules import user_rules
from intercom_assets.sync.passes.users.bulk_items import item_of, shows
from intercom_assets.sync.passes.users.calls_due import edges_in_flight, first_events
from intercom_assets.sync.passes.users.chunk import Begun
from intercom_assets.sync.passes.users.state import UserState
from intercom_assets.sync.passes.users.transitions import with_note
from intercom_assets.sync.passes.users.user_pass import UserPass


@dataclass(frozen=True, slots=True)
class BulkCandidate:
    """A user who may go by bulk once all companies exist, under the lease of `work`. `item`: as
    `decided` on a state, which may have changed since."""

    work: Work
    user: UserPass
    decided: UserState
    item: ContactItem

    @property
    def teams_without_company(self) -> frozenset[str]:
        return self.user.state.teams_without_company

    def item_now(self) -> ContactItem | None:
        if self.user.state is self.decided:
            return self.item
        return _item_of(self.user)


@dataclass(frozen=True, slots=True)
class Offer:
    """One user's item, under the lease of `work`."""

    work: Work
    user: UserPass
    item: ContactItem

    @property
    def user_id(self) -> str:
        return self.user.user_id

    def is_shown_by(self, contact: Contact) -> bool:
        """Whether a contact has all of the item. Of companies whose ids are not known yet, only
        their number can be told."""
        state = self.user.state
        known = [team for team in self.item.companies if team in state.companies]
        if len(contact.company_ids) < len(self.item.companies):
            return False
        if any(state.companies[team] in contact.company_ids for team in self.item.leaving):
            return False
        return shows(state, state.plan.to_intercom, known, contact)


def find_candidates(work: Work, begun: Begun) -> list[BulkCandidate]:
    """Attributes exist by then. Whoever failed before has an error of their own, which only the
    single way can tell."""
    failed = {key for key, row in begun.leased.items() if row.error is not None or row.attempts}
    users = [user for user in begun.active if user.user_id not in failed]
    items = ((user, _item_of(user)) for user in users)
    found = [BulkCandidate(work, u, u.state, item) for u, item in items if item is not None]
    work.ready_attributes([candidate.user for candidate in found])
    rules = user_rules(work.services, work.attributes.unwritable(AttributeModel.CONTACT))
    for candidate in found:
        candidate.user.apply_rules(rules)
    return [c for c in found if c.user.problem is None and c.item_now() is not None]


def _item_of(user: UserPass) -> ContactItem | None:
    """As if all companies existed."""
    return item_of(user.state, user.state.teams_without_company)


def offers_of(candidates: Iterable[BulkCandidate], made: Collection[str]) -> list[Offer]:
    """`made`: teams whose companies exist, though nobody knows their ids yet. Who is in another
    one without company is left out: no attach makes one."""
    made = frozenset(made)
    items = ((c, c.item_now()) for c in candidates if c.teams_without_company <= made)
    return [Offer(c.work, c.user, item) for c, item in items if item is not None]


def note_offers(offers: Iterable[Offer]) -> list[Offer]:
    """Notes what is about to be sent; without those whom another run took over."""
    noted: list[Offer] = []
    for _, group in groupby(offers, key=lambda offer: id(offer.work)):
        same = list(group)
        notes, work = [_note(offer) for offer in same], same[0].work
        lost = work.services.store.records.note_in_flight(work.lease.token, notes)
        for offer, note in zip(same, notes, strict=True):
            if offer.user_id not in lost:
                offer.user.set_aside(with_note(offer.user.state, note))
                noted.append(offer)
    return noted


def _note(offer: Offer) -> InFlight:
    state, work = offer.user.state, offer.work
    moved: list[Event] = [(Action.ATTACHED, team) for team in offer.item.companies]
    moved += [(Action.DETACHED, state.companies[team]) for team in offer.item.leaving]
    attempt = Attempt(work.run.run_id, work.services.now(), bulk=True).joined(
        fields=state.plan.to_intercom, events=[*first_events(state), *moved]
    )
    sent = state.plan.in_flight(exists=state.contact is not None)
    return InFlight(state.user_id, {**sent, **attempt.note()}, edges_in_flight(state))
