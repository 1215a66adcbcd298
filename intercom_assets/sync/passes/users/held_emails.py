"""Whose an e-mail is, where the workspace refuses it to a second user.

Of two contacts the one gives way whose user has the address no more: who left the app, and who has
another address there by now (a swap, a chain). Its address is cleared, which Intercom accepts in
any order, and its user is queued before that, so that a kill in between costs nobody an address.
Of two users whom the app gives the same address the second one's is left out, until the contact of
the first has it no more.
"""

from collections.abc import Iterable
from enum import Enum

from intercom_assets.domain.fields import DELETED
from intercom_assets.domain.leads import EMAIL
from intercom_assets.domain.models import AppUser, Contact, ContactPatch, Gone, JournalEntry, Side
from intercom_assets.domain.vocabulary import Action, Cause, QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import Conflict, NotFound, NotRestorable
from intercom_assets.sync.context.gone import hold_gone
from intercom_assets.sync.context.work import Work
from intercom_assets.sync.passes.users.identity import HeldByAnother
from intercom_assets.sync.passes.users.state import UserState
from intercom_assets.sync.passes.users.user_pass import UserPass


class Address(Enum):
    """What became of a user's address that a contact of somebody else's held.

    `KEPT`: it may be free one day. `STRANGERS`: of the contact's owner we hear nothing.
    """

    FREE = "free"
    KEPT = "kept"
    STRANGERS = "a stranger's"


def free_email(
    work: Work, user: UserPass, client: IntercomClient, refusal: Conflict | HeldByAnother
) -> Address:
    """Takes the user's address off the contact that the refusal names, if that may be.

    One at a time: two users who swap addresses each look at what the other left.
    """
    email = user.state.values.get(EMAIL)
    if not isinstance(email, str) or user.state.is_leaving:
        return Address.STRANGERS
    with work.run.freeing_email:
        holder, archived = _read(client, refusal.contact_id)
        if holder is None:
            return Address.KEPT
        if (holder.email or "").lower() != email.lower():
            return Address.FREE
        row = _owner(work, holder)
        address = _address(work, row, email)
        if row is not None and address is Address.FREE:
            _clear(work, client, holder, row)
        if archived:
            client.archive_contact(holder.id)
        return address


def wake_waiting(work: Work, users: Iterable[UserPass]) -> None:
    """Queues whoever waits for an address that these users' contacts have no more.

    Also who was refused just now, for a contact that another run changed before this is recorded.
    After a kill in between they wait for the sweep.
    """
    states = [user.state for user in users]
    holders = {state.link.contact_id for state in states if _gave_up(state)}
    holders |= {state.email_held_by for state in states if _was_refused(state)}
    named = sorted(holder for holder in holders if holder)
    if named:
        store = work.services.store
        free = store.linked.with_a_free_email(holders=named)
        store.queue.enqueue(QueueKind.USER, free, cause=Cause.EMAIL_FREE)


def _gave_up(state: UserState) -> bool:
    """Whether the contact that was the user's held an address that is not theirs any more."""
    link, contact = state.link, state.contact
    if link.shadow is None or not link.shadow.email:
        return False
    if contact is None or contact.id != link.contact_id or contact.email != link.shadow.email:
        return True
    return state.is_leaving and link.base.get(DELETED.name) is not True


def _was_refused(state: UserState) -> bool:
    """Whether the address is left out anew."""
    return state.email_held_by is not None and state.link.left_out.get(EMAIL) != (
        state.left_out.get(EMAIL)
    )


def _read(client: IntercomClient, contact_id: str) -> tuple[Contact | None, bool]:
    """The contact, and whether it was archived: then it is live now."""
    try:
        return client.get_contact(contact_id), False
    except NotFound:
        pass
    try:
        client.unarchive_contact(contact_id)
    except NotRestorable:
        return None, False
    return client.get_contact(contact_id), True


def _owner(work: Work, holder: Contact) -> AppUser | Gone | None:
    """The row, as it is now, of the user whose id it carries; None for a contact that is not ours
    to judge: of another system, or of a row that cannot be read as a user."""
    owner = holder.external_id
    if owner is None:
        return None
    row = work.services.app.read_users([owner])[owner]
    if isinstance(row, Gone):  # an id that was never a user's is gone as well
        known = work.services.store.links.by_contact([holder.id])
        return row if known.get(holder.id) == owner else None
    return row if isinstance(row, AppUser) else None


def _address(work: Work, row: AppUser | Gone | None, email: str) -> Address:
    if row is None:
        return Address.STRANGERS
    return Address.FREE if _has_lapsed(work, row, email) else Address.KEPT


def _has_lapsed(work: Work, row: AppUser | Gone, email: str) -> bool:
    if isinstance(row, Gone):
        return not hold_gone(work.services, QueueKind.USER, [row.id])
    theirs = row.values.get(EMAIL)
    return row.deleted or not isinstance(theirs, str) or theirs.lower() != email.lower()


def _clear(work: Work, client: IntercomClient, holder: Contact, row: AppUser | Gone) -> None:
    """The owner looks at its contact again, and brings the address that it has now, if any."""
    owner, store = row.id, work.services.store
    has_left = isinstance(row, Gone) or row.deleted
    store.claims.give_up_email(owner, holder.email if has_left else None)
    store.queue.enqueue(QueueKind.USER, [owner], cause=Cause.EMAIL_GIVEN_UP, needs_read=True)
    client.update_contact(holder.id, ContactPatch(standard={EMAIL: None}))
    entry = JournalEntry(
        QueueKind.USER,
        owner,
        Action.EMAIL_GIVEN_UP,
        field=EMAIL,
        side=Side.INTERCOM,
        old=holder.email,
        why="in the app the address is another user's now",
        request_id=client.calls[-1].request_id,
    )
    store.journal.add(work.run.run_id, [entry])
