"""A person's deletion, with a receipt: out of Intercom, out of our tables, and never made again.

The tombstone comes first, so that no crash and no run between can bring the person back. Then the
user's row of the queue is leased, so that no other run is at work on the person; the contact is
deleted, and both look-ups are asked; last, everything that we hold goes, journal values included.
What is known of the deletion is kept with the tombstone step by step, so that an erasure that was
cut short anywhere is repeated and ends with the whole receipt. What the app keeps is the app's
affair.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from intercom_assets.database.records import Json
from intercom_assets.domain.attempts import attempts_in
from intercom_assets.domain.errors import OperatorError
from intercom_assets.domain.models import Gone
from intercom_assets.domain.vocabulary import Cause, QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import Merged, NotFound
from intercom_assets.sync.context.leases import Heartbeat, Lease
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.workspace import require_workspace
from intercom_assets.sync.engine.batch import new_run_id
from intercom_assets.sync.operator.erasure_receipt import (
    ErasureReceipt,
    Request,
    as_json,
    number_of,
    receipt_from,
    request_from,
    text_of,
)
from intercom_assets.sync.passes.late_jobs import JOB_LASTS
from intercom_assets.sync.passes.users.identity import is_ours, merged_into

LEASE_TIMEOUT_S = 90.0
"""Seconds to wait for a run that is at work on the person: more than a lease."""


class AtWork(OperatorError):
    """Another run has the person and does not let go. One sentence."""


def erase_user(
    services: Services, user_id: str, sleep: Callable[[float], object] = time.sleep
) -> ErasureReceipt:
    """Erases one user. Safe to repeat: what was done before stays in the receipt.

    Raises `IntercomError` where Intercom cannot be reached or refuses, and `AtWork`; the tombstone
    stays, so a repetition goes on where this one ended.
    """
    require_workspace(services)
    store = services.store
    link = store.links.users([user_id]).get(user_id)
    known: dict[str, Json] = {"contact_id": link.contact_id} if link and link.contact_id else {}
    store.tombstones.add(user_id, known)
    with (
        Heartbeat(store, new_run_id(Cause.ERASE), Cause.ERASE, services.settings) as pulse,
        _alone(services, pulse, user_id, sleep) as lease,
    ):
        _require_no_job(services, user_id)
        erasure = _Erasure(
            services, user_id, services.intercom.with_deadline(lambda: lease.deadline)
        )
        erasure.delete()
        receipt = erasure.receipt()
        store.tombstones.add(user_id, receipt.document())
        store.tombstones.forget_user(user_id)
    return receipt


def is_known(services: Services, user_id: str) -> bool:
    """Whether there is such a user anywhere: in the app, in our tables, or in Intercom."""
    store = services.store
    link = store.links.users([user_id]).get(user_id)
    if (
        (link and link.contact_id)
        or store.tombstones.among([user_id])
        or store.journal.of_key(user_id)
    ):
        return True
    if not isinstance(services.app.read_users([user_id])[user_id], Gone):
        return True
    try:
        services.intercom.with_deadline(None).find_contact(user_id)
    except NotFound:
        return False
    except Merged:
        return True
    return True


def receipt_of(services: Services, user_id: str) -> ErasureReceipt | None:
    """Of an erasure that came to its end before."""
    for tombstone in services.store.tombstones.find([user_id]):
        if "by_id_is_404" in tombstone.receipt:
            return receipt_from(user_id, tombstone.receipt)
    return None


def _alone(
    services: Services, pulse: Heartbeat, user_id: str, sleep: Callable[[float], object]
) -> Lease:
    """The user's row of the queue, leased; waits for a run that has it."""
    waited = 0.0
    while True:
        services.store.queue.enqueue_missing(QueueKind.USER, [user_id], cause=Cause.ERASE)
        lease = pulse.lease(QueueKind.USER, 1, keys=[user_id])
        if lease.rows:
            return lease
        lease.close()
        if waited >= LEASE_TIMEOUT_S:
            raise AtWork(
                f"another run is at work on user {user_id} and does not end; nothing was deleted, "
                "the user is not synced any more: run erase again"
            )
        sleep(0.5)
        waited += 0.5


