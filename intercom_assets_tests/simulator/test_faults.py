"""Scripted faults, as a client in the same process sees them and as one at the other end of a
socket does.
"""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from intercom_assets.intercom.http.messages import HttpRequest, HttpResponse, NoResponse, Timeouts
from intercom_assets.simulator.faults import BadFault
from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.in_process import InProcess
from intercom_assets_tests.simulator.asking import Api, refusal

Write = Callable[..., HttpResponse]
TOKEN = {"Authorization": "Bearer demo-token", "Content-Type": "application/json"}


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture(params=["in process", "over a socket"])
def write(
    request: pytest.FixtureRequest, simulator: Simulator, slept: list[float]
) -> Iterator[Write]:
    """Creates a contact. Over a socket it is not our client that does, but one of another kind."""
    if request.param == "in process":
        network = InProcess(simulator.handle, slept.append)
        create = HttpRequest("POST", "/contacts", TOKEN, b'{"external_id": "7"}')
        yield lambda timeout=5.0: network.send(create, Timeouts(timeout, timeout))
        return
    with serving(simulator) as url, requests.Session() as session:
        session.trust_env = False
        yield lambda timeout=5.0: over_a_socket(session, url, timeout)


def over_a_socket(session: requests.Session, url: str, timeout: float) -> HttpResponse:
    try:
        answer = session.post(
            f"{url}/contacts", data=b'{"external_id": "7"}', headers=TOKEN, timeout=timeout
        )
    except requests.RequestException as error:
        raise NoResponse(type(error).__name__, sent=True) from error
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return HttpResponse(answer.status_code, headers, answer.content)


def stored(simulator: Simulator) -> bool:
    return simulator.contact(external_id="7") is not None


def test_an_error_before_the_write_stores_nothing(write: Write, simulator: Simulator) -> None:
    simulator.set(fail_next={"kind": "error", "status": 503})

    failed, worked = write(), write()

    assert (failed.status, worked.status) == (503, 200)
    assert json.loads(failed.body)["errors"][0]["code"] == "service_unavailable"


def test_an_error_after_the_write_has_stored_it(write: Write, simulator: Simulator) -> None:
    simulator.set(fail_next={"kind": "error", "status": 502, "when": "after"})

    assert write().status == 502
    assert stored(simulator)
    assert write().status == 409


def test_a_lost_reply_has_stored_it_and_says_nothing(write: Write, simulator: Simulator) -> None:
    simulator.set(fail_next="lost_reply")

    with pytest.raises(NoResponse):
        write()
    assert stored(simulator)


def test_a_dropped_connection_has_stored_nothing(write: Write, simulator: Simulator) -> None:
    simulator.set(fail_next="dropped_connection")

    with pytest.raises(NoResponse):
        write()
    assert not stored(simulator)
    assert write().status == 200


def test_a_429_can_be_scripted(write: Write, simulator: Simulator) -> None:
    simulator.set(fail_next="rate_limit")

    answer = write()

    assert (answer.status, answer.headers["x-ratelimit-remaining"]) == (429, "0")
    assert not stored(simulator)


def test_a_gateways_page_comes_with_200(write: Write, simulator: Simulator) -> None:
    simulator.set(fail_next={"kind": "wrong_content_type", "when": "after"})

    answer = write()

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.body)
    assert stored(simulator)


def test_a_body_can_end_half_way(write: Write, simulator: Simulator) -> None:
    simulator.set(fail_next="truncated_json")

    with pytest.raises((NoResponse, json.JSONDecodeError)):
        json.loads(write().body)
    assert stored(simulator)


def test_a_delay_longer_than_the_timeout_is_a_timeout(write: Write, simulator: Simulator) -> None:
    simulator.set(fail_next={"kind": "latency", "seconds": 0.4})

    with pytest.raises(NoResponse, match="Timeout"):
        write(timeout=0.1)
    assert write().status in (200, 409)


def test_latency_and_a_dripping_body_take_their_time(
    write: Write, simulator: Simulator, slept: list[float]
) -> None:
    simulator.set(
        latency_ms=100,
        fail_next=[{"kind": "slow_body", "seconds": 0.2}, {"kind": "latency", "seconds": 0.1}],
    )
    started = time.monotonic()

    answer = write()

    assert json.loads(answer.body)["external_id"] == "7"
    assert time.monotonic() - started + sum(slept) >= 0.4
    assert simulator.control.stats()["faults_met"] == 1


# --- whom a fault meets ---


def test_a_fault_meets_only_its_endpoint(api: Api, simulator: Simulator) -> None:
    contact = api.user()
    simulator.set(
        faults=[
            {"kind": "error", "endpoint": "PUT /contacts/{id}", "status": 500},
            {"kind": "error", "endpoint": "GET /contacts/find_by_external_id/7", "status": 502},
            {"kind": "error", "endpoint": "* /companies*", "status": 503},
        ]
    )
    path = f"/contacts/{contact['id']}"

    statuses = [
        api.get(path).status,
        api.get("/contacts/find_by_external_id/8").status,
        api.get("/contacts/find_by_external_id/7").status,
        api.put(path, {"name": "x"}).status,
        api.put(path, {"name": "x"}).status,
        api.get("/companies/scroll").status,
        api.get("/companies/scroll").status,
    ]

    assert statuses == [200, 404, 502, 500, 200, 503, 200]


def test_a_number_fails_that_many_calls(api: Api, simulator: Simulator) -> None:
    simulator.set(fail_next=2)

    assert [api.get("/me").status for _ in range(3)] == [500, 500, 200]
    assert refusal(api.get("/contacts/nobody"))[0] == 404


def test_faults_are_met_one_after_the_other(api: Api, simulator: Simulator) -> None:
    simulator.set(fail_next=[{"status": 500}, {"status": 502}])

    assert [api.get("/me").status for _ in range(3)] == [500, 502, 200]


def test_a_fault_may_stay_until_it_is_taken_away(api: Api, simulator: Simulator) -> None:
    simulator.set(faults={"kind": "error", "count": None, "probability": 0.5})

    statuses = [api.get("/me").status for _ in range(200)]
    simulator.reset("faults")

    assert 60 < statuses.count(500) < 140
    assert api.get("/me").status == 200


def test_an_error_can_say_anything(api: Api, simulator: Simulator) -> None:
    simulator.set(fail_next={"status": 403, "code": "action_forbidden", "message": "No."})
    assert refusal(api.get("/me")) == (403, "action_forbidden", "No.")

    simulator.set(fail_next={"status": 403})
    assert refusal(api.get("/me"))[1] == "api_plan_restricted"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "fire"},
        {"kind": "error", "status": 200},
        {"kind": "error", "when": "never"},
        {"kind": "error", "count": 0},
        {"kind": "error", "probability": 2},
        {"kind": "latency", "seconds": "1"},
        {"endpoints": "*"},
        5.5,
        ["x"],
    ],
)
def test_faults_that_cannot_be_scripted(simulator: Simulator, fault: Any) -> None:
    with pytest.raises(BadFault):
        simulator.set(faults=fault)
    assert simulator.faults.scripted == []
