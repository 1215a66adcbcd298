"""What anybody may send, and how little of it is looked at before it is known to be Intercom's."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import requests
from starlette.responses import PlainTextResponse, Response

from intercom_assets.database.store.connection import StoreUnavailable
from intercom_assets.database.store.store import Store
from intercom_assets.inbound import bodies, connections
from intercom_assets.inbound.bodies import LARGEST_BODY, Bodies, TooMuchInHand
from intercom_assets.inbound.settings import secrets_of
from intercom_assets.inbound.signatures import INBOX, WEBHOOK
from intercom_assets.inbound.signed import Inbound, SignedRoute
from intercom_assets.sync.environment import ConfigurationError
from intercom_assets_tests.inbound.listening import SECRET, Listener, listening


async def echo(inbound: Inbound, body: bytes) -> Response:
    return PlainTextResponse(body)


async def down(inbound: Inbound, body: bytes) -> Response:
    raise StoreUnavailable("the sync's own database did not answer")


ROUTES = (
    SignedRoute("/hook", WEBHOOK, echo),
    SignedRoute("/inbox", INBOX, echo),
    SignedRoute("/down", WEBHOOK, down),
)


@pytest.fixture
def echoing(store: Store) -> Iterator[Listener]:
    with listening(store, b"new", b"old", routes=ROUTES) as listener:
        yield listener


def raw_answer(listener: Listener, *sent: bytes) -> bytes:
    """All that comes until the other side closes; each part is sent after an answer to the last."""
    parts = urlsplit(listener.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        received = b""
        for part in sent[:-1]:
            connection.sendall(part)
            received += connection.recv(65_536)
        connection.sendall(sent[-1])
        while more := connection.recv(65_536):
            received += more
    return received


def refused(store: Store) -> int:
    since = datetime.now(UTC) - timedelta(minutes=5)
    return sum(c.value for c in store.state.counted(since) if c.name == "inbound refused")


@pytest.mark.parametrize("secret", [b"new", b"old"])
def test_a_body_signed_with_either_secret_is_taken(echoing: Listener, secret: bytes) -> None:
    answer = echoing.post("/hook", b"\x00 any bytes", secret=secret)

    assert (answer.status_code, answer.content) == (200, b"\x00 any bytes")


def test_the_inbox_signs_with_sha256(echoing: Listener) -> None:
    assert echoing.post("/inbox", b"{}", scheme=INBOX, secret=b"new").status_code == 200
    assert echoing.post("/inbox", b"{}", scheme=WEBHOOK, secret=b"new").status_code == 401


def test_the_digest_is_the_one_that_intercom_documents() -> None:
    """Of a body and a secret computed elsewhere: `openssl dgst -sha1 -hmac key`."""
    body = b"The quick brown fox jumps over the lazy dog"

    assert WEBHOOK.sign(body, b"key") == "sha1=de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9"


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha1=",
        "sha1=" + "0" * 40,
        "sha1=" + "é" * 40,
        WEBHOOK.sign(b"{}", b"another"),
        WEBHOOK.sign(b"{ }", b"new"),
        WEBHOOK.sign(b"{}", b"new").removeprefix("sha1="),
        INBOX.sign(b"{}", b"new"),
    ],
)
def test_whatever_is_not_signed_by_intercom_is_refused(
    echoing: Listener, signature: str | None
) -> None:
    headers = {} if signature is None else {"X-Hub-Signature": signature.encode()}
    answer = requests.post(echoing.url + "/hook", b"{}", headers=headers, timeout=30)

    assert answer.status_code == 401


def test_refusals_are_counted_in_our_own_tables(store: Store) -> None:
    with listening(store, routes=ROUTES) as listener:
        for _ in range(3):
            listener.post("/hook", b"{}", secret=b"wrong")

    assert refused(store) == 3


def test_intercom_may_ask_whether_the_address_is_there(echoing: Listener) -> None:
    answer = requests.head(echoing.url + "/hook", timeout=30)

    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_refused(echoing: Listener, method: str) -> None:
    answer = requests.request(method, echoing.url + "/hook", timeout=30)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "HEAD, POST")


def test_a_body_of_a_mebibyte_is_taken_and_none_larger(echoing: Listener) -> None:
    assert echoing.post("/hook", b"x" * LARGEST_BODY, secret=b"new").status_code == 200
    assert echoing.post("/hook", b"x" * (LARGEST_BODY + 1), secret=b"new").status_code == 413


def test_a_body_that_does_not_say_how_long_it_is_ends_at_a_mebibyte(echoing: Listener) -> None:
    parts = urlsplit(echoing.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    signature = {"X-Hub-Signature": "sha1=" + "0" * 40}
    chunks = (b"x" * 65_536 for _ in range(18))
    try:
        with suppress(BrokenPipeError, ConnectionResetError):  # it hung up before all was sent
            connection.request("POST", "/hook", chunks, signature, encode_chunked=True)
        assert connection.getresponse().status == 413
    finally:
        connection.close()


def test_a_body_that_never_comes_to_its_end_is_given_up(
    echoing: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "READ_WITHIN_S", 0.2)
    head = b"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nX-Hub-Signature: sha1="

    answer = raw_answer(echoing, head + b"0" * 40 + b"\r\n\r\nhalf")

    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("begun", [b"", b"POST /hook HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_never_comes_to_its_end_is_given_up(
    echoing: Listener, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_WITHIN_S", 0.2)

    assert raw_answer(echoing, begun) == b""


def test_a_second_head_that_never_comes_to_its_end_is_given_up(
    echoing: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_WITHIN_S", 0.2)
    first = b"HEAD /hook HTTP/1.1\r\nHost: x\r\n\r\n"

    answer = raw_answer(echoing, first, b"HEAD /hook HTTP/1.1\r\n")

    assert answer.count(b"HTTP/1.1 200 ") == 1


def test_headers_are_bounded(echoing: Listener) -> None:
    long = b"POST /hook HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 20_000

    assert raw_answer(echoing, long).startswith(b"HTTP/1.1 400 ")


def test_strangers_together_cannot_make_us_hold_more_than_the_bound() -> None:
    shared = Bodies(largest=100, most_in_hand=150)

    with shared.holding() as first:
        shared.take(90, 0)
        first.size = 90
        with pytest.raises(TooMuchInHand):
            shared.take(90, 0)
    shared.take(90, 0)

    assert shared.in_hand == 90


def test_tables_that_do_not_answer_make_intercom_try_again_later(
    echoing: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [echoing.post("/down", b"{}", secret=b"new") for _ in range(3)]

    assert [a.status_code for a in answers] == [503, 503, 503]
    assert answers[0].headers["Retry-After"] == "60"
    assert [r.message for r in caplog.records if r.name == "intercom_assets.inbound"] == [
        "The sync's own database did not answer."
    ]


def test_it_is_healthy_while_our_own_tables_answer(store: Store, listener: Listener) -> None:
    assert requests.get(listener.url + "/healthz", timeout=30).status_code == 200


def test_it_is_not_healthy_while_they_do_not() -> None:
    with (
        Store("postgresql://nobody@127.0.0.1:1/nothing") as store,
        listening(store) as listener,
    ):
        assert requests.get(listener.url + "/healthz", timeout=30).status_code == 503


def test_an_unknown_path_is_not_found(listener: Listener) -> None:
    assert listener.post("/elsewhere", {}).status_code == 404


@pytest.mark.parametrize("given", ["new,old", "new old", " new ,\n old ", "new,,old"])
def test_two_secrets_stand_in_one_variable(given: str) -> None:
    assert secrets_of(given) == (b"new", b"old")


@pytest.mark.parametrize(("given", "why"), [("", "is not set"), ("a b c d e", "holds 5 secrets")])
def test_no_secret_and_a_list_of_them_are_refused_in_one_sentence(given: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        secrets_of(given)


def test_no_secret_is_shown_where_settings_are_printed(listener: Listener) -> None:
    assert SECRET.decode() not in repr(listener.inbound.settings)


def test_the_bound_on_all_bodies_holds_for_those_that_are_read_at_once(store: Store) -> None:
    """Each is answered; what would be too much is asked for again later."""
    with listening(store, routes=ROUTES) as listener:
        object.__setattr__(listener.inbound, "bodies", Bodies(most_in_hand=10))

        assert listener.post("/hook", b"x" * 10).status_code == 200
        assert listener.post("/hook", b"x" * 11).status_code == 503
        assert listener.inbound.bodies.in_hand == 0
