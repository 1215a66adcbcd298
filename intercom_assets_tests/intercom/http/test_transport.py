"""The way to Intercom: addresses, tokens, proxies, and connections over real sockets."""

import gzip
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from intercom_assets.domain.models import ContactPatch
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import ConnectionFailed, NotFromIntercom
from intercom_assets.intercom.http.addresses import checked_token, checked_url, proxy_of
from intercom_assets.intercom.http.messages import HttpRequest, NoResponse, Timeouts
from intercom_assets.intercom.http.transport import Urllib3Transport
from intercom_assets.intercom.pool import Answered, Pool
from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator

ADA = ContactPatch({"role": "user", "external_id": "7"})


@pytest.mark.parametrize(
    ("given", "checked"),
    [
        ("https://api.intercom.io", "https://api.intercom.io"),
        ("https://api.eu.intercom.io/", "https://api.eu.intercom.io"),
        (" https://api.au.intercom.io ", "https://api.au.intercom.io"),
        ("http://127.0.0.1:8123/", "http://127.0.0.1:8123"),
        ("http://localhost:8123", "http://localhost:8123"),
        ("http://[::1]:8123", "http://[::1]:8123"),
    ],
)
def test_https_and_loopback_are_addresses(given: str, checked: str) -> None:
    assert checked_url(given) == checked


@pytest.mark.parametrize(
    "address",
    [
        "http://api.intercom.io",
        "http://localhost.example.com",
        "http://127.0.0.1@api.example.com",
        "https://user:secret@api.intercom.io",
        "https://api.intercom.io/?token=x",
        "ftp://api.intercom.io",
        "https://api.intercom.io:99999",
        "https://api.intercom.io:0",
        "https://api.intercom.io:x",
        "https://api intercom.io",
        "https://api.intercom.io/a b",
        "https://api.intercom.io/\r\nX-Odd: 1",
        "https://api.intercom.io\x00",
        "https://[::1",
        "http://127.0.0.1.example.com",
        "http://0.0.0.0:8123",
        "https://api.intercom.io/v2",
        "http://127.0.0.1:8123/contacts/",
        "api.intercom.io",
        "https://",
        "",
    ],
)
def test_everything_else_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="Intercom's address"):
        checked_url(address)


def test_a_token_is_trimmed_and_one_that_no_header_can_carry_is_not_quoted() -> None:
    assert checked_token(" dG9rOjEyMw==\n") == "dG9rOjEyMw=="
    for broken in ("sec ret", "sec\nret", "secrét"):
        with pytest.raises(ValueError, match="token") as refused:
            IntercomClient(broken)
        assert "sec" not in str(refused.value)


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_a_proxy_of_the_environment_is_used_except_for_loopback(
    no_proxy: pytest.MonkeyPatch,
) -> None:
    assert proxy_of("https://api.intercom.io") is None

    no_proxy.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert proxy_of("https://api.intercom.io") == "http://proxy.example:3128"
    assert proxy_of("http://127.0.0.1:8123") is None

    no_proxy.setenv("NO_PROXY", ".intercom.io")
    assert proxy_of("https://api.intercom.io") is None


# --- over sockets ---------------------------------------------------------------------------------

LOOPBACK = Path(__file__).with_name("loopback.pem")
ANSWER = b'{"type": "contact", "id": "6762f0dd1bb69f9f2193bb83", "role": "user"}'
Reply = Callable[[socket.socket], None]


@contextmanager
def replying(*replies: Reply, tls: bool = False) -> Iterator[tuple[str, list[int]]]:
    """A server whose n-th request gets the n-th reply; the list tells the connection of each."""
    with _listening(tls=tls) as listening:
        listening.settimeout(10)
        connections: list[int] = []
        waiting = list(replies)

        def serve() -> None:
            number = 0
            while waiting:
                number += 1
                with listening.accept()[0] as peer:
                    peer.settimeout(10)
                    while waiting and _request(peer):
                        connections.append(number)
                        waiting.pop(0)(peer)
                        if peer.fileno() < 0:
                            break

        thread = threading.Thread(target=serve)
        thread.start()
        scheme = "https" if tls else "http"
        yield f"{scheme}://127.0.0.1:{listening.getsockname()[1]}", connections
        thread.join(10)


def _listening(*, tls: bool) -> socket.socket:
    listening = socket.create_server(("127.0.0.1", 0))
    if not tls:
        return listening
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(LOOPBACK)
    return context.wrap_socket(listening, server_side=True)


