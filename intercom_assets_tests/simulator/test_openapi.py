"""The official file against the simulator: a tour of every operation, and a fuzz from the file."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from intercom_assets.intercom import endpoints
from intercom_assets.simulator.routes import Route
from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.simulator.asking import Api, Clock, Exchange, all_of, ok, where
from intercom_assets_tests.simulator.conftest import FILE
from intercom_assets_tests.simulator.schemas import (
    DEPARTURES,
    PREVIEW,
    STABLE,
    Departure,
    Schemas,
    bare,
    covered,
    our_part,
    read_file,
)

EXAMPLES = 8
NOBODY = "000000000000000000000000"


def take_the_tour(api: Api, clock: Clock) -> None:
    """Each operation at least once with 200, and each kind of refusal that the file lists."""
    _contacts(api)
    _merges(api)
    _companies(api)
    _attributes_and_tags(api)
    _workspace(api)
    _besides(api)
    _refusals(api, clock)


def _besides(api: Api) -> None:
    """What scripts call besides contacts and companies."""
    hand, user, company = api.simulator.by_hand, api.user("40"), api.company("t40")
    contact = f"/contacts/{user['id']}"
    event = {"event_name": "ordered", "created_at": 1_750_000_000, "user_id": "40"}
    assert api.post("/events", event).status == 202
    ok(api.get("/events?type=user&user_id=40&summary=true"))
    segment, team = (
        hand.create_segment("Active", [user["id"], company["id"]]),
        hand.create_team("A"),
    )
    news, job = hand.create_subscription_type("News"), hand.create_job("success", "ticket", "20")
    note = ok(api.post(f"{contact}/notes", {"body": "called"}))
    ok(api.post(f"/companies/{company['id']}/notes", {"body": "called"}))
    ok(api.post(f"{contact}/subscriptions", {"id": news, "consent_type": "opt_out"}))
    for path in (
        "/events?type=user&user_id=40",
        "/segments?include_count=true",
        f"/segments/{segment}",
        f"{contact}/segments",
        f"/companies/{company['id']}/segments",
        "/teams",
        f"/teams/{team}",
        f"{contact}/notes",
        f"/companies/{company['id']}/notes",
        f"/notes/{note['id']}",
        "/subscription_types",
        f"{contact}/subscriptions",
        f"/jobs/status/{job}",
    ):
        ok(api.get(path))
    ok(api.delete(f"{contact}/subscriptions/{news}"))
    _messages_and_visitors(api, contact, news)


def _messages_and_visitors(api: Api, contact: str, news: str) -> None:
    admin = {"type": "admin", "id": 991267459}
    message = {"message_type": "email", "body": "Hi", "from": admin, "to": {"user_id": "40"}}
    ok(api.post("/messages", {**message, "subject": "Hi"}))
    assert api.post("/messages", message).status == 422
    assert api.post("/messages", {"from": admin}).status == 400
    api.simulator.by_hand.create_visitor("v1")
    ok(api.get("/visitors?user_id=v1"))
    ok(api.put("/visitors", {"user_id": "v1", "name": "Ada"}))
    ok(api.post("/visitors/convert", {"type": "lead", "visitor": {"user_id": "v1"}}))
    for answer in (
        api.get("/visitors?user_id=v1"),
        api.put("/visitors", {"user_id": "v1"}),
        api.get("/jobs/status/none"),
        api.get("/teams/none"),
        api.get("/notes/none"),
        api.get("/segments/none"),
        api.get(f"/contacts/{NOBODY}/notes"),
        api.post(f"/contacts/{NOBODY}/notes", {"body": "x"}),
        api.get(f"/companies/{NOBODY}/notes"),
        api.post(f"/companies/{NOBODY}/notes", {"body": "x"}),
        api.get(f"/contacts/{NOBODY}/segments"),
        api.get(f"/companies/{NOBODY}/segments"),
        api.get(f"/contacts/{NOBODY}/subscriptions"),
        api.post(f"{contact}/subscriptions", {"id": "none", "consent_type": "opt_in"}),
        api.delete(f"{contact}/subscriptions/{news}"),
    ):
        assert answer.status == 404, answer.body
    plan = {"kind": "error", "status": 403}
    api.simulator.set(fail_next=plan)
    assert api.post("/messages", message).status == 403


def _contacts(api: Api) -> None:
    api.attribute("plan")
    user = api.user(name="Ada", avatar="https://example.com/a.png")
    path = f"/contacts/{user['id']}"
    ok(api.put(path, {"email": "a@b.c", "custom_attributes": {"plan": "pro"}}))
    ok(api.put(path, {"email": None}))
    ok(api.get(path))
    ok(api.get("/contacts/find_by_external_id/7"))
    ok(api.get("/contacts?include_merge_history=true"))
    query = all_of(where("role", "=", "user"), where("email", "=", None))
    api.user("8", email="g@b.c")
    api.search(query, sort={"field": "name"}, pagination={"per_page": 1})
    for action in ("archive", "unarchive", "block"):
        ok(api.post(f"{path}/{action}"))
    ok(api.delete(path))


def _merges(api: Api) -> None:
    user = api.user("9", email="l@b.c")
    leads = [api.lead(email="l@b.c") for _ in range(3)]
    for lead in leads:
        ok(api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]}))
    ok(api.get(f"/contacts/{user['id']}?include_merge_history=true"))
    first = ok(api.get(f"/contacts/{user['id']}/merge_history?per_page=2"))
    ok(api.get(f"/contacts/{user['id']}/merge_history?cursor={first['next_cursor']}"))
    assert api.get(f"/contacts/{leads[0]['id']}").status == 410
    assert api.get(f"/contacts/find_by_external_id/{leads[0]['external_id']}").status == 410


def _companies(api: Api) -> None:
    api.attribute("seats", "integer", "company")
    user = api.user("10")
    companies = [api.company(f"t{n}", plan="Pro", monthly_spend=9.5) for n in range(12)]
    for company in companies:
        api.attach(user, company)
    one, other = companies[0], companies[1]
    ok(api.put(f"/companies/{one['id']}", {"custom_attributes": {"seats": 3}, "plan": None}))
    ok(api.get(f"/companies/{one['id']}"))
    ok(api.get(f"/companies/{one['id']}/contacts"))
    ok(api.get("/companies?company_id=t0"))
    ok(api.get("/companies?per_page=5"))
    ok(api.post("/companies/list?per_page=5"))
    scroll = ok(api.get("/companies/scroll"))
    ok(api.get(f"/companies/scroll?scroll_param={scroll['scroll_param']}"))
    ok(api.get(f"/contacts/{user['id']}/companies?per_page=5"))
    ok(api.delete(f"/contacts/{user['id']}/companies/{one['id']}"))
    ok(api.delete(f"/companies/{other['id']}"))


def _attributes_and_tags(api: Api) -> None:
    colour = api.attribute("colour", "options")
    api.attribute("since", "datetime")
    ok(api.put(f"/data_attributes/{colour['id']}", {"archived": True, "description": "x"}))
    ok(api.get("/data_attributes?include_archived=true"))
    user, company = api.user("11"), api.company("t20")
    tag = ok(api.post("/tags", {"name": "Whale", "companies": [{"company_id": "t20"}]}))
    item = {"id": company["id"], "untag": True}
    ok(api.post("/tags", {"name": "Whale", "companies": [item]}))
    spare = ok(api.post("/tags", {"name": "Spare"}))
    ok(api.post(f"/contacts/{user['id']}/tags", {"id": tag["id"]}))
    ok(api.get(f"/contacts/{user['id']}/tags"))
    ok(api.get(f"/companies/{company['id']}"))
    ok(api.delete(f"/contacts/{user['id']}/tags/{tag['id']}"))
    ok(api.get("/tags"))
    ok(api.get(f"/tags/{tag['id']}"))
    ok(api.delete(f"/tags/{spare['id']}"))


def _workspace(api: Api) -> None:
    me = ok(api.get("/me"))
    ok(api.get("/admins"))
    ok(api.get(f"/admins/{me['id']}"))


def _refusals(api: Api, clock: Clock) -> None:
    user, company = api.user("20"), api.company("t30")
    for status, answer in (
        (400, api.post("/contacts/merge", {"from": user["id"], "into": user["id"]})),
        (
            400,
            api.post("/contacts/search", {"query": where("name", "=", "x"), "sort": {"order": 1}}),
        ),
        (400, api.post("/companies", {"test": "invalid"})),
        (400, api.post(f"/contacts/{user['id']}/companies")),
        (400, api.post("/data_attributes", {"name": "x"})),
        (400, api.post("/tags", {"test": "invalid"})),
        (404, api.get(f"/contacts/{api.lead()['id']}/merge_history")),
        (404, api.get(f"/companies/{NOBODY}")),
        (404, api.get("/companies?company_id=nobody")),
        (404, api.put(f"/companies/{NOBODY}", {"name": "x"})),
        (404, api.delete(f"/companies/{NOBODY}")),
        (404, api.get(f"/companies/{NOBODY}/contacts")),
        (404, api.get(f"/contacts/{NOBODY}/companies")),
        (404, api.post(f"/contacts/{user['id']}/companies", {"id": "123"})),
        (404, api.delete(f"/contacts/{user['id']}/companies/{company['id']}")),
        (404, api.get(f"/contacts/{NOBODY}/tags")),
        (404, api.post(f"/contacts/{user['id']}/tags", {"id": "123"})),
        (404, api.delete(f"/contacts/{user['id']}/tags/123")),
        (404, api.get("/tags/123")),
        (404, api.delete("/tags/123")),
        (404, api.get("/admins/1")),
        (404, api.put("/data_attributes/1", {"description": "x"})),
        (422, api.get("/data_attributes?model=conversation")),
    ):
        assert answer.status == status, answer.body
    tag = ok(api.post("/tags", {"name": "Used", "users": [{"id": user["id"]}]}))
    assert api.delete(f"/tags/{tag['id']}").status == 400
    used = api.attribute("used")
    api.simulator.by_hand.depend_on_attribute("used")
    refused = api.put(f"/data_attributes/{used['id']}", {"archived": True})
    assert refused.status == 422
    assert api.put(f"/data_attributes/{used['id']}", {"options": {}}).status == 400
    _everywhere(api)


def _everywhere(api: Api) -> None:
    """What each endpoint can answer: a wrong token, a full window, a fault."""
    for route in STABLE:
        path = "/".join("1" if part.startswith("{") else part for part in route.template.split("/"))
        api.headers["Authorization"] = "Bearer wrong"
        assert api.call(route.method, path).status == 401
        del api.headers["Authorization"]
        for fault, status in (("rate_limit", 429), ({"status": 503}, 503)):
            api.simulator.set(fail_next=fault)
            assert api.call(route.method, path).status == status


@pytest.fixture
def tour(simulator: Simulator, clock: Clock, openapi: Schemas) -> list[Exchange]:
    exchanges: list[Exchange] = []
    take_the_tour(Api(simulator, exchanges.append), clock)
    return exchanges


def test_every_answer_is_what_the_file_promises(tour: list[Exchange], openapi: Schemas) -> None:
    wrong = {str(exchange): fault for exchange in tour if (fault := openapi.check(exchange))}

    assert wrong == {}


def test_every_operation_has_answered_in_each_way_that_the_file_lists(
    tour: list[Exchange], openapi: Schemas
) -> None:
    promised = {
        (path, method, int(status))
        for path, methods in openapi.paths.items()
        for method, operation in methods.items()
        if any(
            bare(route.template) == bare(path) and route.method.lower() == method
            for route in STABLE
        )
        for status in operation["responses"]
    }

    assert promised - set(covered(tour, openapi)) == set()
    assert {bare(route.template) for route in STABLE} == {bare(path) for path in openapi.paths}


def test_every_operation_that_our_client_uses_has_a_validated_answer(
    tour: list[Exchange], openapi: Schemas
) -> None:
    used = {
        (bare(endpoint.template), endpoint.method.lower())
        for endpoint in vars(endpoints).values()
        if isinstance(endpoint, endpoints.Endpoint)
    } - {(bare(route.template), route.method.lower()) for route in PREVIEW}
    answered = {
        (bare(path), method) for path, method, status in covered(tour, openapi) if status == 200
    }

    assert len(used) > 10
    assert used - answered == set()


@pytest.mark.parametrize("departure", DEPARTURES, ids=lambda departure: "/".join(departure.at[-3:]))
def test_each_departure_from_the_file_is_still_needed(
    tour: list[Exchange], departure: Departure
) -> None:
    schemas = Schemas(os.environ[FILE], [kept for kept in DEPARTURES if kept is not departure])

    assert any(schemas.check(exchange) for exchange in tour)


# --- fuzz ---


@pytest.fixture(scope="module")
def fuzzer(openapi: Schemas) -> Any:
    return schemathesis.openapi.from_dict(our_part(read_file(os.environ[FILE])))


@pytest.mark.parametrize("route", STABLE, ids=lambda route: route.name)
def test_nothing_that_the_file_allows_makes_the_simulator_stumble(
    route: Route, simulator: Simulator, fuzzer: Any, openapi: Schemas
) -> None:
    """Half of the ids are ones that exist, so that bodies are read and not only looked up."""
    path = next(path for path in fuzzer.raw_schema["paths"] if bare(path) == bare(route.template))
    known = known_ids(simulator)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=fuzzer[path][route.method].as_strategy())
    def fuzz(case: Any) -> None:
        for exchange in sent(simulator, case, route, known):
            assert exchange.answer.status < 500, exchange
            assert openapi.check(exchange) is None

    fuzz()


def known_ids(simulator: Simulator) -> dict[str, str]:
    (contact,) = simulator.seed(
        {"external_id": "7", "email": "a@b.c", "companies": ["t1"], "custom_attributes": {"a": "b"}}
    )
    company = simulator.company("t1")
    assert company is not None
    attribute = simulator.attributes()[0]["id"]
    return {
        "/contacts/{id}": contact,
        "/companies/{id}": company["id"],
        "/data_attributes/{id}": str(attribute),
        "{company_id}": company["id"],
        "{external_id}": "7",
    }


def sent(
    simulator: Simulator, case: Any, route: Route, known: dict[str, str]
) -> Iterator[Exchange]:
    arguments = case.as_transport_kwargs(base_url="https://api.test")
    headers = {
        **{str(name): str(value) for name, value in arguments["headers"].items()},
        "Authorization": "Bearer demo-token",
        "Intercom-Version": "2.16",
    }
    made_up = arguments["url"].removeprefix("https://api.test")
    real = route.template
    for part, value in known.items():
        real = real.replace(part, part.replace("{id}", value) if "/" in part else value)
    for path in {made_up, real}:
        session = requests.Request(
            route.method,
            f"https://api.test{path}",
            headers=headers,
            params=arguments.get("params"),
            json=arguments.get("json"),
            data=arguments.get("data"),
        ).prepare()
        address = (session.url or "").removeprefix("https://api.test")
        body = session.body or b""
        raw = body.encode() if isinstance(body, str) else body
        answer = simulator.handle(route.method, address, dict(session.headers), raw)
        yield Exchange(route.method, address, answer.headers.get("Intercom-Version", ""), answer)
