"""Whose an e-mail is, where the workspace refuses it to a second user.

Of two contacts the one gives way whose user has the address no more: who left the app, and who has
another address there by now (a swap, a chain). Its address is cleared, which Intercom accepts in
any order, and its user is queued before that, so that a kill in between costs nobody an address.
Two users whom the app gives the same address are not this module's: the second one's is refused.
"""

from intercom_assets.domain.leads import EMAIL
from intercom_assets.domain.models import AppUser, Contact, ContactPatch, Gone, JournalEntry, Side
from intercom_assets.domain.vocabulary import Action, Cause, QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import Conflict, NotFound, NotRestorable
from intercom_assets.sync.context.gone import hold_gone
from intercom_assets.sync.context.work import Work
from intercom_assets.sync.passes.users.identity import HeldByAnother
from intercom_assets.sync.passes.users.user_pass import UserPass


def free_email(
    work: Work, user: UserPass, client: IntercomClient, refusal: Conflict | HeldByAnother
) -> bool:
    """Whether the user's address was taken off the contact that the refusal names, or is off it.

    One at a time: two users who swap addresses each look at what the other left.
    """
    email = user.state.values.get(EMAIL)
    if not isinstance(email, str) or user.state.is_leaving:
        return False
    with work.run.freeing_email:
        holder, archived = _read(client, refusal.contact_id)
        if holder is None or (holder.email or "").lower() != email.lower():
            return holder is not None
        row = _owner(work, holder)
        freed = row is not None and _has_lapsed(work, row, email)
        if row is not None and freed:
            _clear(work, client, holder, row)
        if archived:
            client.archive_contact(holder.id)
        return freed


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
    """The user's row as it is now; None for a contact that is not ours to judge: of another
    system, or of a row that cannot be read as a user."""
    owner = work.services.store.links.by_contact([holder.id]).get(holder.id)
    if owner is None or owner != holder.external_id:
        return None
    row = work.services.app.read_users([owner])[owner]
    return row if isinstance(row, AppUser | Gone) else None


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
