"""One HTTP answer as it comes in over a connection, byte by byte. No socket, no clock, no JSON.

Where an answer ends is decided by `httptools` (the parser of Node.js); what this adds is what a
client must know beyond it: interim answers are not the answer, a body may end with its connection
or be cut off by it, and no answer is larger than what this project would ever ask for.
"""

import zlib

import httptools

from intercom_assets.intercom.http.messages import RawAnswer

LARGEST_HEAD = 262_144
LARGEST_BODY = 134_217_728
"""Bytes, unpacked. A page of 150 contacts with 250 long attributes each takes a tenth of it."""
GZIP = 16 + zlib.MAX_WBITS
INTERIM = range(100, 200)


class Malformed(Exception):
    """The bytes that came are no whole answer. The text names what is wrong, and no content."""


class Incoming:
    """Feed it what comes until `complete`, or `end` it where the connection ends.

    `reusable`: afterwards the connection can carry another request.
    """

    def __init__(self) -> None:
        self.complete = False
        self.reusable = False
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._status = 0
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []
        self._size = 0
        self._in_body = False

    def feed(self, data: bytes) -> None:
        """Raises `Malformed`. What comes after the answer only costs the connection."""
        if self._parser is None:
            raise Malformed("more than one answer")
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as strange:
            self.reusable = False
            if not self.complete:
                raise Malformed(type(strange).__name__) from None
        if self._size > (LARGEST_BODY if self._in_body else LARGEST_HEAD):
            raise Malformed("too large an answer")
        if self.complete:
            self._parser = None  # which holds this object: no work for the garbage collector

    def end(self) -> None:
        """The connection ended, which ends only a body of unannounced length. Else `Malformed`."""
        announced = "content-length" in self._headers or "transfer-encoding" in self._headers
        if not self.complete and (announced or not self._in_body):
            raise Malformed("an answer that breaks off" if self._size else "no answer at all")
        self.complete, self.reusable = True, False

    def answer(self) -> RawAnswer:
        """Raises `Malformed` for a body that is not packed as its header says."""
        body = b"".join(self._parts)
        if self._headers.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip"):
            body = _unpacked(body)
        return RawAnswer(self._status, self._headers, body)

    # --- called by the parser ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Once the answer is complete: another one, unasked for. That connection is no good."""
        if self.complete:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Trailers, which come after the body, are not read."""
        if self._in_body:
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        known = self._headers.get(key)
        self._headers[key] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        if self.complete or self._parser is None:
            return
        self._status = self._parser.get_status_code()
        self.reusable = self._parser.should_keep_alive()
        self._in_body = self._status not in INTERIM

    def on_body(self, body: bytes) -> None:
        if not self.complete:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        if self._in_body:
            self.complete = True
        else:
            self._headers.clear()


def _unpacked(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(GZIP)
    try:
        plain = unpacker.decompress(body, LARGEST_BODY)
    except zlib.error:
        raise Malformed("a body that is not compressed as it says") from None
    if unpacker.unconsumed_tail:
        raise Malformed("too large an answer")
    if not unpacker.eof:
        raise Malformed("a compressed body that breaks off")
    return plain
