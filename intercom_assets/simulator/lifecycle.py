"""Archive, unarchive, delete and block: how a contact leaves, and when it can come back.

Only states change here; who may hold an identity is `identity`'s business.
"""

from intercom_assets.simulator import errors
from intercom_assets.simulator.contacts import find_for_write
from intercom_assets.simulator.documents import short_contact
from intercom_assets.simulator.identity import lock_is_over, refuse_live_holder
from intercom_assets.simulator.records import Contact, State
from intercom_assets.simulator.wire import Call, Reply


def archive_contact(call: Call) -> Reply:
    """Archiving an archived one answers 200 again (recorded)."""
    contact = _present(call)
    if contact.live:
        _move(call, contact, State.ARCHIVED)
    return _answer(call, contact, contact.live, archived=True)


def unarchive_contact(call: Call) -> Reply:
    contact = call.world.contacts.get(call.ids[0])
    if contact is None or lock_is_over(call, contact):
        raise errors.no_such_user()
    if contact.live:
        return _answer(call, contact, False, archived=False)
    _refuse_unrestorable(call, contact)
    if call.settings.choice("unarchive_conflicts") and contact.role == "user":
        refuse_live_holder(call, contact)
    _move(call, contact, State.LIVE)
    return _answer(call, contact, True, archived=False)


def _refuse_unrestorable(call: Call, contact: Contact) -> None:
    match contact.state:
        case State.DELETED:
            raise errors.bad_request(
                "User has been marked for permanent deletion and is not restorable."
            )
        case State.MERGED:
            raise errors.bad_request("User has been merged and is not restorable.")
        case State.BLOCKED if not call.settings.choice("blocked_restorable"):
            raise errors.Refused(
                400, "not_restorable", "User has been blocked and is not restorable."
            )


def delete_contact(call: Call) -> Reply:
    contact = _present(call)
    _move(call, contact, State.DELETED)
    return _answer(call, contact, True, deleted=True)


def block_contact(call: Call) -> Reply:
    contact = _present(call)
    if contact.state is not State.BLOCKED:
        _move(call, contact, State.BLOCKED)
    return _answer(call, contact, contact.state is not State.BLOCKED, blocked=True)


def _answer(call: Call, contact: Contact, changed: bool, **what: bool) -> Reply:
    document = short_contact(contact, call.version, **what)
    return Reply(document, recent_write=changed, changed=changed)


def _present(call: Call) -> Contact:
    """Live, archived or blocked: what a person could still see somewhere."""
    contact = call.world.contacts.get(call.ids[0])
    if contact is not None and contact.state in (State.ARCHIVED, State.BLOCKED):
        return contact
    return find_for_write(call, call.ids[0])


def _move(call: Call, contact: Contact, state: State) -> None:
    now = call.world.now
    deleted_at = now if state is State.DELETED else None
    # Companies that were deleted meanwhile do not come back with the contact.
    known = call.world.companies
    companies = tuple(i for i in contact.companies if known[i].deleted_at is None)
    call.world.commit_contact(
        contact._replace(state=state, updated_at=now, deleted_at=deleted_at, companies=companies)
    )
