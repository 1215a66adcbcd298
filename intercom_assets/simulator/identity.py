"""Who may hold an external id or an e-mail, and the 409 that names who holds it already.

Users are unique by external id, and by e-mail where either side has no external id; leads are not
unique at all. Archived users go on blocking creation, deleted ones for about a week.
"""

from intercom_assets.simulator import errors
from intercom_assets.simulator.records import Contact, State
from intercom_assets.simulator.wire import Call

DAY_S = 86_400


def refuse_taken(
    call: Call, external_id: str | None, email: str | None, equal_email: str | None = None
) -> None:
    """409 where a user of this identity exists; a live one is named before an archived one.

    `equal_email`: as the choice of that name, where the call has another rule than it.
    """
    rule = equal_email or call.settings.choice("equal_email")
    archived: Contact | None = None
    for holder in call.world.holders(external_id, email):
        if holder.role != "user" or not _same(holder, external_id, email, rule):
            continue
        if holder.live:
            raise errors.conflict(holder.id, archived=False)
        if _still_blocks(call, holder):
            archived = holder
    if archived is not None:
        raise errors.conflict(archived.id, archived=True)


def _same(holder: Contact, external_id: str | None, email: str | None, rule: str) -> bool:
    if external_id is not None and holder.external_id == external_id:
        return True
    if not email or (holder.email or "").lower() != email.lower():
        return False
    both = external_id is not None and holder.external_id is not None
    return not both or rule == "always"


def _still_blocks(call: Call, holder: Contact) -> bool:
    return holder.state is not State.MERGED and not lock_is_over(call, holder)


def lock_is_over(call: Call, contact: Contact) -> bool:
    """Deleted so long ago that nothing is left of the contact."""
    lock_s = call.settings.choice("deletion_lock_days") * DAY_S
    return contact.deleted_at is not None and bool(call.world.now >= contact.deleted_at + lock_s)


def refuse_conflicts(call: Call, before: Contact, after: Contact) -> None:
    """A PUT may not take a live user's external id; an archived one's is free (recorded).

    Nor a live user's e-mail, where the workspace is the kind that refuses equal ones.
    """
    if before.role == "lead" and after.role == "user":
        if call.settings.choice("promotion_conflicts"):
            refuse_taken(call, after.external_id, after.email)
        return
    if after.role == "user" and after.external_id != before.external_id:
        refuse_live_holder(call, after)
    if after.role == "user" and after.email and after.email != before.email:
        _refuse_equal_email(call, after)


def _refuse_equal_email(call: Call, contact: Contact) -> None:
    if call.settings.choice("equal_email") != "always":
        return
    for holder in call.world.holders(None, contact.email):
        same = (holder.email or "").lower() == (contact.email or "").lower()
        if same and holder.live and holder.role == "user" and holder.id != contact.id:
            raise errors.conflict(holder.id, archived=False)


def refuse_live_holder(call: Call, contact: Contact) -> None:
    for holder in call.world.holders(contact.external_id, None):
        if holder.live and holder.role == "user" and holder.id != contact.id:
            raise errors.conflict(holder.id, archived=False)
