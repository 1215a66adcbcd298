"""Subscription types, and which of them a contact opted in to or out of."""

from intercom_assets.simulator import errors
from intercom_assets.simulator.contacts import find_for_write, find_live
from intercom_assets.simulator.documents import Document
from intercom_assets.simulator.extras import SubscriptionType
from intercom_assets.simulator.wire import Call, Reply

CONSENTS = ("opt_in", "opt_out")


def list_subscription_types(call: Call) -> Reply:
    types = call.world.extras.subscription_types.values()
    return Reply({"type": "list", "data": [_document(found) for found in types]})


def list_contact_subscriptions(call: Call) -> Reply:
    contact = find_live(call, call.ids[0])
    types = call.world.extras.subscription_types
    rows = [_document(types[type_id]) for type_id in contact.subscriptions]
    return Reply({"type": "list", "data": rows})


def subscribe_contact(call: Call) -> Reply:
    call.allow("id", "consent_type")
    contact = find_for_write(call, call.ids[0])
    found = _find(call, call.body.get("id"))
    consent = call.body.get("consent_type")
    if consent not in CONSENTS:
        raise errors.invalid("consent_type must be opt_in or opt_out", "consent_type")
    subscriptions = {**contact.subscriptions, found.id: str(consent)}
    if subscriptions != contact.subscriptions:
        call.world.commit_contact(contact._replace(subscriptions=subscriptions))
    return Reply(_document(found), changed=subscriptions != contact.subscriptions)


def unsubscribe_contact(call: Call) -> Reply:
    contact = find_for_write(call, call.ids[0])
    found = _find(call, call.ids[1])
    if found.id not in contact.subscriptions:
        raise errors.no_such_resource()
    left = {i: consent for i, consent in contact.subscriptions.items() if i != found.id}
    call.world.commit_contact(contact._replace(subscriptions=left))
    return Reply(_document(found), changed=True)


def _find(call: Call, type_id: object) -> SubscriptionType:
    known = call.world.extras.subscription_types
    found = known.get(str(type_id)) if isinstance(type_id, str | int) else None
    if found is None:
        raise errors.no_such_resource()
    return found


def _document(found: SubscriptionType) -> Document:
    translation = {"name": found.name, "description": "", "locale": "en"}
    return {
        "type": "subscription",
        "id": found.id,
        "state": "live",
        "consent_type": found.consent_type,
        "default_translation": translation,
        "translations": [translation],
        "content_types": ["email"],
    }
