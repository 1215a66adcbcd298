"""Support people at work in Intercom's own screens: names, phones, leads, archives, companies.

Belongs here: edits by hand through the simulator's control. A field of a contact is edited twice at
most: whoever writes over the app's value three times a day is another integration to the sync, and
its user is parked on purpose. Must not: what should become of an edit (`verdicts.py`).
"""

import time
from collections import Counter
from random import Random
from threading import Event
from typing import Any

import psycopg
import requests

from intercom_assets_tests.tools.chaos.app_driver import NAME
from intercom_assets_tests.tools.chaos.histories import Bystander
from intercom_assets_tests.tools.chaos.tally import Tally

MOST_EDITS = 2
POLL_INTERVAL_S = 5.0
"""Seconds between two looks at all contacts; the simulator has other things to do."""


class Operator:
    """`pause`: mean seconds between two edits."""

    def __init__(
        self, bystander: Bystander, app_url: str, seed: int, tally: Tally, pause: float
    ) -> None:
        self._side, self._url, self._tally = bystander, app_url, tally
        self._random, self._pause, self._made = Random(seed), pause, 0
        self._edited: Counter[tuple[str, str]] = Counter()
        self._known: list[dict[str, Any]] = []
        self._looked_at = float("-inf")

    def work_until(self, stop: Event) -> None:
        while not stop.wait(self._random.expovariate(1 / self._pause)):
            try:
                users = self._users()
                if users:
                    self._something(self._random.choice(users))
            except requests.HTTPError:
                continue  # merged, archived or gone meanwhile: nobody can edit it
            except psycopg.OperationalError:
                continue  # the app's database was just killed; see `_archived_last`
            except requests.RequestException as error:
                self._tally.broken(f"the simulator did not answer: {error}")

    def _users(self) -> list[dict[str, Any]]:
        if time.monotonic() > self._looked_at + POLL_INTERVAL_S:
            contacts = self._side.ask("contacts", state="live")
            self._known = [c for c in contacts if c["role"] == "user" and c["external_id"]]
            self._looked_at = time.monotonic()
        return self._known

    def _something(self, contact: dict[str, Any]) -> None:
        kinds = (
            (5, "name", self._name), (4, "phone", self._phone), (2, "lead", self._lead),
            (2, "merge", self._merge), (1, "archive", self._archive), (2, "company", self._company),
        )  # fmt: skip
        what, do = self._random.choices([k[1:] for k in kinds], [k[0] for k in kinds])[0]
        if self._edited[contact["id"], what] >= MOST_EDITS:
            return
        self._edited[contact["id"], what] += 1
        do(contact)
        self._tally.count(self._tally.edits, what)

    def _do(self, do: str, **printed: Any) -> Any:
        return self._side.tell("operator", {"do": do, **printed})["result"]

    def _name(self, contact: dict[str, Any]) -> None:
        self._do("edit_contact", contact=contact["id"], name=self._new("Operator"))

    def _phone(self, contact: dict[str, Any]) -> None:
        phone = f"+44{self._random.randint(2_000_000_000, 9_999_999_999)}"
        self._do("edit_contact", contact=contact["id"], phone=phone)

    def _lead(self, contact: dict[str, Any]) -> None:
        """Somebody writes in under a user's address before logging in."""
        if contact["email"]:
            self._do("create_contact", role="lead", email=contact["email"], name=self._new("Lead"))

    def _merge(self, contact: dict[str, Any]) -> None:
        lead = self._do("create_contact", role="lead", name=self._new("Merged"))
        self._do("merge_contacts", lead=lead, into=contact["id"])

    def _archive(self, contact: dict[str, Any]) -> None:
        """The user then does something in the app; without that, only an audit would notice."""
        self._do("archive_contact", contact=contact["id"])
        with psycopg.connect(self._url, application_name=NAME, connect_timeout=3) as connection:
            connection.execute(
                "update users set sessions_this_month = sessions_this_month + 1 where id = %s",
                (int(contact["external_id"]),),
            )

    def _company(self, contact: dict[str, Any]) -> None:
        company = self._new("hand").replace(" ", "-")
        self._do("create_company", company_id=company, name=company)
        self._do("attach_company", contact=contact["id"], company=company)

    def _new(self, what: str) -> str:
        self._made += 1
        return f"{what} by hand {self._made}"
