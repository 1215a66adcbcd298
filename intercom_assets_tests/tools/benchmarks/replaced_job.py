"""The calls of the job that this project replaces, one user at a time, in the words of API 2.16.

Find, create with e-mail and id only, save everything; for users under 24 h old a search for a lead;
find and save each team that the user owns. A connection for each call, and a 429 is slept out at
most three times, as its client library did. It attaches no companies: API 1.x took them in the
save, 2.16 wants a call for each, so its figures are lower than what it would need today.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from intercom_assets_tests.tools.benchmarks.people import HEADERS, Person, Team

RETRIES = 3


class RateLimitExceeded(Exception):
    """A call was refused as often as the library tried."""


class ReplacedJob:
    def __init__(self, url: str) -> None:
        self._url = url

    def run(self, people: Sequence[Person], workers: int) -> int:
        """How many users failed."""
        with ThreadPoolExecutor(workers) as threads:
            return sum(not done for done in threads.map(self._survives, people))

    def _survives(self, person: Person) -> bool:
        try:
            self._sync(person)
        except (RateLimitExceeded, requests.RequestException):
            return False
        return True

    def _sync(self, person: Person) -> None:
        contact = self._find(person) or self._create(person)
        self._ask("PUT", f"/contacts/{contact}", person.contact)
        if person.is_new:
            self._ask("POST", "/contacts/search", _leads_of(person))
        for team in person.owned:
            self._save_team(team)

    def _find(self, person: Person) -> str | None:
        found = self._ask("GET", f"/contacts/find_by_external_id/{person.id}", may_be_missing=True)
        return None if found is None else str(found["id"])

    def _create(self, person: Person) -> str:
        made = self._ask("POST", "/contacts", {"external_id": person.id, "email": person.email})
        assert made is not None
        return str(made["id"])

    def _save_team(self, team: Team) -> None:
        self._ask("GET", f"/companies?company_id={team.id}", may_be_missing=True)
        self._ask("POST", "/companies", {"company_id": team.id, "name": team.domain})

    def _ask(
        self, method: str, path: str, body: object = None, *, may_be_missing: bool = False
    ) -> dict[str, Any] | None:
        for _ in range(1 + RETRIES):
            answer = requests.request(
                method, f"{self._url}{path}", json=body, headers=HEADERS, timeout=30
            )
            if answer.status_code == 429:
                reset = float(answer.headers["X-RateLimit-Reset"])
                time.sleep(max(0.0, reset - time.time()))
                continue
            if may_be_missing and answer.status_code == 404:
                return None
            answer.raise_for_status()
            document: dict[str, Any] = answer.json()
            return document
        raise RateLimitExceeded(path)


def _leads_of(person: Person) -> dict[str, object]:
    wanted = [("role", "lead"), ("email", person.email)]
    filters = [{"field": name, "operator": "=", "value": value} for name, value in wanted]
    return {"query": {"operator": "AND", "value": filters}}
