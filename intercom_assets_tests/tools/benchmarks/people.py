"""Users of the sample app as programs that are not ours read them: whole rows, with owned teams.

Belongs here: reading them, and the contact and company that any of these programs would send.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import requests
from psycopg.rows import dict_row

from intercom_assets_tests.tools.benchmarks.simulated import TOKEN, Simulated

HEADERS = {"Authorization": f"Bearer {TOKEN}", "Intercom-Version": "2.16"}
ATTRIBUTES = {
    "subscription_plan": "string", "monthly_usage": "integer", "deleted": "boolean",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Team:
    id: str
    domain: str


@dataclass(frozen=True, slots=True)
class Person:
    """`owned`: the teams whose owner this is. `contact`: Intercom's fields, times in Unix s."""

    id: str
    email: str
    created_at: datetime
    contact: dict[str, Any]
    owned: Sequence[Team]

    @property
    def is_new(self) -> bool:
        return datetime.now(UTC) - self.created_at < timedelta(hours=24)


def read_people(url: str, at_most: int) -> list[Person]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        teams = connection.execute("select id, domain, owner_id from teams").fetchall()
        users = connection.execute("select * from users order by id limit %s", [at_most])
        return [_person(user, [t for t in teams if t["owner_id"] == user["id"]]) for user in users]


def declare_attributes(simulator: Simulated) -> None:
    """API 2.16 refuses what was not declared; none of these programs does it."""
    for name, data_type in ATTRIBUTES.items():
        body = {"model": "contact", "name": name, "data_type": data_type}
        url = f"{simulator.url}/data_attributes"
        requests.post(url, json=body, headers=HEADERS, timeout=30).raise_for_status()


def _person(user: dict[str, Any], teams: Sequence[dict[str, Any]]) -> Person:
    contact = {
        "external_id": str(user["id"]),
        "email": user["email"],
        "name": user["name"],
        "phone": user["phone_number"],
        "signed_up_at": int(user["created_at"].timestamp()),
        "last_seen_at": int(user["last_request_at"].timestamp()),
        "custom_attributes": {
            "subscription_plan": user["plan"],
            "monthly_usage": user["sessions_this_month"],
            "deleted": False,
        },
    }
    owned = [Team(str(team["id"]), team["domain"]) for team in teams]
    return Person(str(user["id"]), user["email"], user["created_at"], contact, owned)
