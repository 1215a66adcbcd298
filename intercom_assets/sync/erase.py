"""A person's deletion, with a receipt: out of Intercom, out of our tables, and never made again.

The tombstone comes first, so that no crash and no run between can bring the person back. Then the
contact is deleted and both look-ups are asked until they say 404; last, everything that we hold
goes, journal values included. What the app keeps is the app's affair.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from intercom_assets.database.records import Json
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import Merged, NotFound
from intercom_assets.sync.services import Services


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was deleted, and how we know. `requests`: Intercom's request ids, in order.

    `contact_id` is None where Intercom never had a contact of this user. `at`: Unix seconds.
    """

    user_id: str
    at: int
    contact_id: str | None
    deleted: bool
    by_id_is_404: bool
    by_external_id_is_404: bool
    requests: Sequence[str]

    @property
    def complete(self) -> bool:
        return self.by_id_is_404 and self.by_external_id_is_404

    def document(self) -> dict[str, Json]:
        return {
            "at": self.at,
            "contact_id": self.contact_id,
            "deleted": self.deleted,
            "by_id_is_404": self.by_id_is_404,
            "by_external_id_is_404": self.by_external_id_is_404,
            "requests": list(self.requests),
        }


def erase_user(services: Services, user_id: str) -> Receipt:
    """Erases one user. Safe to repeat: a second time finds nothing, and says so.

    Raises `IntercomError` where Intercom cannot be reached or refuses; the tombstone stays, so a
    repetition goes on where this one ended.
    """
    store = services.store
    link = store.user_links([user_id]).get(user_id)
    store.add_tombstone(user_id)
    client = services.intercom.within(None)
    contact_id = (link.contact_id if link else None) or _find(client, user_id)
    deleted = contact_id is not None and _delete(client, contact_id)
    receipt = Receipt(
        user_id=user_id,
        at=services.now(),
        contact_id=contact_id,
        deleted=deleted,
        by_id_is_404=contact_id is None or _is_404(client, contact_id),
        by_external_id_is_404=_find(client, user_id) is None,
        requests=[call.request_id for call in client.calls if call.request_id],
    )
    store.forget_user(user_id)
    store.add_tombstone(user_id, receipt.document())
    return receipt


def _find(client: IntercomClient, user_id: str) -> str | None:
    try:
        return client.find_contact(user_id).id
    except Merged as merged:
        return merged.into
    except NotFound:
        return None


def _delete(client: IntercomClient, contact_id: str) -> bool:
    try:
        client.delete_contact(contact_id)
    except (NotFound, Merged):
        return False
    return True


def _is_404(client: IntercomClient, contact_id: str) -> bool:
    try:
        client.get_contact(contact_id)
    except (NotFound, Merged):
        return True
    return False
