"""HTTP/1.1 connections that end if no whole head of a request comes in time.

uvicorn bounds the time between two requests, not that of a request which begins and never ends.
Must not: know a route.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_WITHIN_S = 10.0
"""From the first byte of a connection, or of a further request, to the end of its headers."""


class PunctualConnection(H11Protocol):
    """Closes itself where a request's head is not complete within `HEAD_WITHIN_S`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head_due is None and self._between_requests():
            self._expect_head()
        super().data_received(data)
        if not self._between_requests():
            self._head_is_here()

    def _between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _expect_head(self) -> None:
        self._head_due = self.loop.call_later(HEAD_WITHIN_S, self._give_up)

    def _head_is_here(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _give_up(self) -> None:
        self._head_due = None
        if not self.transport.is_closing():
            self.transport.close()
