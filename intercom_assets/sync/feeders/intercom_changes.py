"""What was edited in Intercom -> the queue: the search by `updated_at`, newest first.

The search only says *whom* to read: its documents are old whole documents for minutes, so no value
is ever taken from one (docs/dev/protocol.md#one-call-per-change). A contact that looks as we
remember it costs no further call; that is how our own writes come back. Leads with the e-mail of a
user inside the merge window wake that user.

A fast look each tick reaches a little behind the last one; a slow look each quarter of an hour
reaches further than the index lags. Pages a tick are bounded; an unfinished look goes on at its
cursor, and the watermark moves only when a look has reached its end. While webhooks tell of edits
at once (`inbound`), looks are made once a minute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from intercom_assets.domain.echoes import differs
from intercom_assets.domain.models import Contact, Gone
from intercom_assets.domain.values import count_of
from intercom_assets.domain.vocabulary import Cause, InboundCount, QueueKind, StateKey
from intercom_assets.intercom.query import touched_since
from intercom_assets.sync.context.compared_fields import write_compared_fields
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.usage import UsageRecorder
from intercom_assets.sync.context.workspace import require_workspace
from intercom_assets.sync.feeders.app_changes import Fed
from intercom_assets.sync.feeders.wakes import by_email, found_for, who_searched
from intercom_assets.sync.passes.leads import shown

TOLD_EVERY, TOLD_LATELY = 60, 600
"""Seconds between two looks while webhooks arrive, and for how long one counts as lately."""
TOLD_FOR_GOOD = 7 * 86_400
"""Seconds after which nobody expects webhooks any more: Intercom suspends them after as long."""
WEBHOOK_DUE = 60
"""Seconds after which a webhook of an edit should have come: it is sent again after a minute."""
FAST_OVERLAP, SLOW_OVERLAP, SLOW_EVERY = 120, 30 * 60, 15 * 60
"""Seconds. The index was seen to lag between 12 and 120 s (docs/dev/intercom-facts.md#search)."""
MOST_PAGES = 5
"""Pages of 150 in one tick."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far the looks have come. Times in Unix seconds.

    `reached`: the newest change that a finished look has seen. `looked_at`: when the last look was
    made. `slow_at`: when the last slow one began. `since`, `cursor`, `newest`: of the look that is
    under way. `told`: contact -> what the index showed when its user was last queued for it, so
    that an index that lags is not read as a change at every tick.
    """

    reached: int
    looked_at: int = 0
    slow_at: int = 0
    since: int = 0
    newest: int = 0
    cursor: str | None = None
    told: dict[str, str] = field(default_factory=dict)


def feed_from_intercom(services: Services) -> Fed:
    """Queues the users whose contacts may have been edited.

    Raises `WrongWorkspace` and `IntercomError`.
    """
    with UsageRecorder(services):
        mark, now = _stored(services), services.now()
        seen = _webhook_seen(services)
        if (wait := _left_to_webhooks(mark, now, seen)) > 0:
            return Fed(summary=f"Webhooks arrive: the next search is in {wait} s.")
        require_workspace(services)
        write_compared_fields(services)
        return _look(services, replace(mark, looked_at=now), tells=_tells(seen, now))


def _webhook_seen(services: Services) -> int | None:
    """When the last one came that was about somebody (Unix s); None if none ever did."""
    found = services.store.state.get_at(StateKey.WEBHOOK_SEEN)
    return None if found is None else int(found[1].timestamp())


def _tells(seen: int | None, now: int) -> bool:
    return seen is not None and now - seen < TOLD_FOR_GOOD


def _left_to_webhooks(mark: Watermark, now: int, seen: int | None) -> int:
    """Seconds for which no look is due, since webhooks tell what it would find; 0 if it is.

    They are an accelerator: looks become rarer, and never end.
    """
    if seen is None or not 0 <= now - seen < TOLD_LATELY or mark.cursor is not None:
        return 0
    since = now - mark.looked_at
    return TOLD_EVERY - since if 0 <= since < TOLD_EVERY else 0


def _look(services: Services, mark: Watermark, *, tells: bool) -> Fed:
    """`tells`: webhooks are to tell of edits, so that what none told of is counted."""
    mark = _begin(mark, services.now(), services.intercom_now())
    client = services.intercom.with_deadline(None)
    queued, looked, pages, ended = 0, 0, 0, False
    for page in client.search_contacts(touched_since(mark.since), starting_after=mark.cursor):
        recent = [c for c in page.items if (c.updated_at or 0) >= mark.since]
        count, told = _wake(services, recent, mark.told, tells=tells)
        queued, looked, pages = queued + count, looked + len(recent), pages + 1
        newest = max([mark.newest, *(c.updated_at or 0 for c in recent)])
        mark = replace(mark, cursor=page.next, newest=newest, told={**mark.told, **told})
        ended = page.next is None or len(recent) < len(page.items)
        if ended or pages >= MOST_PAGES:
            break
    else:
        ended = True
    _store(services, _end(mark, services.intercom_now()) if ended else mark)
    return Fed(queued, 0, len(client.calls), False, _summary(looked, queued, ended))


def _begin(mark: Watermark, now: int, theirs: int) -> Watermark:
    """The look that is due now; one that was cut short goes on where it was.

    `theirs`: what Intercom's clock says, which dated what is looked for; ours may be ahead of it.
    """
    if mark.cursor is not None:
        return mark
    reached = min(mark.reached, theirs)
    if not 0 <= now - mark.slow_at < SLOW_EVERY:
        return replace(mark, since=reached - SLOW_OVERLAP, slow_at=now, told={})
    return replace(mark, since=reached - FAST_OVERLAP)


def _end(mark: Watermark, theirs: int) -> Watermark:
    reached = max(min(mark.reached, theirs), mark.newest)
    return replace(mark, cursor=None, reached=reached, newest=0)


def _wake(
    services: Services, contacts: Sequence[Contact], told: dict[str, str], *, tells: bool
) -> tuple[int, dict[str, str]]:
    """Queues the users whose contact, or whose lead, is not as we remember it."""
    fields = services.user_fields
    users = [c for c in contacts if c.role == "user"]
    owners = services.store.links.by_contact([c.id for c in users])
    links = services.store.links.users(sorted(set(owners.values())))
    moved = {
        contact.id: owners[contact.id]
        for contact in users
        if contact.id in owners and differs(fields, contact, links[owners[contact.id]])
    }
    moved |= found_for(services.store, [c for c in users if c.id not in owners])
    seen = {c.id: shown(c) for c in contacts if c.id in moved or c.role == "lead"}
    news = {key: shown for key, shown in seen.items() if told.get(key) != shown}
    wakes = {moved[key] for key in news if key in moved}
    if tells:
        _count_untold(services, [c for c in users if c.id in news and c.id in moved], moved)
    wakes |= _given_to(services, [c for c in users if c.id in news and c.id in owners], owners)
    leads = [c for c in contacts if c.id in news and c.role == "lead"]
    wakes |= who_searched(services.store, by_email(leads, news))
    services.store.queue.enqueue(
        QueueKind.USER, sorted(wakes), cause=Cause.INTERCOM, needs_read=True
    )
    return len(wakes), news


def _count_untold(
    services: Services, contacts: Sequence[Contact], owners: Mapping[str, str]
) -> None:
    """Edits of which a webhook should have told by now: nobody was asked to read them."""
    links = services.store.links.users([owners[c.id] for c in contacts])
    now = services.intercom_now()
    untold = sum(
        1
        for contact in contacts
        if now - (contact.updated_at or now) > WEBHOOK_DUE
        and not ((link := links.get(owners[contact.id])) and link.needs_read)
    )
    if untold:
        services.store.state.count({InboundCount.MISSED: untold})


def _given_to(
    services: Services, contacts: Sequence[Contact], owners: Mapping[str, str]
) -> set[str]:
    """Users of the app whose external id somebody gave to the contact of another user."""
    given = {c.external_id for c in contacts if c.external_id not in (None, owners[c.id])}
    rows = services.app.read_users(sorted(key for key in given if key)) if given else {}
    return {key for key, row in rows.items() if not isinstance(row, Gone)}


def _summary(looked: int, queued: int, ended: bool) -> str:
    rest = "" if ended else "; the look goes on at the next tick"
    if looked == 0:
        return f"No contact was touched in Intercom{rest}."
    touched, users = count_of(looked, "contact"), count_of(queued, "user")
    return f"{touched} touched in Intercom of late; {users} to read{rest}."


def _stored(services: Services) -> Watermark:
    """The first look of all begins now: the first sync reads what was before."""
    stored = services.store.state.get(StateKey.INTERCOM_CHANGES)
    if not isinstance(stored, dict):
        return Watermark(reached=services.now(), slow_at=services.now())
    return Watermark(**stored)


def _store(services: Services, mark: Watermark) -> None:
    services.store.state.put(StateKey.INTERCOM_CHANGES, asdict(mark))