def _require_no_job(services: Services, user_id: str) -> None:
    """A run that died may have left a job of Intercom's that is yet to make the contact."""
    link = services.store.links.users([user_id]).get(user_id)
    attempts = attempts_in(link.in_flight) if link else []
    left = max((a.at + JOB_LASTS - services.now() for a in attempts if a.bulk), default=0)
    if left > 0:
        raise AtWork(
            f"a bulk job that a run left behind may still be at work on user {user_id}; nothing "
            "was deleted, the user is not synced any more: run erase again in "
            f"{-(-left // 60)} minutes"
        )


@dataclass(slots=True)
class _Erasure:
    """`before`: what the tombstone knows. `begun_before`: a contact that an erasure which was cut
    short had begun to delete."""

    services: Services
    user_id: str
    client: IntercomClient
    before: Mapping[str, Json] = field(default_factory=dict)
    begun_before: Json = None
    left: str | None = None

    def __post_init__(self) -> None:
        known = self.services.store.tombstones.find([self.user_id])
        self.before = known[0].receipt if known else {}
        self.begun_before = self.before.get("deleting")

    def delete(self) -> None:
        """The contact that we know and the one that has the external id, mostly the same."""
        known = None if self.before.get("deleted") else text_of(self.before.get("contact_id"))
        for contact_id in dict.fromkeys([known, self._find()]):
            if contact_id is not None:
                self._note({"contact_id": contact_id, "deleting": contact_id})
                self._delete(contact_id)

    def _note(self, facts: Mapping[str, Json]) -> None:
        requests: list[Json] = [*self._earlier_requests(), *map(as_json, self._requests())]
        self.services.store.tombstones.add(self.user_id, {**facts, "requests": requests})
        self.before = {**self.before, **facts}

    def _delete(self, contact_id: str) -> None:
        try:
            self.client.delete_contact(contact_id)
        except Merged as merged:
            return self._delete_merged(merged)
        except NotFound:
            # A write to a merged contact may answer 404 as well; only the GET tells it apart.
            if merged_away := self._merged(contact_id):
                return self._delete_merged(merged_away)
            if contact_id != self.begun_before and not self._lost_an_answer():
                return None  # somebody else deleted it
        return self._note({"deleted": True, "deleted_at": self.services.now()})

    def _merged(self, contact_id: str) -> Merged | None:
        try:
            self.client.get_contact(contact_id)
        except Merged as merged:
            return merged
        except NotFound:
            return None
        return None

    def _lost_an_answer(self) -> bool:
        return any(call.method == "DELETE" and call.status is None for call in self.client.calls)

    def _delete_merged(self, merged: Merged) -> None:
        """What it was merged into is the person's too, unless it is another user's, or gone."""
        into = merged_into(self.client, merged)
        if into is None:
            return None
        if is_ours(into, self.user_id):
            self._note({"contact_id": into.id, "deleting": into.id})
            return self._delete(into.id)
        self.left = into.id
        return None

    def receipt(self) -> ErasureReceipt:
        contact_id = text_of(self.before.get("contact_id"))
        by_id = contact_id is None or self._is_404(contact_id)
        by_external_id = self._find() is None
        return ErasureReceipt(
            user_id=self.user_id,
            at=self.services.now(),
            contact_id=contact_id,
            deleted=self.before.get("deleted") is True,
            deleted_at=number_of(self.before.get("deleted_at")),
            by_id_is_404=by_id,
            by_external_id_is_404=by_external_id,
            requests=[*map(request_from, self._earlier_requests()), *self._requests()],
            left=self.left,
        )

    def _find(self) -> str | None:
        """By external id; a contact of another user, into which ours was merged, is left."""
        try:
            return self.client.find_contact(self.user_id).id
        except Merged as merged:
            into = merged_into(self.client, merged)
            if into is not None and is_ours(into, self.user_id):
                return into.id
            self.left = into.id if into else self.left
            return None
        except NotFound:
            return None

    def _is_404(self, contact_id: str) -> bool:
        try:
            self.client.get_contact(contact_id)
        except (NotFound, Merged):
            return True
        return False

    def _earlier_requests(self) -> list[Json]:
        earlier = self.before.get("requests")
        return (
            list(earlier) if isinstance(earlier, Sequence) and not isinstance(earlier, str) else []
        )

    def _requests(self) -> list[Request]:
        return [
            Request(f"{call.method} {call.path_template}", call.status, call.request_id)
            for call in self.client.calls
        ]
