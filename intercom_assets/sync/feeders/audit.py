"""The weekly audit: all contacts listed, 150 a call, against what we remember of them.

Finds what nothing else can: edits that the search never showed, writes that landed after we gave
them up, contacts archived or deleted by hand. Only queues; values come from answers by id.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from intercom_assets.database.records import Lane
from intercom_assets.domain.echoes import differs
from intercom_assets.domain.models import Contact
from intercom_assets.domain.vocabulary import Cause, QueueKind, StateKey
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.usage import UsageRecorder
from intercom_assets.sync.context.workspace import require_workspace


@dataclass(frozen=True, slots=True)
class Audited:
    """`looked`: listed. `queued`: linked ones that differ. `missing`: linked, and not listed."""

    looked: int
    queued: int
    missing: int
    calls: int


def audit(services: Services, progress: Callable[[int], None] | None = None) -> Audited:
    """Raises `WrongWorkspace` and `IntercomError`; what was queued until then stays queued."""
    with UsageRecorder(services):
        require_workspace(services)
        return _audited(services, progress)


def _audited(services: Services, progress: Callable[[int], None] | None) -> Audited:
    client = services.intercom.with_deadline(None)
    seen: set[str] = set()
    held: Counter[str] = Counter()
    looked = queued = 0
    for page in client.list_contacts():
        held.update(c.external_id for c in page.items if c.role == "user" and c.external_id)
        looked += len(page.items)
        seen.update(contact.id for contact in page.items)
        queued += _queue_differing(services, page.items)
        if progress:
            progress(len(page.items))
    missing = _queue_missing(services, seen)
    done = Audited(looked, queued, missing, len(client.calls))
    duplicates = sum(1 for count in held.values() if count > 1)
    counts = {"queued": queued, "missing": missing, "duplicates": duplicates}
    services.store.state.put(StateKey.LAST_AUDIT, {"at": services.now(), **counts})
    return done


def _queue_differing(services: Services, contacts: Sequence[Contact]) -> int:
    owners = services.store.links.by_contact([contact.id for contact in contacts])
    links = services.store.links.users(list(owners.values()))
    drifted = [
        owners[contact.id]
        for contact in contacts
        if contact.id in owners
        and differs(services.user_fields, contact, links[owners[contact.id]])
    ]
    return _queue(services, drifted)


def _queue_missing(services: Services, seen: set[str]) -> int:
    missing = 0
    for ids in services.store.linked.ids(QueueKind.USER):
        links = services.store.links.users(ids)
        gone = [
            user_id
            for user_id, link in links.items()
            if link.contact_id not in seen and not link.archived
        ]
        missing += _queue(services, gone)
    return missing


def _queue(services: Services, users: Sequence[str]) -> int:
    return services.store.queue.enqueue(
        QueueKind.USER, users, lane=Lane.BULK, cause=Cause.AUDIT, needs_read=True
    )
