"""Which contact is this user's: by stored id, else by POST and what its 409 names.

Never a search before a write, never a duplicate, never another user's contact: why, and what each
case costs, is in docs/dev/protocol.md#calls and docs/dev/protocol.md#landed-but-not-recorded.
A contact whose external id is somebody else's is left alone, and the user is parked with that
reason.
"""

from intercom_assets.domain.models import Contact, ContactPatch
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import Conflict, Merged, NotFound, NotRestorable, Rejected
from intercom_assets.sync.context.failures import WAIT_NOT_RESTORABLE, PassFailed, Problem, Verdict

MOST_MERGES = 10
"""One after the other, that are followed."""


class SomebodyElses(PassFailed):
    """Intercom answers with another external id than this user's: `contact` is not theirs."""

    def __init__(self, contact: Contact) -> None:
        message = (
            f"contact {contact.id} was given another external id in Intercom; it is left to it"
        )
        super().__init__(Problem(Verdict.BUSY, message, wait=0.0, may_have_landed=True))
        self.contact = contact

    @property
    def left_to(self) -> tuple[str, str] | None:
        """The external id that it carries, and its own."""
        contact = self.contact
        return (contact.external_id, contact.id) if contact.external_id else None


class HeldByAnother(PassFailed):
    """A 409 names a contact that is another user's: it holds the e-mail."""

    def __init__(self, problem: Problem, contact_id: str) -> None:
        super().__init__(problem)
        self.contact_id = contact_id


def find_or_create(
    client: IntercomClient, user_id: str, patch: ContactPatch, *, may_exist: bool
) -> tuple[Contact, bool]:
    """The user's contact and whether this call created it.

    `may_exist`: a POST may have landed unrecorded, so look by external id first.
    """
    if may_exist:
        found = find(client, user_id)
        if found is not None:
            return found, False
    try:
        return client.create_contact(patch), True
    except Conflict as conflict:
        return adopt(client, user_id, conflict), False


def find(client: IntercomClient, user_id: str) -> Contact | None:
    """The contact with this external id, if Intercom has one that is live."""
    try:
        return client.find_contact(user_id)
    except NotFound:
        return None


class MergedIntoAnothers(PassFailed):
    """Somebody merged the user's contact into `survivor`, which is another user's."""

    def __init__(self, survivor: Contact, merged: Merged) -> None:
        whose = f"user {survivor.external_id}'s" if survivor.external_id else "nobody's of the app"
        super().__init__(
            _park(f"its contact was merged by hand into contact {survivor.id}, {whose}", merged)
        )
        self.survivor = survivor


def follow(client: IntercomClient, user_id: str, merged: Merged) -> Contact | None:
    """The contact that ours was merged into; None if it is gone too. Raises `MergedIntoAnothers`
    if it may not be this user's."""
    contact = merged_into(client, merged)
    if contact is not None and not is_ours(contact, user_id):
        raise MergedIntoAnothers(contact, merged)
    return contact


def merged_into(client: IntercomClient, merged: Merged) -> Contact | None:
    """The live contact at the end of all merges; None if that was archived or deleted since."""
    for _ in range(MOST_MERGES):
        try:
            return client.get_contact(merged.into)
        except Merged as further:
            merged = further
        except NotFound:
            return None
    return None


def is_ours(contact: Contact, user_id: str) -> bool:
    return contact.role == "user" and contact.external_id in (None, user_id)


def adopt(client: IntercomClient, user_id: str, conflict: Conflict) -> Contact:
    """The contact that a 409 names, live again, if it may be this user's."""
    if conflict.archived:
        _unarchive(client, conflict.contact_id)
    contact = client.get_contact(conflict.contact_id)
    if is_ours(contact, user_id):
        return contact
    if conflict.archived:
        client.archive_contact(conflict.contact_id)
    whose = "belongs to another user" if contact.role == "user" else "is a lead"
    problem = _park(f"contact {contact.id} has the same details and {whose}", conflict)
    raise HeldByAnother(problem, contact.id)


def _unarchive(client: IntercomClient, contact_id: str) -> None:
    try:
        client.unarchive_contact(contact_id)
    except NotRestorable as refusal:
        what = "blocked" if "blocked" in refusal.message.lower() else "deleted"
        raise PassFailed(
            Problem(
                Verdict.LATER,
                f"contact {contact_id} was {what} in Intercom and still holds this identity",
                code=refusal.code,
                request_id=refusal.request_id,
                wait=WAIT_NOT_RESTORABLE,
            )
        ) from refusal


def _park(message: str, cause: Rejected) -> Problem:
    return Problem(Verdict.PARK, message, code=cause.code, request_id=cause.request_id)
