"""The bulk calls against Intercom's Preview file: answers, refusals, and which fields an item has.

INTERCOM_OPENAPI_PREVIEW names the file, which is Intercom's and not ours to ship.
"""

import os
from typing import Any

import pytest

from intercom_assets.simulator.bulk_companies import BULK_UPDATABLE
from intercom_assets.simulator.bulk_contacts import CREATABLE, UPDATABLE
from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.simulator.asking import Api, Clock, Exchange, ok
from intercom_assets_tests.simulator.schemas import PREVIEW, Schemas, bare, covered, read_file

FILE = "INTERCOM_OPENAPI_PREVIEW"
CONNECTED = ("companies", "tags")


@pytest.fixture(scope="module")
def path() -> str:
    named = os.environ.get(FILE)
    if named is None:
        pytest.skip(f"{FILE} names no OpenAPI file")
    return named


@pytest.fixture(scope="module")
def preview(path: str) -> Schemas:
    return Schemas(path, (), PREVIEW, "Preview")


@pytest.fixture
def tour(simulator: Simulator, clock: Clock) -> list[Exchange]:
    exchanges: list[Exchange] = []
    api = Api(simulator, exchanges.append, version="Preview")
    simulator.set(bulk_job_delay_s=10)
    user, company = api.user("7"), api.company("t1")
    for model, one, id in (
        ("contacts", {"external_id": "8"}, user["id"]),
        ("companies", {"company_id": "t2"}, company["id"]),
    ):
        bulk = f"/{model}/bulk"
        _one_model(api, clock, model, {bulk: [("POST", one), ("PUT", {"id": id})]})
        _one_model(api, clock, model, {f"{bulk}/delete": [("POST", {"id": id})]})
        assert api.get(f"{bulk}/job_v2_0").status == 404
        api.headers["Authorization"] = "Bearer wrong"
        for route in PREVIEW:
            assert api.call(route.method, route.template.replace("{id}", "1")).status == 401
        del api.headers["Authorization"]
    return exchanges


def _one_model(api: Api, clock: Clock, model: str, calls: dict[str, list[Any]]) -> None:
    for path, items in calls.items():
        for method, item in items:
            document = api.call(method, path, {model: [item]}).json()
            for _ in range(3):
                ok(api.get(f"/{model}/bulk/{document['id']}"))
                clock.advance(5)
            job = {"id": document["id"]}
            assert api.call(method, path, {model: [item], "job": job}).status == 403
            assert api.call(method, path, {model: [item], "job": {"id": "none"}}).status == 404
            assert api.call(method, path, {}).status == 422


def test_every_bulk_answer_is_what_the_preview_file_promises(
    tour: list[Exchange], preview: Schemas
) -> None:
    wrong = {str(exchange): fault for exchange in tour if (fault := preview.check(exchange))}

    assert wrong == {}


def test_every_bulk_call_of_the_preview_file_is_there_and_answers_as_it_lists(
    tour: list[Exchange], preview: Schemas
) -> None:
    promised = {
        (path, method, int(status))
        for path, methods in preview.paths.items()
        for method, operation in methods.items()
        for status in operation["responses"]
    }

    assert {bare(route.template) for route in PREVIEW} == {bare(path) for path in preview.paths}
    assert promised - set(covered(tour, preview)) == set()


@pytest.mark.parametrize(
    ("method", "path_of_call", "fields"),
    [
        ("post", "/contacts/bulk", (*CREATABLE, *CONNECTED)),
        ("put", "/contacts/bulk", ("id", *UPDATABLE, *CONNECTED)),
        ("post", "/companies/bulk", ("company_id", *BULK_UPDATABLE)),
        ("put", "/companies/bulk", ("id", *BULK_UPDATABLE)),
    ],
)
def test_an_item_has_the_fields_that_the_preview_file_gives_it(
    path: str, method: str, path_of_call: str, fields: tuple[str, ...]
) -> None:
    file = read_file(path)
    body = file["paths"][path_of_call][method]["requestBody"]["content"]["application/json"]
    schema = _resolved(file, body["schema"])
    model = path_of_call.split("/")[1]
    item = _resolved(file, _resolved(file, schema["properties"][model])["items"])

    assert set(item["properties"]) == set(fields)


def _resolved(file: Any, schema: Any) -> Any:
    while "$ref" in schema:
        place = file
        for name in schema["$ref"].removeprefix("#/").split("/"):
            place = place[name]
        schema = place
    return schema
