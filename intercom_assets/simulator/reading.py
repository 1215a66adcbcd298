"""How a test or the page looks at the committed world: plain documents, current, uncounted.

Besides Intercom's own keys each contact carries `state`, `merged_into` and all `company_ids`.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

from intercom_assets.simulator.company_documents import company_document
from intercom_assets.simulator.documents import Document, attribute_document, contact_document
from intercom_assets.simulator.records import Company, Contact
from intercom_assets.simulator.settings import Settings
from intercom_assets.simulator.state import World

NEWEST = (2, 16)
PERSON = (
    "id",
    "external_id",
    "role",
    "state",
    "name",
    "email",
    "phone",
    "location",
    "custom_attributes",
)


class Reading:
    world: World
    settings: Settings
    lock: AbstractContextManager[object]

    def contact(
        self, id: str | None = None, external_id: str | None = None, email: str | None = None
    ) -> Document | None:
        """The contact, a live one before one that is gone; None if there is none."""
        with self.lock:
            self.world.catch_up()
            found = list(self._holders(id, external_id, email))
            found.sort(key=lambda contact: not contact.live)
            return self._contact_document(found[0]) if found else None

    def _holders(
        self, id: str | None, external_id: str | None, email: str | None
    ) -> Iterator[Contact]:
        if id is not None:
            return iter([self.world.contacts[id]] if id in self.world.contacts else [])
        return self.world.holders(external_id, email)

    def contacts(self, state: str | None = "live") -> list[Document]:
        """By creation. `state` None: also archived, deleted, blocked and merged ones."""
        with self.lock:
            self.world.catch_up()
            return [
                self._contact_document(contact)
                for contact in self.world.contacts.values()
                if state is None or contact.state == state
            ]

    def _contact_document(self, contact: Contact) -> Document:
        document = contact_document(contact, self.world.workspace_id, NEWEST)
        document["state"] = str(contact.state)
        document["merged_into"] = contact.merged_into
        document["company_ids"] = list(contact.companies)
        return document

    def company(self, company_id: str | None = None, id: str | None = None) -> Document | None:
        with self.lock:
            self.world.catch_up()
            known = id if id is not None else self.world.company_by_key.get(company_id or "")
            company = self.world.companies.get(known or "")
            return self._company_document(company) if company is not None else None

    def companies(self, deleted: bool = False) -> list[Document]:
        with self.lock:
            self.world.catch_up()
            return [
                self._company_document(company)
                for company in self.world.companies.values()
                if deleted or company.deleted_at is None
            ]

    def _company_document(self, company: Company) -> Document:
        document = company_document(company, self.world, NEWEST, self.settings)
        document["deleted"] = company.deleted_at is not None
        return document

    def company_keys(self, **contact: Any) -> set[str]:
        """The `company_id`s of this contact's companies; the contact as in `contact`."""
        with self.lock:
            self.world.catch_up()
            document = self.contact(**contact)
            ids = document["company_ids"] if document is not None else []
            return {self.world.companies[company_id].company_id for company_id in ids}

    def attributes(self, model: str | None = None) -> list[Document]:
        """Custom attributes, archived ones too."""
        with self.lock:
            self.world.catch_up()
            return [
                attribute_document(attribute)
                for attribute in self.world.attributes.values()
                if model in (None, attribute.model)
            ]

    def look_up(self, search: str, most: int) -> list[Document]:
        """What the page shows: the newest contacts, or those found: by id,
        external id or e-mail, or as people of the company that has this id."""
        with self.lock:
            self.world.catch_up()
            if search.strip():
                found = self._search(search.strip(), most)
            else:
                found = list(islice(reversed(self.world.contacts.values()), most))
            return [self._person(contact) for contact in found]

    def _search(self, search: str, most: int) -> list[Contact]:
        exact = [*self._holders(search, None, None), *self.world.holders(search, search)]
        exact += [self.world.contacts[item] for item in self.world.members.get(search, ())]
        if exact:
            return exact[:most]
        part = search.lower()
        parts = (c for c in self.world.contacts.values() if part in (c.email or "").lower())
        return list(islice(parts, most))

    def _person(self, contact: Contact) -> Document:
        document = self._contact_document(contact)
        companies = [self.world.companies[company_id] for company_id in contact.companies]
        return {
            **{key: document[key] for key in PERSON},
            "company_names": [company.name or company.company_id for company in companies],
        }
