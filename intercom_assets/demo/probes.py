"""The two sides as a bystander sees and touches them, and what Dagster wrote down about itself.

Belongs here: plain SQL on the app's database, plain HTTP to the simulator, plain SQL on Dagster's
tables. None of it goes through the sync's own code, so the story cannot share a mistake with it.
What the simulator is asked here goes to its control endpoints, which count as no call.
Must not: what is expected (`story.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
import requests
from psycopg.rows import dict_row

Document = dict[str, Any]
SECONDS = 10


class AppSide:
    """The app's database, as the app itself uses it. Each method is one committed transaction."""

    def __init__(self, url: str) -> None:
        self._url = url

    def do(self, statement: LiteralString, *values: object) -> None:
        with psycopg.connect(self._url) as connection:
            connection.execute(statement, values)

    def rows(self, query: LiteralString, *values: object) -> list[Document]:
        with psycopg.connect(self._url, row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()

    def fingerprint(self) -> str:
        """Changes with any value of any row of the three tables."""
        [row] = self.rows(
            "select md5(string_agg(line, '\n' order by line)) as digest from ("
            " select 'user ' || users::text from users"
            " union all select 'team ' || teams::text from teams"
            " union all select 'edge ' || memberships::text from memberships) lines (line)"
        )
        return str(row["digest"])

    def queued(self) -> int:
        """What the sync has to do now or within a minute; it keeps that beside the app's tables."""
        [row] = self.rows(
            "select count(*) from intercom_sync.queue where due_at < now() + interval '1 minute'"
        )
        return int(row["count"])


class IntercomSide:
    """The simulator at `url`, as an operator's screens show it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def contact(self, **named: str) -> Document | None:
        """By `id` or `external_id`, in whatever state it is."""
        found: Document | None = self._get("contacts", **named)
        return found

    def contacts(self, state: str = "live") -> list[Document]:
        found: list[Document] = self._get("contacts", state=state)
        return found

    def companies(self) -> list[Document]:
        found: list[Document] = self._get("companies")
        return found

    def calls(self) -> list[Document]:
        """The last hundred, newest first: `at`, `method`, `path`, `status`, `about`."""
        found: list[Document] = self._get("calls")
        return found

    def calls_by_endpoint(self) -> dict[str, int]:
        counts: dict[str, int] = self._get("stats")["calls_by_endpoint"]
        return counts

    def webhooks(self) -> Document:
        """How many were sent, and the last hundred: `at`, `topic`, `about`, `status`."""
        sent: Document = self._get("webhooks")
        return sent

    def operate(self, do: str, **arguments: Any) -> Any:
        """What somebody does in Intercom's own screens."""
        return self.control("operator", do=do, **arguments)["result"]

    def control(self, what: str, **values: Any) -> Document:
        """What whoever runs the simulator tells it."""
        url = f"{self._url}/_simulator/{what}"
        answer = self._session.post(url, json=values, timeout=SECONDS)
        answer.raise_for_status()
        told: Document = answer.json()
        return told

    def _get(self, what: str, **query: str) -> Any:
        answer = self._session.get(f"{self._url}/_simulator/{what}", params=query, timeout=SECONDS)
        answer.raise_for_status()
        return answer.json()


class DagsterSide:
    """Dagster's own tables, read only: which sensors ticked, which runs are under way."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ticks_since(self, at: float) -> dict[str, int]:
        """Sensor -> ticks that began at or after `at` (Unix seconds) and have ended well."""
        return dict(
            self._rows(
                "select tick_body::json ->> 'job_name', count(*) from job_ticks"
                " where type = 'SENSOR' and status in ('SKIPPED', 'SUCCESS')"
                " and (tick_body::json ->> 'timestamp')::float8 >= %s group by 1",
                at,
            )
        )

    def ticking(self) -> set[str]:
        """The sensors that have begun a tick."""
        return {
            name
            for (name,) in self._rows(
                "select distinct tick_body::json ->> 'job_name' from job_ticks"
                " where type = 'SENSOR'"
            )
        }

    def runs_under_way(self) -> int:
        [(count,)] = self._rows(
            "select count(*) from runs where status not in ('SUCCESS', 'FAILURE', 'CANCELED')"
        )
        return int(count)

    def _rows(self, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._url) as connection:
            return connection.execute(query, values).fetchall()


@dataclass(frozen=True, slots=True)
class Sides:
    app: AppSide
    intercom: IntercomSide
    dagster: DagsterSide


def without(counts: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    """`counts` less those of `before`; what did not grow is left out."""
    grown = {name: count - before.get(name, 0) for name, count in counts.items()}
    return {name: count for name, count in grown.items() if count}


def company_keys(contact: Document | None, companies: Sequence[Document]) -> list[str]:
    """The app's team ids of a contact's companies, in order."""
    known = {company["id"]: company["company_id"] for company in companies}
    held = contact["company_ids"] if contact else []
    return sorted(known[item] for item in held)
