"""What an operator does in Intercom's own screens: edits that no API call of ours made.

They move `updated_at` and reach lists only after the index delay, like any write, but are not
counted. A contact is named by Intercom's id or by its external id, a company by either id too.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from intercom_assets.simulator.companies import delete_company
from intercom_assets.simulator.errors import Refused
from intercom_assets.simulator.lifecycle import (
    archive_contact,
    block_contact,
    delete_contact,
    unarchive_contact,
)
from intercom_assets.simulator.memberships import attach_company, detach_company
from intercom_assets.simulator.merging import merge_contacts
from intercom_assets.simulator.planting import Planting
from intercom_assets.simulator.records import Attribute, Company, Contact, Tag
from intercom_assets.simulator.seeding import (
    changed_contact,
    check,
    make_attribute,
    make_company,
    plant,
)
from intercom_assets.simulator.settings import Settings
from intercom_assets.simulator.state import World
from intercom_assets.simulator.tags import create_tag
from intercom_assets.simulator.wire import Call, Reply


class NotThere(LookupError):
    """No such contact, company or attribute; one sentence."""


class ByHand(Planting):
    def __init__(
        self, world: World, settings: Settings, lock: AbstractContextManager[object]
    ) -> None:
        self._world = world
        self._settings = settings
        self._lock = lock

    # --- contacts ---

    def create_contact(self, **fields: Any) -> str:
        """Intercom's id of a contact that somebody adds now (a lead writes in, say)."""
        with self._lock:
            check(self._world, fields)
            return plant(self._world, fields, lagging=True)

    def edit_contact(self, contact: str, **changes: Any) -> None:
        """Any field of a seed but id, state and companies; `custom_attributes` are merged."""
        with self._lock:
            check(self._world, changes)
            changed = changed_contact(self._contact(contact), changes)
            if "updated_at" not in changes:
                changed = changed._replace(updated_at=self._world.now)
            self._world.commit_contact(changed)

    def archive_contact(self, contact: str) -> None:
        self._run(archive_contact, self._contact(contact).id)

    def unarchive_contact(self, contact: str) -> None:
        self._run(unarchive_contact, self._contact(contact).id)

    def delete_contact(self, contact: str) -> None:
        self._run(delete_contact, self._contact(contact).id)

    def block_contact(self, contact: str) -> None:
        self._run(block_contact, self._contact(contact).id)

    def merge_contacts(self, lead: str, into: str) -> None:
        ids = {"from": self._contact(lead).id, "into": self._contact(into).id}
        self._run(merge_contacts, body={**ids, "skip_duplicate_validation": True})

    def mark_external(self, lead: str) -> None:
        """It wrote by WhatsApp or the like: such leads cannot be merged by the API (422)."""
        with self._lock:
            self._world.external_leads.add(self._contact(lead).id)

    def tag_contact(self, contact: str, tag: str) -> None:
        """By the tag's name; one that does not exist is made."""
        with self._lock:
            self._run(create_tag, body={"name": tag, "users": [{"id": self._contact(contact).id}]})

    def untag_contact(self, contact: str, tag: str) -> None:
        with self._lock:
            user = {"id": self._contact(contact).id, "untag": True}
            self._run(create_tag, body={"name": tag, "users": [user]})

    def rename_tag(self, tag: str, name: str) -> None:
        self._run(create_tag, body={"id": self._tag(tag).id, "name": name})

    def delete_tag(self, tag: str) -> None:
        """With all that carries it, as Intercom's screens do once that was confirmed."""
        with self._lock:
            found = self._tag(tag)
            for contact in list(self._world.contacts.values()):
                if found.id in contact.tags and contact.live:
                    self.untag_contact(contact.id, tag)
            for company in list(self._world.companies.values()):
                if found.id in company.tags and company.deleted_at is None:
                    self.untag_company(company.id, tag)
            del self._world.tags[found.id]

    # --- companies ---

    def create_company(self, company_id: str, name: str | None = None) -> str:
        """Intercom's id."""
        with self._lock:
            return make_company(self._world, company_id, name, lagging=True)

    def edit_company(self, company: str, **changes: Any) -> None:
        with self._lock:
            found = self._company(company)
            custom = {**found.custom, **changes.pop("custom_attributes", {})}
            changes.setdefault("updated_at", self._world.now)
            self._world.commit_company(replace(found, custom=custom, **changes))

    def delete_company(self, company: str) -> None:
        self._run(delete_company, self._company(company).id)

    def attach_company(self, contact: str, company: str) -> None:
        body = {"id": self._company(company).id}
        self._run(attach_company, self._contact(contact).id, body=body)

    def detach_company(self, contact: str, company: str) -> None:
        self._run(detach_company, self._contact(contact).id, self._company(company).id)

    def tag_company(self, company: str, tag: str) -> None:
        """By the tag's name; one that does not exist is made."""
        self._tag_company(company, tag)

    def untag_company(self, company: str, tag: str) -> None:
        self._tag_company(company, tag, untag=True)

    def _tag_company(self, company: str, tag: str, **untag: bool) -> None:
        with self._lock:
            item = {"id": self._company(company).id, **untag}
            self._run(create_tag, body={"name": tag, "companies": [item]})

    # --- attributes ---

    def create_attribute(self, name: str, model: str = "contact", data_type: str = "string") -> int:
        with self._lock:
            return make_attribute(self._world, name, model, data_type, self._world.now).id

    def archive_attribute(self, name: str, model: str = "contact") -> None:
        """Intercom's screens cannot delete an attribute either: archiving is all there is."""
        self._change_attribute(name, model, archived=True)

    def depend_on_attribute(self, name: str, model: str = "contact") -> None:
        """Something in the workspace uses it from now on, so it cannot be archived."""
        self._change_attribute(name, model, depended_on=True)

    def _change_attribute(self, name: str, model: str, **changes: Any) -> None:
        with self._lock:
            attribute = self._attribute(name, model)
            self._world.commit_attribute(replace(attribute, updated_at=self._world.now, **changes))

    # --- finding ---

    def _run(self, operation: Callable[[Call], Reply], *ids: str, body: Any = None) -> None:
        """The API's own rules, without its gate and its counts."""
        with self._lock:
            try:
                operation(Call(self._world, self._settings, (2, 16), ids, {}, body or {}))
            except Refused as refused:
                raise NotThere(refused.message) from refused

    def _contact(self, name: str) -> Contact:
        with self._lock:
            if name in self._world.contacts:
                return self._world.contacts[name]
            found = sorted(self._world.holders(name, None), key=lambda contact: not contact.live)
            if not found:
                raise NotThere(f"there is no contact {name!r}")
            return found[0]

    def _company(self, name: str) -> Company:
        with self._lock:
            company = self._world.companies.get(self._world.company_by_key.get(name, name))
            if company is None:
                raise NotThere(f"there is no company {name!r}")
            return company

    def _tag(self, name: str) -> Tag:
        with self._lock:
            for tag in self._world.tags.values():
                if tag.name.lower() == name.lower():
                    return tag
            raise NotThere(f"there is no tag {name!r}")

    def _attribute(self, name: str, model: str) -> Attribute:
        attribute = self._world.attribute_types.get(model, {}).get(name)
        if attribute is None:
            raise NotThere(f"there is no attribute {name!r} of {model}")
        return attribute
