"""Raw bodies of requests, bounded: each by its size and a time, all together by what is in hand.

Nobody has shown who he is while a body is read, so what strangers can make us hold is bounded as
a whole. Must not: look into a body.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request

LARGEST_BODY = 1_048_576
READ_WITHIN_S = 10.0
MOST_IN_HAND = 64 * 1_048_576
"""Bytes of all bodies that are being read or answered."""


class BodyTooLarge(Exception):
    """More than `LARGEST_BODY`: it is read no further."""


class BodyTooSlow(Exception):
    """It was not there within `READ_WITHIN_S`."""


class TooMuchInHand(Exception):
    """Other requests fill what may be held; whoever sent this one may try again."""


class Bodies:
    """Reads bodies; `in_hand` bytes are held at this moment."""

    def __init__(self, largest: int = LARGEST_BODY, most_in_hand: int = MOST_IN_HAND) -> None:
        self._largest, self._most = largest, most_in_hand
        self.in_hand = 0

    @contextmanager
    def holding(self) -> Iterator["_Held"]:
        """What is read within is counted until the end."""
        held = _Held(self)
        try:
            yield held
        finally:
            self.in_hand -= held.size

    def take(self, size: int, so_far: int) -> None:
        if so_far + size > self._largest:
            raise BodyTooLarge
        if self.in_hand + size > self._most:
            raise TooMuchInHand
        self.in_hand += size


class _Held:
    """One request's body while it is in hand."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self.size = 0

    async def read(self, request: Request) -> bytes:
        """Raises `BodyTooLarge`, `BodyTooSlow`, `TooMuchInHand` and `ClientDisconnect`."""
        if _announced(request) > self._bodies._largest:
            raise BodyTooLarge
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                async for part in request.stream():
                    self._bodies.take(len(part), self.size)
                    self.size += len(part)
                    parts.append(part)
        except TimeoutError:
            raise BodyTooSlow from None
        return b"".join(parts)


def _announced(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else 0
