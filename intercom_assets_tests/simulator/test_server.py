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


def test_a_whole_url_in_the_request_line_is_its_path(url: str) -> None:
    """As the Ruby client asks for the next page of a list."""
    told = url.encode()

    assert status_of(url, b"GET " + told + b"/companies?page=1&per_page=2") == 200
    assert status_of(url, b"GET https://api.intercom.io/contacts") == 200
    assert status_of(url, b"GET " + told + b"/contacts/none") == 404
    assert status_of(url, b"GET " + told) == 404
    assert status_of(url, b"GET " + told + b"/me", b"Host: attacker.example\r\n") == 400


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


def said(url: str, sent: bytes, *, until: bytes) -> bytes:
    """What comes back, up to where it ends with `until` or the line is closed."""
    with connected(url) as peer:
        peer.sendall(sent)
        return heard(peer, until)


def heard(peer: socket.socket, until: bytes) -> bytes:
    got = b""
    while not got.endswith(until) and (part := peer.recv(65_536)):
        got += part
    return got


def test_requests_sent_without_waiting_are_answered_in_their_order(url: str) -> None:
    """The first one is held back; nobody overtakes it."""
    settings = {"fail_next": {"kind": "latency", "seconds": 0.3, "endpoint": "GET /me"}}
    assert requests.post(f"{url}/_simulator/settings", json=settings, timeout=10).status_code == 200
    sent = [b"GET /%s HTTP/1.1\r\n%s\r\n" % (path, HEAD) for path in (b"me", b"nowhere", b"tags")]

    got = said(url, b"".join(sent), until=b'"data":[]}')

    assert [int(part[:3]) for part in got.split(b"HTTP/1.1 ")[1:]] == [200, 404, 200]


def test_a_body_may_come_in_chunks_and_after_a_leave_to_send_it(url: str) -> None:
    head = HEAD + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"
    with connected(url) as peer:
        peer.sendall(b"POST /contacts HTTP/1.1\r\n" + head + b"\r\n")
        assert heard(peer, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        for part in (b'{"role": "lead", ', b'"name": "Ada"}', b""):
            peer.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        answer = heard(peer, b"}")

    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"name":"Ada"' in answer


def test_an_old_client_is_answered_and_its_line_closed(url: str) -> None:
    got = said(url, b"GET /me HTTP/1.0\r\n" + HEAD + b"\r\n", until=b"never")

    assert got.startswith(b"HTTP/1.1 200")
    assert b"Connection: close\r\n" in got


def test_whoever_asks_for_the_line_to_be_closed_has_it_closed(url: str) -> None:
    got = said(url, b"GET /me HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n", until=b"never")

    assert got.count(b"HTTP/1.1 200") == 1


def test_who_asks_for_a_head_gets_no_body(url: str) -> None:
    with connected(url) as peer:
        peer.sendall(
            b"HEAD /me HTTP/1.1\r\n" + HEAD + b"\r\nGET /tags HTTP/1.1\r\n" + HEAD + b"\r\n"
        )
        got = heard(peer, b'"data":[]}')

    assert got.count(b"\r\n\r\n") == 2
    assert b"\r\n\r\nHTTP/1.1 200" in got


def test_a_call_that_fails_for_a_fault_of_ours_is_told_and_the_next_one_answered(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with requests.Session() as session, monkeypatch.context() as patched:
        patched.setattr(Simulator, "handle", lambda *_: 1 / 0)
        assert session.get(f"{url}/me", timeout=10).status_code == 500
        patched.undo()
        again = session.get(f"{url}/me", headers={"Authorization": "Bearer demo-token"}, timeout=10)

    assert again.status_code == 200
    assert "GET /me could not be answered" in caplog.text


def test_text_that_utf_8_cannot_hold_is_answered_as_it_was_sent(url: str) -> None:
    headers = {"Authorization": "Bearer demo-token", "Content-Type": "application/json"}
    body = b'{"role": "lead", "name": "L\xc3\xb6we \\ud800"}'

    answer = requests.post(f"{url}/contacts", body, headers=headers, timeout=10)

    assert answer.json()["name"] == "L\u00f6we \ud800"


def test_only_this_machine_is_served() -> None:
    with listen(0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"
        assert address(listening).startswith("http://127.0.0.1:")
