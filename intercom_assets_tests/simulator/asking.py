"""A bare client of the simulator, and a clock that a test moves.

Sends what it is told, judges nothing; every answer goes to `seen`, where the official file's
schemas look at it. No retries, no pages, no rules of Intercom's here.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from intercom_assets.simulator.simulator import Simulator
from intercom_assets.simulator.wire import Answer

NOON = 1_750_075_200.0  # 2025-06-16 12:00:00 UTC, a Monday


@dataclass(slots=True)
class Clock:
    now: float = NOON

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call and its answer, of API version `version`."""

    method: str
    path: str
    version: str
    answer: Answer

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.answer.status}"


@dataclass(slots=True)
class Api:
    """`api.post("/contacts", {...})` answers an `Answer`; `expect` asserts status and error."""

    simulator: Simulator
    seen: Callable[[Exchange], None]
    version: str | None = "2.16"
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        headers = {
            "Authorization": "Bearer demo-token",
            "Accept": "application/json",
            "Content-Type": "application/json",
            **({"Intercom-Version": self.version} if self.version else {}),
            **self.headers,
        }
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        answer = self.simulator.handle(method, path, headers, raw)
        self.seen(Exchange(method, path, answer.headers.get("Intercom-Version", ""), answer))
        return answer

    def get(self, path: str) -> Answer:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None) -> Answer:
        return self.call("POST", path, body)

    def put(self, path: str, body: Any = None) -> Answer:
        return self.call("PUT", path, body)

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", path)

    # --- what most tests start from ---

    def user(self, external_id: str = "7", **fields: Any) -> Any:
        return ok(self.post("/contacts", {"external_id": external_id, **fields}))

    def lead(self, **fields: Any) -> Any:
        return ok(self.post("/contacts", {"role": "lead", **fields}))

    def company(self, company_id: str = "t1", **fields: Any) -> Any:
        return ok(self.post("/companies", {"company_id": company_id, "name": company_id, **fields}))

    def attribute(self, name: str, data_type: str = "string", model: str = "contact") -> Any:
        body: dict[str, Any] = {"name": name, "model": model, "data_type": data_type}
        if data_type == "options":
            body["options"] = [{"value": "red"}, {"value": "blue"}]
        return ok(self.post("/data_attributes", body))

    def attach(self, contact: Any, company: Any) -> Any:
        return ok(self.post(f"/contacts/{contact['id']}/companies", {"id": company["id"]}))

    def search(self, query: Any, **rest: Any) -> Any:
        return ok(self.post("/contacts/search", {"query": query, **rest}))


def ok(answer: Answer) -> Any:
    assert answer.status == 200, answer.body
    return answer.json()


def refusal(answer: Answer) -> tuple[int, str, str]:
    """(status, code, message) of an error.list with one error."""
    document = answer.json()
    assert document["type"] == "error.list"
    (error,) = document["errors"]
    return answer.status, error["code"], error["message"]


def status_and_code(answer: Answer) -> tuple[int, str]:
    return refusal(answer)[:2]


def ids(page: Any) -> list[str]:
    return [item["id"] for item in page["data"]]


def where(field_name: str, operator: Any, value: Any) -> dict[str, Any]:
    return {"field": field_name, "operator": operator, "value": value}


def any_of(*filters: dict[str, Any]) -> dict[str, Any]:
    return {"operator": "OR", "value": list(filters)}


def all_of(*filters: dict[str, Any]) -> dict[str, Any]:
    return {"operator": "AND", "value": list(filters)}
