"""Intercom -> app, for one chunk: what Intercom knows better, and the ids of new contacts.

One transaction for all of them, by compare-and-set, with each row read again as the mapping sees
it. What the app would not store is remembered, and not offered again until Intercom's value
changes; it keeps neither the other values nor the contact's id from being stored. An id without a
row to hold it is offered with each pass until there is one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.app.write_back import WriteBack, WrittenBack
from intercom_assets.database.failures import AppUnavailable
from intercom_assets.domain.models import AppUser, Gone, InvalidRow
from intercom_assets.sync.context.failures import Problem, Verdict
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.work import Work
from intercom_assets.sync.passes.users.intents import note_offers
from intercom_assets.sync.passes.users.state import UserState
from intercom_assets.sync.passes.users.user_pass import UserPass

INTERCOM_ID = "write_back.intercom_id"
"""Among what the app refused of a user: the contact's id, for which it has no row yet."""


@dataclass(slots=True)
class Answer:
    """What became of one user's offer. `refused`: field -> the app's reason; `changed`: fields that
    the app had changed meanwhile. `stored_id`: None where no id was offered."""

    row: AppUser | InvalidRow | Gone
    busy: bool = False
    refused: dict[str, str | None] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    stored_id: bool | None = None

    def take(self, offer: WriteBack, written: WrittenBack) -> None:
        self.row = written.row
        self.busy = self.busy or written.status == "busy"
        if offer.intercom_id is not None:
            self.stored_id = written.status != "refused"
        if written.status == "refused":
            self.refused |= dict.fromkeys(offer.new, written.reason)
        elif written.status == "changed":
            self.changed |= offer.new.keys()


def write_back(work: Work, users: Sequence[UserPass], failed: Collection[str]) -> None:
    """`failed`: whose last pass ended with a problem, so that their id may not be stored yet."""
    pulling = {u.user_id: u for u in users if not u.problem and u.state.app.is_here}
    offers = [
        offer
        for key, user in pulling.items()
        if (offer := _offer(work.services, user.state, again=key in failed))
    ]
    note_offers(work, pulling, offers)
    offers = [offer for offer in offers if not pulling[offer.id].problem]
    try:
        answers = _offered(work.services.app, offers)
    except AppUnavailable as error:
        for offer in offers:
            pulling[offer.id].fail(Problem(Verdict.UNAVAILABLE, str(error)))
        return
    for key, answer in answers.items():
        _take(pulling[key], answer)


def _offer(services: Services, state: UserState, *, again: bool) -> WriteBack | None:
    new, contact = state.plan.to_app, state.contact
    stores_id = services.settings.write_back.intercom_id is not None
    again = again or state.may_lack_id or INTERCOM_ID in state.refused
    is_new = contact is not None and (again or state.link.contact_id != contact.id)
    intercom_id = contact.id if is_new and stores_id and contact else None
    if not new and intercom_id is None:
        return None
    expected = {name: state.values.get(name) for name in new}
    return WriteBack(state.user_id, expected, new, intercom_id)


def _offered(app: AppDatabase, offers: Sequence[WriteBack]) -> dict[str, Answer]:
    """Each offer at once; what is not taken so is offered piece by piece."""
    if not offers:
        return {}
    written = app.write_back_users(offers)
    answers = {key: Answer(answer.row) for key, answer in written.items()}
    apart = []
    for offer in offers:
        pieces = _pieces(offer)
        if len(pieces) > 1 and written[offer.id].status in ("refused", "changed"):
            apart.append(pieces)
        else:
            answers[offer.id].take(offer, written[offer.id])
    for round_of_pieces in zip_longest(*apart):
        pieces = [piece for piece in round_of_pieces if piece]
        written = app.write_back_users(pieces)
        for piece in pieces:
            answers[piece.id].take(piece, written[piece.id])
    return answers


def _pieces(offer: WriteBack) -> list[WriteBack]:
    pieces = [
        WriteBack(offer.id, {name: offer.expected.get(name)}, {name: value})
        for name, value in offer.new.items()
    ]
    if offer.intercom_id is not None:
        pieces.append(WriteBack(offer.id, intercom_id=offer.intercom_id))
    return pieces


def _take(user: UserPass, answer: Answer) -> None:
    if answer.busy:
        user.fail(Problem(Verdict.BUSY, "the app held the row; it is tried again"))
        return
    refused = {n: value for n, value in user.state.refused.items() if n != INTERCOM_ID}
    if answer.stored_id:
        user.become(replace(user.state, refused=refused))
    elif answer.stored_id is False and user.contact:
        user.become(replace(user.state, refused={**refused, INTERCOM_ID: user.contact.id}))
    user.apply_row(answer.row, answer.refused, answer.changed)
