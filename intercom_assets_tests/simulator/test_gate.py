"""What every call passes before it reaches an operation, and the headers of every answer."""

import re
from typing import Any

import pytest

from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.simulator.asking import NOON, Api, Clock, ok, refusal, status_and_code

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


# --- token, Accept, version ---


@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer wrong", "demo-token", "Basic demo-token"])
def test_a_wrong_or_empty_token_is_unauthorized(api: Api, token: str) -> None:
    api.headers["Authorization"] = token

    answer = api.get("/me")

    assert refusal(answer) == (401, "unauthorized", "Access Token Invalid")


def test_the_token_is_what_the_simulator_was_told() -> None:
    simulator = Simulator(token="other")

    def status(token: str) -> int:
        return simulator.handle("GET", "/me", {"Authorization": f"Bearer {token}"}).status

    assert (status("other"), status("demo-token")) == (200, 401)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("*/*", 200),
        ("application/vnd.intercom.3+json", 200),
        ("text/html, application/json;q=0.9", 200),
        ("text/html", 406),
        ("application/xml", 406),
    ],
)
def test_what_may_be_accepted(api: Api, accept: str, status: int) -> None:
    api.headers["Accept"] = accept

    answer = api.get("/me")

    assert answer.status == status
    if status == 406:
        assert refusal(answer)[1:] == (
            "media_type_not_acceptable",
            "The Accept header should send a media type of application/json",
        )


@pytest.mark.parametrize("version", ["2.18", "3.0", "2", "latest", ""])
def test_a_version_that_does_not_exist(api: Api, version: str) -> None:
    api.headers["Intercom-Version"] = version

    assert refusal(api.get("/me")) == (
        400,
        "intercom_version_invalid",
        "The requested version could not be found",
    )


@pytest.mark.parametrize(
    ("version", "method", "path"),
    [
        ("1.4", "GET", "/contacts"),
        ("2.12", "GET", "/contacts/find_by_external_id/7"),
        ("2.12", "POST", "/contacts/x/block"),
        ("2.15", "GET", "/contacts/x/merge_history"),
    ],
)
def test_an_endpoint_that_a_version_does_not_have(
    api: Api, version: str, method: str, path: str
) -> None:
    api.version = version

    assert refusal(api.call(method, path)) == (
        400,
        "intercom_version_invalid",
        "Requested resource is not available in current API version.",
    )


def test_without_a_version_the_apps_own_holds(api: Api, simulator: Simulator) -> None:
    api.version = None
    simulator.set(default_version="2.14")

    assert api.get("/me").headers["Intercom-Version"] == "2.14"


@pytest.mark.parametrize(
    ("method", "path"),
    [("PATCH", "/contacts/1"), ("GET", "/nothing"), ("PUT", "/contacts"), ("GET", "/contacts//x")],
)
def test_paths_that_lead_nowhere(api: Api, method: str, path: str) -> None:
    assert refusal(api.call(method, path)) == (404, "not_found", "Resource Not Found")


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"x"', b"5", b"{'a': 1}", b'{"email": NaN}', b"\xff", b"[" * 100_000]
)
def test_a_body_that_is_no_json_object(api: Api, body: bytes) -> None:
    assert status_and_code(api.call("POST", "/contacts", body)) == (400, "bad_request")


def test_a_body_must_be_called_json(api: Api) -> None:
    api.headers["Content-Type"] = "text/plain"

    assert api.post("/contacts", {"email": "a@b.c"}).status == 400


def test_the_gate_is_passed_in_order(api: Api) -> None:
    api.headers.update({"Accept": "text/html", "Authorization": "", "Intercom-Version": "x"})
    statuses = []
    for name in ("Accept", "Authorization", "Intercom-Version"):
        statuses.append(api.call("POST", "/nothing", b"{").status)
        del api.headers[name]
    statuses.append(api.call("POST", "/nothing", b"{").status)

    assert statuses == [406, 401, 400, 404]


# --- headers ---


def test_the_headers_of_every_answer(api: Api) -> None:
    answer = api.get("/me")

    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Status"] == "200 OK"
    assert answer.headers["Intercom-Version"] == "2.16"
    assert answer.headers["Cache-Control"] == "max-age=0, private, must-revalidate"
    assert re.fullmatch(UUID, answer.headers["X-Request-Id"])
    assert re.fullmatch(r'W/"[0-9a-f]{32}"', answer.headers["ETag"])
    assert re.fullmatch("[0-9a-f]{40}", answer.headers["X-Intercom-Version"])
    assert float(answer.headers["X-Runtime"]) >= 0
    assert answer.headers["Date"] == "Mon, 16 Jun 2025 12:00:00 GMT"


@pytest.mark.parametrize("token", ["demo-token", "wrong"])
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_refusals_at_the_gate_tell_the_rate_too(api: Api, token: str, accept: str) -> None:
    api.headers.update({"Authorization": f"Bearer {token}", "Accept": accept})

    assert numbers(api.get("/me"))[:2] == (1666, 1666)


def test_an_error_names_its_request_in_the_body_too(api: Api) -> None:
    answer = api.get("/contacts/nobody")

    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
    assert answer.headers["Status"] == "404 Not Found"


# --- the rate ---


def numbers(answer: Any) -> tuple[int, int, int]:
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    limit, remaining, reset = (int(answer.headers[name]) for name in names)
    return limit, remaining, reset


def test_a_window_tells_what_remains_and_when_it_ends(
    api: Api, simulator: Simulator, clock: Clock
) -> None:
    simulator.set(rate_limit_per_window=3)
    end = int(NOON) + 10
    told_end = end + 2  # late by two seconds

    told = [numbers(api.get("/me")) for _ in range(4)]

    assert told == [(3, 3, told_end), (3, 2, told_end), (3, 1, told_end), (3, 0, told_end)]
    assert refusal(api.get("/me")) == (
        429,
        "rate_limit_exceeded",
        "Exceeded rate limit of 3 in 10_seconds",
    )
    clock.now = end - 0.001
    assert api.get("/me").status == 429
    clock.now = end
    assert numbers(api.get("/me")) == (3, 3, told_end + 10)


def test_a_refused_call_does_nothing_and_takes_no_place(api: Api, simulator: Simulator) -> None:
    simulator.set(rate_limit_per_window=1)

    answers = [api.post("/contacts", {"external_id": str(n)}).status for n in range(3)]

    assert answers == [200, 429, 429]
    assert len(simulator.contacts()) == 1
    assert simulator.stats()["peak_per_window"] == 3
    assert simulator.stats()["rate_limited"] == 2


def test_calls_without_a_right_take_no_place(api: Api, simulator: Simulator) -> None:
    simulator.set(rate_limit_per_window=1)
    api.headers["Authorization"] = "Bearer wrong"
    api.get("/me")
    del api.headers["Authorization"]

    assert api.get("/me").status == 200


def test_the_phase_and_length_of_windows_are_the_workspaces(api: Api, simulator: Simulator) -> None:
    simulator.set(rate_window_phase=7, rate_reset_late_s=0)
    assert numbers(ok_answer(api))[2] == int(NOON) + 7
    simulator.reset("stats")
    simulator.set(rate_window_s=60, rate_window_phase=0)
    assert numbers(ok_answer(api))[2] == int(NOON) + 60


def ok_answer(api: Api) -> Any:
    answer = api.get("/me")
    ok(answer)
    return answer
