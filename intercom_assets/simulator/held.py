"""Answers that are held back for a while, as an event loop waits for them."""

import asyncio


class Held:
    """Answers that are held back. They are let go when the server ends, so none holds it up."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[bool]] = set()
        self._over = False

    async def wait(self, seconds: float) -> bool:
        """False if the server ends meanwhile."""
        if self._over:
            return False
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        timer = loop.call_later(seconds, self._settle, future, True)
        self._waiting.add(future)
        try:
            return await future
        finally:
            timer.cancel()
            self._waiting.discard(future)

    def let_go(self) -> None:
        self._over = True
        for future in self._waiting:
            self._settle(future, False)

    def _settle(self, future: "asyncio.Future[bool]", waited: bool) -> None:
        if not future.done():
            future.set_result(waited)