def _request(peer: socket.socket) -> bool:
    """Read one request (of our client: head, then Content-Length bytes); False at the end."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = peer.recv(65_536)
        if not more:
            return False
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (
            int(line[15:])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        body += peer.recv(65_536)
    return True


def _reply(body: bytes, *headers: str, then_close: bool = False) -> Reply:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]

    def send(peer: socket.socket) -> None:
        peer.sendall("\r\n".join(lines).encode() + body)
        if then_close:
            peer.close()

    return send


def _hang_up(peer: socket.socket) -> None:
    peer.close()


def test_a_connection_is_kept_and_used_again() -> None:
    with replying(_reply(ANSWER), _reply(ANSWER)) as (url, connections):
        client = IntercomClient("token", url)
        client.get_contact("x")
        client.update_contact("x", ContactPatch({"name": "Ada"}))
        client.close()

    assert connections == [1, 1]


def test_a_connection_that_the_server_closed_meanwhile_costs_no_call() -> None:
    closed = threading.Event()

    def answer_and_close(peer: socket.socket) -> None:
        _reply(ANSWER, then_close=True)(peer)
        closed.set()

    with replying(answer_and_close, _reply(ANSWER)) as (url, connections):
        client = IntercomClient("token", url)
        client.get_contact("x")
        assert closed.wait(10)
        client.create_contact(ADA)
        client.close()

    assert connections == [1, 2]
    assert len(client.calls) == 2


def test_a_connection_that_is_to_be_closed_is_not_kept() -> None:
    last = _reply(ANSWER, "Connection: close", then_close=True)
    with replying(last, _reply(ANSWER)) as (url, connections):
        client = IntercomClient("token", url)
        client.get_contact("x")
        client.get_contact("x")
        client.close()

    assert connections == [1, 2]


def test_a_connection_that_was_idle_for_long_is_not_used_again() -> None:
    """A server may be closing it at this moment, and a create on it would be in doubt."""
    now = 0.0
    with replying(_reply(ANSWER), _reply(ANSWER), _reply(ANSWER)) as (url, connections):
        transport = a_transport(url, lambda: now)
        for pause in (0.0, 3.9, 4.1):
            now += pause
            transport.send(a_request(), Timeouts())
        transport.close()

    assert connections == [1, 1, 2]


def test_who_closed_idle_connections_can_go_on() -> None:
    with replying(_reply(ANSWER), _reply(ANSWER)) as (url, connections):
        client = IntercomClient("token", url)
        client.get_contact("x")
        client.close()
        client.get_contact("x")
        client.close()

    assert connections == [1, 2]


def test_a_write_leaves_in_one_piece() -> None:
    """Two would wake the other side twice, and cost us a packet more for each write."""
    pieces: list[bytes] = []

    def serve(listening: socket.socket) -> None:
        with listening.accept()[0] as peer:
            pieces.append(peer.recv(65_536))
            _reply(ANSWER)(peer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        client = IntercomClient("token", f"http://127.0.0.1:{listening.getsockname()[1]}")
        client.create_contact(ADA)
        client.close()
        thread.join(10)

    assert pieces[0].startswith(b"POST /contacts HTTP/1.1\r\n")
    assert pieces[0].endswith(b'\r\n\r\n{"role": "user", "external_id": "7"}')


def test_the_log_of_no_library_holds_an_id_or_the_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    broken = b"HTTP/1.1 200 OK\r\na header without a colon\r\n\r\n"
    with replying(_reply(ANSWER), lambda peer: peer.sendall(broken)) as (url, _):
        client = IntercomClient("secret-token", url)
        client.find_contact("eve@example.com")
        with pytest.raises(ConnectionFailed, match="headers that are none"):
            client.create_contact(ContactPatch({"external_id": "eve@example.com"}))
        client.close()

    assert "/contacts/find_by_external_id/{external_id}: 200" in caplog.text
    for secret in ("secret-token", "eve", "example.com"):
        assert secret not in caplog.text


def test_https_is_checked_against_the_bundle_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(LOOPBACK))
    with replying(_reply(ANSWER), _reply(ANSWER), tls=True) as (url, connections):
        client = IntercomClient("token", url)
        client.get_contact("x")
        client.create_contact(ADA)
        client.close()

    assert connections == [1, 1]


def test_a_host_that_cannot_prove_itself_gets_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)

    def distrusted() -> None:
        while not over.is_set():
            with suppress(OSError):
                listening.accept()[0].close()

    over = threading.Event()
    with _listening(tls=True) as listening:
        listening.settimeout(0.1)
        thread = threading.Thread(target=distrusted)
        thread.start()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        client = IntercomClient("token", url, sleep=lambda seconds: None)
        with pytest.raises(ConnectionFailed, match="SSLCertVerificationError") as untrusted:
            client.create_contact(ADA)
        over.set()
        thread.join(10)
    assert not untrusted.value.may_have_landed


def test_answers_may_be_compressed() -> None:
    body = gzip.compress(ANSWER)
    with replying(_reply(body, "Content-Encoding: gzip")) as (url, _):
        client = IntercomClient("token", url)
        assert client.get_contact("x").role == "user"
        client.close()


def test_answers_may_come_in_chunks() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
    reply = chunked % (len(ANSWER), ANSWER)
    with replying(lambda peer: peer.sendall(reply), _reply(ANSWER)) as (url, connections):
        client = IntercomClient("token", url)
        client.get_contact("x")
        client.get_contact("x")
        client.close()

    assert connections == [1, 1]


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(_hang_up, id="hung up"),
        pytest.param(lambda peer: (peer.sendall(b"HTTP/1.1 2"), peer.close()), id="half a line"),
        pytest.param(lambda peer: (peer.sendall(b"\x16\x03\x01" * 9), peer.close()), id="no http"),
        pytest.param(
            lambda peer: (
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
                peer.close(),
            ),
            id="half a body",
        ),
        pytest.param(
            _reply(gzip.compress(ANSWER)[:30], "Content-Encoding: gzip", then_close=True),
            id="half compressed",
        ),
        pytest.param(
            _reply(ANSWER, "Content-Encoding: gzip", then_close=True), id="not compressed at all"
        ),
    ],
)
def test_a_create_whose_answer_breaks_off_is_in_doubt_and_a_read_is_repeated(reply: Reply) -> None:
    with replying(reply) as (url, _):
        client = IntercomClient("token", url)
        with pytest.raises(ConnectionFailed) as lost:
            client.create_contact(ADA)
    assert lost.value.may_have_landed

    with replying(reply, _reply(ANSWER)) as (url, _):
        client = IntercomClient("token", url, sleep=lambda seconds: None)
        assert client.get_contact("x").role == "user"
        client.close()


def test_an_answer_of_another_kind_is_in_doubt_too() -> None:
    with replying(_reply(b"<html>", then_close=True)) as (url, _):
        client = IntercomClient("token", url)
        with pytest.raises(NotFromIntercom) as lost:
            client.create_contact(ADA)
    assert lost.value.may_have_landed
    client.close()


def test_a_silent_server_is_given_up() -> None:
    def silence(peer: socket.socket) -> None:
        peer.recv(1)

    with replying(silence) as (url, _):
        client = IntercomClient("token", url, timeouts=Timeouts(1.0, 0.2))
        with pytest.raises(ConnectionFailed, match="TimeoutError") as lost:
            client.create_contact(ADA)
    assert lost.value.may_have_landed


@pytest.mark.parametrize(
    ("begun", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\n", b"X-Drop: 1\r\n"),
        (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    ],
    ids=["body", "headers", "interim answers"],
)
def test_a_server_that_drips_is_given_up(begun: bytes, drop: bytes) -> None:
    def drip(peer: socket.socket) -> None:
        peer.sendall(begun)
        with suppress(OSError):
            while True:
                peer.sendall(drop)
                threading.Event().wait(0.02)

    with replying(drip) as (url, _):
        client = IntercomClient("token", url, timeouts=Timeouts(0.1, 0.1))
        with pytest.raises(ConnectionFailed, match="TimeoutError") as lost:
            client.create_contact(ADA)
    assert lost.value.may_have_landed


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_token_follows_no_redirect(status: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        there = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/contacts"
        head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n"
        replies = [lambda peer: peer.sendall(head.encode())] * 4
        with replying(*replies) as (url, _):
            client = IntercomClient("token", url, sleep=lambda seconds: None)
            with pytest.raises(NotFromIntercom, match=f"{status}: redirected") as led_astray:
                client.create_contact(ADA)
            client.close()
        elsewhere.setblocking(False)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()

    assert not led_astray.value.may_have_landed


def test_a_create_that_found_no_server_never_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = IntercomClient("token", f"http://127.0.0.1:{port}", sleep=lambda seconds: None)

    with pytest.raises(ConnectionFailed, match="ConnectionRefusedError") as refused:
        client.create_contact(ADA)
    assert not refused.value.may_have_landed
    assert len(client.calls) == 4, "so it may be sent again"


def test_a_host_that_takes_connections_and_says_nothing_gets_no_request() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"https://127.0.0.1:{deaf.getsockname()[1]}"
        client = IntercomClient("t", url, timeouts=Timeouts(0.05, 9.0), sleep=lambda seconds: None)
        with pytest.raises(ConnectionFailed, match="no connection") as unheard:
            client.create_contact(ADA)
    assert not unheard.value.may_have_landed


def a_transport(url: str, clock: Callable[[], float] = time.monotonic) -> Urllib3Transport:
    return Urllib3Transport(url, connections=1, clock=clock)


def a_request(method: str = "GET", body: bytes | None = None) -> HttpRequest:
    return HttpRequest(method, "/contacts", {}, body)


def test_a_request_that_would_leave_too_late_does_not_leave() -> None:
    """Its lease may have run out by the time it came to the connection."""
    late = iter(range(0, 1_000, 3))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        transport = a_transport(url, lambda: float(next(late)))
        with pytest.raises(NoResponse, match="TimeoutError") as stayed:
            transport.send(a_request(), Timeouts(4.0, 14.0))
        with listening.accept()[0] as peer:
            assert peer.recv(100) == b""
    assert not stayed.value.sent


@contextmanager
def deaf() -> Iterator[tuple[str, int]]:
    """An address whose connections are neither taken nor refused: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening, ExitStack() as queued:
        address = listening.getsockname()
        for _ in range(8):
            waiting = queued.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield address


