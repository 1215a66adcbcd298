"""The official file's schemas, read once a run, and the departures where recordings contradict it.

`Schemas.check` says whether an answer is what the file promises for that operation and status.
The file's path comes from INTERCOM_OPENAPI; it is Intercom's and not ours to ship.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from intercom_assets.simulator.routes import BULK, ROUTES, Route, find_route
from intercom_assets.simulator.wire import split_path
from intercom_assets_tests.simulator.asking import Exchange

STABLE = tuple(route for route in ROUTES if route.since < BULK)
"""What the file of 2.16 draws; the others are Preview's."""
PREVIEW = tuple(route for route in ROUTES if route.since >= BULK)
ROOT = "#/components/schemas/"
CONTACT = ("components", "schemas", "contact", "properties")
JSON_OF_200 = ("responses", "200", "content", "application/json", "schema")


@dataclass(frozen=True, slots=True)
class Departure:
    """`at`: the place in the file; `instead`: the schema of what is known to be sent."""

    at: tuple[str, ...]
    instead: Any
    why: str


DEPARTURES = (
    Departure(
        (*CONTACT, "email"),
        {"type": "string", "nullable": True},
        "recorded null: never set, or cleared and read from the index",
    ),
    Departure(
        (*CONTACT, "avatar"),
        {"type": "string", "nullable": True},
        "recorded as a URL or null, never as the object that the schema draws",
    ),
    Departure(
        ("components", "schemas", "company", "properties", "custom_attributes"),
        {"type": "object"},
        "the file's own example has booleans and numbers where the schema wants strings",
    ),
    Departure(
        ("components", "schemas", "company", "properties", "notes"),
        {
            "type": "object",
            "required": ["type", "data", "url", "total_count", "has_more"],
            "properties": {
                "type": {"enum": ["list"]},
                "data": {"type": "array"},
                "url": {"type": "string"},
                "total_count": {"type": "integer"},
                "has_more": {"type": "boolean"},
            },
        },
        "recorded as a list object, as in contacts",
    ),
    Departure(
        ("components", "schemas", "data_event_summary", "properties", "type"),
        {"enum": ["event.summary", "event.list"]},
        "without summary=true a list of events: documented up to 2.6, and read by the Ruby client",
    ),
    Departure(
        ("components", "schemas", "data_event_summary", "properties", "email"),
        {"type": "string", "nullable": True},
        "a contact may have none",
    ),
    Departure(
        ("components", "schemas", "company_list", "properties", "pages"),
        {"$ref": f"{ROOT}pages_link"},
        "page-numbered: next is a URL or null, as the file's pages_link says elsewhere",
    ),
    Departure(
        ("paths", "/companies", "get", *JSON_OF_200),
        {"oneOf": [{"$ref": f"{ROOT}company_list"}, {"$ref": f"{ROOT}company"}]},
        "the one company if asked by company_id or name: the operation's own text, and the SDKs",
    ),
)


@cache
def read_file(path: str) -> Any:
    """The file as parsed; 1.3 MB, so only once."""
    return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


class Schemas:
    """`departures`: where answers differ from the file. `version`: whose answers are checked."""

    def __init__(
        self,
        path: str,
        departures: Iterable[Departure] = DEPARTURES,
        routes: Iterable[Route] = STABLE,
        version: str = "2.16",
    ) -> None:
        file = our_part(read_file(path), routes)
        for departure in departures:
            _depart(file, departure)
        self.version = version
        self.paths: Mapping[str, Any] = file["paths"]
        self._components = as_json_schema(file["components"])
        self._operations = {
            (bare(path), method): (path, method)
            for path, methods in self.paths.items()
            for method in methods
        }
        self._validators: dict[tuple[str, str, int], Draft202012Validator | None] = {}

    def check(self, exchange: Exchange) -> str | None:
        """None if the answer is as promised, else what is wrong with it."""
        operation = self.operation(exchange)
        if operation is None or not exchange.version.startswith(self.version):
            return None
        path, method = operation
        validator = self._validator(path, method, exchange.answer.status)
        if validator is None:
            return None
        if "json" not in exchange.answer.headers["Content-Type"]:
            return "not JSON"
        error = next(validator.iter_errors(json.loads(exchange.answer.body)), None)
        return None if error is None else f"{error.json_path}: {error.message}"

    def operation(self, exchange: Exchange) -> tuple[str, str] | None:
        """(path, method) of the file, whatever it calls what stands in braces."""
        segments, _ = split_path(exchange.path)
        found = find_route(exchange.method, segments)
        if found is None:
            return None
        return self._operations.get((bare(found[0].template), exchange.method.lower()))

    def _validator(self, path: str, method: str, status: int) -> Draft202012Validator | None:
        key = (path, method, status)
        if key not in self._validators:
            schema = self._answer_schema(path, method, status)
            if schema is not None:
                schema = {"components": self._components, **schema}
            self._validators[key] = None if schema is None else Draft202012Validator(schema)
        return self._validators[key]

    def _answer_schema(self, path: str, method: str, status: int) -> Any:
        """The file lists few refusals; those that it leaves out have the shape of all others."""
        answers = self.paths[path][method]["responses"]
        if str(status) not in answers:
            assert status >= 400, f"{method} {path} is not documented to answer {status}"
            return {"$ref": f"{ROOT}error"}
        content = answers[str(status)].get("content")
        if content is None:
            return None
        return as_json_schema(content["application/json"]["schema"])


def bare(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def our_part(file: Any, routes: Iterable[Route] = STABLE) -> Any:
    """A copy of the file with only the paths that the simulator knows."""
    ours = {bare(route.template) for route in routes}
    paths = {path: methods for path, methods in file["paths"].items() if bare(path) in ours}
    return deepcopy({**file, "paths": paths})


def _depart(file: Any, departure: Departure) -> None:
    *parents, last = departure.at
    place = file
    for name in parents:
        place = place[name]
    assert last in place, f"{departure.at} is not in the file any more"
    place[last] = departure.instead


def as_json_schema(schema: Any) -> Any:
    """OpenAPI 3.0 says `nullable: true` where JSON Schema says `null` among the types."""
    if isinstance(schema, list):
        return [as_json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: as_json_schema(value) for key, value in schema.items()}
    return {"anyOf": [kept, {"type": "null"}]} if schema.get("nullable") is True else kept


def covered(exchanges: Iterable[Exchange], schemas: Schemas) -> Iterator[tuple[str, str, int]]:
    """(path, method, status) of the file for which there was an answer."""
    for exchange in exchanges:
        operation = schemas.operation(exchange)
        if operation is not None:
            yield (*operation, exchange.answer.status)
