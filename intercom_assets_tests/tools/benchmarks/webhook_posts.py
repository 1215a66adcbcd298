"""Signed webhooks over kept-alive connections, sent by a clock or as fast as they are answered.

Bodies are what the stand-in's contacts look like, half of them edited. Must not: judging.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any
from urllib.parse import urlsplit

import requests

from intercom_assets.inbound.signatures import WEBHOOK
from intercom_assets_tests.inbound.listening import SECRET
from intercom_assets_tests.inbound.told import notification
from intercom_assets_tests.tools.benchmarks.simulated import TOKEN

CONNECTIONS = 32


@dataclass(slots=True)
class Answers:
    """`seconds`: from when each was due to its answer."""

    seconds: list[float] = field(default_factory=list)
    statuses: "Counter[int]" = field(default_factory=Counter)
    whole: float = 0.0


def bodies(simulator: str, number: int, *, edited: bool) -> list[bytes]:
    """Notifications about all contacts in turn; `edited`: every other one shows another name."""
    documents = list(_contacts(simulator))
    made = []
    for n, document in enumerate(islice(cycle(documents), number)):
        news = {"name": f"Edited {n}"} if edited and n % 2 else {}
        notice = notification("contact.user.updated", {**document, **news})
        made.append(json.dumps(notice).encode())
    return made


def _contacts(simulator: str) -> Iterator[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {TOKEN}", "Intercom-Version": "2.16"}
    params = {"per_page": "150"}
    while True:
        answer = requests.get(
            f"{simulator}/contacts", params=params, headers=headers, timeout=60
        ).json()
        yield from answer["data"]
        if (following := answer["pages"].get("next")) is None:
            return
        params["starting_after"] = following["starting_after"]


def post_all(
    url: str, sent: Sequence[bytes], a_second: float | None, *, secret: bytes = SECRET
) -> Answers:
    """`a_second`: so many are due, answered or not; None is as fast as connections get free."""
    return asyncio.run(_post_all(url, sent, a_second, secret))


async def _post_all(
    url: str, sent: Sequence[bytes], a_second: float | None, secret: bytes
) -> Answers:
    answers, waiting = Answers(), asyncio.Queue[tuple[float, bytes]]()
    began = time.monotonic()
    for n, body in enumerate(sent):
        waiting.put_nowait((began + n / a_second if a_second else 0.0, _request(body, secret)))
    await asyncio.gather(*(_connection(url, waiting, answers) for _ in range(CONNECTIONS)))
    answers.whole = time.monotonic() - began
    return answers


async def _connection(
    url: str, waiting: "asyncio.Queue[tuple[float, bytes]]", answers: Answers
) -> None:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    while not waiting.empty():
        due, request = waiting.get_nowait()
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        started = due or time.monotonic()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(_length(head))
        answers.seconds.append(time.monotonic() - started)
        answers.statuses[int(head.split(b" ", 2)[1])] += 1
    writer.close()


def _request(body: bytes, secret: bytes) -> bytes:
    lines = (
        "POST /webhooks HTTP/1.1",
        "Host: bench",
        f"X-Hub-Signature: {WEBHOOK.sign(body, secret)}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
