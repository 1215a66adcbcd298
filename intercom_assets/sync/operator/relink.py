"""Moves links from ids that the app switched to the new ones: one PUT of `external_id` each.

Which ids is decided by e-mail (`domain/switched_ids.py`), and by the form of the ids where all that
are clear have one; what is not clear is left and named.
Intercom comes first, then our own tables, in one transaction: cut short between, it is run again
and finds the contact with its new id. Both ids are leased, so that no run is at work on either.
The next sync reads each contact before it decides anything.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from intercom_assets.domain.models import (
    ContactPatch,
    Gone,
    JournalEntry,
    Side,
    UserLink,
)
from intercom_assets.domain.switched_ids import Matched, SwitchedId, form_of, match, with_more
from intercom_assets.domain.vocabulary import Action, Cause, QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import (
    Conflict,
    IntercomError,
    Merged,
    NotFound,
    NotRestorable,
)
from intercom_assets.intercom.pool import Answered, Failed, Pool
from intercom_assets.sync.context.failures import problem_of
from intercom_assets.sync.context.leases import Heartbeat, Lease
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.switched_ids import departed, departed_among, identity_of
from intercom_assets.sync.context.usage import UsageRecorder
from intercom_assets.sync.context.workspace import require_workspace

CHUNK = 100
"""Links in one lease: each has two calls of its own."""


class RelinkState(StrEnum):
    MOVED = "moved"
    BUSY = "busy"
    LEFT = "left"
    FAILED = "failed"


@dataclass(slots=True)
class Relinked:
    """One link and what became of it. `why`: where it was not moved, in a clause."""

    ids: SwitchedId
    link: UserLink
    state: RelinkState = RelinkState.MOVED
    why: str = ""
    request_id: str | None = None

    def leave(self, why: str, state: RelinkState = RelinkState.LEFT) -> None:
        self.state, self.why = state, why

    @property
    def entry(self) -> JournalEntry:
        return JournalEntry(
            QueueKind.USER,
            self.ids.new,
            Action.RELINKED,
            None,
            Side.INTERCOM,
            self.ids.old,
            self.ids.new,
            f"an operator moved the link of user {self.ids.old}, whose id the app switched",
            self.request_id,
        )


def find_switched(services: Services, progress: Callable[[int], None] | None = None) -> Matched:
    """Of everybody: reads the app and our own tables, calls nothing, writes nothing."""
    new, ids = [], []
    for rows in services.app.stream_users():
        unlinked = set(
            services.store.switched_ids.unlinked_among(QueueKind.USER, [row.id for row in rows])
        )
        ids += sorted(unlinked)
        new += [candidate for row in rows if row.id in unlinked and (candidate := identity_of(row))]
        if progress:
            progress(len(rows))
    matched = match(departed(services, QueueKind.USER, [candidate.mark for candidate in new]), new)
    return with_more(matched, _by_form(services, matched.pairs, ids))


def _by_form(
    services: Services, pairs: Sequence[SwitchedId], new: Sequence[str]
) -> list[SwitchedId]:
    """Whom the e-mail does not tell, where all clear pairs are of one form: `usr_7` of `7`."""
    form = form_of(pairs)
    taken = {key for pair in pairs for key in (pair.old, pair.new)}
    old_of = {key: old for key in new if form and (old := form.old_of(key)) is not None}
    asked = {key: old for key, old in old_of.items() if not {key, old} & taken}
    gone = departed_among(services, sorted(asked.values()))
    return [SwitchedId(old, key) for key, old in asked.items() if old in gone]


def relink(
    services: Services, run_id: str, pairs: Sequence[SwitchedId], stopped: Callable[[], bool]
) -> Iterator[list[Relinked]]:
    """Moves some links at a time; yields what became of them once it is durable.

    Raises a fatal `IntercomError`, and `AppUnavailable`; what was yielded stays done. Once
    `stopped`, no further ones are begun.
    """
    require_workspace(services)
    settings = services.settings
    with (
        UsageRecorder(services) as meter,
        Heartbeat(services.store, run_id, Cause.RELINK, settings, on_heartbeat=meter.note) as pulse,
        Pool(settings.threads) as pool,
    ):
        for start in range(0, len(pairs), CHUNK):
            if stopped():
                return
            yield _some_relinked(services, pulse, pool, run_id, pairs[start : start + CHUNK])
            if pool.fatal is not None:
                raise pool.fatal


def _some_relinked(
    services: Services, pulse: Heartbeat, pool: Pool, run_id: str, pairs: Sequence[SwitchedId]
) -> list[Relinked]:
    keys = [key for pair in pairs for key in (pair.old, pair.new)]
    services.store.queue.enqueue_missing(QueueKind.USER, keys, cause=Cause.RELINK)
    with pulse.lease(QueueKind.USER, len(keys), keys=keys) as lease:
        relinked = _looked_at(services, lease, pairs)
        due = [candidate for candidate in relinked if candidate.state is RelinkState.MOVED]
        outcomes = pool.run(
            lambda candidate: _move(
                candidate, services.intercom.with_deadline(lambda: lease.deadline)
            ),
            due,
        )
        for outcome in outcomes:
            if isinstance(outcome, Failed) and not isinstance(outcome.error, IntercomError):
                raise outcome.error
            if not isinstance(outcome, Answered):
                outcome.item.leave("the command was stopped", RelinkState.FAILED)
        _record(services, lease, run_id, relinked)
    return relinked


def _looked_at(services: Services, lease: Lease, pairs: Sequence[SwitchedId]) -> list[Relinked]:
    """Who can still be moved, now that no run can change it: read after the lease, as in a pass."""
    keys = [key for pair in pairs for key in (pair.old, pair.new)]
    leased = {row.key for row in lease.rows}
    rows, links = services.app.read_users(keys), services.store.links.users(keys)
    found = []
    for pair in pairs:
        candidate = Relinked(pair, links.get(pair.old) or UserLink(pair.old))
        new = links.get(pair.new)
        if not {pair.old, pair.new} <= leased:
            candidate.leave("another run is at work on it: run relink again", RelinkState.BUSY)
        elif not isinstance(rows[pair.old], Gone) or isinstance(rows[pair.new], Gone):
            candidate.leave("the app changed meanwhile")
        elif candidate.link.contact_id is None or (new is not None and new.contact_id is not None):
            candidate.leave("it was synced meanwhile")
        found.append(candidate)
    return found


def _move(candidate: Relinked, client: IntercomClient) -> None:
    """One GET and one PUT; the PUT only where the contact does not have the new id already."""
    try:
        _put(candidate, client)
    except (Merged, NotFound, NotRestorable):
        candidate.leave("its contact was deleted, archived or merged in Intercom")
    except Conflict:
        candidate.leave(f"another contact has the id {candidate.ids.new} already")
    except IntercomError as error:
        candidate.leave(problem_of(error).message, RelinkState.FAILED)


def _put(candidate: Relinked, client: IntercomClient) -> None:
    contact_id = candidate.link.contact_id
    assert contact_id is not None, "only who has a contact is moved"
    if candidate.link.archived:
        client.unarchive_contact(contact_id)
    contact = client.get_contact(contact_id)
    if contact.role != "user" or contact.external_id not in (
        None,
        candidate.ids.old,
        candidate.ids.new,
    ):
        candidate.leave(f"contact {contact_id} has another external id by now")
    elif contact.external_id != candidate.ids.new:
        client.update_contact(contact_id, ContactPatch({"external_id": candidate.ids.new}))
        candidate.request_id = client.calls[-1].request_id


def _record(services: Services, lease: Lease, run_id: str, relinked: Sequence[Relinked]) -> None:
    """Rows of the queue that were made for this go again, so that nobody is synced for it."""
    moved = [candidate for candidate in relinked if candidate.state is RelinkState.MOVED]
    lost = services.store.switched_ids.move_user_links(
        lease.token,
        run_id,
        {candidate.ids.old: candidate.ids.new for candidate in moved},
        [candidate.entry for candidate in moved],
        made_for_it=[row.key for row in lease.rows if row.cause == Cause.RELINK],
    )
    for candidate in moved:
        if candidate.ids.old in lost:
            candidate.leave("another run took it over: run relink again", RelinkState.BUSY)