def test_addresses_of_a_host_share_the_time_to_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def many(host: str, *args: Any, **settings: Any) -> list[Any]:
        found = resolve(host, *args, **settings)
        return [(*found[0][:4], silent), *found] if host == "localhost" else found

    with deaf() as silent, replying(_reply(ANSWER)) as (url, _):
        monkeypatch.setattr(socket, "getaddrinfo", many)
        transport = a_transport(url.replace("127.0.0.1", "localhost"))
        began = time.monotonic()
        response = transport.send(a_request("POST", b"{}"), Timeouts(connect=2.0))
        transport.close()

    assert response.status == 200
    assert time.monotonic() - began < 2.0


def test_who_finds_no_connection_free_in_time_has_sent_nothing() -> None:
    asked, over = threading.Event(), threading.Event()

    def slowly(peer: socket.socket) -> None:
        asked.set()
        over.wait(10)
        _reply(ANSWER)(peer)

    with replying(slowly) as (url, _):
        transport, timeouts = a_transport(url), Timeouts(0.1, 9.0)
        first = threading.Thread(target=transport.send, args=(a_request(), timeouts))
        first.start()
        assert asked.wait(10)
        with pytest.raises(NoResponse, match="all are in use") as turned_away:
            transport.send(a_request("POST", b"{}"), timeouts)
        over.set()
        first.join(10)
        transport.close()
    assert not turned_away.value.sent


