"""Notifications into our own tables: as many as are waiting in one transaction, then all answers.

One batch at a time, so that what waits meanwhile becomes the next one: the busier, the larger. A
notification is answered after the commit that holds it, and never before.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import Enum, auto

from intercom_assets.database.store.connection import StoreNotReady, StoreUnavailable
from intercom_assets.database.store.inbound import TakenNotifications
from intercom_assets.database.store.store import Store
from intercom_assets.domain.models import Contact
from intercom_assets.domain.vocabulary import InboundCount
from intercom_assets.inbound.notices import Notice
from intercom_assets.inbound.topics import PING, TOPICS, Remembered, Woken
from intercom_assets.sync.context.compared_fields import ComparedFields, read_compared_fields
from intercom_assets.sync.context.workspace import known_workspace
from intercom_assets.sync.feeders.wakes import by_email, found_for, who_searched
from intercom_assets.sync.passes.leads import shown

BATCH = 500
ANSWER_WITHIN_S = 3.0
"""Intercom gives up after five."""
KNOWN_FOR_S = 5.0
LATE_AFTER_S = 60
PRUNE_EVERY_S = 600.0


class NoticeVerdict(Enum):
    """What became of a notification: it is taken, or was of another workspace."""

    TAKEN = auto()
    OTHER_WORKSPACE = auto()


@dataclass(frozen=True, slots=True)
class _Waiting:
    notice: Notice
    verdict: "asyncio.Future[NoticeVerdict]"


class Intake:
    """Takes notifications; belongs to the event loop that it is first used in."""

    def __init__(self, store: Store, workers: Executor) -> None:
        self._workers = workers
        self._desk = _Desk(store)
        self.waiting: list[_Waiting] = []
        self._working: asyncio.Task[None] | None = None

    async def take(self, notice: Notice) -> NoticeVerdict:
        """Once it is durable. Raises `StoreUnavailable` and `StoreNotReady`."""
        verdict = asyncio.get_running_loop().create_future()
        self.waiting.append(_Waiting(notice, verdict))
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        try:
            return await asyncio.wait_for(verdict, ANSWER_WITHIN_S)
        except TimeoutError:
            raise StoreUnavailable("the sync's own database did not answer in time") from None

    async def _work(self) -> None:
        try:
            while self.waiting:
                batch, self.waiting = self.waiting[:BATCH], self.waiting[BATCH:]
                await self._take(batch)
        finally:
            self._working = None

    async def _take(self, batch: Sequence[_Waiting]) -> None:
        """One that cannot be taken for a fault of ours must not take others with it."""
        notices = [item.notice for item in batch]
        loop = asyncio.get_running_loop()
        try:
            verdicts = await loop.run_in_executor(self._workers, self._desk.take, notices)
        except (StoreUnavailable, StoreNotReady) as error:
            _fail(batch, error)
        except Exception as error:
            if len(batch) == 1:
                _fail(batch, error)
            else:
                for item in batch:
                    await self._take([item])
        else:
            _answer(batch, verdicts)


def _answer(batch: Sequence[_Waiting], verdicts: Sequence[NoticeVerdict]) -> None:
    for item, verdict in zip(batch, verdicts, strict=True):
        if not item.verdict.done():
            item.verdict.set_result(verdict)


def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
    for item in batch:
        if not item.verdict.done():
            item.verdict.set_exception(error)


class _Desk:
    """The work of one batch, in a thread: compare, and write down whom it wakes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fields = ComparedFields()
        self._workspace: str | None = None
        self._known_until = self._prune_at = 0.0

    def take(self, notices: Sequence[Notice]) -> list[NoticeVerdict]:
        self._keep_up()
        verdicts = [self._verdict(notice) for notice in notices]
        ours = [n for n, v in zip(notices, verdicts, strict=True) if v is NoticeVerdict.TAKEN]
        counts = Counter({InboundCount.RECEIVED: len(ours)})
        counts[InboundCount.OTHER_WORKSPACE] = len(notices) - len(ours)
        new = self._new(ours)
        counts[InboundCount.DUPLICATE] = len(ours) - len(new)
        about = [notice for notice in new if notice.topic in TOPICS]
        known = remember(self._store, self._fields, about)
        woken = [TOPICS[notice.topic](notice, known) for notice in about]
        counts += _counted(new, woken)
        self._store.inbound.take(
            TakenNotifications(
                ids=[notice.id for notice in new],
                users={*_users(woken), *self._who_searched(woken)},
                teams={team for item in woken for team in item.teams},
                sync_now=[item.sync_now for item in woken if item.sync_now],
                counts=counts,
                seen=bool(about),
            )
        )
        return verdicts

    def _verdict(self, notice: Notice) -> NoticeVerdict:
        """Of a workspace that nobody has asked for yet, the secret alone is the proof."""
        if self._workspace is None or notice.app_id in (None, self._workspace):
            return NoticeVerdict.TAKEN
        return NoticeVerdict.OTHER_WORKSPACE

    def _new(self, notices: Sequence[Notice]) -> list[Notice]:
        by_id = {notice.id: notice for notice in notices}
        known = self._store.inbound.known(list(by_id)) if by_id else frozenset()
        return [notice for key, notice in by_id.items() if key not in known]

    def _who_searched(self, woken: Iterable[Woken]) -> set[str]:
        leads: list[Contact] = [lead for item in woken for lead in item.leads]
        return who_searched(self._store, by_email(leads, {lead.id: shown(lead) for lead in leads}))

    def _keep_up(self) -> None:
        now = time.monotonic()
        if now >= self._known_until:
            self._fields = read_compared_fields(self._store)
            self._workspace = known_workspace(self._store)
            self._known_until = now + KNOWN_FOR_S
        if now >= self._prune_at:
            self._store.inbound.prune()
            self._prune_at = now + PRUNE_EVERY_S


def remember(store: Store, fields: ComparedFields, notices: Sequence[Notice]) -> Remembered:
    """What is known of everybody whom the notices are about, in a few statements."""
    contacts = [notice.contact.contact for notice in notices if notice.contact]
    companies = [notice.company.company for notice in notices if notice.company]
    merged = [notice.merged_from for notice in notices if notice.merged_from]
    owners = store.links.by_contact(sorted({*(c.id for c in contacts), *merged}))
    found = found_for(store, [c for c in contacts if c.role == "user" and c.id not in owners])
    given = {c.external_id for c in contacts if c.external_id}
    owning = store.links.by_company([company.id for company in companies])
    named = {company.company_id for company in companies if company.company_id}
    return Remembered(
        fields,
        owners,
        found,
        store.links.users(sorted({*owners.values(), *given})),
        owning,
        store.links.teams(sorted({*owning.values(), *named})),
    )


def _users(woken: Iterable[Woken]) -> set[str]:
    return {user for item in woken for user in item.users}


def _counted(new: Sequence[Notice], woken: Sequence[Woken]) -> "Counter[InboundCount]":
    now = time.time()
    late = sum(1 for n in new if n.created_at is not None and now - n.created_at > LATE_AFTER_S)
    unknown = sum(1 for notice in new if notice.topic not in TOPICS and notice.topic != PING)
    return Counter(
        {
            InboundCount.LATE: late,
            InboundCount.UNKNOWN: unknown,
            InboundCount.ECHO: sum(1 for item in woken if not item),
        }
    )
