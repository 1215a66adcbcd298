"""One response, however its bytes come: whole, refused or broken off, and never by halves."""

import gzip
import io
import time
from http.client import HTTPException

import pytest

from intercom_assets.intercom.http.connection import LARGEST_HEAD, Connection, Malformed
from intercom_assets.intercom.http.messages import HttpRequest, HttpResponse

BODY = b'{"type": "contact"}'
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 19\r\n"
PLAIN = OK + LENGTH + b"\r\n" + BODY
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n8\r\n%s\r\nb\r\n%s\r\n0\r\n\r\n"
PACKED = gzip.compress(BODY, mtime=0)
GZIP = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(PACKED), PACKED)
WHOLE = {
    "with its length": PLAIN,
    "in chunks": CHUNKED % (BODY[:8], BODY[8:]),
    "compressed": GZIP,
    "after interim answers": b"HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n" * 3 + PLAIN,
    "after early hints": b"HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\n" * 3 + PLAIN,
}
NO_RESPONSE = (HTTPException, MemoryError, OverflowError)


class Pieces(io.RawIOBase):
    """A socket that yields these bytes, `step` at a time (0: as many as are wanted), then ends."""

    def __init__(self, raw: bytes, step: int) -> None:
        self._left, self._step = memoryview(raw), step

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self._left[: min(len(buffer), self._step or len(buffer))]
        buffer[: len(piece)] = piece
        self._left = self._left[len(piece) :]
        return len(piece)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def sendall(self, data: bytes) -> None:
        """The request is of no interest."""

    def settimeout(self, seconds: float) -> None:
        """Nothing here takes any time."""


class Exchanged:
    """What became of a request whose connection yields `raw`."""

    def __init__(self, raw: bytes, step: int = 0) -> None:
        connection = Connection("api.test", 80, clock=time.monotonic)
        connection.sock = Pieces(raw, step)
        request = HttpRequest("GET", "/me", {}, None)
        self.response = connection.exchange(request, time.monotonic() + 60)
        self.reusable = connection.reusable


@pytest.mark.parametrize("step", [0, 1, 7])
@pytest.mark.parametrize("raw", WHOLE.values(), ids=WHOLE.keys())
def test_an_answer_is_the_same_in_whatever_pieces_it_comes(raw: bytes, step: int) -> None:
    exchanged = Exchanged(raw, step)

    assert exchanged.response.body == BODY
    assert exchanged.reusable
    assert "x-a" not in exchanged.response.headers, "an interim answer's headers are its own"


@pytest.mark.parametrize("raw", WHOLE.values(), ids=WHOLE.keys())
def test_an_answer_cut_off_after_any_byte_is_no_answer(raw: bytes) -> None:
    for end in range(len(raw)):
        with pytest.raises(NO_RESPONSE):
            Exchanged(raw[:end])


def test_a_body_of_no_announced_length_ends_with_its_connection() -> None:
    exchanged = Exchanged(OK + b"\r\n" + BODY)

    assert exchanged.response == HttpResponse(200, {}, BODY)
    assert not exchanged.reusable


@pytest.mark.parametrize(
    "raw",
    [
        OK + LENGTH + b"Connection: close\r\n\r\n" + BODY,
        PLAIN.replace(b"1.1", b"1.0", 1),
        PLAIN + b"and more",
        PLAIN + PLAIN.replace(b"contact", b"company"),
    ],
    ids=["close", "http 1.0", "garbage follows", "another answer follows"],
)
def test_an_answer_is_taken_although_its_connection_is_no_good_any_more(raw: bytes) -> None:
    exchanged = Exchanged(raw)

    assert exchanged.response.body == BODY
    assert not exchanged.reusable


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        OK + b"Content-Length: -2\r\n\r\n{}",
        OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 15 + b"\r\n{}\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 30 + b"\r\n{}\r\n0\r\n\r\n",
        OK + b"a header without a colon\r\n\r\n",
        OK + b"X-Much: " + b"x" * (LARGEST_HEAD + 1),
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * (LARGEST_HEAD // 20),
        GZIP.replace(PACKED, BODY[: len(PACKED)].ljust(len(PACKED))),
        GZIP.replace(PACKED, PACKED[:-3] + b"   "),
    ],
    ids=lambda raw: repr(raw[:40]),
)
def test_what_is_no_answer_is_refused_and_not_guessed_at(raw: bytes) -> None:
    with pytest.raises(NO_RESPONSE):
        Exchanged(raw)


def test_a_body_that_unpacks_to_more_than_anything_asked_for_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("intercom_assets.intercom.http.connection.LARGEST_BODY", 100_000)
    bomb = gzip.compress(b" " * 1_000_000)
    with pytest.raises(Malformed, match="too large"):
        Exchanged(OK + b"Content-Encoding: gzip\r\n\r\n" + bomb)
    with pytest.raises(Malformed, match="too large"):
        Exchanged(OK + b"\r\n" + b" " * 120_000, step=1000)
    with pytest.raises(Malformed, match="too large"):
        Exchanged(OK + b"Content-Length: 100001\r\n\r\n")


def test_headers_are_told_by_lower_case_name_and_repeated_ones_together() -> None:
    head = b"X-Request-ID: r1\r\nLink: <a>\r\nLINK: <b>\r\nX-Odd: \xff\r\n"
    response = Exchanged(OK + head + LENGTH + b"\r\n" + BODY).response

    assert response.headers["x-request-id"] == "r1"
    assert response.headers["link"] == "<a>, <b>"
    assert response.headers["x-odd"] == "\xff"


def test_trailers_are_not_headers() -> None:
    raw = (CHUNKED % (BODY[:8], BODY[8:])).replace(b"0\r\n\r\n", b"0\r\nLink: <x>\r\n\r\n")

    assert "link" not in Exchanged(raw).response.headers
