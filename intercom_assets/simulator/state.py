"""The committed world of the workspace: records, identities, memberships, and the way to commit.

Every change of a contact or company goes through `commit_*`, which keeps identities, members,
user counts and the index in step. Which changes are allowed is decided elsewhere; nothing here
refuses. Not thread-safe: the caller holds the lock.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from random import Random
from typing import Protocol

from intercom_assets.simulator.bulk_jobs import BulkJobs
from intercom_assets.simulator.extras import Extras
from intercom_assets.simulator.index import Index, contact_keys, no_keys
from intercom_assets.simulator.records import Admin, Attribute, Company, Contact, Scroll, Tag

WORKSPACE_ID = "sim1w0rk"
DEFAULT_ADMIN = Admin("991267459", "Ciara Lee", "admin@example.com")


class Watcher(Protocol):
    """Is told of each change, but not of what is said to have been there before."""

    def contact_changed(self, old: Contact | None, new: Contact) -> None: ...

    def company_changed(self, old: Company | None, new: Company) -> None: ...


class World:
    """`delay`: seconds by which the index lags; `workspace`: its id;
    `in_order`: whether that index hears of changes as they are made. Asked for at each look."""

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        delay: Callable[[], float] = lambda: 0.0,
        seed: int = 7,
        workspace: Callable[[], str] = lambda: WORKSPACE_ID,
        in_order: Callable[[], bool] = lambda: True,
    ) -> None:
        self.clock = clock
        self.delay = delay
        self._workspace = workspace
        self._in_order = in_order
        self.random = Random(seed)  # not for secrets: ids must be the same in every run
        self.created_at = int(clock())
        self.watcher: Watcher | None = None
        self.by_api: AbstractContextManager[None] = nullcontext()
        self._seq = 0
        self.clear()

    def clear(self) -> None:
        """An empty workspace. Ids go on counting, so none is ever used twice."""
        self.contacts: dict[str, Contact] = {}
        self.live_contacts = 0
        self.companies: dict[str, Company] = {}
        self.attributes: dict[int, Attribute] = {}
        self.tags: dict[str, Tag] = {}
        self.admins: dict[str, Admin] = {DEFAULT_ADMIN.id: DEFAULT_ADMIN}
        self.scroll: Scroll | None = None
        self.plans: dict[str, str] = {}
        self.members: dict[str, dict[str, None]] = {}
        self.company_by_key: dict[str, str] = {}
        self.being_made: dict[str, float] = {}
        self.external_leads: set[str] = set()
        self.extras = Extras()
        self.bulk = BulkJobs()
        self.with_external_id: dict[str, tuple[str, ...]] = {}
        self.with_email: dict[str, tuple[str, ...]] = {}
        self.attribute_types: dict[str, dict[str, Attribute]] = {"contact": {}, "company": {}}
        self._contact_index: Index[Contact] = Index(contact_keys)
        self._company_index: Index[Company] = Index(no_keys)

    @property
    def workspace_id(self) -> str:
        return self._workspace()

    @property
    def now(self) -> int:
        return int(self.clock())

    def catch_up(self) -> None:
        """Does the bulk tasks whose time has come, each as of then. Call it before a look."""
        while (task := self.bulk.next_due(self.clock())) is not None:
            with self._as_of(task.due_at), self.by_api:
                task.failed, task.done = task.work(), True

    @contextmanager
    def _as_of(self, moment: float) -> Iterator[None]:
        clock, self.clock = self.clock, lambda: moment
        try:
            yield
        finally:
            self.clock = clock

    # --- ids ---

    def next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def object_id(self, seq: int) -> str:
        """24 hex digits, as Intercom's: time first, then what makes it unique."""
        return f"{self.now & 0xFFFFFFFF:08x}51a70c{seq:010x}"

    def uuid(self) -> str:
        digits = f"{self.random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"

    # --- contacts ---

    def commit_contact(self, contact: Contact, lagging: bool = True) -> None:
        """`lagging=False`: as if it had been there for long, so lists show it at once."""
        old = self.contacts.get(contact.id)
        self.contacts[contact.id] = contact
        self.live_contacts += contact.live - (old is not None and old.live)
        self._note_identities(old, contact)
        self._note_members(old, contact)
        if lagging:
            heard_at, until = self._heard_at()
            self._contact_index.take(heard_at, until, contact, contact.live)
            if self.watcher is not None:
                self.watcher.contact_changed(old, contact)
        else:
            self._contact_index.put(contact, contact.live)

    def _heard_at(self) -> tuple[float, float]:
        """(when the index takes a change for made, up to when it has heard).

        Out of order, that is by up to its delay too early.
        """
        now, delay = self.clock(), self.delay()
        head_start = self.random.random() * delay if delay and not self._in_order() else 0.0
        return now - head_start, now - delay

    def _note_identities(self, old: Contact | None, new: Contact) -> None:
        if old is not None and old.external_id == new.external_id and old.email == new.email:
            return
        for holders, before, after in (
            (self.with_external_id, old.external_id if old else None, new.external_id),
            (self.with_email, _folded(old.email) if old else None, _folded(new.email)),
        ):
            if before == after:
                continue
            if before:
                holders[before] = tuple(i for i in holders[before] if i != new.id)
                if not holders[before]:
                    del holders[before]
            if after:
                holders[after] = (*holders.get(after, ()), new.id)

    def _note_members(self, old: Contact | None, new: Contact) -> None:
        before = old.companies if old is not None and old.live else ()
        after = new.companies if new.live else ()
        if before is after or before == after:
            return
        for company_id in set(before) | set(after):
            members = self.members.setdefault(company_id, {})
            if company_id in after:
                members[new.id] = None
            else:
                members.pop(new.id, None)
            company = self.companies[company_id]
            self.commit_company(replace(company, user_count=len(members)))

    def holders(self, external_id: str | None, email: str | None) -> Iterator[Contact]:
        """Contacts of any state that carry this external id or this e-mail (case aside)."""
        found: dict[str, None] = {}
        if external_id:
            found.update(dict.fromkeys(self.with_external_id.get(external_id, ())))
        if email:
            found.update(dict.fromkeys(self.with_email.get(email.lower(), ())))
        return (self.contacts[contact_id] for contact_id in found)

    def contact_index(self) -> Index[Contact]:
        self._contact_index.catch_up(self.clock() - self.delay())
        return self._contact_index

    # --- companies ---

    def commit_company(self, company: Company, lagging: bool = True) -> None:
        old = self.companies.get(company.id)
        self.companies[company.id] = company
        if company.deleted_at is None:
            self.company_by_key[company.company_id] = company.id
        elif self.company_by_key.get(company.company_id) == company.id:
            del self.company_by_key[company.company_id]
        visible = company.deleted_at is None and company.user_count > 0
        if lagging:
            heard_at, until = self._heard_at()
            self._company_index.take(heard_at, until, company, visible)
            if self.watcher is not None:
                self.watcher.company_changed(old, company)
        else:
            self._company_index.put(company, visible)

    def company_index(self, lags: bool) -> Index[Company]:
        self._company_index.catch_up(self.clock() - (self.delay() if lags else 0))
        return self._company_index

    # --- attributes ---

    def commit_attribute(self, attribute: Attribute) -> None:
        self.attributes[attribute.id] = attribute
        known = self.attribute_types[attribute.model]
        if attribute.archived and known.get(attribute.name, attribute).id == attribute.id:
            known.pop(attribute.name, None)
        elif not attribute.archived:
            known[attribute.name] = attribute


def _folded(email: str | None) -> str | None:
    return email.lower() if email else None
