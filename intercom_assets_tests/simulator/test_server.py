"""Strange clients over a socket: each gets its refusal, nobody else waits, nothing is a crash."""

import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from intercom_assets.simulator import server
from intercom_assets.simulator.server import address, listen, serving
from intercom_assets.simulator.simulator import Simulator

HEAD = b"Host: 127.0.0.1\r\nAuthorization: Bearer demo-token\r\nContent-Type: application/json\r\n"
DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Simulator()) as url:
        yield url


def calls(url: str) -> int:
    total: int = requests.get(f"{url}/_simulator/stats", timeout=10).json()["calls"]
    return total


def connected(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10)


def status_of(url: str, line: bytes, head: bytes = HEAD, body: bytes = b"") -> int:
    length = b"Content-Length: %d\r\n" % len(body)
    with connected(url) as peer:
        peer.sendall(line + b" HTTP/1.1\r\n" + head + length + b"\r\n" + body)
        return int(peer.recv(65_536).split()[1])


@pytest.mark.parametrize("method", [b"PATCH", b"OPTIONS", b"TRACE", b"PROPFIND", b"HEAD"])
def test_a_method_that_a_path_does_not_know_is_not_found(url: str, method: bytes) -> None:
    assert status_of(url, method + b" /contacts") == 404


@pytest.mark.parametrize(
    "path",
    [
        b"/contacts/%00",
        b"/contacts/%ff%fe",
        b"/contacts/../../etc/passwd",
        b"/%",
        b"/x" * 20_000,
        b"/_simulator/",
        b"*",
        b"/contacts?per_page=9999999999999999999",
        b"/contacts?starting_after=%00",
        b"/\xc3\xa9",
    ],
    ids=lambda path: repr(path[:30]),
)
def test_a_strange_path_is_refused(url: str, path: bytes) -> None:
    assert 400 <= status_of(url, b"GET " + path) < 500


@pytest.mark.parametrize(
    "body", [b"{", b"[1]", b'"x"', b"\xff", b'{"name": NaN}', DEEP, b'{"a":' * 50_000, b"9" * 9_000]
)
@pytest.mark.parametrize(
    "path", [b"/contacts", b"/contacts/search", b"/companies", b"/_simulator/contacts"]
)
def test_a_body_that_is_no_object_of_json_is_refused(url: str, path: bytes, body: bytes) -> None:
    assert status_of(url, b"POST " + path, body=body) == 400


@pytest.mark.parametrize("endpoint", [b"settings", b"faults", b"operator", b"reset", b"contacts"])
def test_no_control_call_can_nest_too_deeply(url: str, endpoint: bytes) -> None:
    assert status_of(url, b"POST /_simulator/" + endpoint, body=DEEP) == 400


def test_a_body_beyond_all_measure_is_not_kept(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LARGEST_BODY", 100_000)

    assert status_of(url, b"POST /contacts", body=b"x" * 200_000) == 413
    assert status_of(url, b"POST /_simulator/contacts", body=b"[]" + b" " * 200_000) == 200


@pytest.mark.parametrize(
    "head",
    [
        b"Host: attacker.example\r\n",
        b"",
        b"Host: 127.0.0.1\r\nIntercom-Version: \xff\r\nAuthorization: Bearer demo-token\r\n",
        b"Host: 127.0.0.1\r\nAccept: \xff\r\n",
    ],
)
def test_strange_headers_are_refused(url: str, head: bytes) -> None:
    assert 400 <= status_of(url, b"GET /me", head) < 500


def test_a_client_that_goes_in_the_middle_of_its_body_leaves_no_trace(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = calls(url)
    with caplog.at_level(logging.WARNING), connected(url) as peer:
        peer.sendall(b"POST /contacts HTTP/1.1\r\n" + HEAD + b"Content-Length: 50\r\n\r\n{")
        peer.shutdown(socket.SHUT_WR)
        assert peer.recv(100) == b"", "closed once the server has noticed"

    assert caplog.records == []
    assert calls(url) == before


def test_many_who_say_nothing_keep_nobody_waiting(url: str) -> None:
    silent = [connected(url) for _ in range(300)]
    try:
        assert status_of(url, b"GET /me") == 200
    finally:
        for peer in silent:
            peer.close()


@pytest.mark.parametrize(
    "held", [{"latency_ms": 600_000}, {"faults": [{"kind": "slow_body", "seconds": 600}]}]
)
def test_an_answer_that_is_held_back_does_not_hold_up_the_end(held: dict[str, Any]) -> None:
    simulator = Simulator()
    simulator.set(**held)
    with serving(simulator) as url:
        peer = connected(url)
        peer.sendall(b"GET /me HTTP/1.1\r\n" + HEAD + b"\r\n")
        while calls(url) == 0:
            time.sleep(0.01)
        began = time.monotonic()
    with peer:
        while peer.recv(65_536):
            pass

    assert time.monotonic() - began < 30


def test_only_this_machine_is_served() -> None:
    with listen(0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"
        assert address(listening).startswith("http://127.0.0.1:")
