"""Waits until Intercom's index shows what was sent last, so that a search can prove the rest.

How late the index is differs from minute to minute, so it is measured: one of the last items is
read by id, where a job's work shows at once, and searched until the index has it too. Must not:
believe a time.
"""

from collections.abc import Callable, Sequence

from intercom_assets.domain.models import Contact
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError
from intercom_assets.sync.context.failures import stops_everything
from intercom_assets.sync.engine.bulk_jobs import wait_for
from intercom_assets.sync.passes.users.bulk_offers import Offer
from intercom_assets.sync.passes.users.bulk_proof import indexed

SAMPLES = 5
"""Items of the last call that are read, until one is found that got there."""
FIRST_WAIT, LONGEST_WAIT, PATIENCE = 1.0, 10.0, 300.0
"""Seconds between two searches, and after which what is not indexed is read one by one."""
SHARE = 0.2
"""Of what was waited so far, the longest wait after it: so much too late it is noticed at most."""


def wait_for_index(
    client: IntercomClient, last: Sequence[Offer], stopped: Callable[[], bool]
) -> bool:
    """Whether the index was seen to have caught up. `last`: the items of the last call; False at
    once if none of them got there.

    Raises a fatal `IntercomError`; after any other nothing is waited for, which costs calls only.
    """
    try:
        landed = _one_that_landed(client, last)
        return landed is not None and _wait(client, *landed, stopped)
    except IntercomError as error:
        if stops_everything(error):
            raise
        return False


def _one_that_landed(client: IntercomClient, last: Sequence[Offer]) -> tuple[Offer, Contact] | None:
    step = max(1, len(last) // SAMPLES)
    for offer in last[::-step][:SAMPLES]:
        try:
            contact = client.find_contact(offer.user_id)
            if offer.is_shown_by(contact):
                return offer, contact
        except IntercomError as error:
            if stops_everything(error):
                raise
    return None


def _wait(
    client: IntercomClient, offer: Offer, landed: Contact, stopped: Callable[[], bool]
) -> bool:
    """An older document that happens to show the same does not end it."""
    waited, wait = 0.0, FIRST_WAIT
    while waited < PATIENCE and not stopped():
        contact = indexed(client, [offer.user_id]).get(offer.user_id)
        if contact is not None and _is_as_new(contact, landed) and offer.is_shown_by(contact):
            return True
        if not wait_for(client, wait, stopped):
            break
        waited += wait
        wait = min(max(FIRST_WAIT, SHARE * waited), LONGEST_WAIT)
    return False


def _is_as_new(contact: Contact, landed: Contact) -> bool:
    return (contact.updated_at or 0) >= (landed.updated_at or 0)
