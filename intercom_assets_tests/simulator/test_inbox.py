"""An app of the inbox: what it is asked, how that is signed, and what is made of its answer."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
import requests

from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.simulator.listener import Listener, listening

SECRET = "a-secret-of-a-test"
CANVAS = {"content": {"components": [{"type": "text", "text": "Hello"}]}}


@pytest.fixture
def app() -> Iterator[Listener]:
    with listening() as listener:
        listener.body = json.dumps({"canvas": CANVAS}).encode()
        yield listener


@pytest.fixture
def url(simulator: Simulator, app: Listener) -> Iterator[str]:
    """Of a simulator that has the app in its inbox, and one contact."""
    simulator.seed({"id": "6a7", "external_id": "7", "name": "Ada"})
    with serving(simulator) as url:
        configured = post(url, "inbox", {"url": app.url, "secret": SECRET})
        assert configured.json() == {"url": app.url}
        yield url


def post(url: str, name: str, body: Any) -> requests.Response:
    return requests.post(f"{url}/_simulator/{name}", json=body, timeout=30)


def test_opening_a_conversation_asks_the_app_and_shows_its_canvas(url: str, app: Listener) -> None:
    answer = post(url, "inbox/initialize", {"contact": "6a7"})

    [came] = app.came
    asked = came.json()
    digest = hmac.new(SECRET.encode(), came.body, hashlib.sha256).hexdigest()
    assert (answer.status_code, answer.json()) == (200, {"canvas": CANVAS})
    assert came.headers["x-body-signature"] == digest
    assert came.path.endswith("/initialize")
    assert asked["contact"]["external_id"] == "7"
    assert asked["context"]["location"] == "conversation"
    assert "component_id" not in asked


def test_pressing_something_submits_what_was_pressed(url: str, app: Listener) -> None:
    post(url, "inbox/submit", {"contact": "6a7", "component": "sync_now"})

    [came] = app.came
    assert came.path.endswith("/submit")
    assert came.json()["component_id"] == "sync_now"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b"{}", "the app answers 401"),
        (200, b"", "the app's answer is no canvas"),
        (200, b"[]", "the app's answer is no canvas"),
        (200, b'{"canvas": {"content": {"components": []}}}', "the app's answer is no canvas"),
        (200, json.dumps({"canvas": CANVAS, "x": "x" * 70_000}).encode(), "no canvas"),
        (0, b"", "the app does not answer"),
    ],
)
def test_an_app_that_does_not_answer_as_it_should_is_told_of(
    url: str, app: Listener, status: int, body: bytes, error: str
) -> None:
    app.answers, app.body = [status], body

    answer = post(url, "inbox/initialize", {"contact": "6a7"})

    assert answer.status_code == 502
    assert error in answer.json()["error"]


def test_an_app_that_hangs_holds_up_nobody_else(url: str, app: Listener) -> None:
    app.hold.clear()
    asking = Thread(target=post, args=(url, "inbox/initialize", {"contact": "6a7"}))
    asking.start()
    app.wait_for(1)

    assert requests.get(f"{url}/_simulator/stats", timeout=30).status_code == 200
    app.hold.set()
    asking.join()


@pytest.mark.parametrize(
    ("step", "body", "status"),
    [
        ("initialize", {"contact": "nobody"}, 404),
        ("initialize", {}, 400),
        ("initialize", [], 400),
        ("initialize", 7, 400),
        ("configure", {"contact": "6a7"}, 404),
    ],
)
def test_who_cannot_be_asked_about_is_refused(url: str, step: str, body: Any, status: int) -> None:
    assert post(url, f"inbox/{step}", body).status_code == status


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"url": "http://example.com/", "secret": "x"}, "an address of this machine"),
        ({"url": "http://127.0.0.1:1/"}, "needs the secret"),
        ({}, "has a url and a secret"),
        ([], "has a url and a secret"),
    ],
)
def test_an_app_that_cannot_be_added_is_said_in_one_sentence(
    simulator: Simulator, body: Any, sentence: str
) -> None:
    answer = simulator.handle("POST", "/_simulator/inbox", {}, json.dumps(body).encode())

    assert answer.status == 400
    assert sentence in answer.json()["error"]


def test_an_app_is_taken_away(url: str, simulator: Simulator) -> None:
    assert post(url, "inbox", {"url": None}).json() == {"url": None}
    assert post(url, "inbox/initialize", {"contact": "6a7"}).status_code == 404
    post(url, "inbox", {"url": "http://127.0.0.1:1", "secret": "x"})
    simulator.reset("inbox")

    assert not simulator.inbox.is_there
