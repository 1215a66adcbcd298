"""Through a real proxy: a TCP server that speaks CONNECT, and Intercom behind it with TLS."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from intercom_assets.domain.models import ContactPatch
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import ConnectionFailed
from intercom_assets.intercom.http.messages import Timeouts

CERTIFICATE = Path(__file__).with_name("intercom_example.pem")
HOST = "https://intercom.example"
ADA = ContactPatch({"role": "user", "external_id": "7"})
CONTACT = b'{"type": "contact", "id": "6762f0dd1bb69f9f2193bb83", "role": "user"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(CONTACT), CONTACT)
REFUSED = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"


class Proxy:
    """`asked`: the heads of what it was asked; `seen`: the requests that came out behind it."""

    def __init__(self, refusal: str = "") -> None:
        self.asked: list[str] = []
        self.seen: list[str] = []
        self._refusal = refusal
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(CERTIFICATE)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listening.getsockname()[1]}"

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                peer = self._listening.accept()[0]
                with suppress(OSError), peer:
                    peer.settimeout(10)
                    self._connect(peer)

    def _connect(self, peer: socket.socket) -> None:
        self.asked.append(_head(peer))
        if self._refusal:
            peer.sendall(self._refusal.encode())
            return
        peer.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with self._context.wrap_socket(peer, server_side=True) as behind:
            while head := _head(behind):
                self.seen.append(head)
                behind.sendall(ANSWER)


def _head(peer: socket.socket) -> str:
    """Up to the empty line; "" at the end. The test's requests have no body."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = peer.recv(65_536)
        if not more:
            return ""
        received += more
    return received.decode()


@contextmanager
def proxying(refusal: str = "") -> Iterator[Proxy]:
    proxy = Proxy(refusal)
    try:
        yield proxy
    finally:
        proxy.close()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Without any proxy, and trusting the certificate of intercom.example."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    return monkeypatch


def a_client() -> IntercomClient:
    return IntercomClient(
        "secret-token", HOST, timeouts=Timeouts(5.0, 5.0), sleep=lambda seconds: None
    )


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_calls_pass_through_one_tunnel_in_which_the_proxy_reads_nothing(
    environment: pytest.MonkeyPatch, variable: str
) -> None:
    with proxying() as proxy:
        environment.setenv(variable, f"http://{proxy.address}")
        client = a_client()
        client.get_contact("x")
        client.get_contact("y")
        client.close()

    lines = [head.partition(" HTTP")[0] for head in proxy.asked]
    assert lines == ["CONNECT intercom.example:443"]
    assert "secret-token" not in "".join(proxy.asked)
    assert [head.partition(" HTTP")[0] for head in proxy.seen] == [
        "GET /contacts/x",
        "GET /contacts/y",
    ]
    assert all("Authorization: Bearer secret-token" in head for head in proxy.seen)


def test_the_proxys_password_is_for_the_proxy_alone(environment: pytest.MonkeyPatch) -> None:
    with proxying() as proxy:
        environment.setenv("HTTPS_PROXY", f"http://ada:pass@{proxy.address}")
        client = a_client()
        client.get_contact("x")
        client.close()

    assert "proxy-authorization: basic" in proxy.asked[0].lower()
    assert "proxy-authorization" not in proxy.seen[0].lower()


def test_the_environment_is_read_once(environment: pytest.MonkeyPatch) -> None:
    with proxying() as proxy:
        environment.setenv("HTTPS_PROXY", proxy.address)
        client = a_client()
        environment.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        environment.setenv("NO_PROXY", "*")
        client.get_contact("x")
        client.close()

    assert len(proxy.seen) == 1


def test_a_host_that_needs_no_proxy_is_asked_for_directly(environment: pytest.MonkeyPatch) -> None:
    with proxying() as proxy:
        environment.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        environment.setenv("NO_PROXY", "intercom.example")
        with pytest.raises(ConnectionFailed, match="gaierror: the host's name is not known"):
            a_client().get_contact("x")

    assert proxy.asked == []


def test_a_proxy_that_refuses_leaves_no_create_in_doubt(environment: pytest.MonkeyPatch) -> None:
    with proxying(REFUSED) as proxy:
        environment.setenv("HTTPS_PROXY", f"http://ada:pass@{proxy.address}")
        with pytest.raises(ConnectionFailed, match=r"the proxy .* let nothing through") as refused:
            a_client().create_contact(ADA)

    assert not refused.value.may_have_landed
    assert len(proxy.asked) == 4, "so it may be sent again"
    assert "ada:pass" not in str(refused.value)


def test_a_proxy_that_is_not_there_leaves_no_create_in_doubt(
    environment: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    with pytest.raises(ConnectionFailed, match=r"the proxy .* let nothing through") as absent:
        a_client().create_contact(ADA)

    assert not absent.value.may_have_landed


def test_a_proxy_that_says_nothing_leaves_no_create_in_doubt(
    environment: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        client = IntercomClient("t", HOST, timeouts=Timeouts(0.05, 9.0), sleep=lambda _: None)
        with pytest.raises(ConnectionFailed, match=r"\(TimeoutError\)") as unheard:
            client.create_contact(ADA)

    assert not unheard.value.may_have_landed


def test_a_host_behind_a_proxy_that_cannot_prove_itself_gets_no_request(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.delenv("REQUESTS_CA_BUNDLE")
    environment.delenv("CURL_CA_BUNDLE", raising=False)
    with proxying() as proxy:
        environment.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        with pytest.raises(ConnectionFailed, match="cannot be trusted") as distrusted:
            a_client().create_contact(ADA)

    assert not distrusted.value.may_have_landed
    assert proxy.seen == []


@contextmanager
def behind_tls(address: str, said: list[bytes]) -> Iterator[str]:
    """What comes over TLS is passed on to `address`; `said` is what the client said inside it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("loopback.pem"))
    host, _, port = address.rpartition(":")

    def carry(source: socket.socket, target: socket.socket, heard: list[bytes]) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                heard.append(data)
                target.sendall(data)

    def serve() -> None:
        with suppress(OSError):
            peer, behind = listening.accept()[0], socket.create_connection((host, int(port)), 10)
            with peer, behind, context.wrap_socket(peer, server_side=True) as outer:
                back = threading.Thread(target=carry, args=(behind, outer, []))
                back.start()
                carry(outer, behind, said)
                behind.shutdown(socket.SHUT_RDWR)
                back.join(10)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        thread.join(10)


def test_a_proxy_may_be_spoken_to_over_tls(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_text(CERTIFICATE.read_text() + CERTIFICATE.with_name("loopback.pem").read_text())
    environment.setenv("REQUESTS_CA_BUNDLE", str(both))
    said: list[bytes] = []
    with proxying() as proxy, behind_tls(proxy.address, said) as address:
        environment.setenv("HTTPS_PROXY", f"https://ada:pass@{address}")
        client = a_client()
        client.get_contact("x")
        client.get_contact("y")
        client.close()

    assert said[0].startswith(b"CONNECT intercom.example:443")
    assert len(proxy.seen) == 2
    assert b"secret-token" not in b"".join(said)


@pytest.mark.parametrize(
    "proxy",
    ["socks5://127.0.0.1:1080", "ftp://127.0.0.1:21", "http://127.0.0.1:99999", "http://ada:pass@"],
)
def test_a_proxy_that_cannot_be_used_is_told_at_once_and_not_quoted(
    environment: pytest.MonkeyPatch, proxy: str
) -> None:
    environment.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ValueError, match="one is written http://host:port") as refused:
        a_client()
    assert proxy not in str(refused.value)
