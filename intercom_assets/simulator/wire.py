"""What goes over the wire: a parsed call, an operation's reply, the finished answer.

Reading bodies and query strings, and writing headers and JSON, happens here and nowhere else.
Which operation a path means is `routes`' business.
"""

import json
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote
from zlib import crc32

from pydantic_core import PydanticSerializationError, to_json

from intercom_assets.simulator.errors import Refused, bad_parameter, bad_request
from intercom_assets.simulator.records import NOTHING
from intercom_assets.simulator.settings import Settings
from intercom_assets.simulator.state import World

Version = tuple[int, int]
PREVIEW: Version = (99, 0)


class Call(NamedTuple):
    """One call as an operation sees it. `ids`: what stands in the path's braces, decoded."""

    world: World
    settings: Settings
    version: Version
    ids: tuple[str, ...] = ()
    query: Mapping[str, str] = NOTHING
    body: Mapping[str, Any] = NOTHING
    base_url: str = "https://api.intercom.io"

    def allow(self, *keys: str) -> None:
        """Refuses the first body key that this endpoint does not know."""
        for key in self.body:
            if key not in keys:
                raise bad_parameter(key)

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("true", "1")


class Reply(NamedTuple):
    """`recent_write`: Intercom sets its one-second read-your-writes cookie.

    `counts_as`: how many calls the limit takes it for.
    """

    document: Any
    recent_write: bool = False
    changed: bool = False
    status: int = 200
    counts_as: int = 1


class Answer(NamedTuple):
    """What a transport delivers, `delay_s` after it was asked.

    `fate`: "" delivers it; "dropped" and "lost" close the connection without a byte; "slow" drips
    the body over `drip_s` seconds; "truncated" announces the whole length and sends half.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    delay_s: float = 0.0
    fate: str = ""
    drip_s: float = 0.0

    def json(self) -> Any:
        return json.loads(self.body)


def split_path(path: str) -> tuple[tuple[str, ...], str]:
    """The decoded segments of a path, and its query string."""
    bare, _, query = path.partition("?")
    segments = bare.strip("/").split("/")
    return tuple(unquote(s) if "%" in s else s for s in segments), query


def parse_query(query: str) -> dict[str, str]:
    return dict(parse_qsl(query, keep_blank_values=True)) if query else {}


def _not_json(constant: str) -> Any:
    raise ValueError(constant)


# Made once: json.loads and json.dumps would make a new one for each call that is not the default.
READER = json.JSONDecoder(parse_constant=_not_json)
WRITER = json.JSONEncoder(separators=(",", ":"), check_circular=False)


def parse_body(body: bytes, content_type: str, settings: Settings) -> dict[str, Any]:
    """An absent body is an empty object; `null`, lists and scalars are no body at all."""
    if not body.strip():
        return {}
    if settings.choice("content_type_required") and "json" not in content_type.lower():
        raise bad_request("Content-Type must be application/json")
    try:
        parsed = READER.decode(body.decode())
    except (ValueError, RecursionError) as unreadable:
        raise bad_request("The request body is not valid JSON") from unreadable
    if not isinstance(parsed, dict):
        if parsed is None:
            return {}
        raise bad_request("The request body must be a JSON object")
    return parsed


def json_body(document: Any) -> bytes:
    """UTF-8, as Intercom's; where that cannot be (half a surrogate pair), all escaped."""
    try:
        return to_json(document)
    except PydanticSerializationError:
        return WRITER.encode(document).encode()


def reply_body(reply: Reply) -> bytes:
    """Accepted (202) is answered without a body."""
    return b"" if reply.document is None else json_body(reply.document)


REASONS = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    406: "Not Acceptable",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    413: "Payload Too Large",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    501: "Not Implemented",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
STATUS_LINES = {status: f"{status} {reason}" for status, reason in REASONS.items()}
REVISION = "5f9a1c0de6b7a8c9d0e1f2a3b4c5d6e7f8091a2b"


@lru_cache(maxsize=4)
def http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def write_headers(
    status: int, body: bytes, request_id: str, version: str, seconds: float
) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Cache-Control": "no-cache",
        "Status": STATUS_LINES.get(status) or f"{status} Unknown",
        "X-Request-Id": request_id,
        "X-Runtime": f"{seconds:.6f}",
        "Intercom-Version": version,
        "X-Intercom-Version": REVISION,
    }
    if status < 400:
        headers["Cache-Control"] = "max-age=0, private, must-revalidate"
        # As long as Intercom's, but cheap: the body is read once more for it.
        headers["ETag"] = f'W/"{crc32(body):032x}"'
    return headers


def refusal_body(refused: Refused, request_id: str) -> bytes:
    return json_body(refused.document(request_id))
