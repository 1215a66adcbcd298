"""What a probe makes in Intercom, and that it goes again whatever happens.

Names are noted in our own tables before the first thing is made: if this process is killed, the
next probe deletes what is left. Must not: measure anything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from intercom_assets.database.store.store import Store
from intercom_assets.domain.errors import OperatorError
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.intercom import endpoints
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, NotFound

PREFIX = "intercom-assets-probe"
CONTACTS = 2
NAME = "O'Probe & Co"
"""Of both contacts; HTML escapes two of its characters."""


class ThingsLeft(OperatorError):
    """Something that a probe made is still there. One sentence that names it."""


@dataclass(frozen=True, slots=True)
class Names:
    """`contacts`: external ids. `company`: a company_id. New for each probe: deleted ones block."""

    contacts: tuple[str, ...]
    company: str


def new_names() -> Names:
    stem = f"{PREFIX}-{uuid4().hex[:12]}"
    return Names(tuple(f"{stem}-{n + 1}" for n in range(CONTACTS)), f"{stem}-company")


def email_of(external_id: str) -> str:
    """An address that belongs to nobody."""
    return f"{external_id}@example.com"


class Throwaway:
    """Things of one probe. `job_under_way`: one that may still make something: it is not over."""

    def __init__(self, store: Store, client: IntercomClient, names: Names) -> None:
        self._store, self._client = store, client
        self.names = names
        self.job_under_way = False

    def note(self) -> None:
        """Before anything is made."""
        kept = {"contacts": list(self.names.contacts), "company": self.names.company}
        self._store.state.put(StateKey.PROBE_LEFT, kept)

    def create(self, number: int, email: str) -> str:
        """The contact's id in Intercom. Raises `Conflict` where the e-mail is taken."""
        body = {"external_id": self.names.contacts[number], "email": email, "name": NAME}
        return str(self._client.ask_raw(endpoints.CREATE_CONTACT, body=body)["id"])

    def delete(self) -> None:
        """All that is there. Raises `ThingsLeft` where one would not go."""
        failures = [
            failure
            for name, work in (
                *((f"contact {name}", self._deletion_of(name)) for name in self.names.contacts),
                (f"company {self.names.company}", self._delete_company),
            )
            if (failure := _attempted(name, work)) is not None
        ]
        if failures:
            raise ThingsLeft(
                f"The probe could not delete what it made: {'; '.join(failures)}; run check "
                "--probe again, which deletes it first, or delete it in Intercom."
            )
        if not self.job_under_way:
            self._store.state.delete(StateKey.PROBE_LEFT)

    def _deletion_of(self, external_id: str) -> Callable[[], None]:
        def work() -> None:
            contact = self._client.ask_raw(endpoints.FIND_CONTACT, external_id)
            self._client.delete_contact(str(contact["id"]))

        return work

    def _delete_company(self) -> None:
        company = find_company(self._client, self.names.company)
        if company is not None:
            self._client.ask_raw(endpoints.DELETE_COMPANY, company)


def _attempted(name: str, work: Callable[[], None]) -> str | None:
    """Why it is still there; None if it is gone."""
    try:
        work()
    except NotFound:
        return None
    except IntercomError as error:
        return f"{name} ({error})"
    return None


def find_company(client: IntercomClient, company_id: str) -> str | None:
    """Its id in Intercom; None if there is none."""
    params = {"company_id": company_id}
    try:
        return str(client.ask_raw(endpoints.FIND_COMPANY, params=params)["id"])
    except NotFound:
        return None


def left_by_a_killed_probe(store: Store) -> Names | None:
    kept: Any = store.state.get(StateKey.PROBE_LEFT)
    match kept:
        case {"contacts": [*contacts], "company": str(company)}:
            return Names(tuple(str(name) for name in contacts), company)
    return None