def test_many_threads_share_few_connections() -> None:
    simulator = Simulator(rate_limit_per_window=100_000)
    with serving(simulator) as url, Pool(16) as pool:
        client = IntercomClient("demo-token", url, connections=4)
        outcomes = pool.run(
            lambda n: client.create_contact(ContactPatch({"role": "user", "external_id": str(n)})),
            range(100),
        )
        client.close()

    assert all(isinstance(outcome, Answered) for outcome in outcomes)
    assert len(simulator.contacts()) == 100


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "lost_reply"},
        {"kind": "dropped_connection"},
        {"kind": "truncated_json"},
        {"kind": "error", "status": 500, "when": "after"},
    ],
)
def test_the_faults_of_the_stand_in_mean_the_same_over_a_socket(fault: dict[str, object]) -> None:
    simulator = Simulator(rate_limit_per_window=100_000)
    with serving(simulator) as url:
        client = IntercomClient("demo-token", url, sleep=lambda seconds: None)
        contact = client.create_contact(ADA)
        simulator.set(faults=[fault])
        client.update_contact(contact.id, ContactPatch({"name": "Ada"}))
        client.close()

    assert len(client.calls) == 3
    assert simulator.contact(id=contact.id)["name"] == "Ada"  # type: ignore[index]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [('"dG9rOjEyMw=="', "quotation mark"), ("Bearer dG9rOjEyMw==", "after Bearer")],
)
def test_a_token_that_was_copied_with_more_than_itself_is_told(given: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        checked_token(given)
